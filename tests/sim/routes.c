/* The network of the daemon's host, in a simulated world: one address of each family, a route to
 * everybody who is not cut off, and changes when a play says so. */
#include "net/routes.h"

#include "base/bug.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Until a burst of changes is over, as in the real one. */
#define QUIET_MS 100

/* The host's first address; the others follow it. */
#define OWN_NUMBER 53

struct routes {
	struct world *world;
	void (*changed)(void *arg);
	void *arg;
	struct event quiet;
};

/* ---- the source ---- */

/* Where it is among those that are cut off; cut_count: it is not. */
static size_t cut_at(const struct world *w, const struct addr *host)
{
	size_t at = 0;

	while (at < w->cut_count && !addr_same_host(&w->cut[at], host))
		at++;
	return at;
}

int world_source(struct loop *l, const struct addr *to, struct addr *source)
{
	struct world *w = loop_world(l);
	char text[ADDR_TEXT];

	if (cut_at(w, to) < w->cut_count)
		return -ENETUNREACH;
	snprintf(text, sizeof text, to->any.sa_family == AF_INET ? "10.0.0.%u" : "fd00::%u",
		OWN_NUMBER + w->moves);
	MUST(addr_parse(source, text, 0));
	return 0;
}

int route_source(
	const struct addr *to, const struct addr *source, const char *interface, struct addr *found)
{
	(void)interface;
	int err = world_source(loop_only(), to, found);

	if (!err && source && source->any.sa_family != AF_UNSPEC)
		*found = *source;
	return err;
}

/* ---- changes ---- */

static void on_quiet(struct event *e)
{
	struct routes *r = container_of(e, struct routes, quiet);

	r->changed(r->arg);
}

void world_changes(struct loop *l)
{
	struct routes *r = loop_world(l)->routes;

	if (!r)
		return;
	event_cancel(&r->quiet);
	event_post(l, &r->quiet, loop_now(l) + QUIET_MS);
}

void world_moves(struct loop *l)
{
	loop_world(l)->moves++;
	world_changes(l);
}

void world_cut(struct loop *l, const struct addr *host, bool cut)
{
	struct world *w = loop_world(l);
	size_t at = cut_at(w, host);

	if ((at < w->cut_count) == cut)
		return;
	MUST(w->cut_count < WORLD_CUTS || !cut);
	if (cut)
		w->cut[w->cut_count++] = *host;
	else
		w->cut[at] = w->cut[--w->cut_count];
	world_changes(l);
}

int routes_watch(struct routes **out, struct loop *l, void (*changed)(void *arg), void *arg)
{
	struct routes *r = calloc(1, sizeof *r);

	if (!r)
		return -ENOMEM;
	r->world = loop_world(l);
	r->changed = changed;
	r->arg = arg;
	r->quiet.happen = on_quiet;
	MUST(!r->world->routes);
	*out = r->world->routes = r;
	return 0;
}

void routes_unwatch(struct routes *r)
{
	if (!r)
		return;
	event_cancel(&r->quiet);
	r->world->routes = NULL;
	free(r);
}
