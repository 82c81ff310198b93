/* round: one question asked of the servers of a group, of as many and as often as it takes. */
#ifndef QUERY_ROUND_H
#define QUERY_ROUND_H

#include "upstream/upstream.h"

/* Exchanges of one round at the same time; with all in use, it waits for them. */
#define TRIES_MAX 4

struct round;

/* An exchange that knows its round. */
struct
try {
	struct exchange exchange;
	struct round *round;
	int place; /* of the server in the group */
	enum reason reason;
};

/* What a round came to. */
struct outcome_of_round {
	const struct reply *reply; /* NULL: nobody replied */
	bool good; /* it is an answer, no error of the server's */
	bool trusted; /* whoever replied was authenticated */
	enum ede ede; /* without a good reply: why, ... */
	const char *why; /* ... in words */
};

struct round {
	struct loop *loop;
	struct upstreams *upstreams;
	struct group *group;
	const struct question *question; /* must outlive the round */
	/* From the loop, once, unless ended: a good reply; or nobody is asked and nobody can be. It
	 * is over on entry. */
	void (*over)(struct round *, const struct outcome_of_round *);

	bool settled; /* nobody else is asked */
	bool joined; /* set by the owner: by a query that may be our own, come back */
	struct ask ask;
	struct timer timer;
	uint64_t late_at_ms; /* the server asked last is late then */
	uint64_t alone_until_ms; /* it is not waited for alone any longer; 0: others are asked */
	unsigned running; /* tries */
	uint8_t *worse; /* a reply that is better than none; owned */
	size_t worse_len;
	bool worse_trusted;
	uint8_t sends[GROUP_MAX];
	bool wrong[GROUP_MAX]; /* replied with an error */
	struct try tries[TRIES_MAX];
};

/* Begins; the fields up to `over` are filled in, the rest is zero. flags: CD or 0. False: nobody
 * can be asked. */
bool round_begin(struct round *, uint16_t flags, bool dnssec_ok);
/* Asks no more servers; those that are asked may still reply. */
void round_settle(struct round *);
/* Cancels everything. Nothing if it is over. */
void round_end(struct round *);

/* What to say if it were over now. The reply, if there is one, is parsed into *worse. */
struct outcome_of_round round_failure(const struct round *, enum ede, struct reply *worse);

#endif
