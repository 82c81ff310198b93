/* tls_tickets: see tls_tickets.h.
 *
 * A key made here encrypts for six hours, and decrypts for twelve, so that a ticket is at least six
 * hours good. Keys are made when one is needed, not by a timer: a process that nobody talks to has
 * none to keep. They are wiped when they go.
 */
#include "net/tls_tickets.h"

#include "base/clock.h"
#include "base/replace.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define NAME_LEN    16
#define IV_LEN      16
#define KEYS_MAX    16
#define ENCRYPTS_MS (6 * 3600 * 1000LL)
#define DECRYPTS_MS (TLS_TICKET_LIFE_S * 1000LL)

/* As it stands in a file. */
struct secret {
	uint8_t name[NAME_LEN], hmac[32], aes[32];
};

struct key {
	struct secret secret;
	int64_t born_ms; /* since boot */
};

struct tls_tickets {
	pthread_mutex_t lock; /* of what follows up to `count` */
	unsigned references;
	bool from_file;
	struct key keys[KEYS_MAX]; /* the first encrypts */
	size_t count;
	EVP_CIPHER *cipher; /* looked up once: it takes long */
};

/* ---- keys ---- */

static void drop_keys(struct tls_tickets *t, size_t from)
{
	if (from >= t->count)
		return;
	OPENSSL_cleanse(&t->keys[from], (t->count - from) * sizeof *t->keys);
	t->count = from;
}

static bool is_younger(const struct key *k, int64_t now_ms, int64_t than_ms)
{
	return now_ms - k->born_ms < than_ms;
}

/* Those made here grow old. False: there is no key to encrypt with. */
static bool renew(struct tls_tickets *t)
{
	int64_t now_ms = clock_since_boot_ms();
	struct key new = { .born_ms = now_ms };

	if (t->from_file || (t->count && is_younger(&t->keys[0], now_ms, ENCRYPTS_MS)))
		return true;
	if (RAND_bytes(new.secret.name, sizeof new.secret.name) != 1 ||
		RAND_priv_bytes(new.secret.hmac, sizeof new.secret.hmac) != 1 ||
		RAND_priv_bytes(new.secret.aes, sizeof new.secret.aes) != 1)
		return false;
	drop_keys(t, 1);
	if (t->count)
		t->keys[1] = t->keys[0];
	t->count++;
	t->keys[0] = new;
	OPENSSL_cleanse(&new, sizeof new);
	return true;
}

/* The key to encrypt with. */
static bool take_first(struct tls_tickets *t, struct secret *s)
{
	pthread_mutex_lock(&t->lock);
	bool ok = renew(t);

	if (ok)
		*s = t->keys[0].secret;
	pthread_mutex_unlock(&t->lock);
	return ok;
}

/* The key of that name, unless it is too old. */
static bool take_named(
	struct tls_tickets *t, const uint8_t name[NAME_LEN], struct secret *s, bool *is_first)
{
	bool found = false;

	pthread_mutex_lock(&t->lock);
	int64_t now_ms = clock_since_boot_ms();

	for (size_t i = 0; !found && i < t->count; i++) {
		const struct key *k = &t->keys[i];

		found = memcmp(k->secret.name, name, NAME_LEN) == 0 &&
			(t->from_file || is_younger(k, now_ms, DECRYPTS_MS));
		*is_first = i == 0;
		if (found)
			*s = k->secret;
	}
	pthread_mutex_unlock(&t->lock);
	return found;
}

/* ---- what OpenSSL asks ---- */

static bool use_hmac(EVP_MAC_CTX *mac, struct secret *s)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, s->hmac, sizeof s->hmac),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params);
}

/* 1: it is done; 0: without a ticket; -1: the session fails. */
static int encrypt(
	struct tls_tickets *t, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	struct secret s;

	if (!take_first(t, &s))
		return 0;
	bool ok = RAND_bytes(iv, IV_LEN) == 1 &&
		EVP_EncryptInit_ex2(cipher, t->cipher, s.aes, iv, NULL) && use_hmac(mac, &s);

	memcpy(name, s.name, NAME_LEN);
	OPENSSL_cleanse(&s, sizeof s);
	return ok ? 1 : 0;
}

/* 2: it is good, and a new one is given; 1: it is good; 0: a full handshake. In TLS 1.3 a ticket is
 * used once, so a new one goes out each time (RFC 8446 §C.4). */
