/* tls: see tls.h.
 *
 * OpenSSL reads from and writes to two buffers of ours through a BIO that never blocks. Whoever the
 * peer must be is decided in one place, judge(). In a full handshake on_verify() calls it in place
 * of OpenSSL's own verification. A session brings the chain it was made with, and is judged by it
 * before it is offered, so that resuming never asks for less than starting from the beginning.
 *
 * OpenSSL's queue of errors is empty between calls: what is left in it would be read as a failure
 * of the next connection.
 */
#include "net/tls.h"

#include "base/clock.h"
#include "base/lack.h"
#include "net/tls_fault.h"

#include <errno.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define READ_AT_ONCE 16384 /* the longest record */

struct tls_client {
	SSL_CTX *ctx;
	BIO_METHOD *method;
};

struct tls {
	SSL *ssl;
	struct tls_identity *identity;
	struct buf in, out;
	struct fault fault, doubt; /* why it is over; why the peer is not verified */
	struct tls_facts facts;
	bool begun; /* our first message is made ... */
	bool offered; /* ... and a session to resume is in it */
	bool started; /* the first octet came */
	bool over; /* a fault was found */
};

/* ---- buffers as a BIO ---- */

static int bio_read(BIO *bio, char *to, int len)
{
	struct buf *in = &((struct tls *)BIO_get_data(bio))->in;
	size_t n = buf_len(in);

	BIO_clear_retry_flags(bio);
	if (!n) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (n > (size_t)len)
		n = (size_t)len;
	memcpy(to, buf_span(in).at, n);
	buf_drop(in, n);
	return (int)n;
}

static int bio_write(BIO *bio, const char *from, int len)
{
	struct tls *t = BIO_get_data(bio);

	return buf_append(&t->out, (struct span){ (const uint8_t *)from, (size_t)len }) ? len : -1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "buffers");

	if (!m)
		return NULL;
	BIO_meth_set_read(m, bio_read);
	BIO_meth_set_write(m, bio_write);
	BIO_meth_set_ctrl(m, bio_control);
	return m;
}

/* ---- who the peer must be ---- */

static bool is_pinned(const struct tls_identity *id, X509 *cert)
{
	uint8_t digest[TLS_PIN_LEN];
	uint8_t *key = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &key);
	bool found = false;

	if (len <= 0)
		return false;
	bool digested = EVP_Digest(key, (size_t)len, digest, NULL, EVP_sha256(), NULL);

	OPENSSL_free(key);
	for (unsigned i = 0; digested && i < id->pin_count; i++)
		found |= memcmp(digest, id->pins[i], TLS_PIN_LEN) == 0;
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

static bool is_judged_by_chain(struct tls *t, X509_STORE_CTX *store)
{
	const struct tls_identity *id = t->identity;
	char ip[ADDR_TEXT];

	if (X509_verify_cert(store) <= 0) {
		tls_fault_verify(&t->doubt, store,
			id->name ? id->name : addr_print_host(id->ip, ip), !id->name);
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
static bool is_judged_by_key(struct tls *t, X509_STORE_CTX *store)
{
	X509 *cert = X509_STORE_CTX_get0_cert(store);

	if (is_pinned(t->identity, cert))
		return true;
	tls_fault_pin(&t->doubt, cert);
	return false;
}

/* Is the peer who it must be? If not, t->doubt says why. The answer is also left in the store,
 * where OpenSSL looks for it. */
static void judge(struct tls *t, X509_STORE_CTX *store)
{
	bool ok = by_pin_only(t->identity) ? is_judged_by_key(t, store)
					   : is_judged_by_chain(t, store);

	t->facts.verified = ok;
	t->facts.doubt = ok ? NULL : &t->doubt;
	if (ok)
		X509_STORE_CTX_set_error(store, X509_V_OK);
	else if (X509_STORE_CTX_get_error(store) == X509_V_OK)
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
}

static bool may_go_on(const struct tls *t)
{
	return t->facts.verified || t->identity->opportunistic;
}

static void refuse(struct tls *t)
{
	t->fault = t->doubt;
	t->over = true;
}

static int on_verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);

	(void)arg;
	judge(t, store);
	if (may_go_on(t))
		return 1;
	refuse(t);
	return 0;
}

/* Judges the chain that the session at hand was made with, just as OpenSSL sets it up for a chain
 * that is sent. */
