/* signed: replies that carry a serial number in every record, so that an answer tells which reply
 * it is from, of which server, to which question, and when. */
#ifndef WORLDS_SIGNED_H
#define WORLDS_SIGNED_H

#include "base/span.h"
#include "dns/message.h"
#include "dns/name.h"

/* The records of a type without a meaning. */
#define TYPE_OPAQUE 65280

/* What a question is about: all that may change the answer. */
struct meant {
	uint8_t name[64]; /* in lower case, the rest zero */
	uint16_t type;
	bool checking_disabled, dnssec_ok;
	uint8_t zone;
};

/* What a server has said. */
struct said {
	struct meant meant;
	unsigned server, version; /* when it was asked */
	char pin; /* it had to have */
	uint16_t rcode;
	uint32_t ttl_s; /* of its records, and of not being there */
	uint64_t at_ms; /* it comes to the daemon */
	bool negative; /* there is no such thing */
	bool lie; /* it may never be told */
	bool bent; /* octets of it are not what they were */
	bool without_opt; /* so was the query: nobody knows whether DO was meant */
};

/* How a reply is to look. */
struct reply_form {
	uint32_t serial, ttl_s;
	uint16_t rcode, set_flags;
	unsigned records;
	bool alias, soa, opt, keepalive, no_question;
};

/* Makes the reply to that query into out, of DNS_MESSAGE_MAX octets. */
size_t signed_reply(uint8_t *out, struct span query, const struct reply_form *);

/* What a client reads in an answer. */
struct signature {
	bool has_serial, mixed; /* more than one serial */
	uint32_t serial;
	uint32_t ttl_max; /* of the records that are signed */
};
void signed_read(const struct reply *, struct signature *);

/* Of a message that reply_parse() takes. */
void meant_by(struct span message, struct meant *);
bool meant_equals(const struct meant *, const struct meant *);

#endif
