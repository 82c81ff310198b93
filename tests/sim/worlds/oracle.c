#include "oracle.h"

#include "../message.h"
#include "cache/cache.h"
#include "faults.h"
#include "rules.h"
#include "upstream/server.h"

#include <stdlib.h>
#include <string.h>

/* An answer may come so much later than its deadline: those of many waiters are told a
 * few in each millisecond. */
#define SLACK_MS 20
/* What a flush does not reach: what is being told. */
#define TELLING_MS 20
/* What is stale is told for so long (RFC 8767 §4). */
#define STALE_TTL_S 30
/* A moment in so many, the cache is counted. */
#define CACHE_EVERY 64

/* A lookup that began under another configuration goes on for so long at most. */
#define LOOKUP_MS 20000

/* ---- configurations ---- */

/* A query goes by any configuration since it came: over a connection it may be read later, and what
 * waited for something stale that has gone is asked anew. What listens for it is the last of these.
 */
static unsigned last_version(const struct asked *a)
{
	const struct drama *d = a->drama;

	return a->line ? d->version_count - 1 : version_at(d, a->at_ms[a->arrived - 1]);
}

/* So long may an answer take, under the most patient of them. */
static uint64_t deadline_ms(const struct asked *a)
{
	const struct drama *d = a->drama;
	unsigned last = version_at(d, a->at_ms[a->arrived - 1]), most = 0;

	for (unsigned v = a->version; v <= last; v++)
		if (d->versions[v].query.deadline_ms > most)
			most = d->versions[v].query.deadline_ms;
	return most + SLACK_MS;
}

/* Did all listen where it came, or its connection? */
static bool is_heard(const struct asked *a)
{
	unsigned first = a->line ? a->line->version : a->version;
	bool heard = true;

	for (unsigned v = first; a->port != DAEMON_PORT && v <= last_version(a); v++)
		heard &= a->drama->versions[v].plan.second_port;
	return heard;
}

/* ANY over UDP is told to come over TCP before rules are looked at. */
static unsigned rulings_of(const struct asked *a)
{
	if (!a->line && a->meant.type == TYPE_ANY)
		return 1u << RULED_NOT;
	return rules_of(a->drama, &a->meant, a->version, last_version(a));
}

/* What has to come of it if it may be asked. */
static enum due due_by_rules(const struct asked *a)
{
	unsigned rulings = a->due == DUE_ANSWER ? rulings_of(a) : 0;

	if (!(rulings & 1u << RULED_DROPPED))
		return a->due;
	return rulings == 1u << RULED_DROPPED ? DUE_NOTHING : DUE_WHATEVER;
}

/* What has to come of it, as far as one knows who may ask. */
static enum due due_of(const struct asked *a)
{
	enum due due = due_by_rules(a);
	unsigned may = 0, versions = 0;

	if (!a->client->stranger || a->due == DUE_NOTHING || a->due == DUE_WHATEVER)
		return due;
	for (unsigned v = a->version; v < a->drama->version_count; v++, versions++)
		may += a->drama->versions[v].plan.strangers;
	return may == versions ? due : may ? DUE_WHATEVER : DUE_RCODE;
}

static unsigned rcode_of(const struct asked *a)
{
	bool refused = a->client->stranger && !version_now(a->drama)->plan.strangers;

	return refused ? RCODE_REFUSED : a->rcode;
}

/* ---- questions ---- */

struct count *oracle_count(struct drama *d, const struct meant *m)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (const uint8_t *at = (const uint8_t *)m; at < (const uint8_t *)(m + 1); at++)
		hash = (hash ^ *at) * 0x100000001b3;
	for (size_t i = hash % COUNTS;; i = (i + 1) % COUNTS) {
		struct count *c = &d->counts[i];

		if (c->used && !meant_equals(&c->meant, m))
			continue;
		c->used = true;
		c->meant = *m;
		return c;
	}
}

/* ---- queries that wait ---- */

/* It need not be answered any more, for what happened since. */
static bool is_excused(const struct asked *a)
{
	const struct line *l = a->line;
	uint64_t at = a->at_ms[0];

	if (due_of(a) == DUE_NOTHING || due_of(a) == DUE_WHATEVER || a->over_doorstep ||
		!is_heard(a))
		return true;
	if (faults_struck() != a->struck)
		return true;
	/* Who lacks memory for a query takes no more from its connection. */
	return l &&
		(l->over || l->was_slow || a->crowded || at >= l->spoiled_ms || at >= l->left_ms ||
			faults_struck() != l->struck);
}

