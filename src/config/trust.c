#include "config/trust.h"

#include <string.h>

static bool same_file(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static const char *ca_of(const struct config *c, const struct server_conf *s)
{
	return s->ca ? s->ca : c->ca;
}

/* Without it, a server is used only where whoever answers is taken; with it, that one may yet prove
 * who it is. */
static bool load_trust(struct config *c, struct server_conf *s, struct fault *f)
{
	const char *ca = ca_of(c, s);

	for (const struct server_conf *b = c->upstream.servers; b < s && !s->trust; b++) {
		if (same_file(ca, ca_of(c, b)))
			s->trust = b->trust;
	}
	if (!s->trust)
		s->trust = tls_trust_load(ca, f);
	return s->trust;
}

static bool load_credentials(struct server_conf *s, struct fault *f)
{
	if (s->cert)
		s->credentials = tls_credentials_load(s->cert, s->key, f);
	return !s->cert || s->credentials;
}

bool config_load_trust(struct config *c, FILE *err)
{
	struct fault f;

	for (size_t i = 0; i < c->upstream.count; i++) {
		struct server_conf *s = &c->upstream.servers[i];
		bool ok = s->scheme != SCHEME_TLS || load_trust(c, s, &f) || s->opportunistic;

		if (!ok || !load_credentials(s, &f)) {
			fprintf(err, "upstream %s: %s (%s): %s\n", s->text, f.reason, f.cause,
				f.hint);
			return false;
		}
	}
	return true;
}

void trust_free(struct config *c)
{
	for (size_t i = 0; i < c->upstream.count; i++) {
		struct tls_trust *trust = c->upstream.servers[i].trust;

		tls_credentials_free(c->upstream.servers[i].credentials);
		if (!trust)
			continue;
		for (size_t k = i; k < c->upstream.count; k++) {
			if (c->upstream.servers[k].trust == trust)
				c->upstream.servers[k].trust = NULL;
		}
		tls_trust_free(trust);
	}
}
