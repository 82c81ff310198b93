#include "listen/conn.h"

#include "listen/relay.h"

#include <stdlib.h>

void conn_tell_if_gone(struct stream_listener *l)
{
	if (l->closed && !l->live)
		loop_later(l->env->loop, &l->gone);
}

void conn_free_if_over(struct stream_conn *c)
{
	struct stream_listener *l = c->listener;

	if (c->stream || c->relay || c->waiting)
		return;
	free(c);
	l->live--;
	conn_tell_if_gone(l);
}

void conn_detach(struct stream_conn *c)
{
	struct stream_listener *l = c->listener;

	c->stream = NULL;
	handshakes_leave(&c->handshake);
	timer_stop(l->env->loop, &c->timer);
	list_remove(&c->node);
	list_remove(&c->quiet);
	hosts_leave(l->hosts, &c->peer);
	conn_free_if_over(c);
}

void conn_finish(struct stream_conn *c)
{
	if (!c->stream || c->finishing)
		return;
	c->finishing = true;
	handshakes_leave(&c->handshake);
	list_remove(&c->quiet);
	list_unshift(&c->listener->hosts->quiet, &c->quiet);
	timer_stop(c->listener->env->loop, &c->timer);
	stream_finish(c->stream);
}

void conn_set_paused(struct stream_conn *c, bool paused)
{
	if (c->paused == paused)
		return;
	c->paused = paused;
	stream_pause(c->stream, paused);
}

void conn_stop_taking(struct stream_conn *c)
{
	if (c->relay) {
		relay_stop(c->relay);
		return;
	}
	c->stopped = true;
	conn_set_paused(c, true);
	timer_stop(c->listener->env->loop, &c->timer);
	if (!c->waiting)
		conn_finish(c);
}

void conn_close(struct stream_conn *c)
{
	relay_close(c->relay);
	c->relay = NULL;
	stream_close(c->stream);
	conn_detach(c);
}

void conn_start_clock(struct stream_conn *c, enum clock clock)
{
	const struct listen_conf *conf = c->listener->conf;
	const uint64_t after_ms[] = { [IDLE] = conf->idle_ms,
		[READING] = conf->message_ms,
		[HELD] = QUERY_HOLD_MS,
		[LASTING] = UINT64_MAX };
	struct loop *loop = c->listener->env->loop;
	uint64_t now = loop_now(loop), left_ms = c->ends_ms > now ? c->ends_ms - now : 0;

	c->clock = clock;
	if (clock == STOPPED || (clock == LASTING && c->ends_ms == UINT64_MAX))
		timer_stop(loop, &c->timer);
	else
		timer_start(loop, &c->timer, left_ms < after_ms[clock] ? left_ms : after_ms[clock]);
}

bool conn_address(const struct stream_conn *c, struct addr *at)
{
	return !c->named && c->stream && stream_local(c->stream, at);
}

size_t conn_untaken(const struct stream_conn *c)
{
	return c->relay ? relay_untaken(c->relay) : stream_untaken(c->stream);
}
