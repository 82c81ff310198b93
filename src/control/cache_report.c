#include "control/cache_report.h"

#include "base/clock.h"
#include "control/cache_words.h"
#include "dns/text.h"

#include <stdlib.h>
#include <string.h>

/* What one answer tells at most, so that it comes to an end where a name has all types there are.
 */
#define ENTRIES_MOST 500
#define OCTETS_MOST  (1024 * 1024) /* of their messages, and of one more */

static const char no_cache[] = "there is no cache: cache.size is 0";

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* ---- stats ---- */

struct stats {
	struct metrics metrics; /* of all workers */
	struct cache_stats cache;
};

void *cache_report_stats_begin(const struct view *view, const struct words *w, const char **why)
{
	if (!view->cache)
		*why = no_cache;
	else if (w->count)
		*why = "too many words: cache stats takes none";
	else
		return calloc(1, sizeof(struct stats));
	return NULL;
}

void cache_report_stats_visit(void *stats, const struct view_worker *w)
{
	struct stats *s = stats;

	metrics_add(&s->metrics, w->metrics);
}

void cache_report_stats_work(void *stats, const struct view *view)
{
	struct stats *s = stats;

	cache_count(view->cache, clock_since_boot_ms(), &s->cache);
}

json_t *cache_report_stats_answer(void *stats, const struct view *view)
{
	const struct stats *s = stats;
	const struct metrics *m = &s->metrics;
	const struct cache_stats *c = &s->cache;
	uint64_t asked = m->cache_hits + m->cache_misses;

	(void)view;
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"cache_size_bytes", number(c->size), "cache_used_bytes", number(c->used),
		"cache_entries", number(c->entries), "cache_entries_expired", number(c->expired),
		"cache_evictions_total", number(c->evicted), "cache_refusals_total",
		number(c->refused), "cache_hits_total", number(m->cache_hits), "cache_misses_total",
		number(m->cache_misses), "cache_stale_total", number(m->cache_stale),
		"cache_failures_total", number(m->cache_failures), "cache_prefetches_total",
		number(m->prefetches), "cache_hit_ratio",
		asked ? json_real((double)m->cache_hits / (double)asked) : json_null());
}

/* ---- lookup ---- */

struct found_entries {
	struct cache_words wanted;
	const struct upstream_conf *upstream; /* for the names of groups */
	int64_t now_ms;
	json_t *entries;
	bool failed; /* out of memory */
	size_t octets, left_out;
	uint8_t message[DNS_MESSAGE_MAX];
	char hex[2 * DNS_MESSAGE_MAX + 1];
};

void *cache_report_lookup_begin(const struct view *view, const struct words *w, const char **why)
{
	struct cache_words wanted;
	struct found_entries *l = NULL;
	const char *wrong = view->cache ? cache_words_lookup(&wanted, w) : no_cache;

	if (wrong)
		*why = wrong;
	else
		l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->wanted = wanted;
	l->upstream = view->upstream;
	l->entries = json_array();
	return l;
}

void cache_report_lookup_end(void *lookup)
{
	struct found_entries *l = lookup;

	json_decref(l->entries);
	free(l);
}

static bool is_wanted(const struct found_entries *l, const struct cache_entry *e)
{
	const struct cache_words *w = &l->wanted;
	const struct question q = key_question(&e->key);

	if (q.name_len != w->name_len || memcmp(q.name, w->name, q.name_len) != 0)
		return false;
	/* That a name does not exist is kept once for all types. */
	return w->any_type || q.type == w->type || e->packed.worth == WORTH_NXDOMAIN;
}

static const char *kind(enum worth worth)
{
	switch (worth) {
	case WORTH_POSITIVE:
		return "positive";
	case WORTH_NODATA:
		return "nodata";
	case WORTH_NXDOMAIN:
		return "nxdomain";
	default:
		return "failure";
	}
}

/* The message as it would be told now, its TTLs counted down. */
static const char *hex_of(struct found_entries *l, const struct packed *p, int64_t age_s)
{
	static const char digits[] = "0123456789abcdef";
	char *to = l->hex;

	memcpy(l->message, p->message.at, p->message.len);
	packed_age(p, l->message, p->message.len, age_s > 0 ? (uint32_t)age_s : 0, 0);
	for (size_t i = 0; i < p->message.len; i++) {
		*to++ = digits[l->message[i] >> 4];
		*to++ = digits[l->message[i] & 15];
	}
	*to = '\0';
	return l->hex;
}

