/* Our client and a server of OpenSSL's, wired together in memory. */
#include "net/tls_client.h"

#include "base/clock.h"
#include "case.h"
#include "net/party.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME "dns.example"

static struct party party_new(const char *names, long from_s, long to_s)
{
	return party_of(NULL, NAME, names, from_s, to_s);
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
	bool ok, verified, resumed;
	char cause[32]; /* why it failed, or why the peer is not verified */
	char version[16], cipher[32], group[32];
	int64_t not_after_s;
	size_t heard; /* octets of application data that reached the server */
	bool was_shown; /* our certificate, to the server */
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

static SSL_CTX *server_of_version(const struct party *p, int version)
{
	SSL_CTX *ctx = server_context(p);

	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	return ctx;
}

static void note(struct meeting *m, const struct tls_facts *f)
{
	m->verified = f->verified;
	m->resumed = f->resumed;
	m->not_after_s = f->not_after_s;
	snprintf(m->version, sizeof m->version, "%s", f->version);
	snprintf(m->cipher, sizeof m->cipher, "%s", f->cipher);
	snprintf(m->group, sizeof m->group, "%s", f->group);
	if (f->doubt)
		snprintf(m->cause, sizeof m->cause, "%s", f->doubt->cause);
}

static void shake_hands(struct tls *t, SSL *server, struct meeting *m)
{
	BIO *in = SSL_get_rbio(server), *out = SSL_get_wbio(server);
	enum tls_status s = TLS_WANT;
	uint8_t heard[64];
	int n;

	for (int i = 0; i < 10 && s == TLS_WANT; i++) {
		s = tls_handshake(t);
		carry(tls_out(t), in);
		SSL_do_handshake(server);
		carry_back(out, tls_in(t));
	}
	m->ok = s == TLS_OK;
	if (m->ok) {
		note(m, tls_facts(t));
		tls_write(t, SPAN("query"));
		carry(tls_out(t), in);
	} else {
		snprintf(m->cause, sizeof m->cause, "%s", tls_fault(t)->cause);
	}
	if ((n = SSL_read(server, heard, sizeof heard)) > 0)
		m->heard = (size_t)n;
	m->was_shown = SSL_get0_peer_certificate(server) != NULL;
	carry_back(out, tls_in(t));
}

static struct meeting meet_as(SSL_CTX *server_ctx, const struct party *trusted,
	const struct tls_client_conf *conf, struct tls_identity *id)
{
	struct fault f;
	struct tls_trust *trust = tls_trust_load(trusted->file, &f);
	struct tls_client *client = tls_client_new(trust, conf);
	struct tls *t = tls_client_session(client, id);
	SSL *server = SSL_new(server_ctx);
	struct meeting m = { 0 };
	struct buf plain = { 0 };

	SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(server);
	shake_hands(t, server, &m);
	if (m.ok)
		tls_read(t, &plain); /* takes the tickets */
	buf_clear(&plain);
	SSL_free(server);
	tls_free(t);
	tls_client_free(client);
	tls_trust_free(trust);
	return m;
}

static const struct tls_client_conf plain_conf;

static struct meeting meet(
	SSL_CTX *server_ctx, const struct party *trusted, struct tls_identity *id)
{
	return meet_as(server_ctx, trusted, &plain_conf, id);
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

/* And the server wants ours to change (RFC 8446 §4.6.3). */
CASE(keys_may_change_within_a_message)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	struct tls_identity id = { .name = NAME };
	struct fault f;
	SSL_CTX *ctx = server_of_version(&p, TLS1_3_VERSION);
	struct tls_trust *trust = tls_trust_load(p.file, &f);
	struct tls_client *client = tls_client_new(trust, &plain_conf);
	struct tls *t = tls_client_session(client, &id);
	SSL *server = SSL_new(ctx);
	struct meeting m = { 0 };
	struct buf plain = { 0 };
	uint8_t heard[64];

	SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(server);
	shake_hands(t, server, &m);
	OK(m.ok);
	EQ(SSL_write(server, "ab", 2), 2);
	OK(SSL_key_update(server, SSL_KEY_UPDATE_REQUESTED));
	EQ(SSL_write(server, "cd", 2), 2);
	carry_back(SSL_get_wbio(server), tls_in(t));
	EQ(tls_read(t, &plain), TLS_WANT);
	EQ(buf_span(&plain).len, 4);
	MEM(buf_span(&plain).at, "abcd", 4);
	EQ(tls_write(t, SPAN("again")), TLS_OK);
	carry(tls_out(t), SSL_get_rbio(server));
	EQ(SSL_read(server, heard, sizeof heard), 5);
	buf_clear(&plain);
	SSL_free(server);
	tls_free(t);
	tls_client_free(client);
	tls_trust_free(trust);
	SSL_CTX_free(ctx);
	tls_identity_clear(&id);
	party_free(&p);
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

CASE(a_session_is_not_offered_where_its_server_would_not_be_trusted)
{
	struct party p = party_new("DNS:" NAME, -60, 3600), q = party_new("DNS:" NAME, -60, 3600);
	SSL_CTX *ctx = server_context(&p);
	struct tls_identity id = { .name = NAME };

	OK(meet(ctx, &p, &id).ok);
	struct meeting m = meet(ctx, &q, &id); /* the CA is trusted no more */

	OK(!m.ok);
	EQ(m.heard, 0);
	EQ(id.ticket_count, 0);
	OK(meet(ctx, &p, &id).ok);
	id.pin_count = 1; /* of nobody */
	STR(meet(ctx, &p, &id).cause, "pin-mismatch");
	SSL_CTX_free(ctx);
	party_free(&p);
	party_free(&q);
}

CASE(a_session_ends_with_the_certificate_it_was_made_with)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	SSL_CTX *ctx = server_of_version(&p, TLS1_2_VERSION);
	struct tls_identity id = { .name = NAME };

	OK(meet(ctx, &p, &id).ok);
	OK(meet(ctx, &p, &id).resumed);
	clock_set_floor(time(NULL) + 7200);
	struct meeting m = meet(ctx, &p, &id);

	STR(m.cause, "expired");
	EQ(m.heard, 0);
	EQ(id.ticket_count, 0);
	clock_set_floor(0);
	SSL_CTX_free(ctx);
	party_free(&p);
}

CASE(a_pinned_issuer_counts_with_a_name_also_when_resuming)
{
	struct party ca = party_of(NULL, "ca", NULL, -60, 3600);
	struct party p = party_of(&ca, NAME, "DNS:" NAME, -60, 3600);
	SSL_CTX *ctx = server_context(&p);
	struct tls_identity id = { .name = NAME, .pin_count = 1 };

	pin_of(&ca, id.pins[0]); /* which the server does not send */
	OK(meet(ctx, &ca, &id).ok);
	OK(meet(ctx, &ca, &id).resumed);
	tls_identity_clear(&id);
	id.name = NULL; /* and now it does, but anybody could */
	SSL_CTX_add1_chain_cert(ctx, ca.cert);
	STR(meet(ctx, &ca, &id).cause, "pin-mismatch");
	SSL_CTX_free(ctx);
	party_free(&p);
	party_free(&ca);
}

/* A server that takes a ticket, and breaks off. */
static int break_off(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *in, unsigned in_len, void *arg)
{
	(void)out, (void)out_len, (void)in, (void)in_len, (void)arg;
	return SSL_session_reused(ssl) ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
}

static void expect_new_start(int version)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	SSL_CTX *ctx = server_of_version(&p, version);
	struct tls_identity id = { .name = NAME };

