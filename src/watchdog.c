#include "watchdog.h"

static void come_home(void *arg)
{
	struct watchdog *w = arg;

	w->home = true;
	service_alive(w->service);
}

/* Each loop writes `at` before it posts, and the next one reads it after. */
static void pass_on(void *arg)
{
	struct watchdog *w = arg;

	if (++w->at < w->count)
		loop_post(w->loop_of(w->all, w->at), &w->token, pass_on, w);
	else
		loop_post(w->loop_of(w->all, 0), &w->token, come_home, w);
}

/* A token that is still under way speaks for itself when it comes. */
static void on_beat(struct timer *t)
{
	struct watchdog *w = container_of(t, struct watchdog, beat);
	struct loop *first = w->loop_of(w->all, 0);

	timer_start(first, t, w->service->watchdog_ms / 2);
	if (!w->home)
		return;
	w->home = false;
	w->at = 0;
	loop_post(first, &w->token, pass_on, w);
}

void watchdog_start(struct watchdog *w, const struct service *service,
	struct loop *(*loop_of)(const void *all, unsigned i), const void *all, unsigned count)
{
	*w = (struct watchdog){ .service = service,
		.loop_of = loop_of,
		.all = all,
		.count = count,
		.home = true,
		.beat.fire = on_beat };
	if (service->watchdog_ms)
		timer_start(loop_of(all, 0), &w->beat, service->watchdog_ms / 2);
}

void watchdog_stop(struct watchdog *w)
{
	if (w->all)
		timer_stop(w->loop_of(w->all, 0), &w->beat);
}
