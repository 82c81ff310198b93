/* The servers of a world: they answer, late, wrong, or not at all. */
#include "drama.h"

#include "../message.h"
#include "base/bug.h"
#include "net/frame.h"
#include "oracle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A query that is to be answered. */
struct job {
	struct server_peer *server;
	struct line *line; /* NULL: came as a datagram ... */
	struct addr from; /* ... from here */
	struct span query;
	struct meant meant;
	struct reply_form form;
	bool lie, bent, without_opt;
};

/* ---- what it is going to say ---- */

static uint32_t name_hash(const struct meant *m)
{
	uint32_t hash = 0x811c9dc5;

	for (size_t i = 0; i < sizeof m->name; i++)
		hash = (hash ^ m->name[i]) * 0x01000193;
	return hash ^ hash >> 16;
}

static uint32_t draw_ttl(struct server_peer *s)
{
	struct drama *d = s->drama;

	if (strikes(d, FAULT_ttl_zero))
		return 0;
	if (strikes(d, FAULT_ttl_huge))
		return chance_of(&d->chance, 500) ? 0x7fffffff : 30 * 86400;
	return chance_between(&d->chance, 1, 2 * s->ttl_s);
}

/* What is so: some names do not exist, some have no address of one kind. */
static struct reply_form truth(struct server_peer *s, const struct job *j)
{
	struct drama *d = s->drama;
	uint32_t hash = name_hash(&j->meant);
	struct reply r;
	struct reply_form f = { .ttl_s = draw_ttl(s),
		.records = chance_between(&d->chance, 1, 3),
		.alias = hash % 7 == 0,
		.soa = !chance_of(&d->chance, 50) };

	f.opt = reply_parse(j->query, &r) && r.has_opt;
	f.keepalive = f.opt && j->line && chance_of(&d->chance, 50);
	if (!j->meant.name[0])
		f.records = 0;
	if (hash % 8 == 1)
		f.rcode = RCODE_NXDOMAIN;
	if (hash % 8 == 2 && j->meant.type == TYPE_AAAA)
		f.records = 0;
	return f;
}

/* Which is not what everybody hears. */
static void fail(struct server_peer *s, struct job *j)
{
	static const uint16_t rcodes[] = { RCODE_SERVFAIL, RCODE_SERVFAIL, RCODE_REFUSED,
		RCODE_NOTIMP, RCODE_FORMERR };
	struct drama *d = s->drama;

	if (strikes(d, FAULT_rcode))
		j->form.rcode = rcodes[chance_below(&d->chance, 5)];
	if (s->burst_ms > drama_now(d))
		j->form.rcode = RCODE_SERVFAIL;
	if (s->shuns_edns && j->form.opt) {
		j->form.rcode = RCODE_FORMERR;
		j->form.opt = false;
		j->form.no_question = chance_of(&d->chance, 300);
	}
	if (strikes(d, FAULT_header_only))
		j->form.no_question = true;
	if (strikes(d, FAULT_huge))
		j->form.records = chance_between(&d->chance, 20, j->line ? 2000 : 60);
	if (strikes(d, FAULT_truncated))
		j->form.set_flags |= DNS_TC;
	if (chance_of(&d->chance, 300))
		j->form.set_flags |= DNS_AD;
}

/* ---- lies ---- */

static bool is_same_question(struct span a, struct span b)
{
	struct meant x, y;

	meant_by(a, &x);
	meant_by(b, &y);
	return memcmp(x.name, y.name, sizeof x.name) == 0 && x.type == y.type;
}

/* Another query of that connection, to another question; NULL: there is none. */
static const struct span *another(struct job *j)
{
	struct line *l = j->line;
	const struct span *other;

	if (!l)
		return NULL;
	other = &l->recent[chance_below(&j->server->drama->chance, RECENT)];
	return other->len && get_u16(other->at) != get_u16(j->query.at) &&
			!is_same_question(*other, j->query)
		? other
		: NULL;
}