	SSL_CTX_set_alpn_select_cb(ctx, break_off, NULL);
	OK(meet(ctx, &p, &id).ok);
	OK(!meet(ctx, &p, &id).ok);
	EQ(id.ticket_count, 0);
	struct meeting m = meet(ctx, &p, &id);

	OK(m.ok);
	OK(!m.resumed);
	tls_identity_clear(&id);
	SSL_CTX_free(ctx);
	party_free(&p);
}

CASE(after_a_resumption_that_failed_it_starts_from_the_beginning)
{
	expect_new_start(TLS1_2_VERSION);
	expect_new_start(TLS1_3_VERSION);
}

CASE(a_server_that_has_lost_its_tickets_is_met_from_the_beginning)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	SSL_CTX *before = server_context(&p), *after = server_context(&p);
	struct tls_identity id = { .name = NAME };

	OK(meet(before, &p, &id).ok);
	struct meeting m = meet(after, &p, &id);

	OK(m.ok);
	OK(!m.resumed);
	tls_identity_clear(&id);
	SSL_CTX_free(before);
	SSL_CTX_free(after);
	party_free(&p);
}

/* ---- whoever answers ---- */

static void expect_taken(int version)
{
	struct party p = party_new("DNS:other.example", -60, 3600);
	struct party q = party_new("DNS:" NAME, -60, 3600);
	SSL_CTX *ctx = server_of_version(&p, version);
	struct tls_identity id = { .name = NAME, .opportunistic = true };

	for (int i = 0; i < 2; i++) {
		struct meeting m = meet(ctx, &q, &id);

		OK(m.ok);
		EQ(m.resumed, i);
		OK(!m.verified);
		STR(m.cause, "self-signed");
		EQ(m.heard, 5);
	}
	STR(meet(ctx, &p, &id).cause, "wrong-name"); /* the CA is trusted now */
	tls_identity_clear(&id);
	SSL_CTX_free(ctx);
	party_free(&p);
	party_free(&q);
}

