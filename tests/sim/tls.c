/* TLS in a simulated world: objects without contents. The streams there never call a session. */
#include "net/tls.h"

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

struct tls_client *tls_client_new(struct tls_trust *trust)
{
	struct tls_client *c = calloc(1, sizeof *c);

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
