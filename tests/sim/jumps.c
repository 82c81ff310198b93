/* Jumps of the clock in a simulated world: when a play says so. */
#include "base/jumps.h"

#include "base/bug.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>

#define SLEEP_MS 3600000

struct jumps {
	struct world *world;
	void (*jumped)(void *arg, bool slept);
	void *arg;
	bool slept;
	struct event jump;
};

static void on_jump(struct event *e)
{
	struct jumps *j = container_of(e, struct jumps, jump);

	j->jumped(j->arg, j->slept);
}

void world_jumps(struct loop *l, bool slept)
{
	struct jumps *j = loop_world(l)->jumps;

	if (slept)
		loop_world(l)->slept_ms += SLEEP_MS;
	if (!j)
		return;
	j->slept = slept;
	event_cancel(&j->jump);
	event_post(l, &j->jump, loop_now(l));
}

int jumps_watch(
	struct jumps **out, struct loop *l, void (*jumped)(void *arg, bool slept), void *arg)
{
	struct jumps *j = calloc(1, sizeof *j);

	if (!j)
		return -ENOMEM;
	j->world = loop_world(l);
	j->jumped = jumped;
	j->arg = arg;
	j->jump.happen = on_jump;
	MUST(!j->world->jumps);
	*out = j->world->jumps = j;
	return 0;
}

void jumps_unwatch(struct jumps *j)
{
	if (!j)
		return;
	event_cancel(&j->jump);
	j->world->jumps = NULL;
	free(j);
}
