/* metrics: every number the program counts, once. One struct per thread, added up to be read. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdint.h>

#define COUNTERS(X)                                                                                \
	X(queries_udp, "Messages received over UDP")                                               \
	X(queries_tcp, "Messages received over TCP")                                               \
	X(queries_tls, "Messages received over TLS")                                               \
	X(answers, "Answers given from an upstream's reply, now or earlier")                       \
	X(errors, "Answers that something is wrong: refused, malformed, failed")                   \
	X(servfails, "Of these: SERVFAIL")                                                         \
	X(dropped, "Messages never answered")                                                      \
	X(truncated, "Answers sent with TC")                                                       \
	X(overload, "Queries answered SERVFAIL because a table was full")                          \
	X(overload_clients, "Queries refused a place because their client has its share")          \
	X(pace_dropped, "Messages never answered because their client asks too much")              \
	X(pace_truncated, "Answers of nothing but TC because their client asks too much")          \
	X(pace_held, "Times that a connection was not read because its client asks too much")      \
	X(clients_refused, "Connections closed at the door by a limit")                            \
	X(clients_late, "Connections closed because a message or an answer took too long")         \
	X(clients_refused_own, "Of those refused: their client had all it may have")               \
	X(clients_refused_memory, "Of those refused: there was no memory")                         \
	X(clients_late_write, "Of those late: an answer was not taken")                            \
	X(clients_gave_way, "Connections closed to make room, the one that was quiet longest")     \
	X(clients_idle, "Connections closed because nothing was asked")                            \
	X(clients_asked_all,                                                                       \
		"Connections closed because they had brought all queries that one may")            \
	X(clients_old, "Connections closed because they had lasted as long as one may")            \
	X(clients_unread, "Connections closed because clients left too many answers untaken")      \
	X(clients_unwelcome, "Connections closed because nothing that is taken there was spoken")  \
	X(clients_tls, "Connections of clients that are encrypted")                                \
	X(clients_tls_resumed, "Of these: TLS sessions resumed")                                   \
	X(clients_tls_failed, "TLS handshakes of clients that failed")                             \
	X(proxies_malformed, "Datagrams and connections of proxies without a PROXY header")        \
	X(clients_passed,                                                                          \
		"Connections of clients passed through to an upstream, in the clients' TLS")       \
	X(clients_not_passed, "Such that were not: no ClientHello, or no upstream to be reached")  \
	X(cache_hits, "Queries answered from the cache")                                           \
	X(cache_misses, "Queries asked upstream because the cache had no answer")                  \
	X(cache_stale, "Queries answered with what had expired")                                   \
	X(cache_failures, "Queries answered that asking has just failed")                          \
	X(rules_answered, "Questions answered here: by a rule, local data or as a special name")   \
	X(rules_blocked, "Questions blocked by a list")                                            \
	X(rules_routed, "Questions that a rule or a view sent to another group")                   \
	X(rules_dropped, "Questions that a rule had no answer given to")                           \
	X(rules_judged, "Answers of servers that were not passed on")                              \
	X(rules_exceeded, "Regular expressions of rules given up, for want of steps")              \
	X(dumped, "Messages that were put into the dump")                                          \
	X(dump_lost, "Messages that were not: it is full, or the disk is slow or full")            \
	X(events, "Events that were told: questions that a rule with `event` has decided")         \
	X(events_lost, "Events that were not: too many, or nobody took them")                      \
	X(prefetches, "Answers asked for again before they expired")                               \
	X(coalesced, "Queries that joined the lookup of another one")                              \
	X(exchanges, "Queries sent to upstreams")                                                  \
	X(exchanges_retried, "Of these: sent again, elsewhere or without EDNS")                    \
	X(replies_unmatched, "Replies dropped: no such ID, or another question")                   \
	X(replies_malformed, "Replies dropped: not a DNS message")                                 \
	X(connections, "Connections opened to upstreams")                                          \
	X(connections_resumed, "Of these: TLS sessions resumed")                                   \
	X(connections_failed, "Connections that failed before they could be used")                 \
	X(connections_lost, "Connections that died with queries in flight")                        \
	X(names_asked, "Times that the addresses of an upstream were looked up")                   \
	X(names_failed, "Of these: without finding an address")

struct metrics {
#define X(name, help) uint64_t name;
	COUNTERS(X)
#undef X
};

void metrics_add(struct metrics *sum, const struct metrics *);
/* Calls each(arg, name, help, value) for every counter. */
void metrics_each(const struct metrics *,
	void (*each)(void *arg, const char *name, const char *help, uint64_t value), void *arg);

#endif
