/* How an upstream is written: what is refused has a reason; what is taken has a spelling of ours,
 * which is no other product's and reads back to the same server. */
#include <stdlib.h>
#include <string.h>

#include "config/uri.h"
#include "fuzz.h"

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void compare(const struct server_conf *a, const struct server_conf *b)
{
	HOLDS(a->scheme == b->scheme && a->designated == b->designated);
	HOLDS(addr_equal(&a->addr, &b->addr));
	HOLDS(same_text(a->host, b->host) && same_text(a->auth_name, b->auth_name));
	HOLDS(a->hint_count == b->hint_count && a->hint_count <= ADDRS_MAX);
	for (size_t i = 0; i < a->hint_count; i++)
		HOLDS(addr_equal(&a->hints[i], &b->hints[i]));
	HOLDS(a->pin_count == b->pin_count);
	HOLDS(memcmp(a->pins, b->pins, sizeof a->pins) == 0);
	HOLDS(a->opportunistic == b->opportunistic && a->tls13 == b->tls13);
	HOLDS(same_text(a->ca, b->ca) && same_text(a->cert, b->cert) && same_text(a->key, b->key));
	HOLDS(same_text(a->interface, b->interface) && addr_equal(&a->source, &b->source));
	HOLDS(a->weight == b->weight);
}

/* Nothing is sent unencrypted, or to somebody unverified, but where that is asked for by name. */
static void is_what_was_asked_for(const struct server_conf *s, const char *text)
{
	HOLDS(s->scheme == SCHEME_TLS || strcasestr(text, "udp:") || strcasestr(text, "tcp:"));
	HOLDS(!s->opportunistic || strstr(text, "verify=no"));
	HOLDS(s->scheme == SCHEME_TLS || (!s->auth_name && !s->pin_count));
	HOLDS(!s->opportunistic || !s->pin_count);
	HOLDS(!s->designated || strcasestr(text, "ddr:"));
	HOLDS(!s->designated || (s->scheme == SCHEME_TLS && !s->opportunistic && !s->host));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct memory m = { NULL };
	const char *text = memory_copy(&m, (const char *)data, len);
	struct server_conf server, again, printed;
	struct uri_reading reading;

	if (uri_read(&server, text, &m, &reading)) {
		is_what_was_asked_for(&server, text);
		HOLDS(uri_read(&printed, uri_print(&server, &m), &m, &reading));
		HOLDS(!reading.is_foreign);
		compare(&server, &printed);
		HOLDS(strcmp(uri_print(&server, &m), uri_print(&printed, &m)) == 0);
		HOLDS(uri_read(&again, server.text, &m, &reading));
		HOLDS(strcmp(again.text, server.text) == 0);
	} else {
		HOLDS(*reading.problem);
	}
	memory_clear(&m);
	return 0;
}
