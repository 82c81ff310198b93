#include "config/trust.h"

#include <string.h>

/* --- whom we trust -----------------------------------------------------------------------------
 */

static bool uses_default(const struct server_conf *s)
{
	return s->scheme == SCHEME_TLS && !s->ca;
}

/* With verify=no, one may yet prove who it is, and need not. */
static bool is_default_needed(const struct config *c)
{
	for (size_t i = 0; i < c->upstream.count; i++) {
		const struct server_conf *s = &c->upstream.servers[i];

		if (uses_default(s) && !s->opportunistic)
			return true;
	}
	return c->ca;
}

/* Want of memory says nothing about the file. */
static struct tls_trust *load(const char *ca, struct fault *f)
{
	struct tls_trust *trust = tls_trust_load(ca, f);

	if (!trust && strcmp(f->cause, "memory") == 0)
		memory_out();
	return trust;
}

static void load_default(struct config *c, const struct place *at, struct problems *problems)
{
	struct fault f;

	c->trust = load(c->ca, &f);
	if (!c->trust && is_default_needed(c))
		problem(problems, at, "tls.ca", "%s; %s%s", f.reason, f.hint,
			c->ca ? " in tls.ca" : "");
}

static struct tls_trust *load_own(struct config *c, size_t server, struct problems *problems)
{
	const struct server_conf *s = &c->upstream.servers[server];
	const struct written_server *w = c->written.servers[server];
	struct fault f;

	for (const struct server_conf *b = c->upstream.servers; b < s; b++) {
		if (b->trust && b->ca && strcmp(b->ca, s->ca) == 0)
			return b->trust;
	}
	struct tls_trust *trust = load(s->ca, &f);

	if (!trust)
		problem(problems, &w->place, w->path, "%s; %s in ?ca=", f.reason, f.hint);
	return trust;
}

/* --- who we are --------------------------------------------------------------------------------
 */

static void load_credentials(struct config *c, size_t server, struct problems *problems)
{
	struct server_conf *s = &c->upstream.servers[server];
	const struct written_server *w = c->written.servers[server];
	struct fault f;

	s->credentials = tls_credentials_load(s->cert, s->key, &f);
	if (!s->credentials)
		problem(problems, &w->place, w->path, "%s; %s", f.reason, f.hint);
}

/* --- everything --------------------------------------------------------------------------------
 */

void trust_load(struct config *c, const struct place *ca_at, struct problems *problems)
{
	bool is_default_used = c->ca;

	for (size_t i = 0; i < c->upstream.count; i++)
		is_default_used |= uses_default(&c->upstream.servers[i]);
	if (is_default_used)
		load_default(c, ca_at, problems);
	for (size_t i = 0; i < c->upstream.count; i++) {
		struct server_conf *s = &c->upstream.servers[i];

		if (s->ca)
			s->trust = load_own(c, i, problems);
		else if (uses_default(s))
			s->trust = c->trust;
		if (s->cert)
			load_credentials(c, i, problems);
	}
}

/* Those that share it have it no more. */
static void free_shared(struct config *c, struct tls_trust *trust)
{
	for (size_t i = 0; i < c->upstream.count; i++) {
		if (c->upstream.servers[i].trust == trust)
			c->upstream.servers[i].trust = NULL;
	}
	tls_trust_free(trust);
}

void trust_free(struct config *c)
{
	free_shared(c, c->trust);
	c->trust = NULL;
	for (size_t i = 0; i < c->upstream.count; i++) {
		free_shared(c, c->upstream.servers[i].trust);
		tls_credentials_free(c->upstream.servers[i].credentials);
	}
}
