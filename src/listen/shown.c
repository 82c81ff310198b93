#include "listen/shown.h"

void shown_init(struct shown *s)
{
	*s = (struct shown){ .front = NULL };
	pthread_mutex_init(&s->lock, NULL);
	atomic_init(&s->version, 0);
}

void shown_clear(struct shown *s)
{
	tls_front_free(s->front);
	tls_tickets_free(s->tickets);
	pthread_mutex_destroy(&s->lock);
}

/* Under the lock. */
static void put(struct shown *s, struct tls_front *front)
{
	if (front == s->front)
		return;
	tls_front_free(s->front);
	s->front = front ? tls_front_share(front) : NULL;
	atomic_fetch_add(&s->version, 1);
}

void shown_set(struct shown *s, struct tls_front *front)
{
	pthread_mutex_lock(&s->lock);
	put(s, front);
	pthread_mutex_unlock(&s->lock);
}

bool shown_replace(struct shown *s, const struct tls_front *was, struct tls_front *front)
{
	pthread_mutex_lock(&s->lock);
	bool is_shown = s->front == was;

	if (is_shown)
		put(s, front);
	pthread_mutex_unlock(&s->lock);
	return is_shown;
}

static struct tls_front *share(struct shown *s, unsigned *version)
{
	struct tls_front *front;

	pthread_mutex_lock(&s->lock);
	front = s->front ? tls_front_share(s->front) : NULL;
	*version = atomic_load(&s->version);
	pthread_mutex_unlock(&s->lock);
	return front;
}

struct tls_server *shown_server(struct shown *s, struct shown_here *here)
{
	if (atomic_load_explicit(&s->version, memory_order_relaxed) == here->version)
		return here->server;
	unsigned version;
	struct tls_front *front = share(s, &version);
	struct tls_server *server = front ? tls_server_new(front, s->tickets) : NULL;

	if (server || !front) {
		tls_server_free(here->server);
		*here = (struct shown_here){ server, version };
	}
	tls_front_free(front);
	return here->server;
}

void shown_here_clear(struct shown_here *here)
{
	tls_server_free(here->server);
	*here = (struct shown_here){ 0 };
}