static json_t *errors_of(const struct packed *p)
{
	const struct edns edns = { .present = true, .options = p->errors };
	json_t *list = json_array();
	struct edns_error error;

	for (unsigned n = 0; edns_error_at(&edns, n, &error); n++)
		json_array_append_new(list, json_integer(error.code));
	return list;
}

/* The name of the group; of one that is no more, none. */
static const char *name_of(const struct upstream_conf *u, uint16_t number)
{
	for (size_t i = 0; i < u->group_count; i++)
		if (u->groups[i].number == number)
			return u->groups[i].name;
	return "";
}

/* What sets the question apart from others of its name. */
static json_t *question_of(const struct found_entries *l, const struct key *k, enum worth worth)
{
	const struct upstream_conf *u = l->upstream;
	char type[TEXT_MAX];

	return json_pack("{s:s?, s:b, s:b, s:s}", "type",
		worth == WORTH_NXDOMAIN ? NULL : text_type(key_question(k).type, type), "dnssec_ok",
		k->dnssec_ok, "checking_disabled", k->checking_disabled, "group",
		name_of(u, k->group));
}

static json_t *entry_of(struct found_entries *l, const struct cache_entry *e)
{
	const struct packed *p = &e->packed;
	int64_t age_s = (l->now_ms - e->since_ms) / 1000;
	json_t *o = question_of(l, &e->key, p->worth);
	char rcode[TEXT_MAX];
	json_t *rest = json_pack("{s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:s}", "kind", kind(p->worth),
		"rcode", text_rcode(p->rcode, rcode), "ttl_seconds",
		p->worth == WORTH_FAILURE ? json_null()
					  : json_integer((int64_t)p->lifetime_s - age_s),
		"age_seconds", json_integer(age_s), "hits", (int)e->hits, "bytes",
		number(packed_size(p)), "extended_errors", errors_of(p), "message",
		hex_of(l, p, age_s));

	if (json_object_update_new(o, rest) == 0)
		return o;
	json_decref(o);
	return NULL;
}

static bool on_entry(void *arg, const struct cache_entry *e)
{
	struct found_entries *l = arg;

	if (!is_wanted(l, e))
		return true;
	if (l->octets > OCTETS_MOST || json_array_size(l->entries) == ENTRIES_MOST) {
		l->left_out++;
		return true;
	}
	l->octets += e->packed.message.len;
	l->failed = json_array_append_new(l->entries, entry_of(l, e)) < 0;
	return !l->failed;
}

void cache_report_lookup_work(void *lookup, const struct view *view)
{
	struct found_entries *l = lookup;

	l->now_ms = clock_since_boot_ms();
	if (cache_each(view->cache, on_entry, l) < 0)
		l->failed = true;
}

json_t *cache_report_lookup_answer(void *lookup, const struct view *view)
{
	const struct found_entries *l = lookup;
	char name[NAME_TEXT];

	(void)view;
	if (l->failed)
		return NULL;
	return json_pack("{s:s, s:O, s:o}", "name", name_to_text(l->wanted.name, name), "entries",
		l->entries, "entries_left_out", number(l->left_out));
}

/* ---- flush ---- */

struct flush {
	struct cache_words wanted;
	uint64_t count;
};

void *cache_report_flush_begin(const struct view *view, const struct words *w, const char **why)
{
	struct cache_words wanted;
	struct flush *f = NULL;
	const char *wrong = view->cache ? cache_words_flush(&wanted, w) : no_cache;

	if (wrong)
		*why = wrong;
	else
		f = calloc(1, sizeof *f);
	if (f)
		f->wanted = wanted;
	return f;
}

void cache_report_flush_work(void *flush, const struct view *view)
{
	struct flush *f = flush;
	const struct cache_words *w = &f->wanted;

	f->count = w->all ? cache_flush_all(view->cache)
			  : cache_flush_name(view->cache, w->name, w->name_len, w->below);
}

json_t *cache_report_flush_answer(void *flush, const struct view *view)
{
	const struct flush *f = flush;

	(void)view;
	return json_pack("{s:o}", "entries_forgotten", number(f->count));
}