static void check_overdue(struct deed *deed)
{
	struct asked *a = deed->who;
	struct drama *d = deed->drama;
	unsigned due = 0;
	char text[MESSAGE_TEXT];

	for (unsigned i = 0; i < a->arrived; i++)
		due += a->at_ms[i] + deadline_ms(a) <= drama_now(d);
	if (a->answered >= due)
		return;
	if (!is_excused(a))
		broken(&d->chronicle,
			"answered in time: client %u has no answer after %llu ms to %s",
			a->client->number, (unsigned long long)deadline_ms(a),
			message_words((struct span){ a->message, a->len }, text));
	d->tally.excused++;
}

/* Under every configuration that may be in force in this moment, servers may be asked it, or what
 * it is an alias of. */
void oracle_awaits(struct asked *a)
{
	struct drama *d = a->drama;
	struct count *own = oracle_count(d, &a->meant), *other = NULL;
	bool counts = !a->line || !a->arrived;

	own->asked += counts;
	for (unsigned v = version_before(d, drama_now(d)); v < d->version_count; v++) {
		struct count *c = own;
		struct meant target;

		if (rules_alias(&d->versions[v].plan, &a->meant, &target)) {
			c = oracle_count(d, &target);
			c->asked += counts && c != other;
			other = c;
		}
		c->asked_ms[v] = drama_now(d) + 1;
	}
}

static size_t pipeline(const struct asked *a)
{
	const struct drama *d = a->drama;
	size_t least = version_now(d)->listen.pipeline;

	for (unsigned v = a->version; v < d->version_count; v++)
		if (d->versions[v].listen.pipeline < least)
			least = d->versions[v].listen.pipeline;
	return least;
}

void oracle_asked(struct asked *a)
{
	struct drama *d = a->drama;
	uint64_t now = drama_now(d);

	versions_look(d);
	if (!a->arrived) {
		a->struck = faults_struck();
		a->version = version_before(d, now);
	}
	if (a->arrived == COPIES_MOST)
		broken(&d->chronicle, "the world itself is wrong: too many copies of a query");
	a->at_ms[a->arrived++] = now;
	a->over_doorstep |= now >= d->drained_ms;
	d->tally.queries++;
	if (a->due == DUE_ANSWER)
		oracle_awaits(a);
	if (a->line) {
		a->crowded |= ++a->line->waiting > pipeline(a);
		a->next_on_line = a->line->first;
		a->line->first = a;
	}
	deed_post(d, now + deadline_ms(a), check_overdue, a, (struct span){ NULL, 0 });
}

void oracle_left(struct line *l)
{
	struct drama *d = l->client->drama;
	char text[MESSAGE_TEXT];

	for (const struct asked *a = l->first; a; a = a->next_on_line)
		if (!a->answered && !is_excused(a))
			broken(&d->chronicle,
				"answered before it ends: sotto closes the connection of client %u, and "
				"owes it the answer to %s",
				l->client->number,
				message_words((struct span){ a->message, a->len }, text));
}

/* ---- what an answer says ---- */

struct answer_check {
	struct drama *d;
	struct asked *asked;
	struct reply reply;
	char text[MESSAGE_TEXT];
	bool stale; /* says so */
};

#define MUST_BE(c, holds, ...)                                                                     \
	do {                                                                                       \
		if (!(holds))                                                                      \
			broken(&(c)->d->chronicle, __VA_ARGS__);                                   \
	} while (0)

static bool says_stale(const struct edns *e)
{
	struct edns_error error;

	for (unsigned i = 0; edns_error_at(e, i, &error); i++)
		if (error.code == EDE_STALE || error.code == EDE_STALE_NXDOMAIN)
			return true;
	return false;
}

/* Which is told as it came, for as long as its lookup goes on. */
static bool is_failure(const struct answer_check *c)
{
	return c->reply.rcode != RCODE_NOERROR && c->reply.rcode != RCODE_NXDOMAIN;
}

