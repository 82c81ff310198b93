/* Sessions that are resumed, and those that are too old; the clock since boot is ours. */
#include "net/tls_tickets.h"

#include "base/clock.h"
#include "case.h"
#include "net/visit.h"

#include <pthread.h>
#include <time.h>

#define HOUR_S 3600

static long later_s;

int __real_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	int err = __real_clock_gettime(id, now);

	if (id == CLOCK_BOOTTIME)
		now->tv_sec += later_s;
	return err;
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
#define EACH_VERSION(i) (size_t i = 0; i < sizeof versions / sizeof *versions; i++)

/* A visitor that was there. */
static struct visitor regular_of(struct tls_server *server, int version)
{
	struct visitor v = visitor_of(version);

	OK(visit(server, &v).ok);
	return v;
}

/* Would the ticket of v be taken? It keeps that one, whatever it is given now. */
static bool is_taken(struct tls_server *server, const struct visitor *v)
{
	struct visitor again = *v;

	SSL_SESSION_up_ref(again.session);
	struct visit r = visit(server, &again);

	OK(r.ok);
	SSL_SESSION_free(again.session);
	return r.resumed;
}

/* ---- keys of ours ---- */

CASE(a_ticket_is_taken_across_one_change_of_keys_and_not_across_two)
{
	for
		EACH_VERSION(i)
		{
			struct house h = house_new();
			struct visitor v = regular_of(h.server, versions[i]);

			later_s = 7 * HOUR_S;
			struct visitor w = regular_of(h.server, versions[i]);

			OK(is_taken(h.server, &v));
			later_s = 14 * HOUR_S;
			struct visitor x = regular_of(h.server, versions[i]);

			OK(!is_taken(h.server, &v));
			OK(is_taken(h.server, &w));
			OK(is_taken(h.server, &x));
			later_s = 0;
			visitor_free(&v);
			visitor_free(&w);
			visitor_free(&x);
			house_free(&h);
		}
}

CASE(a_ticket_is_not_taken_after_twelve_hours_though_nobody_came_in_between)
{
	for
		EACH_VERSION(i)
		{
			struct house h = house_new();
			struct visitor v = regular_of(h.server, versions[i]);

			later_s = 12 * HOUR_S - 1;
			OK(is_taken(h.server, &v));
			later_s = 12 * HOUR_S;
			OK(!is_taken(h.server, &v));
			later_s = 0;
			visitor_free(&v);
			house_free(&h);
		}
}

/* What is shown may have changed meanwhile: tickets are of the process. */
CASE(a_ticket_is_taken_after_a_reload)
{
	for
		EACH_VERSION(i)
		{
			struct house h = house_new(), new = house_new();
			struct visitor v = regular_of(h.server, versions[i]);
			struct tls_server *reloaded = tls_server_new(new.front, h.tickets);

			OK(is_taken(reloaded, &v));
			OK(!is_taken(new.server, &v)); /* another process */
			tls_server_free(reloaded);
			visitor_free(&v);
			house_free(&h);
			house_free(&new);
		}
}

CASE(what_a_client_is_told_of_a_tickets_life_is_twelve_hours)
{
	for
		EACH_VERSION(i)
		{
			struct house h = house_new();
			struct visitor v = regular_of(h.server, versions[i]);

			EQ(SSL_SESSION_get_ticket_lifetime_hint(v.session), 12 * HOUR_S);
			visitor_free(&v);
			house_free(&h);
		}
}

/* ---- keys of a file ---- */

struct key_file {
	char path[32];
};

/* Each letter is a key, all of whose octets it is. */
static void write_keys(const struct key_file *k, const char *letters)
{
	FILE *f = fopen(k->path, "w");

	for (; *letters; letters++)
		for (int i = 0; i < 80; i++)
			fputc(*letters, f);
	fclose(f);
}

static struct key_file key_file_of(const char *letters)
{
	struct key_file k;

	fclose(open_new(k.path));
	write_keys(&k, letters);
	return k;
}

static struct house house_with(const struct key_file *k)
{
	struct house h = house_new();
	struct fault f;

	OK(tls_tickets_load(h.tickets, k->path, &f));
	return h;
}

CASE(hosts_that_share_a_file_take_each_others_tickets)
{
	struct key_file k = key_file_of("a");

	for
		EACH_VERSION(i)
		{
			struct house here = house_with(&k), there = house_with(&k);
			struct visitor v = regular_of(here.server, versions[i]);

			OK(is_taken(there.server, &v));
			visitor_free(&v);
			house_free(&here);
			house_free(&there);
		}
	unlink(k.path);
}

CASE(the_first_key_encrypts_and_all_decrypt)
{
	struct key_file a = key_file_of("a"), ab = key_file_of("ab"), ba = key_file_of("ba");

	for
		EACH_VERSION(i)
		{
			struct house first = house_with(&a), both = house_with(&ab),
				     new = house_with(&ba);
			struct visitor v = regular_of(both.server, versions[i]);
			struct visitor w = regular_of(new.server, versions[i]);

			OK(is_taken(first.server, &v));
			OK(is_taken(new.server, &v));
			OK(!is_taken(first.server, &w));
			OK(is_taken(both.server, &w));
			visitor_free(&v);
			visitor_free(&w);
			house_free(&first);
			house_free(&both);
			house_free(&new);
		}
	unlink(a.path);
	unlink(ab.path);
	unlink(ba.path);
}

