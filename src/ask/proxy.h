/* proxy: @sotto: where the running proxy listens, and what it says of a question beside the answer.
 */
#ifndef ASK_PROXY_H
#define ASK_PROXY_H

#include "ask/plan.h"

/* Fills in how it is asked: the first place of its configuration that takes plain DNS from a
 * network, else the first unix socket, whose path is the caller's to free, else the first that
 * takes TLS; with the scheme TCP none of the last, with TLS nothing else. Over TLS it is known by
 * the keys of the certificates that it is configured to show, unless somebody said who it must be.
 * 0, or an ask_status: why not has been written to standard error. */
int proxy_find(const struct ask_plan *, struct server_conf *, char **path);

/* Prints what it knows of the question; as an object if the plan says so. It is asked on its
 * control socket; why it does not say anything is written to standard error. */
void proxy_tell(const struct ask_plan *, const struct ask_question *);

#endif
