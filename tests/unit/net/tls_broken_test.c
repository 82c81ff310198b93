/* Handshakes that are broken off, and such with an octet changed, at each octet of the client's,
 * and some of the server's: in all, more than ten thousand. Whatever comes of one, it is said in
 * words, and nothing is left; the sanitizers look on. */
#include "net/tls_server.h"

#include "case.h"
#include "net/visit.h"

enum damage { CUT, FLIP };

/* What is done to the octet at that place of what one side says. */
struct plan {
	enum damage damage;
	size_t at;
	bool of_client;
};

/* How much each side has said. */
struct said {
	size_t client, server;
};

static unsigned broken, failed;

/* False: here it is broken off. */
static bool pass(const struct plan *p, size_t *said, uint8_t *bytes, size_t *len)
{
	size_t first = *said;

	*said += *len;
	if (p->at < first || p->at >= first + *len)
		return true;
	if (p->damage == FLIP) {
		bytes[p->at - first] ^= (uint8_t)(1U << (p->at % 8));
		return true;
	}
	*len = p->at - first;
	return false;
}

/* One side's flight: false: it was broken off. */
static bool fly_in(struct wire *w, const struct plan *p, struct said *said)
{
	uint8_t bytes[16384];
	int n = BIO_read(SSL_get_wbio(w->client), bytes, sizeof bytes);
	size_t len = n > 0 ? (size_t)n : 0;
	bool whole = pass(
		p->of_client ? p : &(struct plan){ .at = SIZE_MAX }, &said->client, bytes, &len);

	buf_append(tls_in(w->server), (struct span){ bytes, len });
	return whole;
}

static bool fly_out(struct wire *w, const struct plan *p, struct said *said)
{
	uint8_t bytes[16384];
	struct span s = buf_span(tls_out(w->server));
	size_t len = s.len;

	OK(len <= sizeof bytes);
	if (len)
		memcpy(bytes, s.at, len);
	buf_drop(tls_out(w->server), len);
	bool whole = pass(
		p->of_client ? &(struct plan){ .at = SIZE_MAX } : p, &said->server, bytes, &len);

	if (len)
		BIO_write(SSL_get_rbio(w->client), bytes, (int)len);
	return whole;
}

static void look_at(const struct tls *server, enum tls_status status)
{
	const struct fault *f = tls_fault(server);

	broken++;
	if (status != TLS_FAILED)
		return;
	failed++;
	EQ(f->phase, PHASE_HANDSHAKE);
	OK(f->cause && *f->cause && *f->reason && f->hint);
}

/* ---- the ClientHello ---- */