CASE(whoever_answers_is_taken_where_that_is_wanted_and_what_is_wrong_is_told)
{
	expect_taken(TLS1_2_VERSION);
	expect_taken(TLS1_3_VERSION);
}

CASE(a_good_server_is_verified_also_where_anybody_is_taken)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	SSL_CTX *ctx = server_context(&p);
	struct tls_identity id = { .name = NAME, .opportunistic = true };

	for (int i = 0; i < 2; i++) {
		struct meeting m = meet(ctx, &p, &id);

		EQ(m.resumed, i);
		OK(m.verified);
		STR(m.cause, "");
	}
	tls_identity_clear(&id);
	SSL_CTX_free(ctx);
	party_free(&p);
}

CASE(a_certificate_that_is_not_for_servers_is_doubted_also_when_resuming)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	struct tls_identity id = { .name = NAME, .opportunistic = true };

	add_extension(p.cert, NID_ext_key_usage, "clientAuth");
	X509_sign(p.cert, p.key, EVP_sha256());
	rewrite_files(&p);
	SSL_CTX *ctx = server_context(&p);

	for (int i = 0; i < 2; i++) {
		struct meeting m = meet(ctx, &p, &id);

		EQ(m.resumed, i);
		STR(m.cause, "wrong-purpose");
	}
	tls_identity_clear(&id);
	SSL_CTX_free(ctx);
	party_free(&p);
}

CASE(a_pin_that_does_not_fit_is_told_where_anybody_is_taken)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	SSL_CTX *ctx = server_context(&p);
	struct tls_identity id = { .pin_count = 1, .opportunistic = true };

	for (int i = 0; i < 2; i++) {
		struct meeting m = meet(ctx, &p, &id);

		EQ(m.resumed, i);
		OK(!m.verified);
		STR(m.cause, "pin-mismatch");
	}
	tls_identity_clear(&id);
	SSL_CTX_free(ctx);
	party_free(&p);
}

/* ---- what was agreed on ---- */

static void expect_facts(int version, const char *name, const char *cipher)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	SSL_CTX *ctx = server_of_version(&p, version);
	struct tls_identity id = { .name = NAME };

	SSL_CTX_set1_groups_list(ctx, "P-384");
	for (int i = 0; i < 2; i++) {
		struct meeting m = meet(ctx, &p, &id);

		EQ(m.resumed, i);
		OK(m.verified);
		STR(m.version, name);
		STR(m.cipher, cipher);
		STR(m.group, "secp384r1");
		OK(m.not_after_s > time(NULL) + 3500 && m.not_after_s <= time(NULL) + 3600);
	}
	tls_identity_clear(&id);
	SSL_CTX_free(ctx);
	party_free(&p);
}

CASE(what_was_agreed_on_is_known_of_full_and_of_resumed_sessions)
{
	expect_facts(TLS1_3_VERSION, "TLSv1.3", "TLS_AES_256_GCM_SHA384");
	expect_facts(TLS1_2_VERSION, "TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384");
}

CASE(nothing_older_than_tls_1_3_is_spoken_where_that_is_asked_for)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	SSL_CTX *old = server_of_version(&p, TLS1_2_VERSION), *new = server_context(&p);
	const struct tls_client_conf conf = { .tls13 = true };
	struct tls_identity id = { .name = NAME };
	struct meeting m = meet_as(old, &p, &conf, &id);

	OK(!m.ok);
	STR(m.cause, "tls-version");
	STR(meet_as(new, &p, &conf, &id).version, "TLSv1.3");
	tls_identity_clear(&id);
	SSL_CTX_free(old);
	SSL_CTX_free(new);
	party_free(&p);
}

/* ---- dates ---- */

