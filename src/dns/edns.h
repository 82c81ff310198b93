/* edns: the OPT record (RFC 6891) and the options we know. Hop by hop: read the peer's, build our
 * own. */
#ifndef DNS_EDNS_H
#define DNS_EDNS_H

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* Extended DNS Errors (RFC 8914) that we say ourselves. */
enum ede {
	EDE_NONE = -1,
	EDE_OTHER = 0,
	EDE_STALE = 3,
	EDE_FORGED = 4,
	EDE_CACHED = 13,
	EDE_NOT_READY = 14,
	EDE_BLOCKED = 15,
	EDE_CENSORED = 16,
	EDE_FILTERED = 17,
	EDE_PROHIBITED = 18,
	EDE_STALE_NXDOMAIN = 19,
	EDE_NOT_AUTHORITATIVE = 20,
	EDE_NOT_SUPPORTED = 21,
	EDE_NO_REACHABLE_AUTHORITY = 22,
	EDE_NETWORK_ERROR = 23,
	EDE_INVALID_DATA = 24
};

enum {
	OPTION_KEEPALIVE = 11, /* RFC 7828 */
	OPTION_PADDING = 12, /* RFC 7830 */
	OPTION_EDE = 15 /* RFC 8914 */
};

/* DO, the only flag of OPT's TTL field that is defined. */
#define EDNS_DO 0x8000

/* More options than this in one OPT is an attack, not a query. */
#define EDNS_OPTIONS_MAX 64
/* Extended errors of a server that are passed on, and the octets of text each may have. */
#define EDNS_EDE_MAX  4
#define EDNS_EDE_TEXT 128

/* What an OPT record says. */
struct edns {
	bool present;
	uint8_t version;
	uint8_t rcode_high; /* upper eight bits of the extended rcode */
	uint16_t udp_size; /* at least 512 (RFC 6891 §6.2.3) */
	bool dnssec_ok; /* DO */
	bool has_keepalive; /* the option is there, two octets long or empty ... */
	uint16_t keepalive; /* ... with this timeout in 100 ms, 0 if it was empty */
	bool has_padding;
	struct span options; /* all options, whole and well-formed */
};

/* Reads an OPT record's class (udp_size), TTL and RDATA. False: options run past the end, or there
 * are more than EDNS_OPTIONS_MAX; then it counts as present and without options. */
bool edns_parse(struct edns *, uint16_t class, uint32_t ttl, struct span rdata);

/* One extended error. */
struct edns_error {
	uint16_t code;
	struct span text;
};
/* The length of a text cut to EDNS_EDE_TEXT octets, and not in the middle of a character of UTF-8.
 */
size_t edns_text_len(struct span text);
/* The n-th (from 0) extended error among the options. */
bool edns_error_at(const struct edns *, unsigned n, struct edns_error *);

#endif
