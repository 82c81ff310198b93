/* Our client and our server, wired together in memory. */
#include "net/tls_server.h"

#include "case.h"
#include "net/party.h"
#include "net/tls_client.h"

#define NAME "dns.example"

static void carry(struct buf *from, struct buf *to)
{
	buf_append(to, buf_span(from));
	buf_drop(from, buf_len(from));
}

static void shake_hands(struct tls *client, struct tls *server)
{
	for (int i = 0; i < 10; i++) {
		tls_handshake(client);
		carry(tls_out(client), tls_in(server));
		tls_handshake(server);
		carry(tls_out(server), tls_in(client));
	}
}

CASE(a_client_that_comes_back_is_recognised)
{
	struct party p = party_of(NULL, "x", "DNS:" NAME, -60, 3600);
	struct fault f;
	struct tls_pair pair = { p.file, p.key_file };
	struct tls_front *front = tls_front_load(
		&(struct tls_front_conf){ .pairs = &pair, .count = 1, .self_signed = true }, &f);
	OK(front);
	struct tls_tickets *tickets = tls_tickets_new(NULL, &f);
	struct tls_server *server = tls_server_new(front, tickets);
	struct tls_trust *trust = tls_trust_load(p.file, &f);
	struct tls_client *client = tls_client_new(trust, &(struct tls_client_conf){ 0 });
	struct tls_identity id = { .name = NAME };
	for (int i = 0; i < 3; i++) {
		struct tls *c = tls_client_session(client, &id), *s = tls_server_session(server);
		struct buf plain = { 0 };
		shake_hands(c, s);
		EQ(tls_handshake(c), TLS_OK);
		EQ(tls_handshake(s), TLS_OK);
		EQ(tls_facts(s)->resumed, i > 0);
		EQ(tls_read(c, &plain), TLS_WANT);
		tls_free(c);
		tls_free(s);
		buf_clear(&plain);
	}
	tls_identity_clear(&id);
	tls_client_free(client);
	tls_trust_free(trust);
	tls_server_free(server);
	tls_tickets_free(tickets);
	tls_front_free(front);
	party_free(&p);
}

int main(void)
{
	const struct CMUnitTest cases[] = { CLAIM(a_client_that_comes_back_is_recognised) };

	return RUN(cases);
}