CASE(certificates_are_judged_by_the_date_that_is_known)
{
	struct party new = party_new("DNS:" NAME, 3600, 10800);
	struct party old = party_new("DNS:" NAME, -60, 3600);
	struct tls_identity id = { .name = NAME };

	clock_set_floor(time(NULL) + 7200);
	OK(meet_party(&new, &new, &id).ok);
	STR(meet_party(&old, &old, &id).cause, "expired");
	clock_set_floor(0);
	STR(meet_party(&new, &new, &id).cause, "not-yet-valid");
	OK(meet_party(&old, &old, &id).ok);
	party_free(&new);
	party_free(&old);
}

CASE(a_clock_that_is_behind_is_what_is_wrong_with_a_date)
{
	struct party old = party_new("DNS:" NAME, -60, 3600);
	struct party new = party_new("DNS:" NAME, 500000, 600000);
	struct tls_identity id = { .name = NAME };

	clock_set_floor(time(NULL) + 400000);
	STR(meet_party(&old, &old, &id).cause, "clock");
	STR(meet_party(&new, &new, &id).cause, "clock");
	id.name = "other.example"; /* but not with anything else */
	clock_set_floor(time(NULL) + 550000);
	STR(meet_party(&new, &new, &id).cause, "wrong-name");
	clock_set_floor(0);
	party_free(&old);
	party_free(&new);
}

CASE(only_a_verified_certificate_confirms_the_date)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	struct tls_identity id = { .pin_count = 1 };
	int64_t before = clock_confirmed_s();

	clock_set_floor(time(NULL) + 1000);
	pin_of(&p, id.pins[0]);
	OK(meet_party(&p, &p, &id).ok);
	id = (struct tls_identity){ .name = "other.example", .opportunistic = true };
	OK(meet_party(&p, &p, &id).ok);
	EQ(clock_confirmed_s(), before);
	id = (struct tls_identity){ .name = NAME };
	OK(meet_party(&p, &p, &id).ok);
	OK(clock_confirmed_s() > time(NULL) + 900);
	clock_set_floor(0);
	party_free(&p);
}

/* ---- who we are ---- */

static void expect_shown(int version)
{
	struct party p = party_new("DNS:" NAME, -60, 3600), us = party_new(NULL, -60, 3600);
	SSL_CTX *ctx = server_of_version(&p, version);
	struct fault f;
	struct tls_credentials *c = tls_credentials_load(us.file, us.key_file, &f);
	struct tls_client_conf conf = { .credentials = c };
	struct tls_identity id = { .name = NAME };

	OK(!meet_as(ctx, &p, &conf, &id).was_shown);
	tls_identity_clear(&id);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), us.cert);
	struct meeting m = meet_as(ctx, &p, &conf, &id);

	OK(m.ok && m.was_shown);
	EQ(m.heard, 5);
	tls_identity_clear(&id);
	conf.credentials = NULL;
	m = meet_as(ctx, &p, &conf, &id);
	OK(m.ok && !m.was_shown);
	EQ(m.heard, 5);
	tls_identity_clear(&id);
	tls_credentials_free(c);
	SSL_CTX_free(ctx);
	party_free(&p);
	party_free(&us);
}

CASE(our_certificate_is_shown_to_the_server_that_asks_for_it)
{
	expect_shown(TLS1_2_VERSION);
	expect_shown(TLS1_3_VERSION);
}

CASE(our_certificate_is_not_shown_to_whoever_answers)
{
	struct party p = party_new("DNS:other.example", -60, 3600), us = party_new(NULL, -60, 3600);
	SSL_CTX *ctx = server_context(&p);
	struct fault f;
	struct tls_credentials *c = tls_credentials_load(us.file, us.key_file, &f);
	struct tls_client_conf conf = { .credentials = c };
	struct tls_identity id = { .name = NAME, .opportunistic = true };

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), us.cert);
	struct meeting m = meet_as(ctx, &p, &conf, &id);

	OK(m.ok && !m.was_shown);
	tls_identity_clear(&id);
	tls_credentials_free(c);
	SSL_CTX_free(ctx);
	party_free(&p);
	party_free(&us);
}

static void expect_no_credentials(const char *cert, const char *key, const char *cause)
{
	struct fault f = { 0 };

	OK(!tls_credentials_load(cert, key, &f));
	STR(f.cause, cause);
	EQ(f.phase, PHASE_HANDSHAKE);
}

static void write_encrypted(EVP_PKEY *key, const char *path)
{
	FILE *f = fopen(path, "w");

	PEM_write_PrivateKey(
		f, key, EVP_aes_128_cbc(), (const unsigned char *)"word", 4, NULL, NULL);
	fclose(f);
}

