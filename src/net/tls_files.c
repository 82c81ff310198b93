#include "net/tls_files.h"

#include "base/lack.h"
#include "base/replace.h"
#include "net/tls_cert.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- trust ---- */

struct tls_trust {
	X509_STORE *store;
	uint8_t digest[SHA256_DIGEST_LENGTH]; /* of its certificates, in their order */
};

/* Where distributions keep the bundle: Debian, Fedora, Alpine and BSD. */
static const char *const bundles[] = { "/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" };

const char *tls_trust_path(const char *ca)
{
	const char *named = getenv("SSL_CERT_FILE");

	if (ca)
		return ca;
	if (named && *named)
		return named;
	for (size_t i = 0; i < sizeof bundles / sizeof *bundles; i++)
		if (access(bundles[i], R_OK) == 0)
			return bundles[i];
	return bundles[0];
}

/* access(2) would tell what the user may, and not what a sandbox allows; and OpenSSL would wait for
 * who writes into a pipe. 0 or -errno. */
static int can_read(const char *path)
{
	int fd = replace_open(path);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* OpenSSL reads what a certificate says of itself when it first needs it. Without memory at that
 * moment, it takes the certificate for a broken one ever after. */
static void read_now(X509_STORE *store)
{
	STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(store);

	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (cert)
			X509_check_purpose(cert, -1, 0);
	}
}

/* 0 or -errno; -ENODATA: there is no certificate in it. */
static int load_bundle(X509_STORE *store, const char *path)
{
	int err = can_read(path);

	if (err < 0)
		return err;
	errno = 0;
	bool loaded = X509_STORE_load_file(store, path);
	err = errno; /* of fopen(3), perhaps: OpenSSL does not tell it from an empty file */

	read_now(store);
	ERR_clear_error();
	if (lack_seen() || err == ENOMEM)
		return -ENOMEM;
	if (err == EMFILE || err == ENFILE)
		return -err;
	return loaded && sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) ? 0 : -ENODATA;
}

static void say_not_loaded(struct fault *f, const char *path, const char *hint, int err)
{
	if (err == -ENOMEM)
		fault_set(f, PHASE_VERIFY, "memory", "free some memory", "out of memory");
	else if (err == -ENODATA)
		fault_set(f, PHASE_VERIFY, "ca-empty", hint, "there is no CA certificate in %s",
			path);
	else
		fault_set(f, PHASE_VERIFY, "ca-unreadable", hint,
			"cannot read the CA certificates in %s: %s", path, strerror(-err));
}

/* While nobody else has the store: later, a search may sort it. */
static bool make_digest(struct tls_trust *t)
{
	const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(t->store);
	EVP_MD_CTX *sum = EVP_MD_CTX_new();
	bool ok = sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL);

	for (int i = 0; ok && i < sk_X509_OBJECT_num(objects); i++) {
		X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		uint8_t digest[SHA256_DIGEST_LENGTH];

		if (cert) /* and no list of those that were revoked */
			ok = X509_digest(cert, EVP_sha256(), digest, NULL) &&
				EVP_DigestUpdate(sum, digest, sizeof digest);
	}
	ok = ok && EVP_DigestFinal_ex(sum, t->digest, NULL);
	EVP_MD_CTX_free(sum);
	return ok;
}

struct tls_trust *tls_trust_load(const char *ca, struct fault *f)
{
	const char *hint = ca ? "name a readable PEM file with CA certificates"
			      : "install the package ca-certificates, or name a PEM file in tls.ca";
	const char *path = tls_trust_path(ca);
	struct tls_trust *t = calloc(1, sizeof *t);
	int err = -ENOMEM;

	lack_seen(); /* before */
	if (t && (t->store = X509_STORE_new()))
		err = load_bundle(t->store, path);
	if (!err && !make_digest(t))
		err = -ENOMEM;
	if (!err)
		return t;
	say_not_loaded(f, path, hint, err);
	tls_trust_free(t);
	return NULL;
}

void tls_trust_free(struct tls_trust *t)
{
	if (!t)
		return;
	X509_STORE_free(t->store);
	free(t);
}

