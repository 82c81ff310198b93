/* tally: what happened in worlds, counted: faults by kind, what was asked, and what the daemon made
 * of it. One per world; they are added up, so that one sees that everything really happened. */
#ifndef WORLDS_TALLY_H
#define WORLDS_TALLY_H

#include "base/metrics.h"
#include "upstream/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Each can be switched off by its name (--without). */
#define FAULTS(X)                                                                                  \
	X(loss, "a datagram is lost")                                                              \
	X(duplicate, "a datagram comes twice")                                                     \
	X(jitter, "something takes longer on its way, and is overtaken")                           \
	X(refuse, "a connection is refused, or a datagram by ICMP")                                \
	X(vanish, "a connection is never set up, or a datagram's server is not there")             \
	X(close, "a server closes a connection, at any octet")                                     \
	X(reset, "a server resets a connection, at any octet")                                     \
	X(hang, "a server's connection takes everything and brings nothing any more")              \
	X(pieces, "octets come in pieces, with pauses")                                            \
	X(window, "a server takes no octets for a while")                                          \
	X(outage, "a server is gone for a while, connections and all")                             \
	X(silence, "a server does not answer a question")                                          \
	X(mute_name, "nobody ever answers that name")                                              \
	X(late, "a reply takes seconds")                                                           \
	X(wrong_id, "a reply under another ID")                                                    \
	X(wrong_question, "a reply to a question that was not asked")                              \
	X(swapped, "a reply under the ID of another question")                                     \
	X(cut, "a reply that ends too early")                                                      \
	X(bent, "a reply with octets that are not what they were")                                 \
	X(trailing, "a reply with octets behind its end")                                          \
	X(header_only, "a reply without a question")                                               \
	X(truncated, "a reply with TC")                                                            \
	X(rcode, "SERVFAIL, REFUSED, NOTIMP or FORMERR")                                           \
	X(burst, "SERVFAIL to all questions for a while")                                          \
	X(huge, "an answer of many octets")                                                        \
	X(ttl_zero, "an answer that may not be kept")                                              \
	X(ttl_huge, "an answer for years")                                                         \
	X(stutter, "a reply comes twice")                                                          \
	X(unasked, "a server says what nobody asked for")                                          \
	X(memory, "an allocation fails")                                                           \
	X(files, "there are no descriptors left for a while")                                      \
	X(clock, "the wall clock is set")                                                          \
	X(sleep, "the host sleeps for an hour")                                                    \
	X(network, "a link or a route of the host changes")                                        \
	X(move, "the host has another address")                                                    \
	X(flush, "the cache is told to forget")                                                    \
	X(reload, "another configuration is read")                                                 \
	X(storm, "and others, at the same time")                                                   \
	X(unreadable, "there are mistakes in it")                                                  \
	X(malformed, "a query that is none")                                                       \
	X(leaves, "a client closes or resets its connection")                                      \
	X(half_close, "a client sends its end, and goes on reading")                               \
	X(slow_reader, "a client does not read for a while")                                       \
	X(drips, "a client sends a part of a query, and nothing for too long")

enum fault_kind {
#define X(name, help) FAULT_##name,
	FAULTS(X)
#undef X
		FAULT_KINDS
};

/* Of the world; what the daemon counts comes beside it. */
#define SIGHTS(X)                                                                                  \
	X(worlds, "worlds that ended well")                                                        \
	X(events, "events, timers and tasks of the world's loop")                                  \
	X(virtual_ms, "virtual milliseconds")                                                      \
	X(queries, "queries that reached the daemon")                                              \
	X(answers, "answers that clients heard")                                                   \
	X(asked, "queries that servers heard")                                                     \
	X(replies, "replies of servers")                                                           \
	X(lies, "of these: lies")                                                                  \
	X(signed_answers, "answers whose records tell which reply they are from")                  \
	X(own_answers, "answers that rules have given")                                            \
	X(stale_answers, "answers marked as stale")                                                \
	X(excused, "queries that need not be answered, for what their client or the host did")     \
	X(recoveries, "worlds whose daemon was asked again when all faults were over")             \
	X(swaps, "configurations that were swapped in")                                            \
	X(refusals, "configurations that were not")                                                \
	X(drains, "worlds whose daemon was told to end in the middle of it")

struct tally {
#define X(name, help) uint64_t name;
	SIGHTS(X)
#undef X
	uint64_t faults[FAULT_KINDS];
	struct metrics metrics;
	uint64_t servers[0
#define X(name, help) +1
		SERVER_COUNTERS(X)
#undef X
	];
};

const char *fault_name(enum fault_kind);
/* -1: there is none of that name. */
int fault_by_name(const char *name, size_t len);

void tally_add(struct tally *sum, const struct tally *);
void tally_add_server(struct tally *, const struct server_status *);
void tally_print(const struct tally *);
/* Everything that can happen did, or is named on standard error. */
bool tally_is_complete(const struct tally *);

#endif
