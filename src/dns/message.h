/* message: what a DNS message says, read without copying. No I/O, no clock, no memory.
 *
 * Two readers for two peers: query_parse() for what clients send, where a fault has an answer, and
 * reply_parse() for what servers send, where a fault means that the reply does not count.
 */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include "base/span.h"
#include "dns/edns.h"
#include "dns/octets.h"
#include "dns/record.h"
#include "dns/types.h"

#include <stdbool.h>
#include <stdint.h>

/* The most a message can have; its length is sent in two octets (RFC 1035 §4.2.2). */
#define DNS_MESSAGE_MAX 65535

/* The flags of a header, as one number. */
enum {
	DNS_QR = 0x8000,
	DNS_OPCODE = 0x7800,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_Z = 0x0040,
	DNS_AD = 0x0020,
	DNS_CD = 0x0010,
	DNS_RCODE = 0x000f
};

/* The parts behind the header, which counts them in this order. */
enum { SECTION_QUESTION, SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTIONS };

/* A question: the name as it was spelled, then type and class, as on the wire. */
struct question {
	const uint8_t *name; /* uncompressed */
	size_t name_len; /* with the root label */
	uint16_t type, class;
};

/* The same question, letters without case? */
bool question_equals(const struct question *, const struct question *);

/* What a client asks. */
struct request {
	uint16_t id, flags;
	struct question question; /* name NULL: there is none that can be repeated */
	struct edns edns;
};

/* What to do with a message from a client. */
enum admission {
	ADMIT, /* a query to be answered */
	ADMIT_DROP, /* say nothing: too short, or not a query */
	ADMIT_REFUSE /* answer with *rcode, and with *ede if it is not EDE_NONE */
};

/* More records than this in the additional section of a query are not for us. */
#define QUERY_ADDITIONAL_MAX 4

/* Reads a message from a client and judges its form (RFC 1035, RFC 6891, RFC 9619), the same for
 * every transport. request borrows from m and is filled in as far as the message could be read, so
 * that a refusal can repeat ID, question and OPT. The first that holds decides:
 *
 * - shorter than a header, or QR set: silence, or two proxies would talk for ever
 * - an opcode other than QUERY: NOTIMP, whatever else is in the message
 * - not exactly one question, a bad or compressed name, octets missing or left over: FORMERR
 * - answer or authority records (but the SOA of an IXFR), too many additional ones: FORMERR
 * - OPT twice, elsewhere, not at the root, with broken options, or asked for: FORMERR
 * - an EDNS version other than 0: BADVERS
 * - AXFR, IXFR, a class other than IN: REFUSED, EDE 21
 *
 * All other flags, and records of the additional section that are not OPT, mean nothing. */
enum admission query_parse(struct span m, struct request *, enum rcode *, enum ede *);

/* What a server replied: offsets into its message. */
struct reply {
	struct span message;
	uint16_t id, flags;
	uint16_t rcode; /* with the upper bits from OPT */
	uint16_t count[SECTIONS];
	size_t question_end; /* DNS_HEADER if there is no question */
	size_t section[SECTIONS]; /* where each starts */
	uint32_t ttl_max; /* the largest TTL of all records but OPT */
	bool has_opt;
	size_t opt, opt_end; /* where the OPT record starts and ends */
	struct edns edns; /* of the server; options in edns.options */
};

/* Reads a reply whole: header, at most one question, every record's owner, length and (in the types
 * of RFC 1035 that hold names) the names in it; at most one OPT, in its place. False: malformed, or
 * octets left over. */
bool reply_parse(struct span m, struct reply *);

/* Is this the reply to that question (RFC 5452 §9.1, RFC 7858 §3.3)? QR set, opcode QUERY, one
 * question, the same one, letters without case. The ID is compared by the caller, who found the
 * exchange by it. */
bool reply_answers(const struct reply *, const struct question *);

/* Reads the record at *at, in a message that has passed reply_parse(), and moves *at behind it. */
void message_record(struct span m, size_t *at, struct record *);

/* Do two records belong together: same owner, class, and type, or, of a signature, the type that it
 * covers? */
bool same_rrset(struct span m, const struct record *a, const struct record *b);

#endif
