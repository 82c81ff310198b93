/* TLS in a simulated world: objects without contents. The streams there never call a session. */
#include "net/tls_client.h"
#include "net/tls_server.h"

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

/* ---- listeners' ---- */

struct tls_front *tls_front_load(const struct tls_front_conf *conf, struct fault *f)
{
	(void)conf, (void)f;
	return NULL;
}

struct tls_front *tls_front_share(struct tls_front *front)
{
	return front;
}

void tls_front_free(struct tls_front *front)
{
	(void)front;
}

bool tls_front_same(const struct tls_front *a, const struct tls_front *b)
{
	return a == b;
}

size_t tls_front_count(const struct tls_front *front)
{
	(void)front;
	return 0;
}

const struct tls_shown *tls_front_shown(const struct tls_front *front, size_t which)
{
	(void)front, (void)which;
	return NULL;
}

const struct tls_shown *tls_front_proof(const struct tls_front *front, const struct addr *a)
{
	(void)front, (void)a;
	return NULL;
}

struct tls_tickets *tls_tickets_new(const char *file, struct fault *f)
{
	(void)file, (void)f;
	return NULL;
}

bool tls_tickets_load(struct tls_tickets *tickets, const char *file, struct fault *f)
{
	(void)tickets, (void)file, (void)f;
	return true;
}

struct tls_tickets *tls_tickets_share(struct tls_tickets *tickets)
{
	return tickets;
}

void tls_tickets_free(struct tls_tickets *tickets)
{
	(void)tickets;
}

struct tls_server *tls_server_new(struct tls_front *front, struct tls_tickets *tickets)
{
	(void)front, (void)tickets;
	return NULL;
}

void tls_server_free(struct tls_server *server)
{
	(void)server;
}

const struct tls_front *tls_server_front(const struct tls_server *server)
{
	(void)server;
	return NULL;
}
