#include "announce.h"

#include <stdio.h>
#include <string.h>

#define LIST 400

static void append(char list[LIST], const char *separator, const char *word)
{
	size_t len = strlen(list);

	snprintf(list + len, LIST - len, "%s%s", len ? separator : "", word);
}

/* How a server proves that it is the one. */
static const char *proof(const struct server_conf *s, char text[LIST])
{
	if (s->auth_name)
		snprintf(text, LIST, "name %s%s", s->auth_name, s->pin_count ? " and pin" : "");
	else
		snprintf(text, LIST, "%s", s->pin_count ? "pin" : "address");
	return text;
}

static void add_proofs(char list[LIST], const struct upstream_conf *u)
{
	char text[LIST], before[LIST];

	for (size_t i = 0; i < u->count; i++) {
		bool known = false;

		proof(&u->servers[i], text);
		for (size_t k = 0; k < i && !known; k++)
			known = strcmp(text, proof(&u->servers[k], before)) == 0;
		if (!known)
			append(list, ", ", text);
	}
}

void announce(const struct config *c)
{
	char listen[LIST] = "", upstreams[LIST] = "", verified[LIST] = "", text[ADDR_TEXT];
	struct log_line l;

	for (size_t i = 0; i < c->listen.count; i++)
		append(listen, " ", addr_print(&c->listen.addrs[i], text));
	for (size_t i = 0; i < c->upstream.count; i++)
		append(upstreams, " ", c->upstream.servers[i].text);
	add_proofs(verified, &c->upstream);
	log_begin(&l, LOG_INFO, "sotto " SOTTO_VERSION " is ready");
	log_str(&l, "listen", listen);
	log_str(&l, "proto", "udp+tcp");
	log_str(&l, "upstreams", upstreams);
	log_str(&l, "encrypted", "DNS over TLS only");
	log_str(&l, "verified", verified);
	log_str(&l, "ca", c->ca ? c->ca : "system");
	log_fmt(&l, "workers", "%u", c->workers);
	log_str(&l, "config", c->file ? c->file : "none");
	log_end(&l);
}
