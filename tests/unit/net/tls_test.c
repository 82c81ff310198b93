/* Our client and a server of OpenSSL's, wired together in memory. */
#include "net/tls.h"

#include "case.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "dns.example"

/* A key with a certificate that it signed itself, which serves as its own CA. */
struct party {
	EVP_PKEY *key;
	X509 *cert;
	char file[32];
};

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
}

static struct party party_new(const char *names, long from_s, long to_s)
{
	struct party p = {
		.key = EVP_EC_gen("P-256"), .cert = X509_new(), .file = "/tmp/sotto-XXXXXX"
	};

	X509_set_version(p.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(p.cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(p.cert), from_s);
	X509_gmtime_adj(X509_getm_notAfter(p.cert), to_s);
	X509_set_pubkey(p.cert, p.key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(p.cert), "CN", MBSTRING_ASC,
		(const unsigned char *)NAME, -1, -1, 0);
	X509_set_issuer_name(p.cert, X509_get_subject_name(p.cert));
	if (names)
		add_extension(p.cert, NID_subject_alt_name, names);
	X509_sign(p.cert, p.key, EVP_sha256());

	int fd = mkstemp(p.file);
	FILE *f = fdopen(fd, "w");

	PEM_write_X509(f, p.cert);
	fclose(f);
	return p;
}

static void party_free(struct party *p)
{
	unlink(p->file);
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
}

static void pin_of(const struct party *p, uint8_t pin[TLS_PIN_LEN])
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(p->key, &der);

	EVP_Digest(der, (size_t)len, pin, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
}

/* What one handshake came to. */
struct meeting {
	bool ok, resumed;
	char cause[32];
	size_t heard; /* octets of application data that reached the server */
};

static void carry(struct buf *from, BIO *to)
{
	struct span s = buf_span(from);

	if (s.len)
		BIO_write(to, s.at, (int)s.len);
	buf_drop(from, s.len);
}

static void carry_back(BIO *from, struct buf *to)
{
	uint8_t bytes[4096];
	int n;

	while ((n = BIO_read(from, bytes, sizeof bytes)) > 0)
		buf_append(to, (struct span){ bytes, (size_t)n });
}

static SSL_CTX *server_context(const struct party *p)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_use_certificate(ctx, p->cert);
	SSL_CTX_use_PrivateKey(ctx, p->key);
	return ctx;
}

static struct meeting meet(
	SSL_CTX *server_ctx, const struct party *trusted, struct tls_identity *id)
{
	struct fault f;
	struct tls_trust *trust = tls_trust_load(trusted->file, &f);
	struct tls_client *client = tls_client_new(trust);
	struct tls *t = tls_new(client, id);
	SSL *server = SSL_new(server_ctx);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	enum tls_status s = TLS_WANT;
	struct meeting m = { 0 };
	struct buf plain = { 0 };
	uint8_t heard[64];
	int n;

	SSL_set_bio(server, in, out);
	SSL_set_accept_state(server);
	for (int i = 0; i < 10 && s == TLS_WANT; i++) {
		s = tls_handshake(t);
		carry(tls_out(t), in);
		SSL_do_handshake(server);
		carry_back(out, tls_in(t));
	}
	m.ok = s == TLS_OK;
	if (m.ok) {
		m.resumed = tls_facts(t)->resumed;
		tls_write(t, SPAN("query"));
		carry(tls_out(t), in);
	} else {
		snprintf(m.cause, sizeof m.cause, "%s", tls_fault(t)->cause);
	}
	if ((n = SSL_read(server, heard, sizeof heard)) > 0)
		m.heard = (size_t)n;
	carry_back(out, tls_in(t));
	if (m.ok)
		tls_read(t, &plain); /* takes the tickets */
	buf_clear(&plain);
	SSL_free(server);
	tls_free(t);
	tls_client_free(client);
	tls_trust_free(trust);
	return m;
}

static struct meeting meet_party(
	const struct party *server, const struct party *trusted, struct tls_identity *id)
{
	SSL_CTX *ctx = server_context(server);
	struct meeting m = meet(ctx, trusted, id);

	SSL_CTX_free(ctx);
	tls_identity_clear(id);
	return m;
}

CASE(a_server_with_the_right_name_is_talked_to)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	struct tls_identity id = { .name = NAME };
	struct meeting m = meet_party(&p, &p, &id);

	OK(m.ok);
	EQ(m.heard, 5);
	party_free(&p);
}

static void expect_refusal(const char *names, long from_s, long to_s, const char *cause)
{
	struct party p = party_new(names, from_s, to_s);
	struct tls_identity id = { .name = NAME };
	struct meeting m = meet_party(&p, &p, &id);

	OK(!m.ok);
	STR(m.cause, cause);
	EQ(m.heard, 0);
	party_free(&p);
}

