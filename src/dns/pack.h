/* pack: a reply made ready to be given to many clients, now and later: what of it does not depend
 * on who asks. build_answer() makes an answer of it.
 *
 * Its records are without OPT; the places of their TTLs are known; every TTL is what may be told
 * (RFC 2181 §5.2, §8; RFC 2308 §5), and can change without the message becoming unreadable or a
 * name in it becoming another one.
 */
#ifndef DNS_PACK_H
#define DNS_PACK_H

#include "dns/message.h"

/* The most records that a message can have: each is a root, type, class, TTL and length. */
#define PACKED_RECORDS ((DNS_MESSAGE_MAX - DNS_HEADER) / 11)
/* The extended errors of a server that are passed on, as options. */
#define PACKED_ERRORS (EDNS_EDE_MAX * (6 + EDNS_EDE_TEXT))
/* Memory for one: places, message, errors. */
#define PACKED_MAX (2 * PACKED_RECORDS + DNS_MESSAGE_MAX + PACKED_ERRORS)

/* What an answer says of the question. */
enum worth {
	WORTH_NOTHING, /* not to be kept */
	WORTH_POSITIVE, /* there are records of the type asked for */
	WORTH_NODATA, /* there are none of this type, or at the end of its aliases (RFC 2308 §2) */
	WORTH_NXDOMAIN, /* the name does not exist, whatever the type (RFC 2308 §5) */
	WORTH_FAILURE, /* who should know failed (RFC 9520 §3.2) */
};

/* Records of an answer that somebody may object to, in any of its sections, as bits. */
enum {
	HOLDS_ALIAS = 1, /* CNAME, DNAME */
	HOLDS_ADDRESS = 2, /* A, AAAA */
	HOLDS_SERVICE = 4 /* SVCB, HTTPS: hints are addresses, and targets names */
};

struct packed {
	struct span message; /* a header, its ID and rcode of no meaning; question; records */
	const uint16_t *ttl_at; /* where the TTLs are: offsets into message */
	uint16_t ttl_count;
	struct span errors; /* options of OPT, each an extended error; never at NULL */
	uint16_t rcode; /* with the upper bits */
	uint8_t holds;
	enum worth worth;
	uint32_t lifetime_s; /* the lowest TTL; 0: not to be kept */
};

struct pack_limits {
	uint32_t ttl_min_s, ttl_max_s; /* no TTL is below or above */
	uint32_t negative_max_s; /* that one is told of what is not there */
};

/* Packs a server's reply, which must have passed reply_parse(), into memory of PACKED_MAX octets,
 * aligned for uint16_t; *packed borrows from that. Records that stand behind OPT move, their names
 * written out. The reply's message may not overlap memory.
 *
 * TTLs with the top bit set are 0; those of one RRset are the lowest of it (of more than 64
 * records, those that do not stand together may keep their own); then the limits apply. A negative
 * answer without SOA, TC, and rcodes other than NOERROR and NXDOMAIN are worth nothing, and neither
 * is what has a TTL of 0.
 *
 * False: names in it lead through octets that change, TTLs or the type asked for: it cannot be
 * given to anybody. */
bool pack_reply(struct packed *, void *memory, const struct reply *, const struct pack_limits *);

/* A failure of our own, as build.h says it. text: NULL: none; it is copied. */
struct failure {
	enum rcode rcode;
	enum ede ede;
	const char *text;
};
void pack_failure(struct packed *, void *memory, const struct question *, const struct failure *);

/* Copies it into other memory of packed_size() octets, aligned likewise; *packed borrows from that
 * then. */
size_t packed_size(const struct packed *);
void packed_move(struct packed *, void *memory);

/* Sets the TTLs in a copy of its message, of which there are len octets: what they were less the
 * age, or, if ttl_s is not 0, all of them that. */
void packed_age(const struct packed *, uint8_t *copy, size_t len, uint32_t age_s, uint32_t ttl_s);

/* The question of it. */
struct question packed_question(const struct packed *);

#endif
