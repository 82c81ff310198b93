#include "rule_files.h"

#include "base/clock.h"
#include "base/log.h"
#include "config/ruling.h"

#include <stdlib.h>

#define EVERY_MS 2000

/* A configuration; or a set that was one of it, and must not outlive it. */
struct kept {
	struct kept *next;
	struct config *conf;
	struct ruleset *set; /* NULL: the configuration */
};

/* ---- giving back ---- */

static void give_back(struct kept *k)
{
	ruleset_free(k->set);
	config_free(k->conf);
	free(k);
}

static bool is_needed(const struct kept *k)
{
	return k->set ? ruleset_is_shared(k->set) : atomic_load(&k->conf->owners) > 1;
}

static void give_back_all(struct kept **kept)
{
	while (*kept) {
		struct kept *k = *kept;

		*kept = k->next;
		give_back(k);
	}
}

static void give_back_unneeded(struct kept **kept)
{
	while (*kept) {
		struct kept *k = *kept;

		if (is_needed(k)) {
			kept = &k->next;
			continue;
		}
		*kept = k->next;
		give_back(k);
	}
}

/* Takes the set. Where memory is short, whoever is last gives it back. */
static void keep(struct rule_files *r, struct config *conf, struct ruleset *set)
{
	struct kept *k = malloc(sizeof *k);

	if (!k) {
		ruleset_free(set);
		return;
	}
	*k = (struct kept){ r->more, config_share(conf), set };
	r->more = k;
}

/* ---- looking, in a thread that serves nobody ---- */

static void on_look(struct work *w)
{
	struct rule_files *r = container_of(w, struct rule_files, work);
	uint64_t now = ruling_files(r->conf), seen = r->seen;

	give_back_unneeded(&r->kept);
	r->seen = now;
	if (now == r->known || now != seen)
		return;
	r->known = now;
	r->looked_new = true;
	r->set = ruleset_new(&r->conf->rules, &r->found);
}

/* ---- what came of it ---- */

static void say_failed(const struct ruleset_fault *f)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "a file of rules has changed, and what was before is kept");
	log_str(&l, "file", f->file);
	if (f->line)
		log_fmt(&l, "line", "%u", f->line);
	log_str(&l, "reason", f->why);
	log_end(&l);
}

static void say_replaced(const struct ruleset *set)
{
	struct ruleset_count n;
	struct log_line l;

	ruleset_count(set, &n);
	log_begin(&l, LOG_INFO, "files of rules have changed: in force from now on");
	log_fmt(&l, "rules", "%zu", n.rules);
	log_fmt(&l, "names", "%zu", n.names);
	log_fmt(&l, "entries", "%zu", n.list_entries);
	log_end(&l);
}

static void use(struct rule_files *r)
{
	if (!r->looked_new)
		return;
	if (!r->set) {
		r->fault = r->found;
		r->told.fault = &r->fault;
		r->told.fault_ms = clock_since_boot_ms();
		say_failed(&r->fault);
		return;
	}
	r->told.fault = NULL;
	r->told.loaded_ms = clock_since_boot_ms();
	struct ruleset *set = r->set;

	r->set = NULL;
	keep(r, r->conf, ruled_replace(&r->conf->ruled, set));
	say_replaced(set); /* when it holds: who reads it may ask at once */
}

/* A configuration: how its files stood when it was loaded, is known. */
static void take(struct rule_files *r, struct config *conf)
{
	struct config *before = r->conf;

	r->conf = config_share(conf);
	config_free(before); /* which is kept */
	r->known = conf->rules_files;
	r->seen = 0;
	r->told = (struct view_rules){ .ruled = &conf->ruled, .loaded_ms = clock_since_boot_ms() };
}

static void append(struct rule_files *r)
{
	struct kept **end = &r->kept;

	while (*end)
		end = &(*end)->next;
	*end = r->more;
	r->more = NULL;
}

/* Is there a file, or something else than the configuration in force to be given back? */
static bool is_work(const struct rule_files *r)
{
	return r->conf->rules.list_count || r->conf->rules.file_count || (r->kept && r->kept->next);
}

static void begin(struct rule_files *r)
{
	append(r);
	r->looked_new = false;
	r->working = is_work(r) && loop_work(r->loop, &r->work) == 0;
	if (!r->working)
		timer_start(r->loop, &r->timer, EVERY_MS);
}

static void on_done(struct work *w)
{
	struct rule_files *r = container_of(w, struct rule_files, work);

	r->working = false;
	if (!r->next) {
		use(r);
	} else {
		if (r->set)
			keep(r, r->conf, r->set);
		r->set = NULL;
		take(r, r->next);
		config_free(r->next);
		r->next = NULL;
	}
	timer_start(r->loop, &r->timer, EVERY_MS);
}

static void on_timer(struct timer *t)
{
	begin(container_of(t, struct rule_files, timer));
}

/* ---- life ---- */

void rule_files_start(struct rule_files *r, struct loop *loop, struct config *conf)
{
	r->loop = loop;
	r->timer.fire = on_timer;
	r->work = (struct work){ on_look, on_done };
	rule_files_keep(r, conf);
	take(r, conf);
	timer_start(loop, &r->timer, EVERY_MS);
}

void rule_files_keep(struct rule_files *r, struct config *conf)
{
	keep(r, conf, NULL);
}

void rule_files_renew(struct rule_files *r, struct config *conf)
{
	if (r->working) {
		config_free(r->next);
		r->next = config_share(conf);
	} else if (r->loop) {
		take(r, conf);
	}
}

void rule_files_stop(struct rule_files *r)
{
	if (r->loop)
		timer_stop(r->loop, &r->timer);
}

void rule_files_clear(struct rule_files *r)
{
	ruleset_free(r->set);
	config_free(r->conf);
	config_free(r->next);
	give_back_all(&r->kept);
	give_back_all(&r->more);
}