CASE(credentials_that_cannot_be_used_are_told_apart)
{
	struct party a = party_new(NULL, -60, 3600), b = party_new(NULL, -60, 3600);

	expect_no_credentials("/nonexistent/cert.pem", a.key_file, "cert-unreadable");
	expect_no_credentials("/dev/null", a.key_file, "cert-empty");
	expect_no_credentials(a.key_file, a.key_file, "cert-empty");
	expect_no_credentials(a.file, "/nonexistent/key.pem", "key-unreadable");
	expect_no_credentials(a.file, "/dev/null", "key-empty");
	expect_no_credentials(a.file, b.key_file, "key-mismatch");
	write_encrypted(b.key, b.key_file);
	expect_no_credentials(b.file, b.key_file, "key-encrypted");
	party_free(&a);
	party_free(&b);
}

CASE(credentials_too_weak_to_be_shown_are_refused_when_they_are_loaded)
{
	struct party p = party_new(NULL, -60, 3600);

	EVP_PKEY_free(p.key);
	p.key = EVP_RSA_gen(1024);
	X509_set_pubkey(p.cert, p.key);
	X509_sign(p.cert, p.key, EVP_sha256());
	rewrite_files(&p);
	expect_no_credentials(p.file, p.key_file, "cert-refused");
	party_free(&p);
}

/* ---- what is no handshake ---- */

CASE(a_goodbye_is_no_handshake)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	struct fault f;
	struct tls_trust *trust = tls_trust_load(p.file, &f);
	struct tls_client *client = tls_client_new(trust, &plain_conf);
	struct tls_identity id = { .name = NAME };
	struct tls *t = tls_client_session(client, &id);

	EQ(tls_handshake(t), TLS_WANT);
	buf_append(tls_in(t), SPAN("\x15\x03\x03\x00\x02\x01\x00")); /* close_notify */
	EQ(tls_handshake(t), TLS_FAILED);
	STR(tls_fault(t)->cause, "closed");
	tls_free(t);
	tls_client_free(client);
	tls_trust_free(trust);
	party_free(&p);
}

CASE(what_is_not_tls_is_called_so)
{
	struct party p = party_new("DNS:" NAME, -60, 3600);
	struct fault f;
	struct tls_trust *trust = tls_trust_load(p.file, &f);
	struct tls_client *client = tls_client_new(trust, &plain_conf);
	struct tls_identity id = { .name = NAME };
	struct tls *t = tls_client_session(client, &id);

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
		CLAIM(keys_may_change_within_a_message),
		CLAIM(a_session_is_resumed_and_held_to_the_same_identity),
		CLAIM(a_session_is_not_offered_where_its_server_would_not_be_trusted),
		CLAIM(a_session_ends_with_the_certificate_it_was_made_with),
		CLAIM(a_pinned_issuer_counts_with_a_name_also_when_resuming),
		CLAIM(after_a_resumption_that_failed_it_starts_from_the_beginning),
		CLAIM(a_server_that_has_lost_its_tickets_is_met_from_the_beginning),
		CLAIM(whoever_answers_is_taken_where_that_is_wanted_and_what_is_wrong_is_told),
		CLAIM(a_good_server_is_verified_also_where_anybody_is_taken),
		CLAIM(a_certificate_that_is_not_for_servers_is_doubted_also_when_resuming),
		CLAIM(a_pin_that_does_not_fit_is_told_where_anybody_is_taken),
		CLAIM(what_was_agreed_on_is_known_of_full_and_of_resumed_sessions),
		CLAIM(nothing_older_than_tls_1_3_is_spoken_where_that_is_asked_for),
		CLAIM(certificates_are_judged_by_the_date_that_is_known),
		CLAIM(a_clock_that_is_behind_is_what_is_wrong_with_a_date),
		CLAIM(only_a_verified_certificate_confirms_the_date),
		CLAIM(our_certificate_is_shown_to_the_server_that_asks_for_it),
		CLAIM(our_certificate_is_not_shown_to_whoever_answers),
		CLAIM(credentials_that_cannot_be_used_are_told_apart),
		CLAIM(credentials_too_weak_to_be_shown_are_refused_when_they_are_loaded),
		CLAIM(a_goodbye_is_no_handshake),
		CLAIM(what_is_not_tls_is_called_so),
		CLAIM(without_certificates_there_is_no_trust),
	};

	return RUN(cases);
}
