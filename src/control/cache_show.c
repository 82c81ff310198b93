#include "control/cache_show.h"

#include "control/line.h"
#include "control/records.h"
#include "control/told.h"

#include <inttypes.h>
#include <string.h>

/* More hits of an entry than that are not counted (cache/cache.h). */
#define HITS_MOST 255

/* ---- stats ---- */

/* `12.5 MiB`. */
static const char *size_text(uint64_t bytes, char text[LINE_SPAN])
{
	static const char *const units[] = { "octets", "KiB", "MiB", "GiB", "TiB" };
	double n = (double)bytes;
	size_t u = 0;

	for (; n >= 1024 && u < sizeof units / sizeof *units - 1; u++)
		n /= 1024;
	snprintf(text, LINE_SPAN, "%.*f %s", u && n < 100 ? 1 : 0, n, units[u]);
	return text;
}

static void show_content(const json_t *o, FILE *out)
{
	uint64_t entries = told_count(o, "cache_entries");
	char used[LINE_SPAN], size[LINE_SPAN];
	struct line l = { 0 };

	line_add(&l, "%s of %s in use", size_text(told_count(o, "cache_used_bytes"), used),
		size_text(told_count(o, "cache_size_bytes"), size));
	line_put_about(&l, "memory", out);
	line_add(&l, "%" PRIu64 ", %" PRIu64 " of them expired", entries,
		told_count(o, "cache_entries_expired"));
	line_add_some(&l, told_count(o, "cache_evictions_total"), "gave way to others");
	line_add_some(&l, told_count(o, "cache_refusals_total"), "too large to be kept");
	line_put_about(&l, "entries", out);
}

void cache_show_stats(const json_t *o, FILE *out)
{
	const json_t *ratio = json_object_get(o, "cache_hit_ratio");
	struct line l = { 0 };

	show_content(o, out);
	line_add(&l, "%" PRIu64 " hit%s, %" PRIu64 " missed", told_count(o, "cache_hits_total"),
		line_plural(told_count(o, "cache_hits_total")),
		told_count(o, "cache_misses_total"));
	if (json_is_real(ratio))
		line_add(&l, ": %.1f %% from the cache", json_real_value(ratio) * 100);
	line_put_about(&l, "queries", out);
	line_add(&l, "%" PRIu64 " with what had expired, %" PRIu64 " that asking had just failed",
		told_count(o, "cache_stale_total"), told_count(o, "cache_failures_total"));
	line_put_about(&l, "answered", out);
	line_add(&l, "%" PRIu64 " before they expired", told_count(o, "cache_prefetches_total"));
	line_put_about(&l, "asked again", out);
}

/* ---- lookup ---- */

/* `example. AAAA +do, nodata, of group default`. */
static void put_title(const char *name, const json_t *e, FILE *out)
{
	const char *type = told_text(e, "type");
	struct line l = { 0 };

	line_add(&l, "%s%s%s%s%s, %s", name, *type ? " " : "", type,
		told_is_true(e, "dnssec_ok") ? " +do" : "",
		told_is_true(e, "checking_disabled") ? " +cd" : "", told_text(e, "kind"));
	if (strcmp(told_text(e, "rcode"), "NOERROR") != 0)
		line_add(&l, " (%s)", told_text(e, "rcode"));
	line_add(&l, ", of group %s", told_text(e, "group"));
	line_put(&l, "", 2, out);
}

/* How long it is good for; of a failure, that is not told. */
static void add_life(struct line *l, const json_t *e)
{
	double ttl = told_real(e, "ttl_seconds");
	char span[LINE_SPAN];

	if (ttl > 0)
		line_add(l, "expires in %s, ", line_span(ttl, span));
	else if (json_is_number(json_object_get(e, "ttl_seconds")))
		line_add(l, "expired %s ago, ", line_span(-ttl, span));
	line_add(l, "%s old", line_span(told_real(e, "age_seconds"), span));
}

static void put_facts(const json_t *e, FILE *out)
{
	uint64_t hits = told_count(e, "hits");
	char size[LINE_SPAN];
	struct line l = { 0 };
	const json_t *code;
	size_t i;

	add_life(&l, e);
	line_add(&l, ", %" PRIu64 "%s hit%s, %s", hits, hits < HITS_MOST ? "" : " or more",
		line_plural(hits), size_text(told_count(e, "bytes"), size));
	json_array_foreach (json_object_get(e, "extended_errors"), i, code)
		line_add(&l, "%s %" JSON_INTEGER_FORMAT, i ? "," : ", extended error",
			json_integer_value(code));
	line_put_row(&l, out);
}

void cache_show_lookup(const json_t *o, FILE *out)
{
	const json_t *entries = json_object_get(o, "entries"), *e;
	uint64_t left_out = told_count(o, "entries_left_out");
	struct line l = { 0 };
	size_t i;

	json_array_foreach (entries, i, e) {
		if (i)
			fputc('\n', out);
		put_title(told_text(o, "name"), e, out);
		put_facts(e, out);
		records_put(told_text(e, "message"), out);
	}
	if (!json_array_size(entries))
		line_add(&l, "nothing is known of %s", told_text(o, "name"));
	else if (left_out)
		line_add(&l, "and %" PRIu64 " more", left_out);
	else
		return;
	line_put(&l, "", 2, out);
}

/* ---- flush ---- */

void cache_show_flush(const json_t *o, FILE *out)
{
	uint64_t n = told_count(o, "entries_forgotten");

	fprintf(out, "%" PRIu64 " entr%s forgotten\n", n, n == 1 ? "y" : "ies");
}
