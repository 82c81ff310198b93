#include "renewal.h"

#include "announce.h"
#include "base/log.h"
#include "config/trust.h"

#include <sys/stat.h>

#define EVERY_MS 5000

/* ---- have they changed? ---- */

static void mix(uint64_t *sum, uint64_t word)
{
	*sum = (*sum ^ word) * 0x9e3779b97f4a7c15u;
	*sum ^= *sum >> 29;
}

static void add_file(uint64_t *sum, const char *path)
{
	struct stat st = { 0 };

	if (!path)
		return;
	stat(path, &st); /* one that is missing is a state as well */
	mix(sum, st.st_dev);
	mix(sum, st.st_ino);
	mix(sum, (uint64_t)st.st_size);
	mix(sum, (uint64_t)st.st_mtim.tv_sec);
	mix(sum, (uint64_t)st.st_mtim.tv_nsec);
	mix(sum, (uint64_t)st.st_ctim.tv_sec);
	mix(sum, (uint64_t)st.st_ctim.tv_nsec);
}

static uint64_t look(const struct config *c)
{
	uint64_t sum = 1;

	for (size_t i = 0; i < c->certificate_count; i++) {
		add_file(&sum, c->certificates[i].cert);
		add_file(&sum, c->certificates[i].key);
	}
	add_file(&sum, c->clients_ca);
	add_file(&sum, c->ticket_keys);
	return sum ? sum : 1;
}

static void load(struct renewal *r)
{
	const struct config *c = r->conf;

	r->loaded = true;
	r->tickets_failed = !tls_tickets_load(r->shown->tickets, c->ticket_keys, &r->fault);
	if (!r->tickets_failed)
		r->front = trust_load_front(c, c->front, &r->fault);
}

/* A reload has checked that the file can be used, and may name another one. */
static void load_tickets(struct renewal *r)
{
	r->tickets_failed = !tls_tickets_load(r->shown->tickets, r->conf->ticket_keys, &r->fault);
	r->loaded = r->tickets_failed; /* to be said */
}

static void on_look(struct work *w)
{
	struct renewal *r = container_of(w, struct renewal, work);
	uint64_t now = look(r->conf), seen = r->seen;

	r->seen = now;
	if (!r->known) {
		r->known = now;
		load_tickets(r);
	}
	if (now == r->known || now != seen)
		return;
	r->known = now;
	load(r);
}

/* ---- what came of it ---- */

static void say_failed(const struct renewal *r)
{
	struct log_line l;

	log_begin(&l, LOG_WARN,
		r->tickets_failed ? "the ticket keys have changed, and those before are kept"
				  : "certificates have changed, and those before are shown");
	log_str(&l, "reason", r->fault.reason);
	log_str(&l, "hint", r->fault.hint);
	log_end(&l);
}

static void use(struct renewal *r)
{
	if (!r->loaded)
		return;
	if (!r->front) {
		say_failed(r);
		return;
	}
	if (!tls_front_same(r->front, r->shown->front)) {
		shown_set(r->shown, r->front);
		log_say(LOG_INFO, "certificates have changed: shown from now on");
		announce_shown(r->front);
	}
}

static void take_next(struct renewal *r)
{
	config_free(r->conf);
	r->conf = r->next;
	r->next = NULL;
	r->known = r->seen = 0;
}

static void begin(struct renewal *r)
{
	r->loaded = false;
	r->working = r->conf->front && loop_work(r->loop, &r->work) == 0;
	if (!r->working)
		timer_start(r->loop, &r->timer, EVERY_MS);
}

static void on_done(struct work *w)
{
	struct renewal *r = container_of(w, struct renewal, work);

	r->working = false;
	if (!r->next)
		use(r);
	tls_front_free(r->front);
	r->front = NULL;
	if (r->next) {
		take_next(r);
		begin(r);
		return;
	}
	timer_start(r->loop, &r->timer, EVERY_MS);
}

static void on_timer(struct timer *t)
{
	begin(container_of(t, struct renewal, timer));
}

/* ---- life ---- */

void renewal_start(struct renewal *r, struct loop *loop, struct shown *shown, struct config *conf)
{
	r->loop = loop;
	r->shown = shown;
	r->conf = config_share(conf);
	r->timer.fire = on_timer;
	r->work = (struct work){ on_look, on_done };
	begin(r);
}

void renewal_renew(struct renewal *r, struct config *conf)
{
	if (!r->loop)
		return;
	config_free(r->next);
	r->next = config_share(conf);
	if (r->working)
		return;
	take_next(r);
	timer_stop(r->loop, &r->timer);
	begin(r);
}

void renewal_stop(struct renewal *r)
{
	if (r->loop)
		timer_stop(r->loop, &r->timer);
}

void renewal_clear(struct renewal *r)
{
	tls_front_free(r->front);
	config_free(r->conf);
	config_free(r->next);
}
