/* Clients and our server, wired together in memory. */
#include "net/tls_server.h"

#include "base/clock.h"
#include "case.h"
#include "net/tls_client.h"
#include "net/visit.h"

#include <string.h>
#include <time.h>

/* ---- what is agreed on ---- */

CASE(tls_1_3_and_1_2_are_spoken_and_nothing_older)
{
	struct house h = house_new();
	struct visitor v13 = visitor_of(TLS1_3_VERSION), v12 = visitor_of(TLS1_2_VERSION);
	struct visitor v11 = visitor_of(TLS1_1_VERSION);
	struct visit r = visit(h.server, &v13);

	OK(r.ok);
	STR(r.version, "TLSv1.3");
	STR(r.cipher, "TLS_AES_128_GCM_SHA256");
	OK(strcasestr(r.group, "x25519")); /* alone, or where it is known with ML-KEM */
	r = visit(h.server, &v12);
	OK(r.ok);
	STR(r.version, "TLSv1.2");
	OK(strncmp(r.cipher, "ECDHE-ECDSA-AES", 15) == 0);
	SSL_CTX_set_security_level(v11.ctx, 0);
	SSL_CTX_set_cipher_list(v11.ctx, "ALL");
	r = visit(h.server, &v11);
	OK(!r.ok);
	STR(r.cause, "tls-version");
	EQ(r.alert, SSL_AD_PROTOCOL_VERSION);
	visitor_free(&v13);
	visitor_free(&v12);
	visitor_free(&v11);
	house_free(&h);
}

