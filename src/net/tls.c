/* tls: see tls.h.
 *
 * OpenSSL reads from and writes to two buffers of ours through a BIO that never blocks. Its queue
 * of errors is empty between calls: what is left in it would be read as a failure of the next
 * connection.
 */
#include "net/tls.h"

#include "base/lack.h"
#include "net/tls_cert.h"

#include <errno.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

/* Plain octets at once: for the least it is worth asking, and the longest record. */
#define READ_LEAST 256
#define READ_MOST  16384

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

/* The number of a kind of its own would be one of 128 that a process has, and nobody asks for it.
 */
BIO_METHOD *tls_bio_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "buffers");

	if (!m)
		return NULL;
	BIO_meth_set_read(m, bio_read);
	BIO_meth_set_write(m, bio_write);
	BIO_meth_set_ctrl(m, bio_control);
	return m;
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
void tls_make_algorithms(void)
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

/* ---- sessions ---- */

bool tls_init(struct tls *t, const struct tls_side *side, SSL_CTX *ctx, BIO_METHOD *method)
{
	t->side = side;
	t->ssl = SSL_new(ctx);
	BIO *bio = BIO_new(method);

	if (!t->ssl || !bio || !SSL_set_app_data(t->ssl, t)) {
		BIO_free(bio);
		ERR_clear_error();
		return false;
	}
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	return true;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	/* OpenSSL would forbid the resumption of a session that ended without close_notify, as many
	 * do. */
	if (t->ssl && !t->over)
		SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl);
	t->side->leave(t);
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

static enum tls_status fail(struct tls *t)
{
	t->over = true;
	ERR_clear_error();
	return TLS_FAILED;
}

/* What the last call of OpenSSL came to. What has failed stays so, though OpenSSL 3.5 may say of a
 * later call that it wants more. */
static enum tls_status outcome(struct tls *t, int result, enum phase phase)
{
	if (t->over)
		return fail(t);
	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_NONE:
		return TLS_OK;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	default:
		t->side->explain(t, phase);
		return fail(t);
	}
}

/* A server can only choose what it was offered, and we offer nothing else (RFC 7858 §3.1). */
static const char *chosen_protocol(const SSL *ssl)
{
	const uint8_t *name;
	unsigned len;

	SSL_get0_alpn_selected(ssl, &name, &len);
	return len ? "dot" : NULL;
}

static void note_facts(struct tls *t)
{
	t->facts.version = SSL_get_version(t->ssl);
	t->facts.cipher = SSL_get_cipher_name(t->ssl);
	t->facts.resumed = SSL_session_reused(t->ssl);
	t->facts.not_after_s = tls_cert_end(SSL_get0_peer_certificate(t->ssl));
	t->facts.alpn = chosen_protocol(t->ssl);
	t->facts.ssl = t->ssl;
	t->facts.group = SSL_group_to_name(t->ssl, (int)SSL_get_negotiated_group(t->ssl));
}

enum tls_status tls_handshake(struct tls *t)
{
	if (!t->side->feed(t))
		return fail(t);
	ERR_clear_error();
	enum tls_status s = outcome(t, SSL_do_handshake(t->ssl), PHASE_HANDSHAKE);

	if (s == TLS_CLOSED) {
		t->side->explain_goodbye(&t->fault);
		return fail(t);
	}
	if (s != TLS_OK)
		return s;
	t->done = true;
	note_facts(t);
	ERR_clear_error();
	return t->side->finish(t) ? TLS_OK : fail(t);
}

/* Room for what is likely to come, so that it comes in one piece, and none that stays empty: what
 * is decrypted is shorter than what came in. */
static uint8_t *room_for(struct tls *t, struct buf *plain, size_t *size)
{
	size_t likely = buf_len(&t->in);

	if (likely < READ_LEAST)
		likely = READ_LEAST;
	if (likely > READ_MOST)
		likely = READ_MOST;
	uint8_t *room = buf_room(plain, likely);

	*size = plain->cap - plain->end;
	return room;
}

enum tls_status tls_read(struct tls *t, struct buf *plain)
{
	enum tls_status s = TLS_OK;

	while (s == TLS_OK) {
		size_t size, n = 0;
		uint8_t *room = room_for(t, plain, &size);

		if (!room) {
			fault_from_errno(&t->fault, PHASE_READ, ENOMEM);
			return TLS_FAILED;
		}
		s = outcome(t, SSL_read_ex(t->ssl, room, size, &n), PHASE_READ);
		buf_grow(plain, n);
	}
	buf_drop(plain, 0); /* gives back memory that came to nothing */
	return s;
}

enum tls_status tls_write(struct tls *t, struct span plain)
{
	size_t written;

	return outcome(t, SSL_write_ex(t->ssl, plain.at, plain.len, &written), PHASE_WRITE);
}

void tls_shutdown(struct tls *t)
{
	/* A second call would wait for the peer's. */
	if (!t->over && t->done && !(SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
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
