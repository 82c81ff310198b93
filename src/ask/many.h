/* many: messages by the dozen on their way to one server, answers in any order.
 *
 * They go over as many ways as are wanted, each with an ID that no other one has there. A way that
 * ends takes with it what was under way on it; the next message opens it anew.
 */
#ifndef ASK_MANY_H
#define ASK_MANY_H

#include "ask/means.h"
#include "ask/message.h"

/* Under way at the same time, and over how many ways. */
#define MANY_UNDER_WAY 1024
#define MANY_WAYS      64

struct many_conf {
	unsigned count; /* messages in all */
	unsigned rate; /* of them a second; 0: as there is room */
	unsigned under_way; /* at most, at the same time */
	unsigned ways;

	/* Makes the which-th message, valid until the next call. NULL: it cannot be made. */
	const struct ask_message *(*make)(void *arg, unsigned which, uint16_t id);
	/* TLS stands. May be NULL. */
	void (*secured)(void *arg, const struct tls_facts *);
	/* A message came with the ID of the which-th. False: it is no reply to it, and waiting goes
	 * on. */
	bool (*got)(void *arg, unsigned which, struct span message, uint64_t took_us);
	/* There will be no reply; fault NULL: it was waited for in vain. */
	void (*lost)(void *arg, unsigned which, const struct fault *);
	void *arg;
};

/* Runs the loop until each message has its reply or is lost: 0; or an ask_status: it could not go
 * on, and why has been written to standard error. */
int many_ask(struct means *, const struct many_conf *);

/* The clock that they are timed by. The loop's stands still within a turn, and on loopback a reply
 * can come in the turn in which it was asked for. */
uint64_t many_now_us(void);

#endif