/* It stays the same, so that it takes no client to say it again and again. */
static size_t hello_of(struct tls_server *server, const struct visitor *v, uint8_t bytes[16384])
{
	struct wire w = wire_of(server, v);

	SSL_do_handshake(w.client);
	int n = BIO_read(SSL_get_wbio(w.client), bytes, 16384);

	OK(n > 0);
	SSL_set_shutdown(w.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	wire_free(&w);
	return (size_t)n;
}

static void say(struct tls_server *server, struct span hello)
{
	struct tls *t = tls_server_session(server, NULL);

	buf_append(tls_in(t), hello);
	look_at(t, tls_handshake(t));
	tls_free(t);
}

static size_t break_hello(struct tls_server *server, const struct visitor *v)
{
	uint8_t bytes[16384];
	size_t len = hello_of(server, v, bytes);

	for (size_t at = 0; at < len; at++) {
		say(server, (struct span){ bytes, at });
		for (unsigned bit = 0; bit < 8; bit += 5) {
			bytes[at] ^= (uint8_t)(1U << bit);
			say(server, (struct span){ bytes, len });
			bytes[at] ^= (uint8_t)(1U << bit);
		}
	}
	return len;
}

/* ---- all that follows ---- */

/* A handshake and a query. */
static struct said break_one(
	struct tls_server *server, const struct visitor *v, const struct plan *p)
{
	struct wire w = wire_of(server, v);
	struct said said = { 0, 0 };
	struct buf plain = { 0 };
	bool whole = true;

	for (int i = 0; i < 3 && whole; i++) {
		SSL_do_handshake(w.client);
		if (SSL_is_init_finished(w.client))
			SSL_write(w.client, "query", 5);
		whole = fly_in(&w, p, &said);
		if (w.status == TLS_WANT)
			w.status = tls_handshake(w.server);
		if (w.status == TLS_OK)
			tls_read(w.server, &plain);
		whole = fly_out(&w, p, &said) && whole;
	}
	look_at(w.server, w.status);
	buf_clear(&plain);
	SSL_set_shutdown(w.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	wire_free(&w);
	return said;
}

/* Of the server's part, and of certificates, some octets are enough. */
static void break_everywhere(struct tls_server *server, const struct visitor *v)
{
	struct said said = break_one(server, v, &(struct plan){ .at = SIZE_MAX });
	size_t step = 1 + (said.client + said.server) / 512;

	for (size_t at = break_hello(server, v); at < said.client; at += step) {
		break_one(server, v, &(struct plan){ CUT, at, true });
		break_one(server, v, &(struct plan){ FLIP, at, true });
	}
	for (size_t at = 0; at < said.server; at += 16)
		break_one(server, v, &(struct plan){ FLIP, at, false });
}

static void break_version(int version, const struct party *ca, const struct party *client)
{
	struct house h = house_of(ca, false);
	struct visitor v = visitor_of(version);

	if (client)
		visitor_show(&v, client);
	break_everywhere(h.server, &v);
	OK(visit(h.server, &v).ok); /* and now one comes back */
	break_everywhere(h.server, &v);
	OK(visit(h.server, &v).ok);
	visitor_free(&v);
	house_free(&h);
}

CASE(broken_handshakes_leave_nothing)
{
	struct party ca = party_of(NULL, "ca", NULL, -60, 3600);
	struct party client = party_of(&ca, "client", "DNS:client.example", -60, 3600);

	break_version(TLS1_3_VERSION, NULL, NULL);
	break_version(TLS1_2_VERSION, NULL, NULL);
	break_version(TLS1_3_VERSION, &ca, &client);
	break_version(TLS1_2_VERSION, &ca, &client);
	print_message("# %u handshakes, %u of them failed\n", broken, failed);
	OK(broken > 10000);
	OK(failed > 1000);
	party_free(&client);
	party_free(&ca);
}

CASE(whatever_comes_instead_of_a_handshake_is_told_in_words)
{
	const struct span texts[] = {
		SPAN("GET / HTTP/1.1\r\n\r\n"),
		SPAN("CONNECT a:1 HTTP/1.1\r\n"),
		SPAN("\x16\x03\x01\x00\x05\x02zzzz"),
		SPAN("\x16\x02\x01\x00\x05\x01zzzz"),
		SPAN("\x80\x2e\x01\x03\x01zzzzzzzzzz"),
		SPAN("\x17\x03\x03\x00\x05zzzzz"),
		SPAN("\x14\x03\x03\x00\x01\x01\x16\x03"),
		SPAN("\x16\x03\x01\xff\xff\x01zzzzzz"),
		SPAN("\x16\x03\x01\x00\x04\x00zzz"),
		SPAN("hello, is this the time server?"),
	};
	struct house h = house_new();

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct tls *t = tls_server_session(h.server, NULL);

		for (int j = 0; j < 20 && tls_handshake(t) == TLS_WANT; j++)
			buf_append(tls_in(t), j ? SPAN("\0\0\0\0") : texts[i]);
		EQ(tls_handshake(t), TLS_FAILED);
		EQ(tls_fault(t)->phase, PHASE_HANDSHAKE);
		OK(*tls_fault(t)->reason && *tls_fault(t)->cause);
		tls_free(t);
	}
	house_free(&h);
}

/* A ClientHello that never ends, in whole records and in small ones. */
static void expect_too_long(size_t record)
{
	struct house h = house_new();
	struct tls *t = tls_server_session(h.server, NULL);
	uint8_t head[] = { 0x16, 3, 1, (uint8_t)(record >> 8), (uint8_t)record, 1, 0, 0x7f, 0xff };
	uint8_t zeros[16384] = { 0 };
	size_t fed = 0;

	buf_append(tls_in(t), (struct span){ head, sizeof head });
	buf_append(tls_in(t), (struct span){ zeros, record - 4 });
	while (tls_handshake(t) == TLS_WANT) {
		buf_append(tls_in(t), (struct span){ head, 5 });
		buf_append(tls_in(t), (struct span){ zeros, record });
		fed += record;
		OK(fed < 64 * 1024);
	}
	EQ(tls_handshake(t), TLS_FAILED);
	STR(tls_fault(t)->cause, "too-long");
	tls_free(t);
	house_free(&h);
}

CASE(a_client_hello_of_any_length_is_not_listened_to)
{
	expect_too_long(16384);
	expect_too_long(256);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(broken_handshakes_leave_nothing),
		CLAIM(whatever_comes_instead_of_a_handshake_is_told_in_words),
		CLAIM(a_client_hello_of_any_length_is_not_listened_to),
	};

	return RUN(cases);
}