/* Was it told under that configuration by one of its group, who has been in it since? */
static bool was_told(const struct answer_check *c, const struct said *said, unsigned version)
{
	const struct drama *d = c->d;
	unsigned group = rules_group(&d->versions[version].plan, &said->meant);
	bool known = false;

	if (group == NO_GROUP)
		return false;

	for (unsigned v = 0; v <= said->version || v <= version; v++)
		known |= rules_group(&d->versions[v].plan, &said->meant) == group;
	for (unsigned v = said->version < version ? said->version : version; v <= version; v++) {
		const struct plan *p = &d->versions[v].plan;

		known &=
			p->servers[group] >> said->server & 1 && p->pins[said->server] == said->pin;
	}
	return known;
}

static bool was_told_to(const struct answer_check *c, const struct said *said)
{
	for (unsigned v = c->asked->version; v < c->d->version_count; v++)
		if (was_told(c, said, v))
			return true;
	return false;
}

/* Is it of that, or of what that was an alias of? */
static bool is_of(const struct answer_check *c, const struct meant *said_to)
{
	const struct asked *a = c->asked;
	bool is = meant_equals(said_to, &a->meant);
	struct meant target;

	for (unsigned v = a->version; !is && v < c->d->version_count; v++)
		is = rules_alias(&c->d->versions[v].plan, &a->meant, &target) &&
			meant_equals(said_to, &target);
	return is;
}

/* Of whom and of what it is. */
static void check_origin(const struct answer_check *c, const struct said *said)
{
	struct meant said_to = said->meant;

	MUST_BE(c, !said->lie, "no lie is told: an answer is from a reply that was a lie: %s",
		c->text);
	MUST_BE(c, said->at_ms <= drama_now(c->d),
		"no answer before the reply: it has not come yet: %s", c->text);
	if (said->rcode == RCODE_NXDOMAIN || said->bent)
		said_to.type = c->asked->meant.type; /* of the name, whatever the type */
	if (said->without_opt)
		said_to.dnssec_ok = c->asked->meant.dnssec_ok;
	MUST_BE(c, is_of(c, &said_to),
		"an answer is of its question: it is from a reply to another name, type, group, CD "
		"or DO: %s",
		c->text);
	MUST_BE(c, was_told_to(c, said),
		"an answer is of its group: it is from server %u, under configuration %u, and asked "
		"for under %u: %s",
		said->server, said->version, c->asked->version, c->text);
	MUST_BE(c, said->bent || said->rcode == c->reply.rcode,
		"an answer says what the server said: the rcode is another: %s", c->text);
	MUST_BE(c,
		is_failure(c) || !c->d->flushed_ms ||
			(c->asked->line && c->asked->line->was_slow) ||
			drama_now(c->d) <= c->d->flushed_ms + TELLING_MS ||
			said->at_ms >= c->d->flushed_ms,
		"forgotten is forgotten: an answer is from before the cache was flushed: %s",
		c->text);
}

/* How long it may be told, and then as stale, as the daemon was ever configured since. */
static uint64_t life_under(const struct cache_conf *conf, const struct said *said)
{
	uint64_t life_ms = said->ttl_s * UINT64_C(1000);

	if (life_ms > conf->ttl_max_ms)
		life_ms = conf->ttl_max_ms;
	if (said->negative && life_ms > conf->negative_max_ms)
		life_ms = conf->negative_max_ms;
	return life_ms < conf->ttl_min_ms ? conf->ttl_min_ms : life_ms;
}

static uint64_t life_of(const struct drama *d, const struct said *said)
{
	uint64_t most = 0;

	for (unsigned v = said->version; v < d->version_count; v++) {
		uint64_t life_ms = life_under(&d->versions[v].cache, said);

		most = life_ms > most ? life_ms : most;
	}
	return most;
}

static uint64_t stale_life_of(const struct drama *d, const struct said *said)
{
	uint64_t most = 0;

	for (unsigned v = said->version; v < d->version_count; v++)
		if (d->versions[v].cache.stale_ms > most)
			most = d->versions[v].cache.stale_ms;
	return most;
}

/* How old it is, and what may be told of its time to live. A moment in which the host sleeps is
 * both before that and after it. */
