/* build: messages of our own: queries to servers, answers to clients.
 *
 * Every builder writes into memory of the caller and never past `cap`; sizes are computed before a
 * byte is written.
 */
#ifndef DNS_BUILD_H
#define DNS_BUILD_H

#include "dns/pack.h"

/* The EDNS payload size we offer to servers (RFC 9715 R6). */
#define BUILD_UDP_SIZE 1232
/* What is padded is a multiple of these (RFC 8467 §4.1). */
#define BUILD_PAD_QUERY  128
#define BUILD_PAD_ANSWER 468

/* The most that build_query() writes. */
#define BUILD_QUERY_MAX 512

/* What goes to a server: our own header, the question as it was spelled, our own OPT. */
struct query_form {
	uint16_t id;
	uint16_t flags; /* of RD, AD, CD: those to be set */
	struct question question;
	bool edns; /* with OPT; the rest counts only then */
	bool dnssec_ok;
	bool keepalive; /* ask for the idle timeout (RFC 7828 §3.2.1) */
	bool pad; /* the message to a multiple of BUILD_PAD_QUERY */
};
size_t build_query(uint8_t out[BUILD_QUERY_MAX], const struct query_form *);

/* How an answer must look for one client. */
struct answer_form {
	const struct request *request;
	size_t size_max; /* octets; more is truncated on whole RRsets, with TC */
	uint16_t udp_size; /* that our OPT offers */
	int keepalive; /* idle timeout to tell, in 100 ms; -1: none */
	bool pad; /* the message to a multiple of BUILD_PAD_ANSWER, or as far as size_max goes */
	enum ede ede; /* an extended error of ours; EDE_NONE: none ... */
	const char *ede_text; /* ... with this text; NULL: none. At most EDNS_EDE_TEXT octets of it
				 are used */
	uint32_t age_s; /* of what is answered: what its TTLs have come down by ... */
	uint32_t ttl_s; /* ... unless all of them are this; 0: they are not */
};

/* An answer made here: header, question if it could be read, OPT if the client sent one (RFC 6891
 * §6.1.1), with the extended error if there is one. Its length; 0 if it does not fit, which cannot
 * be if cap and size_max are at least BUILD_QUERY_MAX. */
size_t build_error(uint8_t *out, size_t cap, const struct answer_form *, enum rcode);

/* What is packed made into this client's answer: its ID, its question as it was spelled, QR RA and
 * no AA or Z, RD and CD as asked, AD only if the client set AD or DO (RFC 6840 §5.8), TTLs as the
 * form says, our OPT or none, our extended error and then the server's, their text and then they
 * themselves left out where there is no room, padding where there is any. Records of the additional
 * section go first and without TC, then whole RRsets from the end with TC; the server's own TC
 * stays. An rcode that cannot be said without OPT is SERVFAIL.
 *
 * Its length; 0 if the room does not even hold the question and OPT (BUILD_QUERY_MAX always does).
 * The question must have a name of the same length as the packed one. What is packed may not
 * overlap out. *truncated says whether we set TC ourselves. */
size_t build_answer(uint8_t *out, size_t cap, const struct answer_form *, const struct packed *,
	bool *truncated);

#endif
