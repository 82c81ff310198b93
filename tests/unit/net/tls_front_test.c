/* What is shown, and what others are told of it. */
#include "net/tls_front.h"

#include "base/clock.h"
#include "case.h"
#include "net/visit.h"

#include <time.h>

static struct addr addr_of(const char *text)
{
	struct addr a;

	OK(addr_parse(&a, text, 853));
	return a;
}

CASE(what_a_certificate_says_is_known)
{
	struct party p = party_of(
		NULL, "p", "DNS:*.example,DNS:a.example,IP:192.0.2.1,IP:2001:db8::1", -60, 3600);
	struct tls_pair pair = { p.file, p.key_file };
	struct tls_front *f = front_of(&(struct tls_front_conf){ .pairs = &pair, .count = 1 });
	const struct tls_shown *s = tls_front_shown(f, 0);
	struct addr v4 = addr_of("192.0.2.1"), v6 = addr_of("2001:db8::1");

	EQ(tls_front_count(f), 1);
	STR(s->name, "a.example");
	OK(!s->self_signed);
	OK(s->not_after_s > time(NULL) + 3500 && s->not_after_s < time(NULL) + 3700);
	EQ(s->address_count, 2);
	OK(addr_same_host(&s->addresses[0], &v4));
	OK(addr_same_host(&s->addresses[1], &v6));
	tls_front_free(f);
	party_free(&p);
}

/* As a client would pin it (RFC 7858 §4.2). */
CASE(the_pin_is_that_of_the_key)
{
	struct party p = party_of(NULL, "p", NULL, -60, 3600);
	struct tls_pair pair = { p.file, p.key_file };
	struct tls_front *f = front_of(&(struct tls_front_conf){ .pairs = &pair, .count = 1 });
	uint8_t *der = NULL, digest[32], base64[48];
	int len = i2d_PUBKEY(p.key, &der);
	char pin[64];

	EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL);
	EVP_EncodeBlock(base64, digest, sizeof digest);
	snprintf(pin, sizeof pin, "sha256/%s", base64);
	STR(tls_front_shown(f, 0)->pin, pin);
	OK(!tls_front_shown(f, 0)->name);
	OPENSSL_free(der);
	tls_front_free(f);
	party_free(&p);
}

CASE(the_certificate_for_an_address_is_found)
{
	struct party a = party_of(NULL, "a", "DNS:a.example,IP:192.0.2.1", -60, 3600);
	struct party b = party_of(NULL, "b", "IP:192.0.2.1,IP:192.0.2.2,IP:2001:db8::2", -60, 3600);
	struct tls_pair pairs[] = { { a.file, a.key_file }, { b.file, b.key_file } };
	struct tls_front *f = front_of(&(struct tls_front_conf){ .pairs = pairs, .count = 2 });
	struct addr one = addr_of("192.0.2.1"), two = addr_of("192.0.2.2");
	struct addr six = addr_of("2001:db8::2"), none = addr_of("192.0.2.3");
	size_t which = 9;

	OK(tls_front_covers(f, &one, &which));
	EQ(which, 0);
	OK(tls_front_covers(f, &two, &which));
	EQ(which, 1);
	which = 9;
	OK(tls_front_covers(f, &six, &which));
	EQ(which, 1);
	OK(!tls_front_covers(f, &none, &which));
	EQ(which, 1);
	tls_front_free(f);
	party_free(&a);
	party_free(&b);
}

CASE(what_proves_us_is_for_the_address_and_shown_under_its_name)
{
	struct party a = party_of(NULL, "a", "DNS:a.example", -60, 3600);
	struct party b = party_of(NULL, "b", "DNS:a.example,IP:192.0.2.1,IP:192.0.2.2", -60, 3600);
	struct party c = party_of(NULL, "c", "DNS:c.example,IP:192.0.2.1", -60, 3600);
	struct party d = party_of(NULL, "d", "DNS:*.example,IP:192.0.2.3", -60, 3600);
	struct tls_pair pairs[] = { { a.file, a.key_file }, { b.file, b.key_file },
		{ c.file, c.key_file }, { d.file, d.key_file } };
	struct tls_front *f = front_of(
		&(struct tls_front_conf){ .pairs = pairs, .count = 4, .self_signed = true });
	struct addr one = addr_of("192.0.2.1"), mapped = addr_of("[::ffff:192.0.2.1]:853");
	struct addr hidden = addr_of("192.0.2.2"), unnamed = addr_of("192.0.2.3");
	struct addr throw_away = addr_of("127.0.0.1");

	OK(tls_front_proof(f, &one) == tls_front_shown(f, 2));
	OK(tls_front_proof(f, &mapped) == tls_front_shown(f, 2));
	OK(!tls_front_proof(f, &hidden));
	OK(!tls_front_proof(f, &unnamed));
	OK(!tls_front_proof(f, &throw_away));
	tls_front_free(f);
	party_free(&a);
	party_free(&b);
	party_free(&c);
	party_free(&d);
}

