/* query: the life of one client's query, from its bytes to its answer.
 *
 * A listener hands in a message; the stages of the pipeline decide; the answer leaves through the
 * client's operations. The core does not know what the client is connected by.
 */
#ifndef QUERY_QUERY_H
#define QUERY_QUERY_H

#include "base/loop.h"
#include "base/metrics.h"
#include "base/pool.h"
#include "base/rand.h"
#include "dns/behind.h"
#include "dns/name.h"
#include "net/addr.h"
#include "query/chase.h"
#include "query/discovery.h"
#include "query/places.h"
#include "query/reply.h"
#include "query/shared.h"
#include "query/waiters.h"
#include "report/events.h"
#include "rules/ruled.h"
#include "upstream/upstream.h"

#include <stdbool.h>

/* A domain: itself and all below it. */
struct domain {
	const char *text;
	const uint8_t *name; /* on the wire, in lower case */
	size_t name_len;
};

struct query_conf {
	struct acl allow;
	struct acl forwarders; /* who are believed for whom they ask (dns/behind.h) */
	unsigned deadline_ms; /* from a query's arrival to its answer, whatever happens */
	uint16_t udp_size; /* the most a UDP answer may have, and what our OPT offers */
	uint16_t keepalive; /* idle timeout told to stream clients that ask, in 100 ms */
	size_t queries_max; /* waiting at the same time, in one worker */
	size_t queries_per_client; /* of them, those of one address */
	unsigned queries_per_second; /* of one network, over datagrams and over streams; 0: any */
	struct domain *fresh_only; /* domains whose answers are of no use once expired */
	size_t fresh_only_count;
	struct pack_limits limits; /* of TTLs, as cache_limits() tells them */
	unsigned stale_after_ms; /* who could have a stale answer waits for better for so long */
	unsigned dump; /* what is written to shared->dump, as report/dump.h says; 0: nothing */
	struct events_conf events;
};

struct client;

/* Borrowed until the loop's next turn. */
struct client_facts {
	const char *identity; /* that its certificate proves; NULL: none */
	const char *listener; /* as `listen` spells it; NULL: it is not listened at any more */
	struct addr asked_at; /* the address that it knows us by; AF_UNSPEC: not known */
};

/* What a listener does for a client; both only append to buffers, so they may be called from
 * query_begin(). */
struct client_ops {
	/* Send this message; it is copied. */
	void (*reply)(struct client *, struct span message);
	/* The query is over, answered or dropped; the client may free itself. */
	void (*done)(struct client *);
	/* How it could have us over TLS, as far as the worker shows it now. Borrowed until the
	 * loop's next turn. */
	void (*discover)(const struct client *, struct discovery *);
	/* What else rules may want to know of it. */
	void (*facts)(const struct client *, struct client_facts *);
};

/* Embedded in the listener's own struct. Lives until done(). */
struct client {
	const struct client_ops *ops;
	const struct addr *peer;
	bool stream, encrypted; /* facts for sizes and options, not for dispatch */
};

enum verdict {
	NEXT, /* not mine: ask the next stage */
	ANSWER, /* query.answer is set: shape it and send it */
	WAIT, /* parked: query_resume() will be called once */
	DROP /* say nothing to this client */
};

struct query;
struct recorder;
/* One step of the pipeline, and its name for logs. */
struct stage {
	const char *name;
	enum verdict (*run)(struct query *);
};