CASE(who_prefers_chacha_gets_it_and_who_only_knows_it_as_one_of_many_gets_aes)
{
	struct house h = house_new();
	struct visitor v = visitor_of(TLS1_3_VERSION);

	SSL_CTX_set_ciphersuites(v.ctx, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256");
	STR(visit(h.server, &v).cipher, "TLS_CHACHA20_POLY1305_SHA256");
	SSL_SESSION_free(v.session);
	v.session = NULL;
	SSL_CTX_set_ciphersuites(v.ctx, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
	STR(visit(h.server, &v).cipher, "TLS_CHACHA20_POLY1305_SHA256");
	visitor_free(&v);
	house_free(&h);
}

static void expect_no_cipher(const char *ciphers)
{
	struct house h = house_new();
	struct visitor v = visitor_of(TLS1_2_VERSION);

	SSL_CTX_set_security_level(v.ctx, 0);
	OK(SSL_CTX_set_cipher_list(v.ctx, ciphers));
	struct visit r = visit(h.server, &v);

	OK(!r.ok);
	STR(r.cause, "no-cipher");
	EQ(r.alert, SSL_AD_HANDSHAKE_FAILURE);
	visitor_free(&v);
	house_free(&h);
}

CASE(without_forward_secrecy_or_authenticated_encryption_nothing_is_agreed_on)
{
	expect_no_cipher("ECDHE-ECDSA-AES128-SHA");
	expect_no_cipher("AES128-GCM-SHA256");
	expect_no_cipher("DHE-RSA-AES128-GCM-SHA256");
}

CASE(groups_that_cost_us_milliseconds_are_not_ours)
{
	struct house h = house_new();
	struct visitor v = visitor_of(TLS1_3_VERSION);

	OK(SSL_CTX_set1_groups_list(v.ctx, "ffdhe8192:P-521"));
	struct visit r = visit(h.server, &v);

	OK(!r.ok);
	STR(r.cause, "no-group");
	OK(SSL_CTX_set1_groups_list(v.ctx, "P-521:P-256")); /* which we ask it for */
	r = visit(h.server, &v);
	OK(r.ok);
	STR(r.group, "secp256r1");
	visitor_free(&v);
	house_free(&h);
}

/* ---- the protocol ---- */

static struct visit visit_for(struct tls_server *server, int version, const char *protocols)
{
	struct visitor v = visitor_of(version);

	SSL_CTX_set_alpn_protos(v.ctx, (const uint8_t *)protocols, (unsigned)strlen(protocols));
	struct visit r = visit(server, &v);

	visitor_free(&v);
	return r;
}

CASE(dot_is_spoken_with_who_names_it_or_nothing_and_with_nobody_else)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct house h = house_new();

	for (size_t i = 0; i < 2; i++) {
		OK(visit_for(h.server, versions[i], "\003dot").ok);
		OK(visit_for(h.server, versions[i], "\002h2\003dot\010http/1.1").ok);
		struct visit r = visit_for(h.server, versions[i], "\002h2\004dots");

		OK(!r.ok);
		STR(r.cause, "alpn");
		EQ(r.alert, SSL_AD_NO_APPLICATION_PROTOCOL);
	}
	house_free(&h);
}

CASE(the_client_is_told_that_it_is_dot)
{
	struct house h = house_new();
	struct visitor v = visitor_of(0);
	const unsigned char *chosen = NULL;
	unsigned len = 0;

	SSL_CTX_set_alpn_protos(v.ctx, (const uint8_t *)"\002h2\003dot", 7);
	struct wire w = wire_of(h.server, &v);

	shake_hands(&w);
	SSL_get0_alpn_selected(w.client, &chosen, &len);
	EQ(len, 3);
	MEM(chosen, "dot", 3);
	wire_free(&w);
	visitor_free(&v);
	house_free(&h);
}

/* ---- which certificate ---- */

CASE(the_name_that_is_asked_for_chooses_the_certificate)
{
	struct party a = party_of(NULL, "a", "DNS:a.example,DNS:*.b.example", -60, 3600);
	struct party b = party_of(NULL, "b", "DNS:*.a.example,DNS:x.b.example", -60, 3600);
	struct tls_pair pairs[] = { { a.file, a.key_file }, { b.file, b.key_file } };
	struct fault f;
	struct tls_front *front = front_of(&(struct tls_front_conf){ .pairs = pairs, .count = 2 });
	struct tls_tickets *tickets = tls_tickets_new(NULL, &f);
	struct tls_server *server = tls_server_new(front, tickets);
	static const struct {
		const char *name, *shown;
	} asked[] = {
		{ "a.example", "a" },
		{ "A.Example", "a" },
		{ "y.a.example", "b" },
		{ "y.B.EXAMPLE", "a" },
		{ "x.b.example", "b" }, /* the very name counts for more than a wildcard */
		{ "y.x.a.example", "a" }, /* a wildcard is for one label */
		{ "b.example", "a" },
		{ "nobody.example", "a" },
		{ NULL, "a" },
	};

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++)
		for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
			struct visitor v = visitor_of(version);

			v.name = asked[i].name;
			STR(visit(server, &v).shown, asked[i].shown);
			OK(visit(server, &v).resumed);
			visitor_free(&v);
		}
	tls_server_free(server);
	tls_tickets_free(tickets);
	tls_front_free(front);
	party_free(&a);
	party_free(&b);
}

/* RFC 9462 §6.3: an address is no server name. */
CASE(who_names_no_server_is_shown_the_certificate_for_the_address_it_came_to)
{
	struct party a = party_of(NULL, "a", "DNS:a.example,IP:192.0.2.1", -60, 3600);
	struct party b = party_of(NULL, "b", "DNS:b.example,IP:192.0.2.2", -60, 3600);
	struct tls_pair pairs[] = { { a.file, a.key_file }, { b.file, b.key_file } };
	struct fault f;
	struct tls_front *front = front_of(&(struct tls_front_conf){ .pairs = pairs, .count = 2 });
	struct tls_tickets *tickets = tls_tickets_new(NULL, &f);
	struct tls_server *server = tls_server_new(front, tickets);
	static const struct {
		const char *at, *name, *shown;
	} asked[] = {
		{ "192.0.2.1", NULL, "a" },
		{ "192.0.2.2", NULL, "b" },
		{ "::ffff:192.0.2.2", NULL, "b" },
		{ "192.0.2.3", NULL, "a" },
		{ NULL, NULL, "a" },
		{ "192.0.2.2", "a.example", "a" },
		{ "192.0.2.2", "nobody.example", "a" },
	};

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++)
		for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
			struct visitor v = visitor_of(version);
			struct addr at;

			v.name = asked[i].name;
			if (asked[i].at) {
				OK(addr_parse(&at, asked[i].at, 853));
				v.at = &at;
			}
			STR(visit(server, &v).shown, asked[i].shown);
			OK(visit(server, &v).resumed);
			visitor_free(&v);
		}
	tls_server_free(server);
	tls_tickets_free(tickets);
	tls_front_free(front);
	party_free(&a);
	party_free(&b);
}