static int decrypt(SSL *ssl, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	struct tls_tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct secret s;
	bool is_first;

	if (!take_named(t, name, &s, &is_first))
		return 0;
	bool ok = use_hmac(mac, &s) && EVP_DecryptInit_ex2(cipher, t->cipher, s.aes, iv, NULL);

	OPENSSL_cleanse(&s, sizeof s);
	if (!ok)
		return 0;
	return is_first && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int encrypting)
{
	if (encrypting)
		return encrypt(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)), name, iv, cipher, mac);
	return decrypt(ssl, name, iv, cipher, mac);
}

bool tls_tickets_apply(struct tls_tickets *t, SSL_CTX *ctx)
{
	SSL_CTX_set_timeout(ctx, TLS_TICKET_LIFE_S);
	return SSL_CTX_set_app_data(ctx, t) && SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}

/* ---- the file ---- */

#define FILE_MAX (KEYS_MAX * sizeof(struct secret))

/* How many octets it has, at most FILE_MAX + 1, or -errno. */
static ssize_t read_file(const char *path, uint8_t bytes[FILE_MAX + 1])
{
	int fd = replace_open(path);
	ssize_t got = 0, n = 1;

	if (fd < 0)
		return fd;
	while (n > 0 && got <= (ssize_t)FILE_MAX) {
		n = read(fd, bytes + got, FILE_MAX + 1 - (size_t)got);
		if (n > 0)
			got += n;
		else if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			got = -errno;
	}
	close(fd);
	return got;
}

#define HINT "make it by `openssl rand 80`, readable by sotto alone, and give all hosts the same"

static bool is_good(ssize_t len, const char *path, struct fault *f)
{
	if (len < 0)
		fault_set(f, PHASE_HANDSHAKE, "tickets-unreadable", HINT,
			"cannot read the ticket keys in %s: %s", path, strerror((int)-len));
	else if (len > (ssize_t)FILE_MAX)
		fault_set(f, PHASE_HANDSHAKE, "tickets-too-many", "leave out the oldest",
			"there are more than %d ticket keys in %s", KEYS_MAX, path);
	else if (!len || len % (ssize_t)sizeof(struct secret))
		fault_set(f, PHASE_HANDSHAKE, "tickets-damaged", HINT,
			"%s has not one or more ticket keys of 80 octets", path);
	else
		return true;
	return false;
}

static void put_keys(struct tls_tickets *t, const uint8_t *bytes, size_t count)
{
	pthread_mutex_lock(&t->lock);
	if (count || t->from_file)
		drop_keys(t, 0);
	t->from_file = count;
	for (size_t i = 0; i < count; i++)
		memcpy(&t->keys[i].secret, bytes + i * sizeof(struct secret),
			sizeof(struct secret));
	if (count)
		t->count = count;
	pthread_mutex_unlock(&t->lock);
}

bool tls_tickets_load(struct tls_tickets *t, const char *file, struct fault *f)
{
	uint8_t bytes[FILE_MAX + 1];
	ssize_t len = file ? read_file(file, bytes) : 0;
	bool ok = !file || is_good(len, file, f);

	if (ok)
		put_keys(t, bytes, (size_t)len / sizeof(struct secret));
	OPENSSL_cleanse(bytes, sizeof bytes);
	return ok;
}

/* ---- life ---- */

struct tls_tickets *tls_tickets_new(const char *file, struct fault *f)
{
	struct tls_tickets *t = calloc(1, sizeof *t);

	if (!t)
		goto no_memory;
	pthread_mutex_init(&t->lock, NULL);
	t->references = 1;
	t->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (!t->cipher)
		goto no_memory;
	if (tls_tickets_load(t, file, f))
		return t;
	tls_tickets_free(t);
	return NULL;

no_memory:
	ERR_clear_error();
	fault_from_errno(f, PHASE_HANDSHAKE, ENOMEM);
	tls_tickets_free(t);
	return NULL;
}

struct tls_tickets *tls_tickets_share(struct tls_tickets *t)
{
	pthread_mutex_lock(&t->lock);
	t->references++;
	pthread_mutex_unlock(&t->lock);
	return t;
}

void tls_tickets_free(struct tls_tickets *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	bool is_last = --t->references == 0;
	pthread_mutex_unlock(&t->lock);
	if (!is_last)
		return;
	drop_keys(t, 0);
	EVP_CIPHER_free(t->cipher);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