static bool judge_session(struct tls *t)
{
	X509 *cert = SSL_get0_peer_certificate(t->ssl);
	X509_STORE *trusted = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(t->ssl));
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	bool ok = false;

	if (cert && store &&
		X509_STORE_CTX_init(store, trusted, cert, SSL_get_peer_cert_chain(t->ssl)) &&
		X509_STORE_CTX_set_default(store, "ssl_server") &&
		X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(store), SSL_get0_param(t->ssl))) {
		X509_VERIFY_PARAM_set_auth_level(
			X509_STORE_CTX_get0_param(store), SSL_get_security_level(t->ssl));
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
	struct tls *t = SSL_get_app_data(ssl);
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
static void offer_session(struct tls *t)
{
	struct tls_identity *id = t->identity;

	if (!id->ticket_count)
		return;
	SSL_SESSION *session = id->tickets[id->ticket_count - 1];

	t->offered = SSL_SESSION_is_resumable(session) && SSL_set_session(t->ssl, session) &&
		judge_session(t);
	if (!t->offered) {
		SSL_set_session(t->ssl, NULL);
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

/* ---- memory ---- */

/* tests/tsan.supp knows these three by name. */

static void *tls_take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return lack_malloc(size);
}

static void *tls_retake(void *was, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return lack_realloc(was, size);
}

static void tls_give(void *at, const char *file, int line)
{
	(void)file;
	(void)line;
	free(at);
}

void tls_watch_memory(void)
{
	CRYPTO_set_mem_functions(tls_take, tls_retake, tls_give);
}

#define NOTE_ONE(type)                                                                             \
	static void note_##type(type *one, void *arg)                                              \
	{                                                                                          \
		(void)one;                                                                         \
		(void)arg;                                                                         \
	}
NOTE_ONE(EVP_MD)
NOTE_ONE(EVP_CIPHER)
NOTE_ONE(EVP_KDF)
NOTE_ONE(EVP_MAC)
NOTE_ONE(EVP_RAND)
NOTE_ONE(EVP_KEYEXCH)
NOTE_ONE(EVP_KEYMGMT)
NOTE_ONE(EVP_SIGNATURE)
NOTE_ONE(OSSL_DECODER)

/* OpenSSL makes each kind of algorithm ready when it is first needed, once: what it gets no memory
 * for at that moment is missing ever after, and no handshake would succeed until a restart. So it
 * is done at start. */
static void make_algorithms(void)
{
	EVP_MD_do_all_provided(NULL, note_EVP_MD, NULL);
	EVP_CIPHER_do_all_provided(NULL, note_EVP_CIPHER, NULL);
	EVP_KDF_do_all_provided(NULL, note_EVP_KDF, NULL);
	EVP_MAC_do_all_provided(NULL, note_EVP_MAC, NULL);
	EVP_RAND_do_all_provided(NULL, note_EVP_RAND, NULL);
	EVP_KEYEXCH_do_all_provided(NULL, note_EVP_KEYEXCH, NULL);
	EVP_KEYMGMT_do_all_provided(NULL, note_EVP_KEYMGMT, NULL);
	EVP_SIGNATURE_do_all_provided(NULL, note_EVP_SIGNATURE, NULL);
	OSSL_DECODER_do_all_provided(NULL, note_OSSL_DECODER, NULL);
}

/* ---- contexts ---- */

/* Only the server it is meant for gets to see who we are. */
static int on_certificate_wanted(SSL *ssl, void *arg)
{
	const struct tls *t = SSL_get_app_data(ssl);

	(void)arg;
	if (!t->facts.verified)
		SSL_certs_clear(ssl);
	return 1;
}

static bool set_policy(SSL_CTX *ctx, const struct tls_client_conf *conf)
{
	/* RFC 9325 §4.2: forward secrecy and authenticated encryption, also in TLS 1.2. */
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
		SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") &&
		SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn) == 0;
}

struct tls_client *tls_client_new(struct tls_trust *trust, const struct tls_client_conf *conf)
{
	struct tls_client *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	lack_seen(); /* before */
	make_algorithms();
	c->method = bio_method();
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
	return !id->ip || X509_VERIFY_PARAM_set1_ip_asc(param, addr_print_host(id->ip, ip));
}

struct tls *tls_new(struct tls_client *c, struct tls_identity *id)
{
	struct tls *t = calloc(1, sizeof *t);
	BIO *bio;

	if (!t)
		return NULL;
	t->identity = id;
	t->in.keep = t->out.keep = 2 * READ_AT_ONCE;
	t->ssl = SSL_new(c->ctx);
	bio = BIO_new(c->method);
	if (!t->ssl || !bio || !SSL_set_app_data(t->ssl, t) || !set_identity(t->ssl, id)) {
		BIO_free(bio);
		tls_free(t);
		ERR_clear_error();
		return NULL;
	}
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_connect_state(t->ssl);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	/* A server that breaks off may do so because it cannot resume what it said it could: next
	 * time from the beginning. */
	if (t->offered && !SSL_is_init_finished(t->ssl))
		tls_identity_clear(t->identity);
	/* OpenSSL would forbid the resumption of a session that ended without close_notify, as many
	 * do. */
	if (t->ssl && !t->over)
		SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl);
	buf_clear(&t->in);
	buf_clear(&t->out);
	free(t);
}

