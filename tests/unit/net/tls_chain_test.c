/* What a server of OpenSSL's shows, and what is told of it. */
#include "net/tls_chain.h"

#include "case.h"
#include "net/party.h"
#include "net/tls_client.h"

#define NAME "dns.example"

struct visit {
	struct tls_link links[4];
	size_t count;
	bool resumed;
	const char *alpn;
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

/* One session with it; tells its first `most` certificates. */
static struct visit visit(
	SSL_CTX *ctx, const struct party *ca, struct tls_identity *id, size_t most)
{
	static const struct tls_client_conf conf;
	struct fault f;
	struct tls_trust *trust = tls_trust_load(ca->file, &f);
	struct tls_client *client = tls_client_new(trust, &conf);
	struct tls *t = tls_client_session(client, id);
	SSL *server = SSL_new(ctx);
	struct visit v = { 0 };
	struct buf plain = { 0 };

	SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(server);
	while (tls_handshake(t) == TLS_WANT) {
		carry(tls_out(t), SSL_get_rbio(server));
		SSL_do_handshake(server);
		carry_back(SSL_get_wbio(server), tls_in(t));
	}
	carry(tls_out(t), SSL_get_rbio(server));
	SSL_do_handshake(server);
	carry_back(SSL_get_wbio(server), tls_in(t));
	EQ(tls_read(t, &plain), TLS_WANT); /* takes the tickets, which changes the session */
	v.count = tls_chain(tls_facts(t), v.links, most);
	v.resumed = tls_facts(t)->resumed;
	v.alpn = tls_facts(t)->alpn;
	SSL_free(server);
	tls_free(t);
	tls_client_free(client);
	tls_trust_free(trust);
	return v;
}

static int choose_dot(
	SSL *ssl, const uint8_t **out, uint8_t *len, const uint8_t *in, unsigned size, void *arg)
{
	(void)ssl;
	(void)arg;
	if (size < 4)
		return SSL_TLSEXT_ERR_NOACK;
	*out = in + 1;
	*len = 3;
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *server_of(const struct party *leaf, const struct party *ca)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_use_certificate(ctx, leaf->cert);
	SSL_CTX_use_PrivateKey(ctx, leaf->key);
	SSL_CTX_add1_chain_cert(ctx, ca->cert);
	return ctx;
}

static void is_pin_of(const char *text, const struct party *p)
{
	uint8_t *der = NULL, digest[32];
	char pin[64] = "sha256/";
	int len = i2d_PUBKEY(p->key, &der);

	EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL);
	EVP_EncodeBlock((uint8_t *)pin + strlen(pin), digest, sizeof digest);
	OPENSSL_free(der);
	STR(text, pin);
}

CASE(each_certificate_is_told_with_its_names_its_days_and_its_pin)
{
	struct party ca = party_of(NULL, "some, CA", NULL, -60, 86400);
	struct party leaf = party_of(&ca, "d\303\251\033[1m", "DNS:" NAME, -60, 3600);
	struct tls_identity id = { .name = NAME };
	SSL_CTX *ctx = server_of(&leaf, &ca);
	struct visit v = visit(ctx, &ca, &id, 4);

	EQ(v.count, 2);
	OK(!strpbrk(v.links[0].subject, "\033\303"));
	STR(v.links[0].issuer, "CN=some\\, CA");
	STR(v.links[1].subject, "CN=some\\, CA");
	is_pin_of(v.links[0].pin, &leaf);
	is_pin_of(v.links[1].pin, &ca);
	EQ(v.links[0].not_after_s - v.links[0].not_before_s, 3660);
	EQ(v.links[1].not_after_s - v.links[0].not_after_s, 86400 - 3600);
	tls_identity_clear(&id);
	SSL_CTX_free(ctx);
	party_free(&leaf);
	party_free(&ca);
}

CASE(a_resumed_session_has_the_chain_it_was_made_with)
{
	struct party ca = party_of(NULL, "CA", NULL, -60, 3600);
	struct party leaf = party_of(&ca, NAME, "DNS:" NAME, -60, 3600);
	struct tls_identity id = { .name = NAME };
	SSL_CTX *ctx = server_of(&leaf, &ca);

	OK(!visit(ctx, &ca, &id, 4).resumed);
	struct visit v = visit(ctx, &ca, &id, 4);

	OK(v.resumed);
	EQ(v.count, 2);
	is_pin_of(v.links[0].pin, &leaf);
	tls_identity_clear(&id);
	SSL_CTX_free(ctx);
	party_free(&leaf);
	party_free(&ca);
}

CASE(no_more_is_told_than_there_is_room_for)
{
	struct party ca = party_of(NULL, "CA", NULL, -60, 3600);
	struct party leaf = party_of(&ca, NAME, "DNS:" NAME, -60, 3600);
	struct tls_identity id = { .name = NAME };
	SSL_CTX *ctx = server_of(&leaf, &ca);
	struct visit v = visit(ctx, &ca, &id, 1);

	EQ(v.count, 1);
	STR(v.links[0].subject, "CN=" NAME);
	STR(v.links[1].subject, "");
	tls_identity_clear(&id);
	SSL_CTX_free(ctx);
	party_free(&leaf);
	party_free(&ca);
}

CASE(the_protocol_is_told_if_the_server_chose_one)
{
	struct party ca = party_of(NULL, "CA", NULL, -60, 3600);
	struct party leaf = party_of(&ca, NAME, "DNS:" NAME, -60, 3600);
	struct tls_identity id = { .name = NAME };
	SSL_CTX *ctx = server_of(&leaf, &ca);

	OK(!visit(ctx, &ca, &id, 1).alpn);
	SSL_CTX_set_alpn_select_cb(ctx, choose_dot, NULL);
	STR(visit(ctx, &ca, &id, 1).alpn, "dot");
	tls_identity_clear(&id);
	SSL_CTX_free(ctx);
	party_free(&leaf);
	party_free(&ca);
}

CASE(who_has_no_session_has_no_chain)
{
	const struct tls_facts facts = { 0 };
	struct tls_link link;

	EQ(tls_chain(&facts, &link, 1), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(each_certificate_is_told_with_its_names_its_days_and_its_pin),
		CLAIM(a_resumed_session_has_the_chain_it_was_made_with),
		CLAIM(no_more_is_told_than_there_is_room_for),
		CLAIM(the_protocol_is_told_if_the_server_chose_one),
		CLAIM(who_has_no_session_has_no_chain),
	};

	return RUN(cases);
}
