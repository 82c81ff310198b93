/* daemon: the real one, a single worker of it, in a world: started, told to end, found gone. */
#ifndef SIM_DAEMON_H
#define SIM_DAEMON_H

#include "changes.h"
#include "reload.h"
#include "worker.h"

#define DAEMON_UPSTREAMS 8
/* The most settings of its command line, those of the simulation among them. */
#define DAEMON_OVERRIDES 48

struct daemon {
	struct config_sources sources;
	struct config_override overrides[DAEMON_OVERRIDES];
	const char *upstreams[DAEMON_UPSTREAMS + 1];
	struct reload reload;
	struct reload_owner owner;
	/* A reload begins, and reads the configuration; it is over. NULL: nobody is told. Set when
	 * it has started. */
	void (*reload_begun)(void *arg);
	void (*reload_over)(void *arg, const struct reload_result *);
	void *told;
	struct worker_shared shared;
	struct worker *worker; /* NULL: not started */
	struct loop *loop;
	struct changes changes;
	struct post drain;
	bool draining, ended;
};

/* Assembles it from that configuration (upstreams as `tls://192.0.2.1`), listening on port 53.
 * False: the configuration is wrong, as standard error says. */
bool daemon_start(struct daemon *, const char *const *upstreams, const struct config_override *,
	size_t override_count);

/* As SIGHUP does, when these settings are others. They are copied, what they point to
 * is not. False: there is no room for them. */
bool daemon_reload(struct daemon *, const struct config_override *, size_t count);

/* As SIGTERM does. */
void daemon_drain(struct daemon *);

/* To be called when loop_run() has returned with no event left: what the daemon still holds, or has
 * not accounted for, in words; NULL if all is well. */
const char *daemon_remains(struct daemon *);

/* Frees it and its world. */
void daemon_free(struct daemon *);

#endif
