/* plan: what `sotto query` is to ask, whom, and what to show; made of the command line.
 *
 * Everything in it lives in its memory; it is not changed once ask/plan_read has made it.
 */
#ifndef ASK_PLAN_H
#define ASK_PLAN_H

#include "config/memory.h"
#include "dns/name.h"
#include "net/addr.h"
#include "upstream/upstream.h"

#include <stdbool.h>
#include <stdint.h>

/* Exit statuses beyond RCODEs. */
enum ask_status {
	ASK_USAGE = 64,
	ASK_SILENCE = 65,
	ASK_MALFORMED = 66,
	ASK_UNREACHED = 67,
	ASK_TLS = 68,
	ASK_TSIG = 69,
	ASK_UNKNOWN_HOST = 70,
	ASK_HOST = 71,
	ASK_UNMET = 72
};

#define ASK_QUESTIONS_MAX 256
#define ASK_OPTIONS_MAX   32

struct ask_question {
	uint8_t name[NAME_MAX_WIRE];
	size_t name_len;
	uint16_t type, class;
	uint32_t serial; /* of IXFR */
	const char *said; /* as it was written */
};

/* An option of EDNS. */
struct ask_option {
	uint16_t code;
	uint16_t len;
	const uint8_t *octets;
};

struct ask_edns {
	bool on;
	uint8_t version;
	uint16_t size, flags;
	struct ask_option options[ASK_OPTIONS_MAX]; /* in the order of the command line */
	size_t option_count;
	bool pad; /* the message, to a multiple of ... */
	uint16_t pad_to;
};

/* A key of TSIG (RFC 8945). */
struct ask_key {
	const char *algorithm; /* "hmac-sha256"; NULL: no TSIG */
	uint8_t name[NAME_MAX_WIRE];
	size_t name_len;
	const uint8_t *secret;
	size_t secret_len;
};

struct ask_show {
	bool is_short, json, generic, hex, debug;
	bool comments, question, answer, authority, additional, stats; /* parts */
	bool colour;
};

struct ask_plan {
	struct ask_question questions[ASK_QUESTIONS_MAX];
	size_t question_count;

	const char *server_said;
	bool is_sotto; /* the running proxy ... */
	const char *config; /* ... that has this configuration; NULL: the usual one */
	struct server_conf
		server; /* scheme, address, what it has to prove; host: to be looked up */
	uint16_t fallback_port; /* of plain DNS, where TLS failed */
	int family; /* AF_INET, AF_INET6; AF_UNSPEC: either */

	uint16_t flags; /* of the header: RD, AD, CD, AA, TC, RA, Z */
	uint8_t opcode;
	bool has_id;
	uint16_t id;
	bool mixed_case; /* 0x20 */
	bool no_question, header_only;
	struct ask_edns edns;
	struct ask_key key;

	bool ignore_tc, tls_fallback, resume, keep_open, walk;
	unsigned walk_ms; /* between two questions of a walk */
	unsigned count, rate; /* 1 and 0: not the load mode */
	unsigned connections; /* of it, or sockets */
	unsigned time_ms; /* patience with a try over UDP, or with a connection; 0: not said */
	unsigned tries;
	bool help; /* it was asked for; nothing else counts */
	bool exit_zero;
	struct ask_show show;
	struct memory memory;
};

#endif
