/* drama: a world that chance directs, from one seed: who is in it, what they do to the daemon, and
 * what is held against the daemon.
 *
 * draw.c sets it up, servers.c and clients.c are the peers, machine.c is the daemon's host,
 * director.c has it all happen, and oracle.c knows what must never be.
 */
#ifndef WORLDS_DRAMA_H
#define WORLDS_DRAMA_H

#include "../chronicle.h"
#include "../daemon.h"
#include "../world.h"
#include "chance.h"
#include "signed.h"
#include "tally.h"

#define SERVERS_MOST  5
#define CLIENTS_MOST  12
#define ZONES_MOST    3
#define SETTINGS_MOST 40
#define VALUE_TEXT    512
#define OWN_NAMES     6 /* of which rules say what they are (rules.c) */
#define NAME_MOST     60 /* octets of a name, as text */
#define COPIES_MOST   4 /* of one query, as datagrams */
#define SLEEPS_MOST   8
#define VERSIONS_MOST 40 /* configurations of one world */
#define SECOND_PORT   54
#define NEVER         UINT64_MAX

/* ---- configurations (plans.c) ---- */

/* What a rule says of a name. */
enum ruling {
	RULED_NOT, /* it is asked as any other */
	RULED_NXDOMAIN,
	RULED_NODATA,
	RULED_REFUSED,
	RULED_DROPPED,
	RULED_ADDRESS,
	RULED_ALIAS, /* of a name that everybody asks for */
	RULED_ROUTED, /* to another group, where there is one */
	RULINGS
};

/* Who is asked what, and by whom. Group n, if it has servers, is that of zone n, unless the zone is
 * given to another; the first is that of all other names, and always there. */
struct plan {
	unsigned servers[ZONES_MOST]; /* of each group, by bit */
	unsigned groups[ZONES_MOST]; /* of each zone */
	char pins[SERVERS_MOST]; /* 0: none */
	enum ruling rulings[OWN_NAMES];
	bool second_port, strangers; /* listens there; they may ask */
	bool broken; /* something is wrong in it */
};

/* One that was in force. */
struct version {
	struct plan plan;
	uint64_t from_ms;
	struct cache_conf cache;
	struct query_conf query;
	struct listen_conf listen;
	size_t in_flight;
};

/* ---- servers ---- */

/* Queries of a connection that a lie may be about. */
#define RECENT 16

/* One end of a connection, or of nothing any more. */
struct line {
	struct list node;
	struct server_peer *server; /* of the two, */
	struct client_peer *client; /* one */
	struct wire *wire;
	struct buf in;
	bool over; /* this end has closed or reset it: what comes is not heard */
	bool deaf; /* hangs */
	uint64_t say_ms; /* what was said last leaves then */
	uint16_t port; /* of a client: where it connected to */
	unsigned version; /* and what was in force then */
	char pin; /* of a server: what it had to have */
	struct span recent[RECENT]; /* of a server: queries */
	unsigned heard;
	uint8_t ids[65536 / 8]; /* that it has heard */

	/* Of a client: */
	unsigned waiting; /* queries that came to the daemon and are not answered */
	uint64_t left_ms; /* the daemon closed it; NEVER: it has not */
	uint64_t spoiled_ms; /* from then on, nothing needs to be answered */
	bool was_slow;
	size_t struck; /* allocations that had failed when it began */
	struct asked *first; /* its queries, by `next_on_line` */
};

struct server_peer {
	struct drama *drama;
	unsigned number;
	const char *scheme;
	struct addr addr;
	unsigned delay_ms; /* each way */
	bool shuns_edns;
	uint32_t ttl_s; /* of what it says, about */
	uint64_t burst_ms, outage_ms; /* until then: SERVFAIL to all; not there */
	struct list lines;
	unsigned heard;
};

/* ---- clients ---- */

struct client_peer {
	struct drama *drama;
	unsigned number;
	struct addr addr;
	bool stranger; /* may not ask */
	uint16_t first_id;
	struct asked **asked; /* by ID, from first_id on */
	size_t count, room;
	struct list lines;
};

/* What must come of a query. */
enum due {
	DUE_ANSWER, /* an answer */
	DUE_RCODE, /* that rcode */
	DUE_NOTHING, /* nothing */
	DUE_WHATEVER /* one answer, or none */
};

struct asked {
	struct drama *drama;
	struct client_peer *client;
	struct line *line; /* NULL: as a datagram */
	struct asked *next_on_line;
	uint16_t id, port;
	enum due due;
	unsigned rcode; /* DUE_RCODE */
	unsigned version; /* in force when it arrived first */
	unsigned arrived, answered; /* copies at the daemon, answers */
	uint64_t at_ms[COPIES_MOST]; /* when they arrived */
	size_t struck; /* allocations that had failed when the first did */
	bool crowded; /* more wait on its connection than the daemon reads */
	bool over_doorstep; /* it came when the daemon was told to end, or later */
	bool has_opt, is_probe;
	bool said; /* over a connection: its last octet */
	uint16_t udp_size, flags;
	struct meant meant; /* what is asked, if it can be */
	size_t question_end; /* of message */
	size_t len;
	uint8_t message[];
};

/* ---- all of it ---- */

