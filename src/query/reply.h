/* reply: the answer to a query, fitted to its client. */
#ifndef QUERY_REPLY_H
#define QUERY_REPLY_H

#include "dns/pack.h"

/* The longest message there is. */
#define REPLY_MAX 65535

/* What is to be said: what is packed, or, without that, an rcode of our own. */
struct answer {
	const struct packed *packed;
	uint32_t age_s, ttl_s; /* as of build.h */
	enum rcode rcode;
	enum ede ede;
	const char *ede_text; /* NULL: none */
	bool truncate; /* say nothing but TC */
	bool authoritative; /* it is of a zone that is served here */
};

/* How one says it there. */
struct manners {
	bool stream, encrypted; /* facts of the client */
	uint16_t udp_size; /* the most a UDP answer may have, and what our OPT offers */
	uint16_t keepalive; /* idle timeout told to stream clients that ask, in 100 ms */
};

struct shape {
	struct span message; /* in the memory given */
	bool truncated;
};

/* Shapes the answer into out, of REPLY_MAX octets: the request's ID, spelling, size and EDNS. */
struct shape reply_shape(
	const struct request *, const struct answer *, const struct manners *, uint8_t *out);

#endif
