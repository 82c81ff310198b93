#include "saved_cache.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char replaced[] = "none needed: the cache starts empty, and the file will be replaced",
		  no_date[] = "if this host's clock is wrong, set it; the cache starts empty";

/* ---- when, and beside which servers ---- */

/* A number for the name of a group and its servers, in their order. */
static uint64_t fingerprint(const struct upstream_conf *u, const struct group_conf *g)
{
	struct siphash_key key = { { 0, 0x67726f7570 } };

	key.k[0] = siphash(&key, g->name, strlen(g->name));
	for (size_t i = 0; i < g->count; i++) {
		const char *text = u->servers[g->servers[i]].text;

		key.k[0] = siphash(&key, text, strlen(text));
	}
	return key.k[0];
}

static void read_facts(struct saved_facts *f, const struct config *conf)
{
	const struct upstream_conf *u = &conf->upstream;

	f->group_count = u->group_count < IMAGE_GROUPS ? u->group_count : IMAGE_GROUPS;
	for (size_t i = 0; i < f->group_count; i++) {
		f->groups[i].number = u->groups[i].number;
		f->groups[i].fingerprint = fingerprint(u, &u->groups[i]);
	}
	f->limits = cache_limits(&conf->cache);
	f->stale_ms = conf->cache.stale_ms;
}

static void copy_facts(struct saved_cache *s, struct saved_facts *f)
{
	pthread_mutex_lock(&s->facts_lock);
	*f = s->facts;
	pthread_mutex_unlock(&s->facts_lock);
}

static void make_head(const struct saved_facts *f, struct image_head *h)
{
	struct clock_doubt doubt;

	*h = (struct image_head){ .since_boot_ms = clock_since_boot_ms(),
		.date_ms = clock_is_doubtful(&doubt) ? 0 : clock_system_ms(),
		.group_count = (uint16_t)f->group_count };
	for (size_t i = 0; i < f->group_count; i++)
		h->groups[i] = f->groups[i].fingerprint;
}

/* ---- reading ---- */

/* The file being read. */
struct loading {
	struct saved_cache *s;
	struct saved_facts facts;
	struct image_head then, now;
	int64_t between_ms; /* from its writing until now */
	uint64_t kept, others, expired, unfit; /* entries: in the cache; of other servers; ... */
	struct image_reader reader;
	_Alignas(uint16_t) uint8_t memory[PACKED_MAX];
};

static void say_ignored(const struct saved_cache *s, const char *reason, const char *hint)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "the saved cache is ignored");
	log_str(&l, "file", s->path);
	log_str(&l, "reason", reason);
	log_str(&l, "hint", hint);
	log_end(&l);
}

/* The file, if there is one that can be read. */
static FILE *open_file(const struct saved_cache *s)
{
	FILE *f = replace_read(s->path);

	if (!f && errno != ENOENT)
		say_ignored(s, strerror(errno), replaced);
	return f;
}

/* Reads all of it once, before anything counts. */
static bool check(struct loading *l, FILE *f)
{
	struct image_reader *r = &l->reader;
	struct image_entry e;

	if (image_read_head(r, f, &l->then))
		while (image_read_entry(r, &e))
			;
	if (r->fault)
		say_ignored(l->s, r->fault, replaced);
	return !r->fault;
}

/* How long ago was it written? False: who knows, which is said. */
static bool measure(struct loading *l)
{
	struct clock_doubt doubt;

	if (l->then.boot[0] && memcmp(l->then.boot, l->now.boot, IMAGE_BOOT) == 0) {
		l->between_ms = l->now.since_boot_ms - l->then.since_boot_ms;
	} else if (clock_is_doubtful(&doubt)) {
		say_ignored(l->s, doubt.reason, doubt.hint);
		return false;
	} else if (!l->then.date_ms) {
		say_ignored(l->s, "the clock was in doubt when it was written", replaced);
		return false;
	} else {
		l->between_ms = l->now.date_ms - l->then.date_ms;
	}
	if (l->between_ms >= 0)
		return true;
	say_ignored(l->s, "by this host's clock it is from the future", no_date);
	return false;
}

