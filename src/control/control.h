/* control: a unix socket where people and programs of this host ask the running daemon.
 *
 * Who asks sends one line, a command of the table in command.c, and gets one JSON object and the
 * end of the connection. What cannot be done is {"error": "..."}. All of it happens in the first
 * worker's loop; an asker that is slow, silent or gone costs nobody anything.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "control/view.h"

#include <jansson.h>

/* The descriptors that it may hold: askers, and its own. */
#define CONTROL_ASKERS 16
#define CONTROL_FILES  (CONTROL_ASKERS + 1)

struct control;

/* Listens on that path, mode 0660; what a daemon that died left there is replaced. *view is copied,
 * and its workers are taken, also when this fails. 0; -EADDRINUSE: somebody answers there, or what
 * is there is no socket; or another -errno. */
int control_open(struct control **, const char *path, const struct view *view);

/* No worker is visited from here on, until control_go_on(): held() is called from the loop as soon
 * as none is. Commands wait meanwhile. */
void control_hold(struct control *, void (*held)(void *arg), void *arg);
/* From here on *view is shown, which is copied, but for its workers, which stay. */
void control_go_on(struct control *, const struct view *view);

/* Answers all who asked for a reload up to that number. Takes the object. */
void control_reloaded(struct control *, unsigned number, json_t *answer);

/* Removes the socket and cuts off the askers; gone() is called from the loop once no worker will
 * be visited any more. */
void control_stop(struct control *, void (*gone)(void *arg), void *arg);
/* Removes the socket, if it is still there. No worker may be running. NULL is nothing. */
void control_free(struct control *);

#endif