bool tls_trust_same(const struct tls_trust *a, const struct tls_trust *b)
{
	return a && b ? memcmp(a->digest, b->digest, sizeof a->digest) == 0 : a == b;
}

const uint8_t *tls_trust_digest(const struct tls_trust *t)
{
	return t->digest;
}

STACK_OF(X509_NAME) * tls_trust_names(const struct tls_trust *t)
{
	const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(t->store);
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
	bool ok = names;

	for (int i = 0; ok && i < sk_X509_OBJECT_num(objects); i++) {
		X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		X509_NAME *name = cert ? X509_NAME_dup(X509_get_subject_name(cert)) : NULL;

		if (!cert)
			continue;
		ok = name && sk_X509_NAME_push(names, name);
		if (!ok)
			X509_NAME_free(name);
	}
	if (ok)
		return names;
	sk_X509_NAME_pop_free(names, X509_NAME_free);
	return NULL;
}

void tls_trust_apply(struct tls_trust *t, SSL_CTX *ctx)
{
	/* With none, nobody is proved: an SSL_CTX has an empty store of its own. */
	if (t)
		SSL_CTX_set1_cert_store(ctx, t->store);
}

/* ---- credentials ---- */

struct tls_credentials {
	X509 *cert;
	STACK_OF(X509) * chain; /* what stands behind it in the file */
	EVP_PKEY *key;
};

#define HINT_CERT                                                                                  \
	"name a PEM file with our certificate first, and those that lead to its CA behind it"
#define HINT_KEY "name a PEM file with the private key of that certificate, not encrypted"

/* NULL, and a fault of that cause, if it cannot be read. */
static BIO *open_file(
	const char *path, const char *what, const char *cause, const char *hint, struct fault *f)
{
	int err = can_read(path);
	BIO *file = err < 0 ? NULL : BIO_new_file(path, "r");

	if (!file)
		fault_set(f, PHASE_HANDSHAKE, cause, hint, "cannot read the %s in %s: %s", what,
			path, strerror(err < 0 ? -err : errno));
	return file;
}

