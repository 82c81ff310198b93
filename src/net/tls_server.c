/* tls_server: see tls_server.h.
 *
 * Sessions hold the server they began with, and it holds its contexts; all are of one thread, so
 * they are counted without atomics.
 */
#include "net/tls_server.h"

#include "base/clock.h"
#include "base/lack.h"
#include "net/tls_cert.h"
#include "net/tls_fault.h"
#include "net/tls_files.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* Each of AES and ChaCha for who is quick at it: 128 bits are enough, and their hash is the cheaper
 * one. */
#define CIPHERS_13 "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"
/* What is left out are the large ones, by which a client could have us work for milliseconds: the
 * finite fields, and P-521. */
#define GROUPS        "X25519:P-256:P-384"
#define GROUPS_HYBRID "X25519MLKEM768:" GROUPS
/* One ticket for one connection: whoever comes back shows one, and gets one. */
#define TICKETS 1
/* A client's certificates. */
#define CERT_LIST_MAX (16 * 1024)
/* All that a client may say before the handshake is done. */
#define HANDSHAKE_MAX (32 * 1024)

struct tls_server {
	unsigned references; /* the worker's, and each session's */
	struct tls_front *front;
	struct tls_tickets *tickets;
	BIO_METHOD *method;
	size_t count;
	SSL_CTX *contexts[]; /* one for each certificate of front */
};

struct session {
	struct tls base;
	struct tls_server *server;
	size_t unnamed; /* the certificate for who names no server */
	char *client; /* who it is */
	size_t handshake_size; /* what it said so far of a handshake */
};

/* ---- what OpenSSL asks ---- */

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *in, unsigned in_len, void *arg)
{
	(void)ssl;
	(void)arg;
	for (unsigned at = 0; at < in_len; at += 1U + in[at])
		if (in[at] == 3 && memcmp(in + at + 1, "dot", 3) == 0) {
			*out = in + at + 1;
			*out_len = 3;
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int on_name(SSL *ssl, int *alert, void *arg)
{
	struct session *t = SSL_get_app_data(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	size_t which = name ? tls_front_choose(t->server->front, name) : t->unnamed;

	(void)alert;
	(void)arg;
	if (which && !SSL_set_SSL_CTX(ssl, t->server->contexts[which]))
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

/* A session whose client's certificate has expired meanwhile is not resumed. */
static SSL_TICKET_RETURN on_resume(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
	size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
	X509 *cert = session ? SSL_SESSION_get0_peer(session) : NULL;
	bool good = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;

	(void)ssl, (void)name, (void)name_len, (void)arg;
	if (good && cert && tls_cert_end(cert) <= clock_date_s())
		good = false;
	if (!good)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/* ---- contexts ---- */

static bool set_policy(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
			SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_max_early_data(ctx, 0);
	SSL_CTX_set_max_cert_list(ctx, CERT_LIST_MAX);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
	SSL_CTX_set_security_level(ctx, TLS_SECURITY_LEVEL);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
		SSL_CTX_set_cipher_list(ctx, TLS_CIPHERS) &&
		SSL_CTX_set_ciphersuites(ctx, CIPHERS_13) &&
		(SSL_CTX_set1_groups_list(ctx, GROUPS_HYBRID) ||
			SSL_CTX_set1_groups_list(ctx, GROUPS)) &&
		SSL_CTX_set_num_tickets(ctx, TICKETS) &&
		SSL_CTX_set_session_ticket_cb(ctx, NULL, on_resume, NULL);
}

static bool set_clients(SSL_CTX *ctx, const struct tls_clients *clients)
{
	if (clients->ca) {
		STACK_OF(X509_NAME) *names = SSL_dup_CA_list(clients->names);

		if (!names)
			return false;
		SSL_CTX_set_client_CA_list(ctx, names);
		tls_trust_apply(clients->ca, ctx);
		SSL_CTX_set_verify(ctx,
			SSL_VERIFY_PEER | (clients->required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
			NULL);
	}
	return SSL_CTX_set_session_id_context(ctx, clients->digest, sizeof clients->digest);
}

static SSL_CTX *make_context(const struct tls_server *s, size_t which)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx && set_policy(ctx) && tls_tickets_apply(s->tickets, ctx) &&
		tls_credentials_apply(tls_front_credentials(s->front, which), ctx) &&
		set_clients(ctx, tls_front_clients(s->front)))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

struct tls_server *tls_server_new(struct tls_front *front, struct tls_tickets *tickets)
{
	size_t count = tls_front_count(front);
	struct tls_server *s = calloc(1, sizeof *s + count * sizeof *s->contexts);

	if (!s)
		return NULL;
	s->references = 1;
	s->front = tls_front_share(front);
	s->tickets = tls_tickets_share(tickets);
	lack_seen(); /* before */
	tls_make_algorithms();
	s->method = tls_bio_method();
	while (s->count < count && (s->contexts[s->count] = make_context(s, s->count)))
		s->count++;
	if (s->method && s->count == count && !lack_seen()) {
		ERR_clear_error();
		return s;
	}
	ERR_clear_error();
	tls_server_free(s);
	return NULL;
}

void tls_server_free(struct tls_server *s)
{
	if (!s || --s->references)
		return;
	for (size_t i = 0; i < s->count; i++)
		SSL_CTX_free(s->contexts[i]);
	BIO_meth_free(s->method);
	tls_tickets_free(s->tickets);
	tls_front_free(s->front);
	free(s);
}

/* ---- sessions ---- */

static bool on_feed(struct tls *base)
{
	struct session *t = (struct session *)base;

	t->handshake_size += buf_len(&base->in); /* OpenSSL reads all there is */
	if (t->handshake_size <= HANDSHAKE_MAX)
		return true;
	tls_fault_client_too_long(&base->fault);
	return false;
}

static bool on_finish(struct tls *base)
{
	struct session *t = (struct session *)base;
	X509 *cert = SSL_get0_peer_certificate(base->ssl);

	base->facts.verified = cert;
	if (cert)
		base->facts.client = t->client = tls_cert_who(cert);
	return true;
}

static void on_leave(struct tls *base)
{
	struct session *t = (struct session *)base;

	free(t->client);
	tls_server_free(t->server);
}

static void on_explain(struct tls *base, enum phase phase)
{
	tls_fault_client(&base->fault, phase, SSL_get_verify_result(base->ssl));
}

static const struct tls_side side = { on_feed, on_finish, on_leave, on_explain,
	tls_fault_client_closed };

const struct tls_front *tls_server_front(const struct tls_server *s)
{
	return s->front;
}

struct tls *tls_server_session(struct tls_server *s, const struct addr *at)
{
	struct session *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->server = s;
	s->references++;
	if (at)
		tls_front_covers(s->front, at, &t->unnamed);
	if (!tls_init(&t->base, &side, s->contexts[0], s->method)) {
		tls_free(&t->base);
		return NULL;
	}
	if (tls_front_clients(s->front)->ca)
		X509_VERIFY_PARAM_set_time(SSL_get0_param(t->base.ssl), clock_date_s());
	SSL_set_accept_state(t->base.ssl);
	return &t->base;
}
