#include "renewal.h"

#include "announce.h"
#include "base/log.h"
#include "config/trust.h"

#define EVERY_MS 2000

/* ---- have they changed? ---- */

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
	uint64_t now = trust_files(r->conf), seen = r->seen;

	r->seen = now;
	if (r->begun) {
		r->begun = false;
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

static void show(struct renewal *r, struct tls_front *front)
{
	tls_front_free(r->shows);
	r->shows = front ? tls_front_share(front) : NULL;
}

/* While a reload goes from worker to worker, the next configuration may be shown already. */
static void use(struct renewal *r)
{
	if (!r->loaded)
		return;
	if (!r->front) {
		say_failed(r);
		return;
	}
	if (tls_front_same(r->front, r->shows) || !shown_replace(r->shown, r->shows, r->front))
		return;
	show(r, r->front);
	log_say(LOG_INFO, "certificates have changed: shown from now on");
	announce_shown(r->front);
}

/* A configuration: how its files stood when it was loaded, is known. */
static void take(struct renewal *r)
{
	show(r, r->conf->front);
	r->known = r->conf->front_files;
	r->seen = 0;
	r->begun = true;
}

static void take_next(struct renewal *r)
{
	config_free(r->conf);
	r->conf = r->next;
	r->next = NULL;
	take(r);
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
	take(r);
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
	tls_front_free(r->shows);
	config_free(r->conf);
	config_free(r->next);
}