/* ---- coming back ---- */

static void expect_resumed(int version)
{
	struct house h = house_new();
	struct tls_server *other = tls_server_new(h.front, h.tickets);
	struct visitor v = visitor_of(version);

	OK(!visit(h.server, &v).resumed);
	OK(visit(h.server, &v).resumed);
	OK(visit(other, &v).resumed);
	OK(visit(h.server, &v).resumed);
	tls_server_free(other);
	visitor_free(&v);
	house_free(&h);
}

CASE(a_client_may_come_back_to_any_worker)
{
	expect_resumed(TLS1_2_VERSION);
	expect_resumed(TLS1_3_VERSION);
}

/* RFC 8446 §C.4: so that it need not show one twice. */
CASE(who_resumes_a_session_of_tls_1_3_gets_a_new_ticket_each_time)
{
	struct house h = house_new();
	struct fault f;
	struct tls_trust *trust = tls_trust_load(h.party.file, &f);
	struct tls_client *client = tls_client_new(trust, &(struct tls_client_conf){ 0 });
	struct tls_identity id = { .name = NAME };

	for (int i = 0; i < 4; i++) {
		struct tls *c = tls_client_session(client, &id);
		struct tls *s = tls_server_session(h.server, NULL);
		struct buf plain = { 0 };

		for (int j = 0; j < 3; j++) {
			tls_handshake(c);
			buf_append(tls_in(s), buf_span(tls_out(c)));
			buf_drop(tls_out(c), buf_len(tls_out(c)));
			tls_handshake(s);
			buf_append(tls_in(c), buf_span(tls_out(s)));
			buf_drop(tls_out(s), buf_len(tls_out(s)));
		}
		EQ(tls_read(c, &plain), TLS_WANT);
		EQ(tls_facts(s)->resumed, i > 0);
		EQ(id.ticket_count, 1); /* ours uses each once */
		buf_clear(&plain);
		tls_free(c);
		tls_free(s);
	}
	tls_identity_clear(&id);
	tls_client_free(client);
	tls_trust_free(trust);
	house_free(&h);
}

CASE(a_session_outlives_the_server_it_began_with)
{
	struct house h = house_new();
	struct visitor v = visitor_of(0);
	struct wire w = wire_of(h.server, &v);

	shake_hands(&w);
	EQ(w.status, TLS_OK);
	house_free(&h);
	expect_heard(&w, "query");
	expect_told(&w, "answer");
	wire_free(&w);
	visitor_free(&v);
}

/* ---- who the client is ---- */

CASE(a_client_is_not_asked_who_it_is_unless_that_is_wanted)
{
	struct party us = party_of(NULL, "us", NULL, -60, 3600);
	struct house h = house_new();
	struct visitor v = visitor_of(0);

	visitor_show(&v, &us);
	struct visit r = visit(h.server, &v);

	OK(r.ok && !r.verified);
	STR(r.client, "");
	visitor_free(&v);
	house_free(&h);
	party_free(&us);
}

static struct visit visit_as(struct tls_server *s, int version, const struct party *shown)
{
	struct visitor v = visitor_of(version);

	if (shown)
		visitor_show(&v, shown);
	struct visit first = visit(s, &v), again = { 0 };

	if (first.ok) {
		again = visit(s, &v);
		OK(again.resumed);
		EQ(again.verified, first.verified);
		STR(again.client, first.client);
	}
	visitor_free(&v);
	return first;
}

