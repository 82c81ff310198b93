#include "control/cache_report.h"

#include "base/clock.h"
#include "case.h"
#include "dns/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cache_conf conf = { .size = 1 << 20,
	.ttl_max_ms = 86400000,
	.negative_max_ms = 3600000,
	.stale_ms = 86400000,
	.failure_ms = 5000 };

static const struct upstream_conf upstream = {
	.groups = (struct group_conf[]){ { .name = "default", .number = 0 },
		{ .name = "bootstrap", .number = 1 }, { .name = "lan", .number = 2 } },
	.group_count = 3,
};

static const struct siphash_key hash_key = { { 1, 2 } };

static struct cache *made(void)
{
	struct cache *c = cache_new(&conf, &hash_key);

	OK(c);
	return c;
}

static struct view view_of(struct cache *c)
{
	return (struct view){ .cache = c, .upstream = &upstream };
}

/* ---- filling it ---- */

struct asked {
	const char *name;
	uint16_t type;
	struct key_scope scope;
};

/* Keeps an answer of that age: the record, or, without one, that there is none. */
static void keep_aged(struct cache *c, const struct asked *a, enum worth worth, unsigned age_s)
{
	static const uint8_t ttl_and_address[] = { 0, 0, 0, 100, 0, 4, 192, 0, 2, 1 };
	uint8_t name[NAME_MAX_WIRE], message[512] = { 0, 0, 0x81, 0x80, 0, 1 };
	struct question q = { .name = name, .type = a->type, .class = CLASS_IN };
	struct packed packed = { .worth = worth, .lifetime_s = 100 };
	uint16_t ttl_at = 0;
	struct key key;
	size_t len = DNS_HEADER;

	q.name_len = name_from_text(a->name, name);
	memcpy(message + len, name, q.name_len);
	len += q.name_len;
	put_u16(message + len, a->type);
	put_u16(message + len + 2, CLASS_IN);
	len += 4;
	if (worth == WORTH_POSITIVE) {
		put_u16(message + 6, 1);
		put_u16(message + len, 0xc00c);
		memcpy(message + len + 2, message + len - 4, 4);
		memcpy(message + len + 6, ttl_and_address, sizeof ttl_and_address);
		ttl_at = (uint16_t)(len + 6);
		packed.ttl_count = 1;
		len += 6 + sizeof ttl_and_address;
	}
	packed.rcode = worth == WORTH_NXDOMAIN ? RCODE_NXDOMAIN : RCODE_NOERROR;
	packed.message = (struct span){ message, len };
	packed.ttl_at = &ttl_at;
	packed.errors = (struct span){ message, 0 };
	key_make(&key, &hash_key, &q, &a->scope);
	cache_store(c, &key, &packed, clock_since_boot_ms() - 1000 * (int64_t)age_s);
}

static void keep(struct cache *c, const char *name, uint16_t type)
{
	const struct asked a = { name, type, { 0 } };

	keep_aged(c, &a, WORTH_POSITIVE, 0);
}

/* ---- asking ---- */

typedef void *begin_fn(const struct view *, const struct words *, const char **why);

/* Why these words are refused; NULL: they are not. */
static const char *refusal(begin_fn *begin, struct cache *c, const char *line)
{
	const struct view view = view_of(c);
	const char *why = NULL;
	char text[WORDS_LINE];
	struct words w;

	snprintf(text, sizeof text, "%s", line);
	OK(words_cut(&w, text));
	OK(!begin(&view, &w, &why));
	return why;
}

static json_t *lookup(struct cache *c, const char *line)
{
	const struct view view = view_of(c);
	const char *why = NULL;
	char text[WORDS_LINE];
	struct words w;

	snprintf(text, sizeof text, "%s", line);
	OK(words_cut(&w, text));
	void *gathered = cache_report_lookup_begin(&view, &w, &why);

	OK(gathered);
	cache_report_lookup_work(gathered, &view);
	json_t *answer = cache_report_lookup_answer(gathered, &view);

	cache_report_lookup_end(gathered);
	OK(answer);
	return answer;
}

/* The only entry that is found, to be let go. */
static json_t *only(struct cache *c, const char *line)
{
	json_t *answer = lookup(c, line), *entries = json_object_get(answer, "entries");

	EQ(json_array_size(entries), 1);
	json_t *entry = json_incref(json_array_get(entries, 0));

	json_decref(answer);
	return entry;
}

static size_t count(struct cache *c, const char *line)
{
	json_t *answer = lookup(c, line);
	size_t n = json_array_size(json_object_get(answer, "entries"));

	json_decref(answer);
	return n;
}