/* How often one question was asked by clients, and of each server over datagrams and streams. */
struct count {
	struct meant meant;
	bool used;
	unsigned asked;
	unsigned sent[SERVERS_MOST][2];
	unsigned bare[SERVERS_MOST][2]; /* without OPT: maybe to ask the same with DO */
	uint64_t asked_ms[VERSIONS_MOST]; /* the latest query under each, and 1; 0: none */
};
#define COUNTS 4096

struct drama {
	uint64_t seed;
	struct chance chance;
	struct chronicle chronicle;
	struct daemon daemon;
	struct tally tally;
	bool without[FAULT_KINDS];
	unsigned rate[FAULT_KINDS]; /* per mille; 0: not in this world */

	/* As drawn. */
	unsigned server_count, client_count, zone_count;
	struct server_peer servers[SERVERS_MOST];
	struct client_peer clients[CLIENTS_MOST];
	struct config_override settings[SETTINGS_MOST];
	char values[SETTINGS_MOST][VALUE_TEXT];
	size_t setting_count;
	unsigned popular; /* names */
	unsigned tail; /* names that were used once */
	unsigned asks; /* queries to come */
	unsigned gap_ms; /* between them, about */
	bool ends_in_chaos; /* is told to end while all goes on */
	bool narrow_ids;

	/* Configurations: what is set, what is being read, what was in force. */
	struct plan wanted, reading;
	struct version versions[VERSIONS_MOST];
	unsigned version_count, swapped_count, swaps_due;
	const struct upstream_conf *seen;
	size_t struck; /* allocations that had failed when it was read */
	size_t clients_had[CLIENTS_MOST], all_had, waited; /* a moment before */

	/* As it goes. */
	struct event act, fault, check, too_late;
	unsigned probed; /* groups, twice each */
	bool peace; /* no fault happens any more */
	uint64_t drained_ms; /* NEVER: not yet */
	uint64_t flushed_ms; /* the latest flush of everything; 0: none */
	uint64_t no_files_ms; /* descriptors are short until then */
	uint64_t slept_at[SLEEPS_MOST];
	unsigned sleeps;
	struct said *said; /* by serial */
	size_t said_count, said_room;
	struct count counts[COUNTS];
	uint64_t udp_delivered, udp_perhaps, udp_heard;
	unsigned probes, recovered;
	uint64_t stop_at; /* dispatched events; the rest is not shown (--until) */
};

static inline uint64_t drama_now(const struct drama *d)
{
	return loop_now(d->daemon.loop);
}

/* Does that fault happen now? Counts it. */
bool strikes(struct drama *, enum fault_kind);

/* Something that happens once, later. */
struct deed {
	struct event event;
	struct drama *drama;
	void *who;
	void (*act)(struct deed *);
	size_t len;
	uint8_t bytes[];
};
struct deed *deed_post(
	struct drama *, uint64_t at_ms, void (*act)(struct deed *), void *who, struct span bytes);

/* ---- draw.c ---- */
void draw(struct drama *);
bool draw_start(struct drama *);
void draw_set(struct drama *, const char *key, const char *value);
/* So many settings are drawn anew. */
void draw_choices(struct drama *, unsigned count);

/* ---- plans.c ---- */
void plan_draw(struct drama *);
void plan_set(struct drama *);
/* Other settings are read, after so many changes. */
void plan_reload(struct drama *, unsigned changes, bool broken);
/* The pin that somebody is held to, as a plan has it. */
char plan_pin(const struct tls_identity *);
bool plan_asks(const struct plan *, const struct meant *, unsigned server);
void versions_begin(struct drama *);
/* To be called before anything is judged: another one may be in force. */
void versions_look(struct drama *);
/* The one that was in force at the end of that moment, and before it. */
unsigned version_at(const struct drama *, uint64_t ms);
unsigned version_before(const struct drama *, uint64_t ms);
static inline const struct version *version_now(const struct drama *d)
{
	return &d->versions[d->version_count - 1];
}

/* ---- servers.c ---- */
void server_dialled(void *drama, const struct addr *to, struct wire *);
void server_asked_datagram(
	void *drama, const struct addr *to, const struct addr *from, struct span message);
void server_outage(struct server_peer *, uint64_t until_ms);
/* The host has another address: what was connected is dead. */
void server_lines_die(struct server_peer *);
void server_says_unasked(struct server_peer *);

/* ---- clients.c ---- */
void client_acts(struct client_peer *);
/* Asks for a name that nobody has asked for, over UDP and over a new connection; counts: a good
 * answer must come. */
void client_probes(struct client_peer *, unsigned group, bool counts);
void client_heard_datagram(void *drama, const struct addr *to, struct span message);

/* ---- lines (lines.c) ---- */
struct line *line_new(struct drama *, struct list *lines);
void line_free(struct line *);
/* Octets leave at that moment or behind what was said before, whole or in pieces; then, maybe, the
 * line ends in that way. */
enum ending { GOES_ON, CLOSES, RESETS };
void line_say(struct drama *, struct line *, struct span, uint64_t at_ms, enum ending);
void line_end(struct line *, enum ending);

/* ---- machine.c ---- */
void machine_acts(struct drama *);
int machine_denied(void *drama, enum need);
uint64_t machine_slept_ms(const struct drama *, uint64_t until_ms);

/* ---- director.c ---- */
void drama_run(struct drama *);
void drama_clear(struct drama *);

#endif
