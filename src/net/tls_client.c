/* tls_client: see tls_client.h.
 *
 * Whoever the peer must be is decided in one place, judge(). In a full handshake on_verify() calls
 * it in place of OpenSSL's own verification. A session brings the chain it was made with, and is
 * judged by it before it is offered, so that resuming never asks for less than starting from the
 * beginning.
 */
#include "net/tls_client.h"

#include "base/clock.h"
#include "base/lack.h"
#include "net/tls_cert.h"
#include "net/tls_fault.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct tls_client {
	SSL_CTX *ctx;
	BIO_METHOD *method;
};

struct session {
	struct tls base;
	struct tls_identity *identity;
	struct fault doubt; /* why the peer is not verified */
	bool begun; /* our first message is made ... */
	bool offered; /* ... and a session to resume is in it */
	bool started; /* the first octet came */
};

/* ---- who the peer must be ---- */

static bool is_pinned(const struct tls_identity *id, X509 *cert)
{
	uint8_t pin[TLS_PIN_LEN];
	bool found = false;

	if (!tls_cert_pin(cert, pin))
		return false;
	for (unsigned i = 0; i < id->pin_count; i++)
		found |= memcmp(pin, id->pins[i], TLS_PIN_LEN) == 0;
	return found;
}

/* Any certificate of the chain may be the pinned one. */
static bool chain_is_pinned(const struct tls_identity *id, STACK_OF(X509) * chain)
{
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (is_pinned(id, sk_X509_value(chain, i)))
			return true;
	return false;
}

static bool by_pin_only(const struct tls_identity *id)
{
	return !id->name && !id->ip;
}

static bool is_judged_by_chain(struct session *t, X509_STORE_CTX *store)
{
	const struct tls_identity *id = t->identity;
	char ip[ADDR_TEXT];

	if (X509_verify_cert(store) <= 0) {
		tls_fault_verify(&t->doubt, store,
			id->name ? id->name : addr_print_host(id->ip, ip),
			id->name          ? TLS_BY_NAME
				: id->sni ? TLS_BY_DESIGNATION
					  : TLS_BY_ADDRESS);
		return false;
	}
	clock_confirm();
	if (id->pin_count && !chain_is_pinned(id, X509_STORE_CTX_get0_chain(store))) {
		tls_fault_pin(&t->doubt, X509_STORE_CTX_get0_cert(store));
		return false;
	}
	return true;
}

/* Without a chain to hang on, only the server's own key counts: anybody may present another's CA.
 */
static bool is_judged_by_key(struct session *t, X509_STORE_CTX *store)
{
	X509 *cert = X509_STORE_CTX_get0_cert(store);

	if (is_pinned(t->identity, cert))
		return true;
	tls_fault_pin(&t->doubt, cert);
	return false;
}

/* Is the peer who it must be? If not, t->doubt says why. The answer is also left in the store,
 * where OpenSSL looks for it. */
static void judge(struct session *t, X509_STORE_CTX *store)
{
	bool ok = by_pin_only(t->identity) ? is_judged_by_key(t, store)
					   : is_judged_by_chain(t, store);

	t->base.facts.verified = ok;
	t->base.facts.doubt = ok ? NULL : &t->doubt;
	if (ok)
		X509_STORE_CTX_set_error(store, X509_V_OK);
	else if (X509_STORE_CTX_get_error(store) == X509_V_OK)
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
}

static bool may_go_on(const struct session *t)
{
	return t->base.facts.verified || t->identity->opportunistic;
}

static void refuse(struct session *t)
{
	t->base.fault = t->doubt;
	t->base.over = true;
}

static int on_verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct session *t = SSL_get_app_data(ssl);

	(void)arg;
	judge(t, store);
	if (may_go_on(t))
		return 1;
	refuse(t);
	return 0;
}

/* Judges the chain that the session at hand was made with, just as OpenSSL sets it up for a chain
 * that is sent. */
static bool judge_session(struct session *t)
{
	X509 *cert = SSL_get0_peer_certificate(t->base.ssl);
	X509_STORE *trusted = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(t->base.ssl));
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	bool ok = false;

	if (cert && store &&
		X509_STORE_CTX_init(store, trusted, cert, SSL_get_peer_cert_chain(t->base.ssl)) &&
		X509_STORE_CTX_set_default(store, "ssl_server") &&
		X509_VERIFY_PARAM_set1(
			X509_STORE_CTX_get0_param(store), SSL_get0_param(t->base.ssl))) {
		X509_VERIFY_PARAM_set_auth_level(
			X509_STORE_CTX_get0_param(store), SSL_get_security_level(t->base.ssl));
		judge(t, store);
		ok = may_go_on(t);
	}
	X509_STORE_CTX_free(store);
	ERR_clear_error();
	return ok;
}

/* ---- tickets ---- */

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
	struct session *t = SSL_get_app_data(ssl);
	struct tls_identity *id = t->identity;

	if (id->ticket_count == TLS_TICKETS_MAX) {
		SSL_SESSION_free(id->tickets[0]);
		memmove(id->tickets, id->tickets + 1, sizeof id->tickets - sizeof *id->tickets);
		id->ticket_count--;
	}
	id->tickets[id->ticket_count++] = session;
	return 1; /* it is ours now */
}