/* The number of the group that was this one. False: there is none. */
static bool find_group(const struct loading *l, uint8_t then, uint16_t *now)
{
	for (unsigned i = 0; i < l->now.group_count; i++)
		if (l->now.groups[i] == l->then.groups[then]) {
			*now = (uint16_t)l->facts.groups[i].number;
			return true;
		}
	return false;
}

static void restore(struct loading *l, const struct image_entry *e)
{
	struct cache *cache = l->s->shared->cache;
	int64_t age_ms = e->age_ms + l->between_ms;
	struct packed packed;
	struct key key;
	uint16_t group;

	if (!find_group(l, e->group, &group)) {
		l->others++;
		return;
	}
	if (!image_unpack(e, &l->facts.limits, &packed, l->memory)) {
		l->unfit++;
		return;
	}
	if (age_ms > packed.lifetime_s * INT64_C(1000) + l->facts.stale_ms) {
		l->expired++;
		return;
	}
	const struct question question = packed_question(&packed);
	const struct key_scope scope = { group, e->dnssec_ok, e->checking_disabled };

	key_make(&key, cache_siphash_key(cache), &question, &scope);
	l->kept += cache_restore(cache, &key, &packed, l->now.since_boot_ms - age_ms);
}

static void say_loaded(const struct loading *l)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "the cache of the last run is back");
	log_fmt(&line, "answers", "%" PRIu64, l->kept);
	log_fmt(&line, "of", "%" PRIu64, l->reader.count);
	log_fmt(&line, "other_servers", "%" PRIu64, l->others);
	log_fmt(&line, "expired", "%" PRIu64, l->expired);
	if (l->unfit)
		log_fmt(&line, "unfit", "%" PRIu64, l->unfit);
	log_fmt(&line, "age", "%" PRId64 "s", l->between_ms / 1000);
	log_end(&line);
}

static void load_from(struct loading *l, FILE *f)
{
	struct image_entry e;

	copy_facts(l->s, &l->facts);
	make_head(&l->facts, &l->now);
	memcpy(l->now.boot, l->s->boot, sizeof l->now.boot);
	if (!check(l, f) || !measure(l))
		return;
	rewind(f);
	if (!image_read_head(&l->reader, f, &l->then))
		return;
	while (image_read_entry(&l->reader, &e))
		restore(l, &e);
	say_loaded(l);
}

static void load(struct saved_cache *s)
{
	FILE *f = open_file(s);
	struct loading *l = f ? calloc(1, sizeof *l) : NULL;

	if (l) {
		l->s = s;
		load_from(l, f);
	} else if (f) {
		say_ignored(s, strerror(ENOMEM), replaced);
	}
	free(l);
	if (f)
		fclose(f);
	s->loaded = true;
}

/* ---- writing ---- */

struct saving {
	struct saved_cache *s;
	struct saved_facts facts;
	bool last, ok;
	struct image_head head;
	struct image_writer writer;
};

/* In the file, groups have the numbers that the head gives them. */
static bool write_entry(struct saving *v, const struct cache_entry *e)
{
	struct cache_entry written = *e;

	for (size_t i = 0; i < v->facts.group_count; i++) {
		if (v->facts.groups[i].number != e->key.group)
			continue;
		written.key.group = (uint16_t)i;
		return image_write_entry(&v->writer, &written, v->head.since_boot_ms);
	}
	return true; /* of a group that is no more */
}

static bool save_entry(void *arg, const struct cache_entry *e)
{
	struct saving *v = arg;

	/* Who writes meanwhile breaks off for who writes last. */
	v->ok = write_entry(v, e) && (v->last || !v->s->ending);
	return v->ok;
}