struct buf *tls_in(struct tls *t)
{
	return &t->in;
}

struct buf *tls_out(struct tls *t)
{
	return &t->out;
}

/* What the last call of OpenSSL came to. */
static enum tls_status outcome(struct tls *t, int result, enum phase phase)
{
	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_NONE:
		return TLS_OK;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	default:
		if (!t->over)
			tls_fault_library(&t->fault, phase);
		t->over = true;
		ERR_clear_error();
		return TLS_FAILED;
	}
}

/* A TLS server begins with a handshake record or an alert (RFC 8446 §5.1). */
static bool begins_with_tls(struct tls *t)
{
	if (t->started || !buf_len(&t->in))
		return true;
	t->started = true;
	uint8_t first = buf_span(&t->in).at[0];

	return first == 0x16 || first == 0x15;
}

static int64_t not_after(const X509 *cert)
{
	struct tm tm;

	if (!cert || !ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm))
		return 0;
	return timegm(&tm);
}

static void note_facts(struct tls *t)
{
	t->facts.version = SSL_get_version(t->ssl);
	t->facts.cipher = SSL_get_cipher_name(t->ssl);
	t->facts.resumed = SSL_session_reused(t->ssl);
	t->facts.not_after_s = not_after(SSL_get0_peer_certificate(t->ssl));
	t->facts.group = SSL_group_to_name(t->ssl, (int)SSL_get_negotiated_group(t->ssl));
}

enum tls_status tls_handshake(struct tls *t)
{
	if (!begins_with_tls(t)) {
		tls_fault_not_tls(&t->fault);
		t->over = true;
		return TLS_FAILED;
	}
	if (!t->begun) {
		t->begun = true;
		offer_session(t);
	}
	ERR_clear_error();
	enum tls_status s = outcome(t, SSL_do_handshake(t->ssl), PHASE_HANDSHAKE);

	if (s == TLS_CLOSED) {
		tls_fault_closed(&t->fault);
		t->over = true;
		return TLS_FAILED;
	}
	if (s != TLS_OK)
		return s;
	note_facts(t);
	ERR_clear_error();
	if (may_go_on(t))
		return TLS_OK;
	refuse(t);
	return TLS_FAILED;
}

enum tls_status tls_read(struct tls *t, struct buf *plain)
{
	for (;;) {
		uint8_t *room = buf_room(plain, READ_AT_ONCE);
		size_t n = 0;

		if (!room) {
			fault_from_errno(&t->fault, PHASE_READ, ENOMEM);
			return TLS_FAILED;
		}
		int result = SSL_read_ex(t->ssl, room, READ_AT_ONCE, &n);

		buf_grow(plain, n);
		if (result != 1)
			return outcome(t, result, PHASE_READ);
	}
}

enum tls_status tls_write(struct tls *t, struct span plain)
{
	size_t written;

	return outcome(t, SSL_write_ex(t->ssl, plain.at, plain.len, &written), PHASE_WRITE);
}

void tls_shutdown(struct tls *t)
{
	/* A second call would wait for the peer's. */
	if (!t->over && SSL_is_init_finished(t->ssl) &&
		!(SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
		SSL_shutdown(t->ssl);
	ERR_clear_error();
}

const struct fault *tls_fault(const struct tls *t)
{
	return &t->fault;
}

const struct tls_facts *tls_facts(const struct tls *t)
{
	return &t->facts;
}