/* A ticket of TLS 1.3 is used once, so that nobody can tell two connections to be of one client
 * (RFC 8446 C.4); in TLS 1.2 it is shown in clear anyway, and a resumed session brings no new one.
 */
static bool is_for_once(const SSL_SESSION *session)
{
	return SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION;
}

/* Offers the latest session, if its server would still be trusted; else forgets all of them. */
static void offer_session(struct session *t)
{
	struct tls_identity *id = t->identity;

	if (!id->ticket_count)
		return;
	SSL_SESSION *session = id->tickets[id->ticket_count - 1];

	t->offered = SSL_SESSION_is_resumable(session) && SSL_set_session(t->base.ssl, session) &&
		judge_session(t);
	if (!t->offered) {
		SSL_set_session(t->base.ssl, NULL);
		tls_identity_clear(id);
	} else if (is_for_once(session)) {
		id->ticket_count--;
		SSL_SESSION_free(session);
	}
}

void tls_identity_clear(struct tls_identity *id)
{
	while (id->ticket_count)
		SSL_SESSION_free(id->tickets[--id->ticket_count]);
}

/* ---- contexts ---- */

/* Only the server it is meant for gets to see who we are. */
static int on_certificate_wanted(SSL *ssl, void *arg)
{
	const struct session *t = SSL_get_app_data(ssl);

	(void)arg;
	if (!t->base.facts.verified)
		SSL_certs_clear(ssl);
	return 1;
}

static bool set_policy(SSL_CTX *ctx, const struct tls_client_conf *conf)
{
	static const uint8_t alpn[] = { 3, 'd', 'o', 't' };

	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_ticket);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, on_verify, NULL);
	SSL_CTX_set_cert_cb(ctx, on_certificate_wanted, NULL);
	if (SSL_CTX_get_security_level(ctx) < TLS_SECURITY_LEVEL)
		SSL_CTX_set_security_level(ctx, TLS_SECURITY_LEVEL);
	return SSL_CTX_set_min_proto_version(ctx, conf->tls13 ? TLS1_3_VERSION : TLS1_2_VERSION) &&
		SSL_CTX_set_cipher_list(ctx, TLS_CIPHERS) &&
		SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn) == 0;
}

struct tls_client *tls_client_new(struct tls_trust *trust, const struct tls_client_conf *conf)
{
	struct tls_client *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	lack_seen(); /* before */
	tls_make_algorithms();
	c->method = tls_bio_method();
	c->ctx = SSL_CTX_new(TLS_client_method());
	if (!c->method || !c->ctx || !set_policy(c->ctx, conf) ||
		(conf->credentials && !tls_credentials_apply(conf->credentials, c->ctx)) ||
		lack_seen()) {
		ERR_clear_error();
		tls_client_free(c);
		return NULL;
	}
	tls_trust_apply(trust, c->ctx);
	return c;
}

void tls_client_free(struct tls_client *c)
{
	if (!c)
		return;
	SSL_CTX_free(c->ctx);
	BIO_meth_free(c->method);
	free(c);
}

/* ---- sessions ---- */

/* A TLS server begins with a handshake record or an alert (RFC 8446 §5.1). */
static bool begins_with_tls(struct session *t)
{
	const struct buf *in = &t->base.in;

	if (t->started || !buf_len(in))
		return true;
	t->started = true;
	uint8_t first = buf_span(in).at[0];

	return first == 0x16 || first == 0x15;
}

static bool on_feed(struct tls *base)
{
	struct session *t = (struct session *)base;

	if (!begins_with_tls(t)) {
		tls_fault_not_tls(&base->fault);
		return false;
	}
	if (!t->begun) {
		t->begun = true;
		offer_session(t);
	}
	return true;
}

static bool on_finish(struct tls *base)
{
	struct session *t = (struct session *)base;

	if (may_go_on(t))
		return true;
	refuse(t);
	return false;
}

static void on_leave(struct tls *base)
{
	struct session *t = (struct session *)base;

	/* A server that breaks off may do so because it cannot resume what it said it could: next
	 * time from the beginning. */
	if (t->offered && !base->done)
		tls_identity_clear(t->identity);
}

static void on_explain(struct tls *base, enum phase phase)
{
	tls_fault_library(&base->fault, phase);
}

static const struct tls_side side = { on_feed, on_finish, on_leave, on_explain, tls_fault_closed };

/* Tells OpenSSL who it must be, and the server whom we look for. */
static bool set_identity(SSL *ssl, const struct tls_identity *id)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char ip[ADDR_TEXT];

	X509_VERIFY_PARAM_set_time(param, clock_date_s());
	if (id->name) {
		X509_VERIFY_PARAM_set_hostflags(param,
			X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		return X509_VERIFY_PARAM_set1_host(param, id->name, 0) &&
			SSL_set_tlsext_host_name(ssl, id->name);
	}
	if (id->sni && !SSL_set_tlsext_host_name(ssl, id->sni))
		return false;
	return !id->ip || X509_VERIFY_PARAM_set1_ip_asc(param, addr_print_host(id->ip, ip));
}

struct tls *tls_client_session(struct tls_client *c, struct tls_identity *id)
{
	struct session *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->identity = id;
	if (!tls_init(&t->base, &side, c->ctx, c->method) || !set_identity(t->base.ssl, id)) {
		ERR_clear_error();
		tls_free(&t->base);
		return NULL;
	}
	SSL_set_connect_state(t->base.ssl);
	return &t->base;
}