static bool load_chain(struct tls_credentials *c, BIO *file)
{
	X509 *issuer;

	c->cert = PEM_read_bio_X509(file, NULL, NULL, NULL);
	if (!c->cert)
		return false;
	c->chain = sk_X509_new_null();
	while (c->chain && (issuer = PEM_read_bio_X509(file, NULL, NULL, NULL)))
		if (!sk_X509_push(c->chain, issuer)) {
			X509_free(issuer);
			return false;
		}
	return c->chain && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static bool load_cert(struct tls_credentials *c, const char *path, struct fault *f)
{
	BIO *file = open_file(path, "certificate", "cert-unreadable", HINT_CERT, f);
	bool ok = file && load_chain(c, file);

	if (file && !ok)
		fault_set(f, PHASE_HANDSHAKE, "cert-empty", HINT_CERT,
			c->cert ? "what stands behind the certificate in %s is damaged"
				: "there is no certificate in %s",
			path);
	BIO_free(file);
	return ok;
}

/* Nobody is there to be asked for a password. */
static int no_password(char *to, int size, int writing, void *asked)
{
	(void)to, (void)size, (void)writing;
	*(bool *)asked = true;
	return -1;
}

static bool load_key(struct tls_credentials *c, const char *path, struct fault *f)
{
	BIO *file = open_file(path, "key", "key-unreadable", HINT_KEY, f);
	bool encrypted = false;

	if (!file)
		return false;
	c->key = PEM_read_bio_PrivateKey(file, NULL, no_password, &encrypted);
	BIO_free(file);
	if (encrypted)
		fault_set(f, PHASE_HANDSHAKE, "key-encrypted",
			"decrypt it, for example by `openssl pkey -in OLD -out NEW`",
			"the private key in %s is encrypted, and nobody can be asked for the password",
			path);
	else if (!c->key)
		fault_set(f, PHASE_HANDSHAKE, "key-empty", HINT_KEY,
			"there is no private key in %s", path);
	return c->key != NULL;
}

/* What OpenSSL would not take later is told now; and what it would read of a certificate when it
 * first needs it, is read. */
static bool is_usable(const struct tls_credentials *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	bool ok = false;

	X509_check_purpose(c->cert, -1, 0);
	if (ctx) {
		SSL_CTX_set_security_level(ctx, TLS_SECURITY_LEVEL);
		ok = tls_credentials_apply(c, ctx);
	}
	SSL_CTX_free(ctx);
	return ok;
}

struct tls_credentials *tls_credentials_load(const char *cert, const char *key, struct fault *f)
{
	struct tls_credentials *c = calloc(1, sizeof *c);

	ERR_clear_error();
	if (!c) {
		fault_from_errno(f, PHASE_HANDSHAKE, ENOMEM);
		return NULL;
	}
	if (!key)
		key = cert;
	if (!load_cert(c, cert, f) || !load_key(c, key, f))
		goto fail;
	if (!X509_check_private_key(c->cert, c->key)) {
		fault_set(f, PHASE_HANDSHAKE, "key-mismatch", HINT_KEY,
			"the private key in %s is not that of the certificate in %s", key, cert);
		goto fail;
	}
	if (!is_usable(c)) {
		const char *text = ERR_reason_error_string(ERR_peek_error());

		fault_set(f, PHASE_HANDSHAKE, "cert-refused", "have a stronger certificate issued",
			"the certificate in %s is not fit to be shown: %s", cert,
			text ? text : "unknown error");
		goto fail;
	}
	ERR_clear_error();
	return c;

fail:
	ERR_clear_error();
	tls_credentials_free(c);
	return NULL;
}

struct tls_credentials *tls_credentials_of(X509 *cert, EVP_PKEY *key)
{
	struct tls_credentials *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->cert = cert;
	c->key = key;
	c->chain = sk_X509_new_null();
	X509_up_ref(cert);
	EVP_PKEY_up_ref(key);
	if (c->chain)
		return c;
	tls_credentials_free(c);
	return NULL;
}

struct tls_credentials *tls_credentials_share(const struct tls_credentials *from)
{
	struct tls_credentials *c = tls_credentials_of(from->cert, from->key);

	for (int i = 0; c && i < sk_X509_num(from->chain); i++) {
		X509 *issuer = sk_X509_value(from->chain, i);

		if (!sk_X509_push(c->chain, issuer)) {
			tls_credentials_free(c);
			return NULL;
		}
		X509_up_ref(issuer);
	}
	return c;
}

X509 *tls_credentials_cert(const struct tls_credentials *c)
{
	return c->cert;
}

void tls_credentials_free(struct tls_credentials *c)
{
	if (!c)
		return;
	X509_free(c->cert);
	sk_X509_pop_free(c->chain, X509_free);
	EVP_PKEY_free(c->key);
	free(c);
}

bool tls_files_pin(const char *cert, uint8_t pin[TLS_PIN_LEN], struct fault *f)
{
	struct tls_credentials *c = calloc(1, sizeof *c);
	bool has_cert = c && load_cert(c, cert, f), ok = has_cert && tls_cert_pin(c->cert, pin);

	if (!c || (has_cert && !ok))
		fault_from_errno(f, PHASE_HANDSHAKE, ENOMEM);
	ERR_clear_error();
	tls_credentials_free(c);
	return ok;
}

bool tls_credentials_same(const struct tls_credentials *a, const struct tls_credentials *b)
{
	if (!a || !b)
		return a == b;
	bool same =
		X509_cmp(a->cert, b->cert) == 0 && sk_X509_num(a->chain) == sk_X509_num(b->chain);

	for (int i = 0; same && i < sk_X509_num(a->chain); i++)
		same = X509_cmp(sk_X509_value(a->chain, i), sk_X509_value(b->chain, i)) == 0;
	return same;
}

bool tls_credentials_apply(const struct tls_credentials *c, SSL_CTX *ctx)
{
	return SSL_CTX_use_cert_and_key(ctx, c->cert, c->key, c->chain, 1);
}