/* No query to the same question went out under that ID. */
static bool is_foreign(const struct job *j, uint16_t id)
{
	if (id == get_u16(j->query.at))
		return false;
	for (int i = 0; j->line && i < RECENT; i++) {
		const struct span *q = &j->line->recent[i];

		if (q->len && get_u16(q->at) == id)
			return false;
	}
	return !j->line || j->line->heard <= RECENT;
}

/* Where octets may change without what is signed: header, question, owner, type, and length. */
static void bend(struct drama *d, uint8_t *m, size_t len, size_t question_end)
{
	size_t most = question_end + 4 < len ? question_end + 4 : len;

	for (unsigned n = chance_between(&d->chance, 1, 3); n > 0; n--)
		m[chance_between(&d->chance, 2, (uint32_t)most - 1)] ^=
			(uint8_t)(1u << chance_below(&d->chance, 8));
}

static size_t lie_about_who(struct job *j, uint8_t *m, size_t len)
{
	struct drama *d = j->server->drama;
	/* Which no question gets soon, where IDs are narrow. */
	uint16_t id = (uint16_t)(get_u16(m) ^ chance_between(&d->chance, 1, 15) << 10);
	const struct span *other;

	if (strikes(d, FAULT_wrong_question) && m[DNS_HEADER] && !j->form.no_question) {
		m[DNS_HEADER + 1] ^= 1;
		j->lie = true;
	} else if ((other = another(j)) && strikes(d, FAULT_swapped)) {
		put_u16(m, get_u16(other->at));
		j->lie = true;
	} else if (is_foreign(j, id) && strikes(d, FAULT_wrong_id)) {
		put_u16(m, id);
		j->lie = true;
	}
	return len;
}

static size_t distort(struct job *j, uint8_t *m, size_t len, size_t question_end)
{
	struct drama *d = j->server->drama;

	len = lie_about_who(j, m, len);
	if (j->lie)
		return len;
	if (strikes(d, FAULT_cut))
		return chance_between(&d->chance, 1, (uint32_t)len - 1);
	if (strikes(d, FAULT_trailing)) {
		memset(m + len, 0xff, 8);
		return len + chance_between(&d->chance, 1, 8);
	}
	if (strikes(d, FAULT_bent)) {
		bend(d, m, len, question_end);
		j->bent = true;
	}
	return len;
}

/* ---- saying it ---- */

static struct said *note_said(struct job *j)
{
	struct drama *d = j->server->drama;

	if (d->said_count == d->said_room) {
		d->said_room = d->said_room ? 2 * d->said_room : 256;
		d->said = realloc(d->said, d->said_room * sizeof *d->said);
		MUST(d->said);
	}
	j->form.serial = (uint32_t)d->said_count;
	d->said[d->said_count] = (struct said){ .meant = j->meant,
		.server = j->server->number,
		.version = d->version_count - 1,
		.pin = j->line ? j->line->pin : version_now(d)->plan.pins[j->server->number],
		.rcode = j->form.rcode,
		.negative = j->form.rcode || !j->form.records,
		.ttl_s = j->form.ttl_s & 0x80000000 ? 0 : j->form.ttl_s };
	return &d->said[d->said_count++];
}

static enum ending draw_ending(struct drama *d)
{
	if (strikes(d, FAULT_close))
		return CLOSES;
	return strikes(d, FAULT_reset) ? RESETS : GOES_ON;
}

/* When that comes to the daemon. */
static uint64_t say_over(struct job *j, struct span m, uint64_t at_ms)
{
	struct drama *d = j->server->drama;
	enum ending ending = draw_ending(d);
	uint8_t *frame = malloc(FRAME_HEAD + m.len);
	size_t len = FRAME_HEAD + m.len;

	MUST(frame);
	frame_head(frame, m.len);
	memcpy(frame + FRAME_HEAD, m.at, m.len);
	if (ending != GOES_ON)
		len = chance_between(&d->chance, 0, (uint32_t)len);
	line_say(d, j->line, (struct span){ frame, len }, at_ms, ending);
	free(frame);
	return j->line->say_ms + j->line->wire->delay_ms;
}