CASE(a_client_that_shows_a_good_certificate_is_known_also_when_it_comes_back)
{
	struct party ca = party_of(NULL, "ca", NULL, -60, 3600);
	struct party one = party_of(&ca, "one", "email:a@b.example,URI:spiffe://x/y,DNS:c", -60, 9);
	struct party two = party_of(&ca, "two", "email:a@b.example,DNS:c.example", -60, 3600);
	struct party three = party_of(&ca, "three", "IP:192.0.2.1,email:a@b.example", -60, 3600);
	struct party four = party_of(&ca, "fo ur", NULL, -60, 3600);
	struct house h = house_of(&ca, false);

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		STR(visit_as(h.server, version, &one).client, "spiffe://x/y");
		STR(visit_as(h.server, version, &two).client, "c.example");
		STR(visit_as(h.server, version, &three).client, "a@b.example");
		STR(visit_as(h.server, version, &four).client, "four");
		struct visit r = visit_as(h.server, version, NULL);

		OK(r.ok && !r.verified);
		STR(r.client, "");
	}
	house_free(&h);
	party_free(&one);
	party_free(&two);
	party_free(&three);
	party_free(&four);
	party_free(&ca);
}

CASE(a_client_that_shows_a_bad_certificate_is_refused)
{
	struct party ca = party_of(NULL, "ca", NULL, -60, 3600);
	struct party other = party_of(NULL, "ca", NULL, -60, 3600);
	struct party forged = party_of(&other, "one", "DNS:one", -60, 3600);
	struct party expired = party_of(&ca, "one", "DNS:one", -7200, -3600);
	struct party server = party_of(&ca, "one", "DNS:one", -60, 3600);
	const struct party *bad[] = { &other, &forged, &expired, &server };
	struct house h = house_of(&ca, false);

	add_extension(server.cert, NID_ext_key_usage, "serverAuth");
	X509_sign(server.cert, ca.key, EVP_sha256());
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++)
		for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
			struct visit r = visit_as(h.server, version, bad[i]);

			OK(!r.ok);
			STR(r.cause, "client-certificate");
			OK(r.alert);
		}
	house_free(&h);
	party_free(&other);
	party_free(&forged);
	party_free(&expired);
	party_free(&server);
	party_free(&ca);
}

CASE(where_a_certificate_is_required_who_shows_none_is_refused)
{
	struct party ca = party_of(NULL, "ca", NULL, -60, 3600);
	struct party one = party_of(&ca, "one", "DNS:one", -60, 3600);
	struct house h = house_of(&ca, true);

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		OK(visit_as(h.server, version, &one).ok);
		struct visit r = visit_as(h.server, version, NULL);

		OK(!r.ok);
		STR(r.cause, "no-certificate");
		OK(r.alert);
	}
	house_free(&h);
	party_free(&one);
	party_free(&ca);
}

CASE(a_session_is_not_resumed_after_its_clients_certificate_has_ended)
{
	struct party ca = party_of(NULL, "ca", NULL, -60, 36000);
	struct party one = party_of(&ca, "one", "DNS:one", -60, 3600);
	struct house h = house_of(&ca, false);

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct visitor v = visitor_of(version);

		visitor_show(&v, &one);
		OK(visit(h.server, &v).ok);
		OK(visit(h.server, &v).resumed);
		clock_set_floor(time(NULL) + 7200);
		STR(visit(h.server, &v).cause, "client-certificate");
		clock_set_floor(0);
		visitor_free(&v);
	}
	house_free(&h);
	party_free(&one);
	party_free(&ca);
}

CASE(a_session_is_not_resumed_where_clients_are_judged_by_others)
{
	struct party ca = party_of(NULL, "ca", NULL, -60, 3600);
	struct party new = party_of(NULL, "new ca", NULL, -60, 3600);
	struct party one = party_of(&ca, "one", "DNS:one", -60, 3600);
	struct house h = house_of(&ca, false), open = house_new(), strict = house_of(&new, true);
	struct tls_server *later = tls_server_new(strict.front, h.tickets);
	struct tls_server *unasked = tls_server_new(open.front, h.tickets);

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct visitor v = visitor_of(version);

		visitor_show(&v, &one);
		OK(visit(h.server, &v).verified);
		STR(visit(later, &v).cause, "client-certificate");
		struct visit r = visit(unasked, &v);

		OK(r.ok && !r.resumed && !r.verified);
		visitor_free(&v);
	}
	tls_server_free(later);
	tls_server_free(unasked);
	house_free(&h);
	house_free(&open);
	house_free(&strict);
	party_free(&one);
	party_free(&new);
	party_free(&ca);
}