/* 0 or -errno. */
static int write_all(void *arg, FILE *f)
{
	struct saving *v = arg;

	copy_facts(v->s, &v->facts);
	make_head(&v->facts, &v->head);
	memcpy(v->head.boot, v->s->boot, sizeof v->head.boot);
	errno = 0;
	v->ok = image_write_head(&v->writer, f, &v->head);
	int err = v->ok ? cache_each(v->s->shared->cache, save_entry, v) : 0;

	if (err < 0)
		return err;
	if (!v->ok || !image_write_end(&v->writer) || fflush(f) != 0 || fsync(fileno(f)) < 0)
		return errno ? -errno : -ECANCELED;
	return 0;
}

static void save(struct saved_cache *s, bool last)
{
	struct saving *v = calloc(1, sizeof *v);
	struct log_line l;
	int err = -ENOMEM;

	if (v) {
		v->s = s;
		v->last = last;
		err = replace_file(s->path, 0600, write_all, v);
	}
	if (!err) {
		log_begin(&l, last ? LOG_INFO : LOG_DEBUG, "cache saved");
		log_fmt(&l, "answers", "%" PRIu64, v->writer.count);
		log_end(&l);
	} else if (last || !s->ending) {
		log_file(LOG_WARN, "the cache cannot be saved", s->path, strerror(-err));
	}
	free(v);
}

/* ---- life ---- */

static void on_work(struct work *w)
{
	struct saved_cache *s = container_of(w, struct saved_cache, work);

	pthread_mutex_lock(&s->lock);
	if (!s->ending && s->loaded)
		save(s, false);
	else if (!s->ending)
		load(s);
	pthread_mutex_unlock(&s->lock);
}

static void on_work_over(struct work *w)
{
	struct saved_cache *s = container_of(w, struct saved_cache, work);

	s->working = false;
	if (s->every_ms)
		timer_start(s->loop, &s->timer, s->every_ms);
}

static void on_due(struct timer *t)
{
	struct saved_cache *s = container_of(t, struct saved_cache, timer);

	s->working = true;
	if (loop_work(s->loop, &s->work) < 0)
		on_work_over(&s->work);
}

/* Zeros where it does not say. */
void saved_cache_init(struct saved_cache *s)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	*s = (struct saved_cache){ 0 };
	if (f && fread(s->boot, 1, IMAGE_BOOT, f) != IMAGE_BOOT)
		memset(s->boot, 0, IMAGE_BOOT);
	if (f)
		fclose(f);
}

void saved_cache_keep(struct saved_cache *s, struct loop *loop, const struct query_shared *shared,
	const struct config *conf)
{
	if (!conf->cache_keep || !conf->upstream.state || !shared->cache)
		return;
	s->loop = loop;
	s->shared = shared;
	snprintf(s->path, sizeof s->path, "%s/cache", conf->upstream.state);
	s->every_ms = conf->cache_save_ms;
	read_facts(&s->facts, conf);
	s->work = (struct work){ on_work, on_work_over };
	s->timer.fire = on_due;
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->facts_lock, NULL);
	on_due(&s->timer);
}

void saved_cache_renew(struct saved_cache *s, const struct config *conf)
{
	if (!s->shared)
		return;
	pthread_mutex_lock(&s->facts_lock);
	read_facts(&s->facts, conf);
	pthread_mutex_unlock(&s->facts_lock);
	if (s->every_ms == conf->cache_save_ms)
		return;
	s->every_ms = conf->cache_save_ms;
	timer_stop(s->loop, &s->timer);
	if (!s->working)
		on_work_over(&s->work); /* the next time is counted from now */
}

void saved_cache_end(struct saved_cache *s)
{
	if (!s->shared)
		return;
	timer_stop(s->loop, &s->timer);
	s->ending = true;
	pthread_mutex_lock(&s->lock);
	if (!s->loaded)
		load(s); /* it has not had its turn yet, and what is in the file must stay */
	save(s, true);
	pthread_mutex_unlock(&s->lock);
}
