/* upstream: the servers we ask, one worker's view: their connections, whether they are up, and one
 * message to one of them (an exchange).
 *
 * server.c does what is promised here, and knows no transport; a transport moves messages
 * (server.h).
 */
#ifndef UPSTREAM_UPSTREAM_H
#define UPSTREAM_UPSTREAM_H

#include "base/list.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "base/rand.h"
#include "base/siphash.h"
#include "dns/build.h"
#include "net/addr.h"
#include "net/tls_client.h"

/* The most servers of one group, and of all groups together. */
#define GROUP_MAX   32
#define SERVERS_MAX 255
/* Sends of one query to one server (RFC 9520 §3.1). */
#define SENDS_PER_SERVER 3
/* Addresses of one host that are kept. */
#define ADDRS_MAX 8
/* Questions of one worker that are out over UDP; each has a socket. */
#define ASKERS_MAX 4096

enum scheme { SCHEME_TLS, SCHEME_TCP, SCHEME_UDP };

/* Which server of a group is asked: the fastest; the first that can be, in the configured order;
 * the two fastest at once; or each its share of the domains, so that none sees all. */
enum policy { POLICY_FASTEST, POLICY_ORDERED, POLICY_RACE, POLICY_SPREAD };

/* One server, as configured; everything is borrowed from the configuration. */
struct server_conf {
	const char *text; /* the canonical spelling, for people: tls://192.0.2.1#name */
	enum scheme scheme;
	const char *host; /* a name that is to be resolved; NULL: addr was given */
	struct addr addr; /* of a host, only the port counts */
	bool designated; /* the server is whom the resolver at addr designates (RFC 9462), and that
			    address must be in its certificate */
	struct addr *hints; /* addresses of the host that are known without asking anybody */
	size_t hint_count; /* at most ADDRS_MAX */
	struct addr saved[ADDRS_MAX]; /* those of an earlier run, loaded at start */
	size_t saved_count;
	const char *auth_name; /* NULL: the address must be in the certificate, or, with pins, only
				  those, unless it is designated */
	uint8_t pins[TLS_PINS_MAX][TLS_PIN_LEN];
	unsigned pin_count;
	bool opportunistic; /* encrypted, whoever it is */
	bool tls13; /* nothing older is spoken */
	const char *ca; /* PEM file; NULL: tls.ca */
	const char *cert, *key; /* what we show to a server that asks who we are; NULL: nothing */
	struct addr source; /* to connect from; AF_UNSPEC: the kernel chooses */
	const char *interface; /* likewise; NULL: the kernel chooses */
	unsigned weight; /* 1 to 1000, 100 if not given: its share, or how it is favoured */
	struct tls_trust *trust; /* loaded at start, NULL if not TLS */
	struct tls_credentials *credentials; /* loaded at start from cert and key, or NULL */
};

/* Must an authority say that it is who it must be? Else its key does, or nobody. */
static inline bool server_needs_authority(const struct server_conf *s)
{
	return !s->opportunistic && (s->auth_name || s->designated || !s->pin_count);
}

/* Servers that can stand in for each other. */
struct group_conf {
	const char *name;
	uint32_t number; /* what its answers are known by in the cache; see same.h */
	enum policy policy;
	uint8_t servers[GROUP_MAX]; /* by index */
	size_t count;
};

/* Questions for this domain and below go to that group. */
struct zone_conf {
	const char *text; /* the domain, for people */
	const uint8_t *name; /* on the wire, in lower case */
	size_t name_len;
	size_t group;
};

/* The group of `upstreams:`, and the one of `bootstrap:`. */
enum { GROUP_DEFAULT, GROUP_BOOTSTRAP, GROUPS_FIXED };

/* The largest number of a group; and that of one that has none yet. */
#define GROUP_NUMBER_MAX UINT16_MAX
#define GROUP_UNNUMBERED UINT32_MAX

/* Octets of the mark that tells queries of this process from all others, and of the proof that one
 * of them came in. */
#define MARK_LEN 16