static json_int_t flush(struct cache *c, const char *line)
{
	const struct view view = view_of(c);
	const char *why = NULL;
	char text[WORDS_LINE];
	struct words w;

	snprintf(text, sizeof text, "%s", line);
	OK(words_cut(&w, text));
	void *gathered = cache_report_flush_begin(&view, &w, &why);

	OK(gathered);
	cache_report_flush_work(gathered, &view);
	json_t *answer = cache_report_flush_answer(gathered, &view);
	json_int_t n = json_integer_value(json_object_get(answer, "entries_forgotten"));

	json_decref(answer);
	free(gathered);
	return n;
}

static json_int_t number_in(const json_t *o, const char *key)
{
	OK(json_is_integer(json_object_get(o, key)));
	return json_integer_value(json_object_get(o, key));
}

static const char *text_in(const json_t *o, const char *key)
{
	OK(json_is_string(json_object_get(o, key)));
	return json_string_value(json_object_get(o, key));
}

/* ---- claims ---- */

CASE(without_a_cache_every_command_is_refused)
{
	STR(refusal(cache_report_stats_begin, NULL, ""), "there is no cache: cache.size is 0");
	STR(refusal(cache_report_lookup_begin, NULL, "a.test"),
		"there is no cache: cache.size is 0");
	STR(refusal(cache_report_flush_begin, NULL, "--all"), "there is no cache: cache.size is 0");
}

CASE(wrong_words_are_refused)
{
	struct cache *c = made();

	OK(strstr(refusal(cache_report_stats_begin, c, "a.test"), "too many words"));
	OK(strstr(refusal(cache_report_lookup_begin, c, "a..test"), "no domain name"));
	OK(strstr(refusal(cache_report_flush_begin, c, ""), "flush --all"));
	cache_free(c);
}

CASE(an_entry_is_told_with_its_ttls_counted_down)
{
	const struct asked a = { "a.test", TYPE_A, { 2, true, true } };
	struct cache *c = made();

	keep_aged(c, &a, WORTH_POSITIVE, 30);
	json_t *e = only(c, "A.test.");

	STR(text_in(e, "type"), "A");
	STR(text_in(e, "group"), "lan");
	OK(json_is_true(json_object_get(e, "dnssec_ok")));
	OK(json_is_true(json_object_get(e, "checking_disabled")));
	STR(text_in(e, "kind"), "positive");
	STR(text_in(e, "rcode"), "NOERROR");
	json_int_t age = number_in(e, "age_seconds");

	OK(age >= 30 && age < 90); /* this host may be slow */
	EQ(number_in(e, "ttl_seconds"), 100 - age);
	char end[64];

	snprintf(end, sizeof end, "c00c00010001%08x0004c0000201", (unsigned)(100 - age));
	const char *message = text_in(e, "message");

	STR(message + strlen(message) - strlen(end), end);
	json_decref(e);
	cache_free(c);
}

CASE(what_has_expired_has_a_ttl_below_zero_and_records_with_none)
{
	const struct asked a = { "a.test", TYPE_A, { 0 } };
	struct cache *c = made();

	keep_aged(c, &a, WORTH_POSITIVE, 200);
	json_t *e = only(c, "a.test");

	OK(number_in(e, "ttl_seconds") <= -100);
	OK(strstr(text_in(e, "message"), "c00c00010001000000000004c0000201"));
	json_decref(e);
	cache_free(c);
}

CASE(a_name_has_an_entry_for_each_question)
{
	const struct asked with_do = { "a.test", TYPE_A, { 0, true, false } };
	struct cache *c = made();

	keep(c, "a.test", TYPE_A);
	keep(c, "a.test", TYPE_AAAA);
	keep(c, "b.test", TYPE_A);
	keep(c, "a.a.test", TYPE_A);
	keep_aged(c, &with_do, WORTH_POSITIVE, 0);
	EQ(count(c, "a.test"), 3);
	EQ(count(c, "a.test A"), 2);
	EQ(count(c, "a.test type28"), 1);
	EQ(count(c, "a.test MX"), 0);
	EQ(count(c, "test"), 0);
	cache_free(c);
}

CASE(a_name_that_does_not_exist_is_told_whatever_the_type)
{
	const struct asked a = { "a.test", TYPE_A, { 0 } };
	struct cache *c = made();

	keep_aged(c, &a, WORTH_NXDOMAIN, 0);
	json_t *e = only(c, "a.test AAAA");

	OK(json_is_null(json_object_get(e, "type")));
	STR(text_in(e, "kind"), "nxdomain");
	STR(text_in(e, "rcode"), "NXDOMAIN");
	json_decref(e);
	cache_free(c);
}

