#include "changes.h"

#include "base/jumps.h"
#include "base/log.h"
#include "net/routes.h"

#include <string.h>

static void on_routes(void *arg)
{
	struct changes *c = arg;

	log_say(LOG_DEBUG, "the network has changed: servers are tried afresh");
	c->tell(c->arg, CHANGE_ROUTES);
}

static void on_jump(void *arg, bool slept)
{
	struct changes *c = arg;

	log_say(LOG_INFO,
		slept ? "the host has slept: servers are connected to afresh"
		      : "the clock was set: servers are tried afresh");
	c->tell(c->arg, slept ? CHANGE_SLEPT : CHANGE_CLOCK);
}

static void say_blind(const char *to, int err)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "cannot watch the host: recovery from a change takes longer");
	log_str(&l, "what", to);
	log_str(&l, "reason", strerror(-err));
	log_str(&l, "hint", "a sandbox must allow AF_NETLINK and timerfd_create");
	log_end(&l);
}

void changes_watch(
	struct changes *c, struct loop *loop, void (*tell)(void *arg, enum change), void *arg)
{
	*c = (struct changes){ .tell = tell, .arg = arg };
	int err = routes_watch(&c->routes, loop, on_routes, c);

	if (err < 0)
		say_blind("links, addresses and routes", err);
	err = jumps_watch(&c->jumps, loop, on_jump, c);
	if (err < 0)
		say_blind("the clock", err);
}

void changes_unwatch(struct changes *c)
{
	routes_unwatch(c->routes);
	c->routes = NULL;
	jumps_unwatch(c->jumps);
	c->jumps = NULL;
}