struct upstream_conf {
	struct server_conf *servers; /* of all groups, each once */
	size_t count;
	struct group_conf *groups; /* GROUPS_FIXED at least */
	size_t group_count;
	uint32_t numbered; /* the next number that no group has had */
	struct zone_conf *zones;
	size_t zone_count;
	bool hedge; /* ask the next server as well when one is later than it usually is */
	unsigned connect_ms; /* TCP and TLS set-up of a connection */
	unsigned attempt_ms; /* the most that one server is waited for alone */
	unsigned idle_ms; /* a connection with nothing to do is closed after this */
	unsigned silent_ms; /* one that owes answers and says nothing is given up after this */
	size_t in_flight; /* the most exchanges of one connection, below 65536 */
	char mark[MARK_LEN + 1]; /* lower-case hexadecimal digits, new for each process */
	struct siphash_key echo_key; /* what a probe is answered with: nobody else knows it */
	const struct addr *own; /* where we listen: no server is there */
	size_t own_count;
	const char *state; /* folder for what should survive a restart; NULL: nothing does */
};

struct upstreams;
struct server;
/* A group at run time: its servers as this worker knows them. */
struct group;

/* A configuration on loan: it is borrowed until gone(arg), which is called once, from the loop or
 * from upstreams_free(). gone NULL: nobody needs to know. */
struct loan {
	const struct upstream_conf *conf;
	void (*gone)(void *arg);
	void *arg;
};

/* NULL: out of memory; then nothing is borrowed. No connection is opened before there is a query.
 */
struct upstreams *upstreams_new(
	struct loop *, const struct loan *, struct rand *, struct metrics *);

/* Makes everything ready for another configuration, which changes nothing yet; then it is swapped
 * in, or forgotten, which gives the loan back. False: out of memory; then nothing is borrowed.
 *
 * Servers that are the same (same.h) keep their connections and what is known of them. Those that
 * are gone take no new exchange, and end when the last lookup that may wait for them has. Lookups
 * under way keep the groups they began with. */
bool upstreams_prepare(struct upstreams *, const struct loan *);
void upstreams_swap(struct upstreams *);
void upstreams_forget(struct upstreams *);
/* Closes every connection in the orderly way; idle() is called from the loop when the last is gone.
 */
void upstreams_stop(struct upstreams *, void (*idle)(void *arg), void *arg);
/* Every exchange must have ended. */
void upstreams_free(struct upstreams *);

/* No more questions than that are out over UDP at the same time; each server has an equal share, of
 * one at least. At first it is ASKERS_MAX. */
void upstreams_limit_askers(struct upstreams *, size_t most);

/* What the world did meanwhile. */
enum change {
	CHANGE_ROUTES, /* addresses or routes are not what they were */
	CHANGE_CLOCK, /* the wall clock was set */
	CHANGE_SLEPT, /* the host was suspended */
	CHANGES, /* how many there are */
};
/* Failures are forgotten, since their cause may be gone; connections that cannot live on are ended.
 */
void upstreams_changed(struct upstreams *, enum change);

/* ---- one message to one server ---- */

/* How an exchange ended. */
enum outcome {
	REPLIED, /* with a message that answers the question */
	LOST, /* it was sent, and its connection died; another server may do better */
	UNSENT, /* no connection could be made */
};

/* What to ask, beyond the question. */
struct ask {
	const struct question *question; /* must outlive the exchange */
	uint16_t flags; /* RD, AD, CD */
	bool dnssec_ok;
};

struct asker;
struct conn;
struct lane;

/* One question to one server. Embedded in its owner's struct, which lives until done or cancel. */
struct exchange {
	struct list node; /* in its connection, or in its lane's queue */
	struct exchange *next_of_id;
	struct server *server;
	struct lane *lane; /* NULL: not running */
	struct conn *conn; /* NULL: waits for one */
	struct asker *asker; /* over UDP: its socket */
	struct ask ask;
	uint64_t sent_us; /* first, over this lane */
	uint8_t sent; /* how often, over all lanes */
	uint8_t sent_before; /* by other exchanges of its owner, to this server */
	uint16_t id;
	bool edns; /* is sent with OPT */
	bool stalled; /* the connection it waits on is suspect */
	/* From the loop, once, unless cancelled. reply (REPLIED only) is valid during the call. The
	 * exchange is over on entry and may be started again from within. */
	void (*done)(struct exchange *, enum outcome, const struct reply *);
	/* From the loop, at most once before done: it waits on a connection that is suspect. It is
	 * not given up, but another one should be asked as well. May cancel the exchange. NULL: who
	 * cares. */
	void (*on_stalled)(struct exchange *);
};

/* Begins an exchange with the server, now or when there is a connection. 0; -EAGAIN: not now;
 * -ENOMEM. */