CASE(a_failure_has_no_ttl_and_its_extended_error)
{
	const struct key_scope scope = { 0 };
	const struct failure failure = { RCODE_SERVFAIL, EDE_NO_REACHABLE_AUTHORITY, "why" };
	_Alignas(8) static uint8_t memory[PACKED_MAX];
	struct cache *c = made();
	uint8_t name[NAME_MAX_WIRE];
	struct question q = { .name = name, .type = TYPE_A, .class = CLASS_IN };
	struct packed packed;
	struct key key;

	q.name_len = name_from_text("a.test", name);
	pack_failure(&packed, memory, &q, &failure);
	key_make(&key, &hash_key, &q, &scope);
	cache_store_failure(c, &key, &packed, true, clock_since_boot_ms());
	json_t *e = only(c, "a.test"), *errors = json_object_get(e, "extended_errors");

	STR(text_in(e, "kind"), "failure");
	STR(text_in(e, "rcode"), "SERVFAIL");
	OK(json_is_null(json_object_get(e, "ttl_seconds")));
	EQ(json_array_size(errors), 1);
	EQ(json_integer_value(json_array_get(errors, 0)), EDE_NO_REACHABLE_AUTHORITY);
	json_decref(e);
	cache_free(c);
}

CASE(an_answer_about_a_name_of_too_many_entries_comes_to_an_end)
{
	struct cache *c = made();
	size_t told;

	for (unsigned type = 1; type <= 600; type++)
		keep(c, "a.test", (uint16_t)type);
	json_t *answer = lookup(c, "a.test");

	told = json_array_size(json_object_get(answer, "entries"));
	EQ(told, 500);
	EQ(number_in(answer, "entries_left_out"), 100);
	json_decref(answer);
	cache_free(c);
}

CASE(a_flush_forgets_what_its_words_mean)
{
	struct cache *c = made();

	keep(c, "example.com", TYPE_A);
	keep(c, "example.com", TYPE_AAAA);
	keep(c, "www.example.com", TYPE_A);
	keep(c, "notexample.com", TYPE_A);
	EQ(flush(c, "example.COM"), 2);
	EQ(flush(c, "example.com"), 0);
	keep(c, "example.com", TYPE_A);
	EQ(flush(c, "--below example.com."), 2);
	EQ(count(c, "notexample.com"), 1);
	EQ(flush(c, "--all"), 1);
	EQ(flush(c, "--all"), 0);
	cache_free(c);
}

CASE(stats_are_the_cache_and_all_workers)
{
	const struct metrics one = { .cache_hits = 2, .cache_misses = 1, .cache_stale = 4 };
	const struct metrics other = { .cache_hits = 1, .prefetches = 7, .cache_failures = 6 };
	const struct view_worker workers[] = { { .metrics = &one }, { .metrics = &other } };
	struct cache *c = made();
	const struct asked old = { "old.test", TYPE_A, { 0 } };
	const struct view view = view_of(c);
	const struct words none = { 0 };
	const char *why = NULL;
	void *gathered = cache_report_stats_begin(&view, &none, &why);

	keep(c, "a.test", TYPE_A);
	keep_aged(c, &old, WORTH_POSITIVE, 200);
	cache_report_stats_visit(gathered, &workers[0]);
	cache_report_stats_visit(gathered, &workers[1]);
	cache_report_stats_work(gathered, &view);
	json_t *o = cache_report_stats_answer(gathered, &view);

	EQ(number_in(o, "cache_size_bytes"), 1 << 20);
	OK(number_in(o, "cache_used_bytes") > 0);
	EQ(number_in(o, "cache_entries"), 2);
	EQ(number_in(o, "cache_entries_expired"), 1);
	EQ(number_in(o, "cache_hits_total"), 3);
	EQ(number_in(o, "cache_misses_total"), 1);
	EQ(number_in(o, "cache_stale_total"), 4);
	EQ(number_in(o, "cache_failures_total"), 6);
	EQ(number_in(o, "cache_prefetches_total"), 7);
	OK(json_real_value(json_object_get(o, "cache_hit_ratio")) == 0.75);
	json_decref(o);
	free(gathered);
	cache_free(c);
}

CASE(without_a_question_there_is_no_hit_ratio)
{
	struct cache *c = made();
	const struct view view = view_of(c);
	const struct words none = { 0 };
	const char *why = NULL;
	void *gathered = cache_report_stats_begin(&view, &none, &why);
	json_t *o = cache_report_stats_answer(gathered, &view);

	OK(json_is_null(json_object_get(o, "cache_hit_ratio")));
	json_decref(o);
	free(gathered);
	cache_free(c);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(without_a_cache_every_command_is_refused),
		CLAIM(wrong_words_are_refused),
		CLAIM(an_entry_is_told_with_its_ttls_counted_down),
		CLAIM(what_has_expired_has_a_ttl_below_zero_and_records_with_none),
		CLAIM(a_name_has_an_entry_for_each_question),
		CLAIM(a_name_that_does_not_exist_is_told_whatever_the_type),
		CLAIM(a_failure_has_no_ttl_and_its_extended_error),
		CLAIM(an_answer_about_a_name_of_too_many_entries_comes_to_an_end),
		CLAIM(a_flush_forgets_what_its_words_mean),
		CLAIM(stats_are_the_cache_and_all_workers),
		CLAIM(without_a_question_there_is_no_hit_ratio),
	};

	return RUN(cases);
}
