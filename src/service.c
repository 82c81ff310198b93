/* service: see service.h. Why not libsystemd: docs/decisions/009-the-service-manager-by-hand.md. */
#include "service.h"

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The longest message. */
#define MESSAGE 512

/* ---- what the manager wants ---- */

static void say_deaf(const char *reason)
{
	log_file(LOG_WARN, "cannot tell the service manager", "NOTIFY_SOCKET", reason);
}

/* A path, or a name in the abstract namespace, which begins with an at sign. */
static bool read_address(struct service *s, const char *text)
{
	size_t len = strlen(text);

	if ((*text != '/' && *text != '@') || len < 2 || len >= sizeof s->manager.sun_path)
		return false;
	s->manager.sun_family = AF_UNIX;
	memcpy(s->manager.sun_path, text, len);
	if (*text == '@')
		s->manager.sun_path[0] = '\0';
	else
		len++; /* the zero behind it */
	s->manager_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

/* The sandbox leaves us no abstract name but the one that we are connected to by then. */
static bool make_known(const struct service *s)
{
	return s->manager.sun_path[0] != '\0' ||
		connect(s->fd, (const struct sockaddr *)&s->manager, s->manager_size) == 0;
}

/* 0: it is not for us. */
static unsigned read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t ms = usec ? strtoull(usec, NULL, 10) / 1000 : 0;

	if (pid && strtoull(pid, NULL, 10) != (uint64_t)getpid())
		return 0;
	return (unsigned)(ms < INT32_MAX ? ms : INT32_MAX);
}

void service_open(struct service *s)
{
	const char *path = getenv("NOTIFY_SOCKET");

	*s = (struct service){ .fd = -1 };
	if (path && !read_address(s, path)) {
		say_deaf("it is no path and no abstract name");
	} else if (path) {
		s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (s->fd < 0 || !make_known(s))
			say_deaf(strerror(errno));
	}
	if (s->fd >= 0)
		s->watchdog_ms = read_watchdog();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void service_close(struct service *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* ---- what it is told ---- */

/* The manager makes room for a few of these, and a watchdog that waits for it would be none. */
static void tell(const struct service *s, const char *message)
{
	if (s->fd >= 0 &&
		sendto(s->fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
			(const struct sockaddr *)&s->manager, s->manager_size) < 0)
		say_deaf(strerror(errno));
}

void service_ready(const struct service *s, const char *status)
{
	char message[MESSAGE];

	if (s->stopping)
		return;
	snprintf(message, sizeof message, "READY=1\nSTATUS=%s", status);
	tell(s, message);
}

void service_reloading(const struct service *s)
{
	char message[MESSAGE];
	struct timespec now;

	if (s->stopping)
		return;
	/* By this, it knows which READY=1 is the one of the reload that it asked for. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(message, sizeof message,
		"RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reading the configuration",
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	tell(s, message);
}

void service_stopping(struct service *s)
{
	s->stopping = true;
	tell(s, "STOPPING=1\nSTATUS=answering what is in flight");
}

void service_alive(const struct service *s)
{
	tell(s, "WATCHDOG=1");
}