int exchange_start(struct server *, struct exchange *, const struct ask *);
/* It waits on a connection that is suspect: another one to the same server is of use. */
bool exchange_is_stuck(const struct exchange *);
/* No callback after this. Nothing if it is not running. */
void exchange_cancel(struct exchange *);

/* ---- which server ---- */

/* The group that is asked this question: the one of the longest zone above the name. */
struct group *upstreams_group(struct upstreams *, const struct question *);

/* How a lookup has fared with each server of its group, by place. */
struct attempts {
	uint8_t sends[GROUP_MAX]; /* SENDS_PER_SERVER: not again */
	bool waiting[GROUP_MAX]; /* an exchange that has not stalled waits there */
	bool only_up; /* nobody who is down */
};

/* The group of that index in the configuration. */
struct group *upstreams_group_at(struct upstreams *, size_t index);
/* The one of that name in the configuration in force; NULL: there is none any more. */
struct group *upstreams_group_now(struct upstreams *, struct group *);
/* Every server of it is asked in clear, at an address of this host or network. */
bool group_is_inside(const struct group *);

/* The place of the server to ask next; -1: there is none now. */
int group_pick(struct group *, const struct attempts *, const struct question *);
/* Two of them should be asked at once: the policy says so, or it is to be the fastest and none is
 * known to be good. */
bool group_races(const struct group *);
/* A server that should be asked beside this one, to know how fast it is by now; -1: none. Of a
 * hundred lookups, one asks a second server for this at most. */
int group_explore(struct group *, int beside);
struct server *group_server(struct group *, int place);
/* What its answers are known by, as of group_conf. */
uint16_t group_number(const struct group *);
/* Whoever keeps a group over the end of a turn holds it, and lets it go once. */
void group_hold(struct group *);
void group_let_go(struct group *);
/* There is more than one. */
bool group_has_other(const struct group *);
/* Every server of it is known to be down. Probes are under way; nobody should wait for longer than
 * this. 0: one of them is not down. */
unsigned group_down_ms(struct group *);
/* Somebody is waiting for this group: servers that are down are looked after. */
void group_wanted(struct group *);
/* The latest failure among its servers, in words; NULL: there was none. */
const struct fault *group_fault(const struct group *);

/* Nobody between it and us can change what it says: it is asked over TLS, and is authenticated. */
bool server_is_trusted(const struct server *);

/* A server is later than it usually is after this. */
unsigned server_hedge_ms(const struct server *);
/* May one more query be sent for being late? A twentieth of all lookups may, on average. */
bool upstreams_may_hedge(struct upstreams *);
/* The most that one server is waited for alone. */
unsigned upstreams_attempt_ms(const struct upstreams *);
/* One more lookup has begun. */
void upstreams_count_lookup(struct upstreams *);

/* Why a server is asked. */
enum reason { FIRST, RETRY, HEDGE, EXPLORE, RACE };
void server_asked(struct server *, enum reason);
void server_won_hedge(struct server *);
/* It replied with an error, and another server then had an answer; it did not reply in
 * upstream_conf.attempt_ms. Three times in a row make it a second choice. */
void server_was_amiss(struct server *);

/* ---- TLS that a client speaks with one of our servers ---- */

/* The most ways that are tried for one connection. */
#define PASSAGES_MAX 8

struct stream;
struct stream_conf;

/* Servers that it can go on to, and where; the best first. */
struct passages {
	struct group *group; /* held if there is any */
	struct passage {
		struct server *server;
		struct addr to;
	} all[PASSAGES_MAX];
	size_t count;
};

/* Finds them for a client that names this server, or none (""). They are those that are known by
 * the name; where nobody is, those of `upstreams:`, in the order of their policy. 0, and then
 * passages_clear() is owed; -EAGAIN: their addresses are being looked up; -EHOSTUNREACH: there is
 * none. */
int passages_find(struct upstreams *, const char *name, struct passages *);
/* Nothing if there is none. */
void passages_clear(struct passages *);

/* As the configuration spells the server. */
const char *passage_text(const struct passages *, size_t i);
/* Connects to it, without TLS of ours: as stream_connect(), whose conf it fills in with what the
 * server's says, and with how long this way is waited for. */
struct stream *passage_open(const struct passages *, size_t i, struct stream_conf *);
/* It could not be connected to. */
void passage_failed(const struct passages *, size_t i, const struct fault *);

/* The server choked on EDNS: ask it without for a while (RFC 6891 §6.2.2). */
void server_shuns_edns(struct server *);

#endif