static void check_age(const struct answer_check *c, const struct said *said, uint32_t ttl)
{
	uint64_t stale_ms = stale_life_of(c->d, said);
	uint64_t told_ms = drama_now(c->d) - (c->asked->line ? c->asked->line->wire->delay_ms : 0);
	uint64_t age_ms = told_ms + machine_slept_ms(c->d, told_ms - 1) - said->at_ms;
	uint64_t life_ms = life_of(c->d, said), slept_ms = machine_slept_ms(c->d, said->at_ms);

	age_ms = age_ms > slept_ms ? age_ms - slept_ms : 0;
	bool fresh = age_ms <= life_ms + TELLING_MS &&
		ttl + age_ms / 1000 <= (life_ms + TELLING_MS) / 1000;
	bool stale = c->d->versions->cache.size && stale_ms && ttl <= STALE_TTL_S &&
		age_ms <= life_ms + stale_ms + 1000;

	if (!c->asked->has_opt) { /* who is not told whether it is stale */
		MUST_BE(c, fresh || stale, "a TTL never grows: of %u s, %llu ms are over: %s",
			said->ttl_s, (unsigned long long)age_ms, c->text);
	} else if (c->stale) {
		MUST_BE(c, stale,
			"stale only within its time, for %d s at most: it is %llu ms old: %s",
			STALE_TTL_S, (unsigned long long)age_ms, c->text);
	} else {
		MUST_BE(c, fresh,
			"a TTL never grows, and what has expired says so: of %u s, %llu ms are "
			"over: %s",
			said->ttl_s, (unsigned long long)age_ms, c->text);
	}
}

/* Who could have what is stale waits no longer for better than is configured. Of several copies,
 * the last may be the one that is answered. */
static void check_patience(const struct answer_check *c)
{
	const struct asked *a = c->asked;
	uint64_t waited_ms = drama_now(c->d) - a->at_ms[a->arrived - 1], most = 0;

	for (unsigned v = a->version; v < c->d->version_count; v++)
		if (c->d->versions[v].cache.stale_after_ms > most)
			most = c->d->versions[v].cache.stale_after_ms;
	MUST_BE(c,
		waited_ms <= most + SLACK_MS || a->crowded || faults_struck() != a->struck ||
			(a->line && a->line->was_slow),
		"what is stale is told in time: after %llu ms: %s", (unsigned long long)waited_ms,
		c->text);
}

static void check_records(const struct answer_check *c)
{
	struct signature s;

	signed_read(&c->reply, &s);
	MUST_BE(c, !c->stale || s.has_serial || c->reply.flags & DNS_TC,
		"what is stale is an answer: %s", c->text);
	if (!s.has_serial)
		return;
	c->d->tally.signed_answers++;
	MUST_BE(c, !s.mixed, "an answer is from one reply: %s", c->text);
	MUST_BE(c, s.serial < c->d->said_count, "an answer is from a server: %s", c->text);
	const struct said *said = &c->d->said[s.serial];

	check_origin(c, said);
	/* A client that reads later hears later. */
	if (!is_failure(c) && !said->bent && !(c->asked->line && c->asked->line->was_slow))
		check_age(c, said, s.ttl_max);
	c->d->tally.stale_answers += c->stale;
	if (c->stale)
		check_patience(c);
}

static size_t size_most(const struct asked *a)
{
	size_t ours = 0;

	for (unsigned v = a->version; v < a->drama->version_count; v++)
		if (a->drama->versions[v].query.udp_size > ours)
			ours = a->drama->versions[v].query.udp_size;
	if (a->line)
		return DNS_MESSAGE_MAX;
	if (!a->has_opt || a->udp_size < 512)
		return 512;
	return a->udp_size < ours ? a->udp_size : ours;
}

/* Header and OPT. */
static void check_manners(const struct answer_check *c, struct span m)
{
	const struct asked *a = c->asked;
	const struct reply *r = &c->reply;

	MUST_BE(c, r->flags & DNS_QR, "an answer is an answer: %s", c->text);
	MUST_BE(c, m.len <= size_most(a), "an answer fits: %zu octets of %zu: %s", m.len,
		size_most(a), c->text);
	if (due_of(a) != DUE_ANSWER)
		return;
	MUST_BE(c, (r->flags & (DNS_RA | DNS_Z)) == DNS_RA, "RA: %s", c->text);
	MUST_BE(c, !(r->flags & DNS_AA) || rulings_of(a) & RULINGS_AA,
		"AA only for what is said here: %s", c->text);
	MUST_BE(c, !((r->flags ^ a->flags) & (DNS_RD | DNS_CD)), "RD and CD as asked: %s", c->text);
	MUST_BE(c, !(r->flags & DNS_AD) || a->flags & DNS_AD || a->meant.dnssec_ok,
		"AD only for who understands it: %s", c->text);
	MUST_BE(c, r->has_opt == a->has_opt, "OPT for who sends one: %s", c->text);
}