/* One worker's core. */
struct query_env {
	struct loop *loop;
	struct rand *rand;
	struct metrics *metrics;
	struct upstreams *upstreams;
	const struct query_conf *conf;
	struct ruled *ruled; /* the rules of the configuration in force */
	struct ruled_here rules; /* what of them is used here */
	const struct query_shared *shared;
	const struct stage *pipeline; /* ends with a stage that never says NEXT */
	struct recorder *recorder; /* of queries that are only explained (explain.h); else NULL */
	struct pool queries, lookups, chases, behinds;
	struct places *places; /* who holds those of the queries that wait */
	struct list all_lookups; /* first those that could give way to others */
	struct lookup **by_question; /* of these, those that can be joined */
	void (*end_lookups)(struct query_env *); /* those that nobody waits for */
	void (*idle)(void *arg); /* NULL: not draining */
	void *idle_arg;
	struct task rest; /* looks whether it can be told */
	struct key key; /* of the query that runs through the stages ... */
	struct group *group; /* ... who is asked for it, ... */
	const struct ruleset *set; /* ... the rules that hold, for this turn; NULL: none, ... */
	struct who who; /* ... and, if there are any, who asks in their eyes ... */
	unsigned view; /* ... and its view */
	struct behind behind; /* whom it is for, if a forwarder says so */
	struct found found; /* what the cache has for it, in memory of ours */
	void *packing; /* PACKED_MAX octets where replies are packed */
	struct chase_room chase_room; /* of ours */
	uint8_t *answer; /* 64 KiB where answers are shaped */
};

/* 0 or -ENOMEM. The caller fills in everything above `queries`, and prepares the lookups
 * (lookup.h). */
int query_env_init(struct query_env *);
void query_env_clear(struct query_env *);
/* env->conf says other things than before. */
void query_env_renew(struct query_env *);

/* Calls idle(arg) from the loop as soon as no query is waiting, and no lookup under way. */
void query_env_drain(struct query_env *, void (*idle)(void *arg), void *arg);

/* May a stream hand in one more query? False: its client's network has asked as much as it may,
 * which is said and counted; it asks again in QUERY_HOLD_MS, and reads nothing meanwhile. */
#define QUERY_HOLD_MS 100
bool query_may_come(struct query_env *, const struct addr *peer);

/* A message came from a client. May reply, and be done, before it returns. */
void query_begin(struct query_env *, struct client *, struct span message);

/* ---- for the stages ---- */

/* One client waiting for one answer. */
struct query {
	struct query_env *env;
	struct client *client;
	const struct stage *at;
	struct span message; /* as it came; empty when query_begin() has returned */
	struct request request;
	const struct question *asked; /* of cache and servers: the request's, or another one ... */
	struct chase *chase; /* ... that it has become; NULL: it has not */
	struct behind *behind; /* whom a forwarder that is believed asks for; NULL: nothing is
				  said. env->behind, until the query waits */
	struct group *group; /* held, which is asked; NULL: as the name says */
	struct waiter waiter;
	uint64_t deadline_ms; /* it is answered by then, whatever is reloaded meanwhile; 0: nobody
				 was asked yet */
	bool stale; /* there is an answer that has expired, if there is nothing better */
	bool cannot_wait; /* every place is taken */
	bool has_place;
	bool is_dumped; /* its answer will be, too */
	struct place_held place;
	uint8_t name[NAME_MAX_WIRE]; /* what request.question.name points to while waiting */

	struct answer answer;
};

/* One more query of that network, over a stream or not: 0, or how many have been too many by now,
 * which is said. */
unsigned query_pace(struct query_env *, const struct addr *peer, bool stream);

/* An answer without records. ANSWER. why is borrowed; NULL: none. */
enum verdict query_refuse(struct query *, enum rcode, enum ede, const char *why);
/* The same, counted, for want of a place to wait in, or of memory. */
enum verdict query_refuse_overload(struct query *, const char *why);
/* To be asked before WAIT: it has a place from then on, and what it asks is kept. NULL; or why
 * there is none. */
const char *query_take_place(struct query *);
/* It asks something else: it goes through all stages but that which admits. */
void query_begin_again(struct query *);

/* Writes it to the dump as it came, once; and its answer, when there is one. Where the message is
 * gone, since it was decided by where an answer leads, that answer alone. */
void query_dump(struct query *);

/* Has env->set, env->who and env->view be the rules in force, for its client and this turn. */
void query_take_rules(struct query *);

/* The parked query goes on with this verdict. */
void query_resume(struct query *, enum verdict);

/* A lookup is over: it may have been the last. */
void query_env_rest(struct query_env *);

#endif