CASE(another_name_is_refused_before_a_byte_of_a_query)
{
	expect_refusal("DNS:other.example", -60, 3600, "wrong-name");
}

CASE(the_common_name_does_not_count)
{
	expect_refusal("DNS:other.example", -60, 3600, "wrong-name");
	expect_refusal(NULL, -60, 3600, "wrong-name");
}

CASE(an_expired_certificate_is_refused)
{
	expect_refusal("DNS:" NAME, -7200, -3600, "expired");
}

CASE(a_certificate_of_the_future_is_refused)
{
	expect_refusal("DNS:" NAME, 3600, 7200, "not-yet-valid");
}

CASE(a_server_that_nobody_vouches_for_is_refused)
{
	struct party p = party_new("DNS:" NAME, -60, 3600), q = party_new("DNS:" NAME, -60, 3600);
	struct tls_identity id = { .name = NAME };
	struct meeting m = meet_party(&p, &q, &id);

	OK(!m.ok);
	EQ(m.heard, 0);
	party_free(&p);
	party_free(&q);
}

CASE(an_address_must_be_in_the_certificate)
{
	struct party p = party_new("IP:192.0.2.1", -60, 3600);
	struct addr right, wrong;
	struct tls_identity id = { .ip = &right };

	addr_parse(&right, "192.0.2.1", 853);
	addr_parse(&wrong, "192.0.2.2", 853);
	OK(meet_party(&p, &p, &id).ok);
	id.ip = &wrong;
	STR(meet_party(&p, &p, &id).cause, "wrong-name");
	party_free(&p);
}

CASE(with_a_pin_alone_the_key_decides)
{
	struct party p = party_new(NULL, -7200, -3600), q = party_new(NULL, -60, 3600);
	struct tls_identity id = { .pin_count = 1 };

	pin_of(&p, id.pins[0]);
	OK(meet_party(&p, &q, &id).ok);
	STR(meet_party(&q, &q, &id).cause, "pin-mismatch");
	party_free(&p);
	party_free(&q);
}

CASE(with_name_and_pin_both_must_be_right)
{
	struct party p = party_new("DNS:" NAME, -60, 3600), q = party_new("DNS:" NAME, -60, 3600);
	struct tls_identity id = { .name = NAME, .pin_count = 1 };

	pin_of(&p, id.pins[0]);
	OK(meet_party(&p, &p, &id).ok);
	STR(meet_party(&q, &q, &id).cause, "pin-mismatch");
	id.name = "other.example";
	STR(meet_party(&p, &p, &id).cause, "wrong-name");
	party_free(&p);
	party_free(&q);
}

CASE(a_session_is_resumed_and_held_to_the_same_identity)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	SSL_CTX *ctx = server_context(&p);
	struct tls_identity id = { .name = NAME };

	OK(!meet(ctx, &p, &id).resumed);
	OK(id.ticket_count > 0);
	OK(meet(ctx, &p, &id).resumed);
	id.name = "other.example";
	struct meeting m = meet(ctx, &p, &id);

	OK(!m.ok);
	EQ(m.heard, 0);
	tls_identity_clear(&id);
	SSL_CTX_free(ctx);
	party_free(&p);
}

CASE(what_is_not_tls_is_called_so)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	struct fault f;
	struct tls_trust *trust = tls_trust_load(p.file, &f);
	struct tls_client *client = tls_client_new(trust);
	struct tls_identity id = { .name = NAME };
	struct tls *t = tls_new(client, &id);

	EQ(tls_handshake(t), TLS_WANT);
	buf_append(tls_in(t), SPAN("HTTP/1.1 400 Bad Request\r\n"));
	EQ(tls_handshake(t), TLS_FAILED);
	STR(tls_fault(t)->cause, "not-tls");
	tls_free(t);
	tls_client_free(client);
	tls_trust_free(trust);
	party_free(&p);
}

CASE(without_certificates_there_is_no_trust)
{
	struct fault f;

	OK(!tls_trust_load("/nonexistent/ca.pem", &f));
	STR(f.cause, "ca-unreadable");
	OK(!tls_trust_load("/dev/null", &f));
	STR(f.cause, "ca-empty");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_server_with_the_right_name_is_talked_to),
		CLAIM(another_name_is_refused_before_a_byte_of_a_query),
		CLAIM(the_common_name_does_not_count),
		CLAIM(an_expired_certificate_is_refused),
		CLAIM(a_certificate_of_the_future_is_refused),
		CLAIM(a_server_that_nobody_vouches_for_is_refused),
		CLAIM(an_address_must_be_in_the_certificate),
		CLAIM(with_a_pin_alone_the_key_decides),
		CLAIM(with_name_and_pin_both_must_be_right),
		CLAIM(a_session_is_resumed_and_held_to_the_same_identity),
		CLAIM(what_is_not_tls_is_called_so),
		CLAIM(without_certificates_there_is_no_trust),
	};

	return RUN(cases);
}