/* What is not said here is what a server has said, or that none says it. */
static void check_told(const struct answer_check *c)
{
	const struct asked *a = c->asked;

	MUST_BE(c, rulings_of(a) & RULINGS_ASKED || faults_struck() != a->struck,
		"what rules say is said: %s", c->text);
	check_records(c);
}

static void check_answer(struct answer_check *c, struct span m)
{
	struct asked *a = c->asked;

	MUST_BE(c, a->answered <= a->arrived, "one answer: client %u gets another one: %s",
		a->client->number, c->text);
	MUST_BE(c, due_of(a) != DUE_NOTHING, "no answer to what is no query: %s", c->text);
	MUST_BE(c,
		drama_now(c->d) <= a->at_ms[a->answered - 1] + deadline_ms(a) || a->crowded ||
			faults_struck() != a->struck || (a->line && a->line->was_slow),
		"answered in time: after %llu ms: %s",
		(unsigned long long)(drama_now(c->d) - a->at_ms[a->answered - 1]), c->text);
	check_manners(c, m);
	if (due_of(a) == DUE_RCODE)
		MUST_BE(c, c->reply.rcode == rcode_of(a),
			"refused as admission says, with rcode %u: %s", rcode_of(a), c->text);
	if (due_of(a) != DUE_ANSWER)
		return;
	MUST_BE(c, message_same_question((struct span){ a->message, a->len }, m),
		"an answer repeats its question: %s", c->text);
	if (rules_said(rulings_of(a), &a->meant, &c->reply))
		c->d->tally.own_answers++;
	else
		check_told(c);
	if (a->is_probe && (c->reply.rcode == RCODE_NOERROR || c->reply.rcode == RCODE_NXDOMAIN))
		c->d->recovered++;
}

void oracle_answered(struct client_peer *client, struct line *l, struct asked *a, struct span m)
{
	struct answer_check c = { .d = client->drama, .asked = a };

	versions_look(c.d);
	message_words(m, c.text);
	happened(&c.d->chronicle, "client %u hears%s %s", client->number, l ? " over tcp" : "",
		c.text);
	c.d->tally.answers++;
	MUST_BE(&c, reply_parse(m, &c.reply), "an answer is well-formed: %s", c.text);
	if (a && a->line == l && a->said && !a->arrived)
		oracle_asked(a); /* the call has just been taken */
	MUST_BE(&c, a && a->line == l && a->arrived,
		"to whom it belongs: client %u did not ask that, or not there: %s", client->number,
		c.text);
	a->answered++;
	if (l && l->waiting)
		l->waiting--;
	c.stale = says_stale(&c.reply.edns);
	check_answer(&c, m);
}

/* ---- what servers are asked ---- */

/* Of our own: is it there, does it loop? */
static bool is_own_question(const struct meant *m)
{
	return !m->name[0] || (m->name[0] == MARK_LEN && m->type == TYPE_TXT);
}

/* As often as it was asked for. With a cache, twice as often: a client for whom there was something
 * stale may ask a second time, and a hit may have it asked for again; but of a name that is asked
 * for once, nothing was there. */
static unsigned lookups_most(const struct drama *d, const struct count *c)
{
	bool once = memcmp(c->meant.name + 1, "tail", 4) == 0;

	return d->versions->cache.size && !once ? 2 * c->asked : c->asked;
}

static void check_times(
	const struct server_peer *s, unsigned sent, unsigned lookups, unsigned queries)
{
	if (sent > SENDS_PER_SERVER * lookups)
		broken(&s->drama->chronicle,
			"sent %d times at most: server %u hears it %u times, for %u queries",
			SENDS_PER_SERVER, s->number, sent, queries);
}