CASE(a_ticket_of_tls_1_2_by_a_key_that_goes_is_replaced)
{
	struct key_file k = key_file_of("a");
	struct house h = house_with(&k);
	struct visitor v = regular_of(h.server, TLS1_2_VERSION);
	struct fault f;

	write_keys(&k, "ba");
	OK(tls_tickets_load(h.tickets, k.path, &f));
	OK(visit(h.server, &v).resumed);
	write_keys(&k, "b");
	OK(tls_tickets_load(h.tickets, k.path, &f));
	OK(visit(h.server, &v).resumed);
	visitor_free(&v);
	house_free(&h);
	unlink(k.path);
}

CASE(keys_of_a_file_are_changed_by_who_made_them_and_not_by_time)
{
	struct key_file k = key_file_of("a");
	struct house h = house_with(&k);
	struct visitor v = regular_of(h.server, 0);

	later_s = 100 * HOUR_S;
	OK(is_taken(h.server, &v));
	later_s = 0;
	visitor_free(&v);
	house_free(&h);
	unlink(k.path);
}

static void expect_bad(struct tls_tickets *t, const char *path, const char *cause)
{
	struct fault f = { 0 };

	OK(!tls_tickets_load(t, path, &f));
	STR(f.cause, cause);
	OK(strstr(f.reason, path));
	OK(!tls_tickets_new(path, &f));
	STR(f.cause, cause);
}

CASE(a_bad_file_keeps_the_keys_there_are)
{
	struct key_file k = key_file_of("a"), bad = key_file_of("");
	struct house h = house_with(&k);
	struct visitor v = regular_of(h.server, 0);
	FILE *f;

	expect_bad(h.tickets, "/nonexistent/keys", "tickets-unreadable");
	expect_bad(h.tickets, "/tmp", "tickets-unreadable");
	expect_bad(h.tickets, bad.path, "tickets-damaged");
	write_keys(&bad, "ab");
	f = fopen(bad.path, "a");
	fputc('c', f);
	fclose(f);
	expect_bad(h.tickets, bad.path, "tickets-damaged");
	write_keys(&bad, "abcdefghijklmnopq");
	expect_bad(h.tickets, bad.path, "tickets-too-many");
	write_keys(&bad, "abcdefghijklmnop");
	OK(is_taken(h.server, &v));
	struct fault none;

	OK(tls_tickets_load(h.tickets, bad.path, &none));
	OK(is_taken(h.server, &v));
	visitor_free(&v);
	house_free(&h);
	unlink(k.path);
	unlink(bad.path);
}

CASE(a_file_that_is_no_longer_named_has_no_say_any_more)
{
	struct key_file k = key_file_of("a");
	struct house h = house_with(&k);
	struct visitor v = regular_of(h.server, 0);
	struct fault f;

	OK(tls_tickets_load(h.tickets, NULL, &f));
	OK(!is_taken(h.server, &v));
	struct visitor w = regular_of(h.server, 0);

	OK(tls_tickets_load(h.tickets, NULL, &f)); /* a reload that changes nothing */
	OK(is_taken(h.server, &w));
	OK(tls_tickets_load(h.tickets, k.path, &f));
	OK(!is_taken(h.server, &w));
	visitor_free(&v);
	visitor_free(&w);
	house_free(&h);
	unlink(k.path);
}

/* ---- workers ---- */

struct worker {
	pthread_t thread;
	struct house *house;
};

/* cmocka's checks are of its own thread: this returns NULL if all was well. */
static void *serve(void *arg)
{
	struct house *h = ((struct worker *)arg)->house;
	struct tls_server *server = tls_server_new(h->front, h->tickets);
	struct visitor v = visitor_of(0);
	int resumed = 0;

	for (int i = 0; i < 20; i++) {
		struct wire w = wire_of(server, &v);

		shake_hands(&w);
		SSL_read(w.client, &(char){ 0 }, 1);
		resumed += w.status == TLS_OK && tls_facts(w.server)->resumed;
		SSL_SESSION_free(v.session);
		v.session = SSL_get1_session(w.client);
		SSL_set_shutdown(w.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		wire_free(&w);
	}
	visitor_free(&v);
	tls_server_free(server);
	return resumed == 19 ? NULL : h;
}

CASE(workers_share_keys_that_change_while_they_serve)
{
	struct key_file k = key_file_of("ab");
	struct house h = house_with(&k);
	struct worker workers[3];
	struct fault f;
	void *failed = NULL;

	for (int i = 0; i < 3; i++) {
		workers[i].house = &h;
		EQ(pthread_create(&workers[i].thread, NULL, serve, &workers[i]), 0);
	}
	for (int i = 0; i < 200; i++) {
		write_keys(&k, i % 2 ? "ab" : "ba");
		OK(tls_tickets_load(h.tickets, k.path, &f));
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(workers[i].thread, &failed);
		OK(!failed);
	}
	house_free(&h);
	unlink(k.path);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_ticket_is_taken_across_one_change_of_keys_and_not_across_two),
		CLAIM(a_ticket_is_not_taken_after_twelve_hours_though_nobody_came_in_between),
		CLAIM(a_ticket_is_taken_after_a_reload),
		CLAIM(what_a_client_is_told_of_a_tickets_life_is_twelve_hours),
		CLAIM(hosts_that_share_a_file_take_each_others_tickets),
		CLAIM(the_first_key_encrypts_and_all_decrypt),
		CLAIM(a_ticket_of_tls_1_2_by_a_key_that_goes_is_replaced),
		CLAIM(keys_of_a_file_are_changed_by_who_made_them_and_not_by_time),
		CLAIM(a_bad_file_keeps_the_keys_there_are),
		CLAIM(a_file_that_is_no_longer_named_has_no_say_any_more),
		CLAIM(workers_share_keys_that_change_while_they_serve),
	};

	return RUN(cases);
}