static uint64_t say_datagram(struct job *j, struct span m, uint64_t at_ms)
{
	struct drama *d = j->server->drama;
	unsigned delay_ms = (unsigned)(at_ms - drama_now(d)) + j->server->delay_ms;

	if (strikes(d, FAULT_loss))
		return NEVER;
	world_reply(d->daemon.loop, &j->server->addr, &j->from, m, delay_ms);
	return drama_now(d) + delay_ms;
}

static uint64_t draw_moment(struct server_peer *s)
{
	struct drama *d = s->drama;
	uint64_t at = drama_now(d) + chance_below(&d->chance, 4);

	if (strikes(d, FAULT_jitter))
		at += chance_below(&d->chance, 400);
	if (strikes(d, FAULT_late))
		at += chance_between(&d->chance, 500, 9000);
	return at;
}

static void say(struct job *j)
{
	struct drama *d = j->server->drama;
	uint8_t *m = malloc(DNS_MESSAGE_MAX + 64);
	char text[MESSAGE_TEXT];

	MUST(m);
	struct said *said = note_said(j);
	size_t len = signed_reply(m, j->query, &j->form);
	size_t most = j->line ? DNS_MESSAGE_MAX : 4096;
	size_t question_end = j->form.no_question ? DNS_HEADER : name_end(j->query, DNS_HEADER) + 4;

	if (len > most)
		len = most;
	len = distort(j, m, len, question_end);
	happened(&d->chronicle, "server %u says%s%s, serial %u: %s", j->server->number,
		j->lie ? ", and lies" : "", j->bent ? ", bent" : "", j->form.serial,
		message_words((struct span){ m, len }, text));
	d->tally.replies++;
	d->tally.lies += j->lie;
	said->lie = j->lie;
	said->bent = j->bent;
	said->without_opt = j->without_opt;
	said->at_ms = NEVER;
	for (int times = 1 + strikes(d, FAULT_stutter); times > 0; times--) {
		uint64_t moment = draw_moment(j->server);
		uint64_t at = j->line ? say_over(j, (struct span){ m, len }, moment)
				      : say_datagram(j, (struct span){ m, len }, moment);

		if (at < said->at_ms)
			said->at_ms = at;
	}
	free(m);
}

static bool is_mute(struct drama *d, const struct meant *m)
{
	return d->rate[FAULT_mute_name] && !d->peace && name_hash(m) % 1000 < 100 &&
		strikes(d, FAULT_mute_name);
}

static void answer(
	struct server_peer *s, struct line *l, const struct addr *from, struct span query)
{
	struct drama *d = s->drama;
	struct job j = { .server = s, .line = l, .query = query };

	meant_by(query, &j.meant);
	if (from)
		j.from = *from;
	if (strikes(d, FAULT_silence) || is_mute(d, &j.meant))
		return;
	j.form = truth(s, &j);
	j.without_opt = !j.form.opt;
	fail(s, &j);
	say(&j);
	if (j.lie && chance_of(&d->chance, 500)) { /* and then what is true */
		j.lie = false;
		j.form = truth(s, &j);
		say(&j);
	}
}

/* ---- over connections ---- */

static void remember(struct line *l, struct span m)
{
	struct span *place = &l->recent[l->heard++ % RECENT];
	uint8_t *copy = malloc(m.len);

	MUST(copy);
	memcpy(copy, m.at, m.len);
	free((void *)(uintptr_t)place->at);
	*place = (struct span){ copy, m.len };
}

static void on_window_opens(struct deed *deed)
{
	struct line *l = deed->who;

	wire_take(l->wire, true);
}

static void strike_line(struct line *l)
{
	struct drama *d = l->server->drama;

	if (strikes(d, FAULT_hang))
		l->deaf = true;
	if (strikes(d, FAULT_window)) {
		wire_take(l->wire, false);
		deed_post(d, drama_now(d) + chance_between(&d->chance, 1, 6000), on_window_opens, l,
			(struct span){ NULL, 0 });
	}
	line_end(l, draw_ending(d));
}

static void on_bytes(void *arg, struct span bytes)
{
	struct line *l = arg;
	struct span m;

	MUST(buf_append(&l->in, bytes));
	while (frame_first(&l->in, &m)) {
		oracle_sent(l->server, l, m);
		if (!l->over && !l->deaf) {
			remember(l, m);
			answer(l->server, l, NULL, m);
			strike_line(l);
		}
		frame_drop(&l->in, m);
	}
}