/* What is sent without OPT may be for queries with DO or without: it counts for both together. */
static void check_sends(struct server_peer *s, const struct meant *m, bool without_opt, bool stream)
{
	struct drama *d = s->drama;
	unsigned n = s->number;
	struct meant other = *m;

	other.dnssec_ok = !m->dnssec_ok;
	struct count *c = oracle_count(d, m), *twin = oracle_count(d, &other);

	if (!c->asked && !(without_opt && twin->asked))
		broken(&d->chronicle, "asked is what was asked for: nobody asks this");
	if (without_opt)
		c->bare[n][stream]++;
	else
		check_times(s, ++c->sent[n][stream], lookups_most(d, c), c->asked);
	check_times(s,
		c->sent[n][stream] + c->bare[n][stream] + twin->sent[n][stream] +
			twin->bare[n][stream],
		lookups_most(d, c) + lookups_most(d, twin), c->asked + twin->asked);
}

/* May that server be asked it, over that line, under one of the configurations that have been in
 * force since somebody asked? */
static bool is_asked_of(struct server_peer *s, const struct line *l, const struct meant *m)
{
	struct drama *d = s->drama;
	const struct count *count = oracle_count(d, m);
	uint64_t asked_ms = 0; /* by somebody who may ask anew under v */

	for (unsigned v = 0; v < d->version_count; v++) {
		const struct plan *p = &d->versions[v].plan;

		if (count->asked_ms[v] > asked_ms)
			asked_ms = count->asked_ms[v];
		if (!asked_ms || !plan_asks(p, m, s->number) || (l && l->pin != p->pins[s->number]))
			continue;
		if (v + 1 == d->version_count || drama_now(d) <= asked_ms + LOOKUP_MS)
			return true;
	}
	return false;
}

static void check_place(struct server_peer *s, const struct line *l, const struct meant *m,
	bool without_opt, const char *text)
{
	struct meant other = *m;

	other.dnssec_ok = true;
	if (!is_asked_of(s, l, m) && !(without_opt && is_asked_of(s, l, &other)))
		broken(&s->drama->chronicle,
			"a question goes to its group, as it is configured: server %u hears %s",
			s->number, text);
}

/* So that no late reply is taken for that to another question. */
static void check_id(struct line *l, uint16_t id)
{
	uint8_t bit = (uint8_t)(1u << id % 8);

	if (l->ids[id / 8] & bit)
		broken(&l->server->drama->chronicle,
			"an ID rests: server %u hears %u twice on one connection",
			l->server->number, id);
	l->ids[id / 8] |= bit;
}

void oracle_sent(struct server_peer *s, struct line *l, struct span m)
{
	struct drama *d = s->drama;
	bool tls = strcmp(s->scheme, "tls") == 0;
	char text[MESSAGE_TEXT];
	struct meant meant;
	struct reply r;

	happened(&d->chronicle, "server %u hears%s %s", s->number, l ? "" : " over udp",
		message_words(m, text));
	versions_look(d);
	s->heard++;
	d->tally.asked++;
	if (l)
		check_id(l, get_u16(m.at));
	if (!reply_parse(m, &r) || r.flags & DNS_QR || r.count[SECTION_QUESTION] != 1)
		broken(&d->chronicle, "sotto asks well-formed questions: %s", text);
	if (tls != (l && l->wire->tls) || (!l && strcmp(s->scheme, "udp") != 0))
		broken(&d->chronicle,
			"nothing goes in clear: server %u is tls, and hears in clear: %s",
			s->number, text);
	if (tls && r.has_opt && m.len % 128)
		broken(&d->chronicle, "what is encrypted is padded: %s", text);
	meant_by(m, &meant);
	if (is_own_question(&meant))
		return;
	check_place(s, l, &meant, !r.has_opt, text);
	check_sends(s, &meant, !r.has_opt, l != NULL);
}

/* ---- bounds ---- */

/* What was begun under other limits may not be over yet. */
static void check_lane(struct drama *d, const struct lane *l)
{
	uint64_t now = drama_now(d), since = now > LOOKUP_MS ? now - LOOKUP_MS : 0;
	size_t most = 0;

	for (unsigned v = version_before(d, since); v < d->version_count; v++)
		if (d->versions[v].in_flight > most)
			most = d->versions[v].in_flight;
	if (l->queued > most)
		broken(&d->chronicle, "bounds: %zu exchanges wait for a connection", l->queued);
	for (const struct list *node = l->conns.next; node != &l->conns; node = node->next) {
		const struct conn *c = container_of(node, struct conn, node);

		if (c->in_flight > most + 1) /* the check of the connection has no bound */
			broken(&d->chronicle, "bounds: %zu exchanges are in flight on a connection",
				c->in_flight);
	}
}

