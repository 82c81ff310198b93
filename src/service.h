/* service: what a service manager is told of us (sd_notify(3)): that we serve, reload, stop, live.
 *
 * Where no manager asked to be told, nothing is. For one thread, but for service_alive().
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct service {
	int fd; /* -1: nobody wants to be told */
	struct sockaddr_un manager;
	socklen_t manager_size;
	bool stopping; /* it was told so, and hears of nothing else any more */
	unsigned watchdog_ms; /* longer silence has us ended; 0: there is no watchdog */
};

/* Reads NOTIFY_SOCKET and WATCHDOG_USEC, and takes them out of the environment; before there is a
 * second thread. */
void service_open(struct service *);
void service_close(struct service *);

/* All of what was configured serves now, after a start or a reload. status is a line for people. */
void service_ready(const struct service *, const char *status);
/* A reload begins; service_ready() ends it, also one that changed nothing. */
void service_reloading(const struct service *);
/* The last of these: what serves or reloads later is not told. */
void service_stopping(struct service *);
/* For the watchdog. */
void service_alive(const struct service *);

#endif