CASE(a_key_may_stand_in_the_file_of_its_certificate)
{
	struct party p = party_of(NULL, "p", NULL, -60, 3600);
	struct tls_pair pair = { p.file, NULL };
	struct tls_front_conf conf = { .pairs = &pair, .count = 1 };
	struct fault fault = { 0 };
	FILE *file;

	OK(!tls_front_load(&conf, &fault));
	STR(fault.cause, "key-empty");
	file = fopen(p.file, "a");
	PEM_write_PrivateKey(file, p.key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	tls_front_free(front_of(&conf));
	party_free(&p);
}

CASE(what_is_not_fit_to_be_shown_is_told)
{
	struct party p = party_of(NULL, "p", NULL, -60, 3600),
		     q = party_of(NULL, "q", NULL, -60, 9);
	struct tls_pair pairs[] = { { p.file, p.key_file }, { q.file, p.key_file } };
	struct tls_front_conf conf = { .pairs = pairs, .count = 2 };
	struct fault fault = { 0 };

	OK(!tls_front_load(&conf, &fault));
	STR(fault.cause, "key-mismatch");
	OK(strstr(fault.reason, q.file));
	conf.count = 1;
	conf.clients_ca = "/dev/null";
	OK(!tls_front_load(&conf, &fault));
	STR(fault.cause, "ca-empty");
	party_free(&p);
	party_free(&q);
}

/* ---- the throw-away one ---- */

CASE(a_throw_away_certificate_is_for_this_host_and_known_by_its_pin)
{
	struct tls_front_conf conf = { .self_signed = true };
	struct tls_front *f = front_of(&conf), *other = front_of(&conf);
	const struct tls_shown *s = tls_front_shown(f, 0);
	struct addr v4 = addr_of("127.0.0.1"), v6 = addr_of("::1");
	size_t which = 9;

	OK(s->self_signed);
	STR(s->name, "localhost");
	EQ(strlen(s->pin), 51);
	EQ(s->address_count, 2);
	OK(addr_same_host(&s->addresses[0], &v4));
	OK(addr_same_host(&s->addresses[1], &v6));
	OK(!tls_front_covers(f, &v4, &which)); /* which nobody could verify */
	OK(s->not_after_s > clock_date_s() + 364 * 86400L);
	OK(s->not_after_s < clock_date_s() + 366 * 86400L);
	OK(!tls_front_same(f, other));
	tls_front_free(f);
	tls_front_free(other);
}

CASE(a_throw_away_certificate_is_shown)
{
	struct tls_front *f = front_of(&(struct tls_front_conf){ .self_signed = true });
	struct fault fault;
	struct tls_tickets *tickets = tls_tickets_new(NULL, &fault);
	struct tls_server *server = tls_server_new(f, tickets);
	struct visitor v = visitor_of(0);

	STR(visit(server, &v).shown, "sotto, self-signed");
	visitor_free(&v);
	tls_server_free(server);
	tls_tickets_free(tickets);
	tls_front_free(f);
}

CASE(a_reload_keeps_the_throw_away_certificate)
{
	struct party p = party_of(NULL, "p", NULL, -60, 3600);
	struct tls_pair pair = { p.file, p.key_file };
	struct tls_front *f = front_of(&(struct tls_front_conf){ .self_signed = true });
	struct tls_front *same =
		front_of(&(struct tls_front_conf){ .self_signed = true, .before = f });
	struct tls_front *more = front_of(&(struct tls_front_conf){
		.pairs = &pair, .count = 1, .self_signed = true, .before = f });

	OK(tls_front_same(f, same));
	OK(!tls_front_same(f, more));
	STR(tls_front_shown(more, 1)->pin, tls_front_shown(f, 0)->pin);
	OK(!tls_front_shown(more, 0)->self_signed);
	tls_front_free(f);
	tls_front_free(same);
	tls_front_free(more);
	party_free(&p);
}

/* ---- the same ---- */

CASE(fronts_are_the_same_if_they_show_and_trust_the_same)
{
	struct party p = party_of(NULL, "p", NULL, -60, 3600),
		     q = party_of(NULL, "q", NULL, -60, 9);
	struct tls_pair pairs[] = { { p.file, p.key_file }, { q.file, q.key_file } };
	struct tls_pair turned[] = { pairs[1], pairs[0] };
	const struct tls_front_conf confs[] = {
		{ .pairs = pairs, .count = 2 },
		{ .pairs = turned, .count = 2 },
		{ .pairs = pairs, .count = 1 },
		{ .pairs = pairs, .count = 2, .clients_ca = p.file },
		{ .pairs = pairs, .count = 2, .clients_ca = q.file },
		{ .pairs = pairs, .count = 2, .clients_ca = p.file, .clients_required = true },
	};
	enum { COUNT = sizeof confs / sizeof *confs };

	for (size_t i = 0; i < COUNT; i++)
		for (size_t j = 0; j < COUNT; j++) {
			struct tls_front *a = front_of(&confs[i]), *b = front_of(&confs[j]);

			EQ(tls_front_same(a, b), i == j);
			OK(!tls_front_same(a, NULL));
			tls_front_free(a);
			tls_front_free(b);
		}
	OK(tls_front_same(NULL, NULL));
	party_free(&p);
	party_free(&q);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(what_a_certificate_says_is_known),
		CLAIM(the_pin_is_that_of_the_key),
		CLAIM(the_certificate_for_an_address_is_found),
		CLAIM(what_proves_us_is_for_the_address_and_shown_under_its_name),
		CLAIM(a_key_may_stand_in_the_file_of_its_certificate),
		CLAIM(what_is_not_fit_to_be_shown_is_told),
		CLAIM(a_throw_away_certificate_is_for_this_host_and_known_by_its_pin),
		CLAIM(a_throw_away_certificate_is_shown),
		CLAIM(a_reload_keeps_the_throw_away_certificate),
		CLAIM(fronts_are_the_same_if_they_show_and_trust_the_same),
	};

	return RUN(cases);
}
