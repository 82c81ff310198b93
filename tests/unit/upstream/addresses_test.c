#include "upstream/addresses.h"

#include "case.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sotto-XXXXXX", file[64];
static struct server_conf servers[3];
static struct upstream_conf conf = { .servers = servers, .count = 3 };

static int make_folder(void **unused)
{
	(void)unused;
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof file, "%s/addresses", folder);
	conf.state = folder;
	return 0;
}

static int remove_folder(void **unused)
{
	(void)unused;
	unlink(file);
	return rmdir(folder);
}

static int forget(void **unused)
{
	(void)unused;
	memset(servers, 0, sizeof servers);
	servers[0].host = servers[2].host = "dns.example";
	servers[1].host = "other.example";
	unlink(file);
	return 0;
}

static void put(const char *text)
{
	FILE *f = fopen(file, "w");

	OK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static const char *written(void)
{
	static char text[1024];
	FILE *f = fopen(file, "r");

	text[0] = '\0';
	if (!f)
		return text;
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	return text;
}

static bool has(const struct server_conf *s, size_t i, const char *text)
{
	char own[ADDR_TEXT];

	return i < s->saved_count && strcmp(addr_print_host(&s->saved[i], own), text) == 0;
}

/* ---- reading ---- */

CASE(addresses_are_given_to_every_server_of_their_host)
{
	put("other.example 2001:db8::7\nunknown.example 192.0.2.9\ndns.example 192.0.2.1 192.0.2.2\n");
	addresses_load(&conf);
	OK(has(&servers[0], 0, "192.0.2.1") && has(&servers[0], 1, "192.0.2.2"));
	EQ(servers[0].saved_count, 2);
	EQ(servers[2].saved_count, 2);
	OK(has(&servers[1], 0, "2001:db8::7"));
	EQ(servers[1].saved_count, 1);
}

CASE(a_missing_file_is_nothing)
{
	addresses_load(&conf);
	EQ(servers[0].saved_count, 0);
}

/* Is the line ignored, and what stands after it taken? */
static bool is_ignored(const char *line)
{
	char text[4096];

	forget(NULL);
	snprintf(text, sizeof text, "%s\nother.example 192.0.2.7\n", line);
	put(text);
	addresses_load(&conf);
	return servers[0].saved_count == 0 && has(&servers[1], 0, "192.0.2.7");
}

CASE(a_line_that_makes_no_sense_is_ignored_alone)
{
	char long_line[2048];

	OK(is_ignored("dns.example"));
	OK(is_ignored(""));
	OK(is_ignored("\x80\xff\x01"));
	OK(is_ignored("dns.example 192.0.2.1 nonsense"));
	OK(is_ignored("dns.example 192.0.2.1:53"));
	OK(is_ignored("dns.example 0.0.0.0"));
	OK(is_ignored("dns.example 224.0.0.1"));
	OK(is_ignored("dns.example 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 "
		      "192.0.2.7 192.0.2.8 192.0.2.9"));
	memset(long_line, 'a', sizeof long_line - 1);
	long_line[sizeof long_line - 1] = '\0';
	OK(is_ignored(long_line));
	OK(!is_ignored("dns.example 192.0.2.1"));
}

CASE(a_line_that_was_cut_off_is_ignored)
{
	put("other.example 192.0.2.7\ndns.example 192.0.2.1");
	addresses_load(&conf);
	EQ(servers[0].saved_count, 0);
	EQ(servers[1].saved_count, 1);
}

/* ---- writing ---- */

/* One worker's life. */
struct run {
	struct addresses_file file;
	struct loop *loop;
	struct timer end;
};

static void on_end(struct timer *t)
{
	struct run *r = container_of(t, struct run, end);

	if (r->file.busy)
		timer_start(r->loop, t, 1);
	else
		loop_stop(r->loop);
}

static void begin(struct run *r)
{
	memset(r, 0, sizeof *r);
	r->loop = loop_new();
	r->end.fire = on_end;
	OK(r->loop && addresses_init(&r->file, r->loop, conf.state));
	OK(addresses_prepare(&r->file, &conf));
	addresses_swap(&r->file);
}

static void keep(struct run *r, const char *host, const char *text)
{
	struct addr a;

	OK(addr_parse(&a, text, 0));
	addresses_keep(&r->file, host, &a, 1);
}

static void end(struct run *r)
{
	timer_start(r->loop, &r->end, 1);
	loop_run(r->loop);
	loop_free(r->loop);
	addresses_clear(&r->file);
}

CASE(what_is_kept_is_read_again)
{
	struct run r;

	begin(&r);
	keep(&r, "dns.example", "2001:db8::1");
	end(&r);
	STR(written(), "dns.example 2001:db8::1\n");
	addresses_load(&conf);
	OK(has(&servers[0], 0, "2001:db8::1"));
}

CASE(what_others_have_written_stays_but_for_hosts_that_are_gone)
{
	struct run r;

	begin(&r);
	put("gone.example 192.0.2.66\nother.example 192.0.2.7\n");
	keep(&r, "dns.example", "192.0.2.1");
	end(&r);
	STR(written(), "dns.example 192.0.2.1\nother.example 192.0.2.7\n");
}

CASE(changes_while_it_is_being_written_are_written_after_it)
{
	struct run r;

	begin(&r);
	keep(&r, "dns.example", "192.0.2.1");
	keep(&r, "other.example", "192.0.2.2");
	keep(&r, "dns.example", "192.0.2.3");
	end(&r);
	STR(written(), "dns.example 192.0.2.3\nother.example 192.0.2.2\n");
}

CASE(what_has_not_changed_is_not_written)
{
	struct run r;

	put("dns.example 192.0.2.1\n");
	addresses_load(&conf);
	begin(&r);
	unlink(file);
	keep(&r, "dns.example", "192.0.2.1");
	end(&r);
	STR(written(), "");
}

CASE(a_folder_that_is_gone_is_an_error_and_no_more)
{
	struct run r;

	conf.state = "/nowhere/at/all";
	begin(&r);
	keep(&r, "dns.example", "192.0.2.1");
	end(&r);
	EQ(r.file.error, -ENOENT);
	conf.state = folder;
}

CASE(the_order_of_addresses_does_not_matter)
{
	struct addr a[2], b[2];

	OK(addr_parse(&a[0], "192.0.2.1", 0) && addr_parse(&a[1], "2001:db8::1", 0));
	b[0] = a[1];
	b[1] = a[0];
	OK(addresses_same(a, 2, b, 2));
	OK(!addresses_same(a, 2, b, 1));
	OK(!addresses_same(a, 1, b, 2));
	OK(addr_parse(&b[1], "192.0.2.2", 0));
	OK(!addresses_same(a, 2, b, 2));
	OK(addresses_same(a, 0, b, 0));
}

#define ALONE(name) cmocka_unit_test_setup(name, forget)

int main(void)
{
	const struct CMUnitTest cases[] = {
		ALONE(addresses_are_given_to_every_server_of_their_host),
		ALONE(a_missing_file_is_nothing),
		ALONE(a_line_that_makes_no_sense_is_ignored_alone),
		ALONE(a_line_that_was_cut_off_is_ignored),
		ALONE(what_is_kept_is_read_again),
		ALONE(what_others_have_written_stays_but_for_hosts_that_are_gone),
		ALONE(changes_while_it_is_being_written_are_written_after_it),
		ALONE(what_has_not_changed_is_not_written),
		ALONE(a_folder_that_is_gone_is_an_error_and_no_more),
		CLAIM(the_order_of_addresses_does_not_matter),
	};

	return cmocka_run_group_tests(cases, make_folder, remove_folder);
}