static void on_left(void *arg)
{
	struct line *l = arg;

	l->left_ms = 0;
	line_end(l, CLOSES);
}

static struct server_peer *server_at(struct drama *d, const struct addr *to)
{
	for (unsigned i = 0; i < d->server_count; i++)
		if (addr_same_host(&d->servers[i].addr, to))
			return &d->servers[i];
	broken(&d->chronicle, "asked is who was configured: sotto asks somebody else");
}

void server_dialled(void *drama, const struct addr *to, struct wire *w)
{
	struct drama *d = drama;
	struct server_peer *s = server_at(d, to);
	struct line *l = line_new(d, &s->lines);
	bool gone = s->outage_ms > drama_now(d);

	versions_look(d);
	l->server = s;
	l->pin = plan_pin(w->identity);
	l->wire = w;
	w->open_ms = 2 * s->delay_ms;
	w->delay_ms = s->delay_ms;
	w->got = on_bytes;
	w->closed = on_left;
	w->arg = l;
	if (gone || strikes(d, FAULT_vanish))
		w->dial = DIAL_VANISHES;
	else if (strikes(d, FAULT_refuse))
		w->dial = DIAL_REFUSED;
	else if (strikes(d, FAULT_jitter))
		w->open_ms += chance_below(&d->chance, 3000);
	l->over = w->dial != DIAL_OPENS;
	happened(&d->chronicle, "sotto connects to server %u%s", s->number,
		w->dial == DIAL_OPENS ? "" : ", in vain");
	if (w->dial == DIAL_OPENS)
		line_end(l, draw_ending(d)); /* in the handshake */
}

/* ---- over datagrams ---- */

struct datagram_query {
	struct addr from;
	uint8_t message[];
};

static void on_query(struct deed *deed)
{
	struct server_peer *s = deed->who;
	struct datagram_query *q = (void *)deed->bytes;

	if (s->outage_ms <= drama_now(deed->drama))
		answer(s, NULL, &q->from, (struct span){ q->message, deed->len - sizeof *q });
}

void server_asked_datagram(
	void *drama, const struct addr *to, const struct addr *from, struct span m)
{
	struct drama *d = drama;
	struct server_peer *s = server_at(d, to);
	struct datagram_query *q = malloc(sizeof *q + m.len);
	uint64_t at = drama_now(d) + s->delay_ms;

	MUST(q);
	q->from = *from;
	memcpy(q->message, m.at, m.len);
	oracle_sent(s, NULL, m);
	if (strikes(d, FAULT_refuse))
		world_icmp(d->daemon.loop, to, from, -ECONNREFUSED, s->delay_ms);
	else if (!strikes(d, FAULT_loss) && !strikes(d, FAULT_vanish))
		for (int times = 1 + strikes(d, FAULT_duplicate); times > 0; times--) {
			unsigned more =
				strikes(d, FAULT_jitter) ? chance_below(&d->chance, 300) : 0;

			deed_post(d, at + more, on_query, s,
				(struct span){ (const uint8_t *)q, sizeof *q + m.len });
		}
	free(q);
}

/* ---- on their own ---- */

void server_lines_die(struct server_peer *s)
{
	for (struct list *node = s->lines.next; node != &s->lines; node = node->next) {
		struct line *l = container_of(node, struct line, node);

		l->over = true;
		l->wire->vanished = true;
	}
}

void server_outage(struct server_peer *s, uint64_t until_ms)
{
	s->outage_ms = until_ms;
	server_lines_die(s);
}

void server_says_unasked(struct server_peer *s)
{
	static const uint8_t header[] = { 0, 14, 0x12, 0x34, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		2 };

	for (struct list *node = s->lines.next; node != &s->lines; node = node->next) {
		struct line *l = container_of(node, struct line, node);

		if (!l->over && !l->deaf && l->wire->open)
			line_say(s->drama, l, (struct span){ header, sizeof header },
				drama_now(s->drama), GOES_ON);
	}
}
