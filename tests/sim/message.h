/* message: what the peers of the daemon say, made from words, and what they hear, told in words.
 *
 * The words: an rcode; flags `aa tc rd ra ad cd do`; addresses of A or AAAA records, `own` for the
 * one that is derived from the name; `cname`, an alias in front of them; `soa=N`, in the authority
 * section; `svcb=PRIORITY TARGET KEY=VALUE...`, a record of a service (service.h); `records=N`,
 * `ttl=N`, `edns=SIZE`, `keepalive=N` (in 100 ms), and only in what is heard `ede=N`, `padding`,
 * `size=N`. `!WORD` is its absence.
 */
#ifndef SIM_MESSAGE_H
#define SIM_MESSAGE_H

#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_MAX  65535
#define MESSAGE_TEXT 512

/* What to say. Zero it: an ordinary query, or the answer to one. */
struct form {
	uint16_t set, clear; /* flags of the header */
	uint16_t rcode;
	struct {
		size_t len;
		uint8_t octets[16];
	} addrs[8];
	size_t addr_count;
	const char *services[4]; /* as text; borrowed */
	size_t service_count;
	bool has_records, has_ttl, has_keepalive;
	uint16_t records, keepalive, edns_size; /* edns_size 0: as is usual */
	uint32_t ttl_s, soa_s;
	bool has_soa, is_alias;
	bool no_edns, no_question, dnssec_ok;
	bool another_id, another_question, twice; /* lies and stutter */
};

/* Takes the word in. False: it is none of those. */
bool form_word(struct form *, const char *word);

/* Both write into MESSAGE_MAX octets and give the length. */
size_t message_query(
	uint8_t *out, uint16_t id, const char *name, uint16_t type, const struct form *);
size_t message_reply(uint8_t *out, struct span query, const struct form *);

/* NAME TYPE [RCODE] and further words; returns text. */
const char *message_words(struct span, char text[MESSAGE_TEXT]);
/* Is the word, or an absence, in that text? `edns` is also in `edns=1232`. */
bool message_holds(const char *text, const char *word);

bool message_type(const char *word, uint16_t *type);
uint16_t message_id(struct span);
/* The same question, letter by letter? */
bool message_same_question(struct span, struct span);

#endif
