/* TLS in a simulated world: objects without contents. The streams there never call a session. */
#include "net/tls_client.h"

#include <stdlib.h>

struct tls_client {
	struct tls_trust *trust;
};

struct tls_trust *tls_trust_load(const char *ca, struct fault *f)
{
	(void)ca, (void)f;
	return NULL;
}

void tls_trust_free(struct tls_trust *trust)
{
	(void)trust;
}

bool tls_trust_same(const struct tls_trust *a, const struct tls_trust *b)
{
	return a == b;
}

bool tls_credentials_same(const struct tls_credentials *a, const struct tls_credentials *b)
{
	return a == b;
}

struct tls_credentials *tls_credentials_load(const char *cert, const char *key, struct fault *f)
{
	(void)cert, (void)key, (void)f;
	return NULL;
}

void tls_credentials_free(struct tls_credentials *credentials)
{
	(void)credentials;
}

struct tls_client *tls_client_new(struct tls_trust *trust, const struct tls_client_conf *conf)
{
	struct tls_client *c = calloc(1, sizeof *c);

	(void)conf;
	if (c)
		c->trust = trust;
	return c;
}

void tls_client_free(struct tls_client *c)
{
	free(c);
}

void tls_identity_clear(struct tls_identity *identity)
{
	(void)identity;
}

