#include "report/events.h"

#include "base/clock.h"
#include "dns/name.h"
#include "dns/text.h"

#include <errno.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A name on the wire is four times as long in text at most, and a path is bounded. */
#define DATAGRAM 8192

/* What became of the events of one name. A reload may give its number to another one, which begins
 * anew. */
struct told {
	atomic_uint_least64_t whose; /* a hash of the name; 0: nobody's yet */
	atomic_uint_least64_t count; /* the second, and, below, how many were told in it */
	atomic_uint missed; /* since the last one that was told */
};

struct events {
	atomic_int fd; /* -1: none was needed yet */
	struct told told[EVENTS_MAX];
};

struct events *events_new(void)
{
	struct events *e = calloc(1, sizeof *e);

	if (e)
		e->fd = -1;
	return e;
}

void events_free(struct events *e)
{
	if (e && e->fd >= 0)
		close(e->fd);
	free(e);
}

/* ---- how many ---- */

static struct told *told_of(struct events *e, const struct rule_event *event)
{
	struct told *t = &e->told[event->number];
	uint64_t hash = 0xcbf29ce484222325;

	for (const char *c = event->name; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
	if (atomic_exchange(&t->whose, hash) != hash) {
		t->count = 0;
		t->missed = 0;
	}
	return t;
}

static bool is_within(struct told *t, unsigned rate, uint64_t now_ms)
{
	const uint64_t second = now_ms / 1000 << 32;
	uint64_t was = t->count, next;

	do {
		next = was >> 32 == second >> 32 ? was + 1 : second | 1;
		if ((uint32_t)next > rate)
			return false;
	} while (!atomic_compare_exchange_weak(&t->count, &was, next));
	return true;
}

/* ---- what ---- */

static void print_time(char *text, size_t room)
{
	const int64_t now_ms = clock_system_ms();
	const time_t now = (time_t)(now_ms / 1000);
	struct tm tm;

	gmtime_r(&now, &tm);
	size_t len = strftime(text, room, "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(text + len, room - len, ".%03dZ", (int)(now_ms % 1000));
}

/* Its length; 0: out of memory. */
static size_t print_event(char out[DATAGRAM], const struct rule_event *e, unsigned missed)
{
	char now[64], client[ADDR_TEXT], name[NAME_TEXT], type[TEXT_MAX];

	print_time(now, sizeof now);
	json_t *event = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o?, s:i, s:I}", "event", e->name,
		"time", now, "client", addr_print_host(e->client, client), "name",
		name_to_text(e->asked, name), "type", text_type(e->type, type), "file",
		e->file ? json_string(e->file) : NULL, "line", (int)e->line, "missed",
		(json_int_t)missed);
	size_t len = event ? json_dumpb(event, out, DATAGRAM, JSON_COMPACT) : 0;

	json_decref(event);
	return len <= DATAGRAM ? len : 0;
}

/* ---- to whom ---- */

/* One for all threads, opened by the first that needs it. -1: there can be none. */
static int socket_of(struct events *e)
{
	int fd = e->fd, none = -1;

	if (fd >= 0)
		return fd;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !atomic_compare_exchange_strong(&e->fd, &none, fd)) {
		close(fd);
		return none;
	}
	return fd;
}

static bool send_to(struct events *e, const char *path, const char *text, size_t len)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket_of(e);

	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	return fd >= 0 && len &&
		sendto(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&to,
			sizeof to) == (ssize_t)len;
}

bool events_tell(struct events *e, const struct events_conf *conf, const struct rule_event *event,
	uint64_t now_ms)
{
	struct told *t = told_of(e, event);
	char text[DATAGRAM];

	if (!is_within(t, conf->rate, now_ms)) {
		t->missed++;
		return false;
	}
	unsigned missed = atomic_exchange(&t->missed, 0);

	if (send_to(e, conf->socket, text, print_event(text, event, missed)))
		return true;
	t->missed += missed + 1;
	return false;
}
