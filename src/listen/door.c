#include "listen/door.h"

#include "base/log.h"

#include <errno.h>

/* Of the state, not of the client, so that many say it no more often than one. */
static void say_full(const char *msg, size_t most, const char *hint)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, msg);
	log_count(&l, "limit_of_worker", most);
	log_str(&l, "hint", hint);
	log_end(&l);
}

/* Who has left most answers untaken. */
static struct stream_conn *find_worst(const struct hosts *hosts)
{
	struct stream_conn *worst = NULL;

	for (struct list *node = hosts->all.next; node != &hosts->all; node = node->next) {
		struct stream_conn *c = container_of(node, struct stream_conn, node);

		if (!worst || conn_untaken(c) > conn_untaken(worst))
			worst = c;
	}
	return worst;
}

/* All clients together have left too much. The search goes through all connections, but each costs
 * one of those who have us search its connection. */
void door_on_relief(struct task *t)
{
	struct listening *all = container_of(t, struct listening, relief);
	struct stream_conn *worst;

	while (all->hosts.unsent > all->conf.unsent && (worst = find_worst(&all->hosts))) {
		say_full("clients do not take their answers: who left most is disconnected",
			all->conf.unsent, "raise limits.unsent");
		all->env->metrics->clients_unread++;
		conn_close(worst);
	}
}

void door_look_at_unsent(struct stream_listener *l)
{
	if (l->hosts->unsent)
		loop_later(l->env->loop, &l->shared->relief);
}

bool door_enter_client(struct stream_listener *l, const struct addr *client, size_t most)
{
	struct metrics *m = l->env->metrics;
	int err = hosts_enter(l->hosts, client, most);

	m->clients_refused_own += err == -EUSERS;
	m->clients_refused_memory += err == -ENOMEM;
	if (err == -EUSERS)
		say_full("a client has all the connections it may have: more are refused", most,
			"raise limits.connections-per-client");
	return err == 0;
}

/* Who is finishing, or has been quiet longest, and has been sent every answer; NULL: nobody. */
static struct stream_conn *quietest(struct hosts *h)
{
	list_each_safe (node, &h->quiet) {
		struct stream_conn *c = container_of(node, struct stream_conn, quiet);

		if (!(c->relay ? conn_untaken(c) : stream_unsent(c->stream)))
			return c;
	}
	return NULL;
}

bool door_enter(struct stream_listener *l, const struct addr *peer, size_t most)
{
	if (!door_enter_client(l, peer, most))
		return false;
	if (l->hosts->connections <= l->conf->connections)
		return true;
	say_full("clients have all the connections they may have: quiet ones give way to new ones",
		l->conf->connections, l->shared->more_connections);
	struct stream_conn *quiet = quietest(l->hosts);

	if (!quiet) {
		hosts_leave(l->hosts, peer);
		return false;
	}
	l->env->metrics->clients_gave_way++;
	conn_close(quiet);
	return true;
}