/* A limit, and the one of a moment before, if there was another; what exceeded it already does not
 * become more. */
static void check_bound(
	struct drama *d, const char *what, size_t *before, size_t count, size_t limit)
{
	size_t most = *before;

	for (unsigned v = version_before(d, drama_now(d)); v < d->version_count; v++) {
		size_t allowed = *(const size_t *)((const char *)&d->versions[v] + limit);

		most = allowed > most ? allowed : most;
	}
	if (count > most)
		broken(&d->chronicle, "bounds: %zu %s", count, what);
	*before = count;
}

static void check_metrics(struct drama *d)
{
	const struct metrics *m = worker_metrics(d->daemon.worker);
	uint64_t begun = m->queries_udp + m->queries_tcp,
		 ended = m->answers + m->errors + m->dropped;

	if (ended > begun)
		broken(&d->chronicle, "the counters add up: more queries have ended than begun");
	check_bound(d, "queries wait", &d->waited, (size_t)(begun - ended),
		offsetof(struct version, query.queries_max));
	if ((m->queries_udp < d->udp_delivered ||
		    m->queries_udp > d->udp_delivered + d->udp_perhaps) &&
		!d->daemon.draining)
		broken(&d->chronicle, "the counters add up: %llu of %llu datagrams are counted",
			(unsigned long long)m->queries_udp, (unsigned long long)d->udp_delivered);
}

static void check_connections(struct drama *d)
{
	size_t all = 0;

	for (unsigned i = 0; i < d->client_count; i++) {
		const struct list *lines = &d->clients[i].lines;
		size_t own = 0;

		for (const struct list *node = lines->next; node != lines; node = node->next)
			own += container_of(node, struct line, node)->wire->stream != NULL;
		check_bound(d, "connections of one client", &d->clients_had[i], own,
			offsetof(struct version, listen.connections_per_client));
		all += own;
	}
	check_bound(d, "connections of clients", &d->all_had, all,
		offsetof(struct version, listen.connections));
}

void oracle_moment(struct drama *d)
{
	const struct upstreams *u = worker_upstreams(d->daemon.worker);
	struct cache *cache = d->daemon.shared.query.cache;
	struct cache_stats stats;

	versions_look(d);
	for (const struct list *node = u->servers.next; node != &u->servers; node = node->next) {
		const struct server *s = container_of(node, struct server, node);

		for (int lane = 0; lane < LANES; lane++)
			if (s->lanes[lane].transport)
				check_lane(d, &s->lanes[lane]);
	}
	check_metrics(d);
	check_connections(d);
	if (loop_world(d->daemon.loop)->early)
		broken(&d->chronicle,
			"nothing before the handshake: a query was given to a connection "
			"that is not authenticated yet");
	if (cache && drama_now(d) % CACHE_EVERY == 0) {
		cache_count(cache, loop_since_boot(d->daemon.loop), &stats);
		if (stats.used > stats.size)
			broken(&d->chronicle, "bounds: the cache uses more than its size");
	}
}

/* ---- the end ---- */

static size_t count_nodes(const struct list *list)
{
	size_t count = 0;

	for (const struct list *node = list->next; node != list; node = node->next)
		count++;
	return count;
}

void oracle_calm(struct drama *d)
{
	const struct upstreams *u = worker_upstreams(d->daemon.worker);

	if (count_nodes(&u->generations) != 1 || count_nodes(&u->servers) != u->conf->count)
		broken(&d->chronicle,
			"old configurations are let go: there are %zu, with %zu servers",
			count_nodes(&u->generations), count_nodes(&u->servers));
}

void oracle_end(struct drama *d)
{
	const char *wrong = daemon_remains(&d->daemon);
	const struct metrics *m = worker_metrics(d->daemon.worker);

	if (wrong)
		broken(&d->chronicle, "nothing is alive at the end: %s", wrong);
	if (d->probes != d->recovered)
		broken(&d->chronicle,
			"all is well when the faults are over: %u of %u fresh questions have no good "
			"answer",
			d->probes - d->recovered, d->probes);
	if (d->tally.answers > m->answers + m->errors)
		broken(&d->chronicle, "the counters add up: more answers were heard than counted");
	if (d->udp_heard > d->tally.answers)
		broken(&d->chronicle, "the counters add up");
}