/* ---- while it lives ---- */

/* RFC 8446 §4.6.3. */
CASE(a_clients_keys_may_change_in_the_middle)
{
	struct house h = house_new();
	struct visitor v = visitor_of(TLS1_3_VERSION);
	struct wire w = wire_of(h.server, &v);

	shake_hands(&w);
	for (int i = 0; i < 100; i++) {
		expect_heard(&w, "ab");
		OK(SSL_key_update(w.client, SSL_KEY_UPDATE_REQUESTED));
		expect_heard(&w, "cd");
		expect_told(&w, "ef");
	}
	wire_free(&w);
	visitor_free(&v);
	house_free(&h);
}

CASE(nothing_is_negotiated_anew)
{
	struct house h = house_new();
	struct visitor v = visitor_of(TLS1_2_VERSION);
	struct wire w = wire_of(h.server, &v);
	struct buf plain = { 0 };

	shake_hands(&w);
	EQ(w.status, TLS_OK);
	OK(SSL_renegotiate(w.client));
	SSL_do_handshake(w.client);
	carry_in(&w);
	EQ(tls_read(w.server, &plain), TLS_WANT);
	carry_out(&w);
	OK(SSL_do_handshake(w.client) <= 0);
	EQ(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	buf_clear(&plain);
	wire_free(&w);
	visitor_free(&v);
	house_free(&h);
}

CASE(no_ticket_allows_early_data_and_early_data_is_not_taken)
{
	struct house h = house_new();
	struct visitor v = visitor_of(TLS1_3_VERSION);
	struct buf plain = { 0 };
	size_t n;

	OK(visit(h.server, &v).ok);
	EQ(SSL_SESSION_get_max_early_data(v.session), 0);
	SSL_SESSION_set_max_early_data(v.session, 16384); /* and a client that does not care */
	struct wire w = wire_of(h.server, &v);

	OK(SSL_write_early_data(w.client, "early", 5, &n));
	shake_hands(&w);
	EQ(w.status, TLS_OK);
	EQ(SSL_get_early_data_status(w.client), SSL_EARLY_DATA_REJECTED);
	EQ(tls_read(w.server, &plain), TLS_WANT);
	EQ(buf_len(&plain), 0);
	expect_heard(&w, "late");
	wire_free(&w);
	visitor_free(&v);
	house_free(&h);
}

CASE(what_comes_octet_by_octet_is_understood_as_well)
{
	struct house h = house_new();
	struct visitor v = visitor_of(0);
	struct wire w = wire_of(h.server, &v);
	struct buf plain = { 0 };
	uint8_t octet;

	for (int i = 0; i < 5; i++) {
		SSL_do_handshake(w.client);
		while (BIO_read(SSL_get_wbio(w.client), &octet, 1) == 1) {
			buf_append(tls_in(w.server), (struct span){ &octet, 1 });
			if (w.status == TLS_WANT)
				w.status = tls_handshake(w.server);
			carry_out(&w);
		}
	}
	EQ(w.status, TLS_OK);
	EQ(SSL_write(w.client, "query", 5), 5);
	while (BIO_read(SSL_get_wbio(w.client), &octet, 1) == 1) {
		buf_append(tls_in(w.server), (struct span){ &octet, 1 });
		EQ(tls_read(w.server, &plain), TLS_WANT);
	}
	MEM(buf_span(&plain).at, "query", 5);
	buf_clear(&plain);
	wire_free(&w);
	visitor_free(&v);
	house_free(&h);
}

/* A record's worth of one octet each, 500 of them. */
CASE(records_of_one_octet_are_put_together)
{
	struct house h = house_new();
	struct visitor v = visitor_of(0);
	struct wire w = wire_of(h.server, &v);
	struct buf plain = { 0 };

	shake_hands(&w);
	for (int i = 0; i < 500; i++)
		EQ(SSL_write(w.client, "x", 1), 1);
	carry_in(&w);
	EQ(tls_read(w.server, &plain), TLS_WANT);
	EQ(buf_len(&plain), 500);
	buf_clear(&plain);
	wire_free(&w);
	visitor_free(&v);
	house_free(&h);
}

CASE(a_quiet_session_keeps_no_buffer)
{
	struct house h = house_new();
	struct visitor v = visitor_of(0);
	struct wire w = wire_of(h.server, &v);
	struct buf plain = { 0 };

	shake_hands(&w);
	expect_heard(&w, "query");
	expect_told(&w, "answer");
	EQ(tls_read(w.server, &plain), TLS_WANT);
	OK(!plain.bytes && !tls_in(w.server)->bytes && !tls_out(w.server)->bytes);
	wire_free(&w);
	visitor_free(&v);
	house_free(&h);
}

CASE(goodbye_is_heard_and_said)
{
	struct house h = house_new();
	struct visitor v = visitor_of(0);
	struct wire w = wire_of(h.server, &v);
	struct buf plain = { 0 };

	shake_hands(&w);
	EQ(SSL_shutdown(w.client), 0);
	carry_in(&w);
	EQ(tls_read(w.server, &plain), TLS_CLOSED);
	EQ(tls_write(w.server, SPAN("answer")), TLS_OK); /* what is owed still goes out */
	tls_shutdown(w.server);
	carry_out(&w);
	char heard[16];

	EQ(SSL_read(w.client, heard, sizeof heard), 6);
	EQ(SSL_read(w.client, heard, sizeof heard), 0);
	EQ(SSL_get_error(w.client, 0), SSL_ERROR_ZERO_RETURN);
	buf_clear(&plain);
	wire_free(&w);
	visitor_free(&v);
	house_free(&h);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(tls_1_3_and_1_2_are_spoken_and_nothing_older),
		CLAIM(who_prefers_chacha_gets_it_and_who_only_knows_it_as_one_of_many_gets_aes),
		CLAIM(without_forward_secrecy_or_authenticated_encryption_nothing_is_agreed_on),
		CLAIM(groups_that_cost_us_milliseconds_are_not_ours),
		CLAIM(dot_is_spoken_with_who_names_it_or_nothing_and_with_nobody_else),
		CLAIM(the_client_is_told_that_it_is_dot),
		CLAIM(the_name_that_is_asked_for_chooses_the_certificate),
		CLAIM(who_names_no_server_is_shown_the_certificate_for_the_address_it_came_to),
		CLAIM(a_client_may_come_back_to_any_worker),
		CLAIM(who_resumes_a_session_of_tls_1_3_gets_a_new_ticket_each_time),
		CLAIM(a_session_outlives_the_server_it_began_with),
		CLAIM(a_client_is_not_asked_who_it_is_unless_that_is_wanted),
		CLAIM(a_client_that_shows_a_good_certificate_is_known_also_when_it_comes_back),
		CLAIM(a_client_that_shows_a_bad_certificate_is_refused),
		CLAIM(where_a_certificate_is_required_who_shows_none_is_refused),
		CLAIM(a_session_is_not_resumed_after_its_clients_certificate_has_ended),
		CLAIM(a_session_is_not_resumed_where_clients_are_judged_by_others),
		CLAIM(a_clients_keys_may_change_in_the_middle),
		CLAIM(nothing_is_negotiated_anew),
		CLAIM(no_ticket_allows_early_data_and_early_data_is_not_taken),
		CLAIM(what_comes_octet_by_octet_is_understood_as_well),
		CLAIM(records_of_one_octet_are_put_together),
		CLAIM(a_quiet_session_keeps_no_buffer),
		CLAIM(goodbye_is_heard_and_said),
	};

	return RUN(cases);
}
