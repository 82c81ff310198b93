/* The clients of a world: what they ask, and how. */
#include "drama.h"

#include "../message.h"
#include "base/bug.h"
#include "faults.h"
#include "net/frame.h"
#include "oracle.h"
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERY_MOST 600
/* A client sends a query again after this. */
#define RESEND_MS 1000
/* Connections that one client opens, about. */
#define LINES_USUAL 3

/* ---- what is asked ---- */

static unsigned draw_group(struct drama *d)
{
	return chance_below(&d->chance, d->zone_count);
}

/* Of a few names that everybody asks for, or one that nobody has asked for. */
static void draw_name(struct drama *d, char name[NAME_MOST])
{
	unsigned group = draw_group(d), n = chance_below(&d->chance, d->popular);
	char zone[16] = "";

	if (group)
		snprintf(zone, sizeof zone, "z%u.", group);
	if (chance_of(&d->chance, 100))
		rules_name(d, name);
	else if (chance_of(&d->chance, 300))
		snprintf(name, NAME_MOST, "tail%u.%stest", d->tail++, zone);
	else
		snprintf(name, NAME_MOST, "p%u.%stest", n / 2, zone);
}

static uint16_t draw_type(struct drama *d)
{
	static const uint16_t types[] = { TYPE_A, TYPE_A, TYPE_A, TYPE_A, TYPE_AAAA, TYPE_AAAA,
		TYPE_TXT, TYPE_OPAQUE };

	return chance_of(&d->chance, 10) ? TYPE_ANY : types[chance_below(&d->chance, 8)];
}

/* Letters in either case. */
static void spell(struct drama *d, char *name)
{
	if (chance_of(&d->chance, 700))
		return;
	for (; *name; name++)
		if (*name >= 'a' && *name <= 'z' && chance_of(&d->chance, 500))
			*name = (char)(*name - 'a' + 'A');
}

static struct form draw_form(struct drama *d)
{
	static const uint16_t sizes[] = { 512, 1232, 4096, 100 };
	struct form f = { 0 };

	if (chance_of(&d->chance, 700))
		f.edns_size = sizes[chance_below(&d->chance, 4)];
	f.dnssec_ok = f.edns_size && chance_of(&d->chance, 200);
	f.has_keepalive = f.edns_size && chance_of(&d->chance, 100);
	f.set |= chance_of(&d->chance, 100) ? DNS_CD : 0;
	f.set |= chance_of(&d->chance, 200) ? DNS_AD : 0;
	f.clear |= chance_of(&d->chance, 30) ? DNS_RD : 0;
	return f;
}

/* ---- queries that are none ---- */

struct draft {
	uint8_t message[QUERY_MOST];
	size_t len;
	enum due due;
	unsigned rcode;
};

static void refused(struct draft *q, unsigned rcode)
{
	q->due = DUE_RCODE;
	q->rcode = rcode;
}

/* It has a header and one question, and OPT maybe. */
static void spoil(struct drama *d, struct draft *q)
{
	uint8_t *m = q->message;
	size_t end = name_end((struct span){ m, q->len }, DNS_HEADER);

	switch (chance_below(&d->chance, 9)) {
	case 0:
		m[2] |= 0x80; /* an answer */
		q->due = DUE_NOTHING;
		break;
	case 1:
		m[2] |= 0x10;
		refused(q, RCODE_NOTIMP);
		break;
	case 2:
		m[5] = (uint8_t)(2 * chance_below(&d->chance, 2));
		refused(q, RCODE_FORMERR);
		break;
	case 3:
		q->len = chance_between(&d->chance, DNS_HEADER, (uint32_t)end + 3);
		refused(q, RCODE_FORMERR);
		break;
	case 4:
		q->len = chance_below(&d->chance, DNS_HEADER);
		q->due = DUE_NOTHING;
		break;
	case 5:
		for (size_t i = 2; i < q->len; i++)
			m[i] = (uint8_t)chance_below(&d->chance, 256);
		q->due = DUE_WHATEVER;
		break;
	case 6:
		put_u16(m + end + 2, 3); /* class CH */
		refused(q, RCODE_REFUSED);
		break;
	case 7:
		put_u16(m + end, TYPE_AXFR);
		refused(q, RCODE_REFUSED);
		break;
	default:
		memset(m + q->len, 0, 3);
		q->len += 3;
		refused(q, RCODE_FORMERR);
	}
}

/* ---- one query ---- */

static uint16_t draw_port(struct drama *d)
{
	bool second = version_now(d)->plan.second_port && chance_of(&d->chance, 300);

	return second && !d->peace ? SECOND_PORT : DAEMON_PORT;
}

static struct asked *asked_new(struct client_peer *c, struct line *l, const struct draft *q)
{
	struct asked *a = calloc(1, sizeof *a + q->len);

	MUST(a);
	a->drama = c->drama;
	a->client = c;
	a->line = l;
	a->id = (uint16_t)(c->first_id + c->count);
	a->due = q->due;
	a->rcode = q->rcode;
	a->len = q->len;
	memcpy(a->message, q->message, q->len);
	if (c->count == c->room) {
		c->room = c->room ? 2 * c->room : 64;
		c->asked = realloc(c->asked, c->room * sizeof(struct asked *));
		MUST(c->asked);
	}
	c->asked[c->count++] = a;
	return a;
}

static struct asked *find(const struct client_peer *c, uint16_t id)
{
	uint16_t n = (uint16_t)(id - c->first_id);

	return n < c->count ? c->asked[n] : NULL;
}

static struct asked *make(struct client_peer *c, struct line *l, char *name, bool may_spoil)
{
	struct drama *d = c->drama;
	struct form f = draw_form(d);
	uint16_t id = (uint16_t)(c->first_id + c->count), type = draw_type(d);
	struct draft q = { .due = DUE_ANSWER };

	if (!may_spoil)
		f.clear = 0, type = TYPE_A;
	spell(d, name);
	q.len = message_query(q.message, id, name, type, &f);
	if (may_spoil && strikes(d, FAULT_malformed))
		spoil(d, &q);
	struct asked *a = asked_new(c, l, &q);

	a->port = l ? l->port : draw_port(d);
	a->flags = get_u16(q.message + 2);
	a->has_opt = f.edns_size > 0;
	a->udp_size = f.edns_size;
	if (q.due == DUE_ANSWER)
		meant_by((struct span){ a->message, a->len }, &a->meant);
	return a;
}

/* ---- as datagrams ---- */

static void on_arrives(struct deed *deed)
{
	struct asked *a = deed->who;
	struct drama *d = deed->drama;

	if (drama_now(d) > d->drained_ms)
		return;
	d->udp_delivered += a->port == DAEMON_PORT;
	d->udp_perhaps += a->port != DAEMON_PORT;
	oracle_asked(a);
	world_datagram(
		d->daemon.loop, &a->client->addr, a->port, (struct span){ a->message, a->len });
}

static void send_datagram(struct asked *a)
{
	struct drama *d = a->drama;
	const struct span none = { NULL, 0 };

	for (int times = 1 + strikes(d, FAULT_duplicate); times > 0; times--) {
		uint64_t at = drama_now(d) + chance_below(&d->chance, 3);

		if (strikes(d, FAULT_loss))
			continue;
		if (strikes(d, FAULT_jitter))
			at += chance_below(&d->chance, 500);
		deed_post(d, at, on_arrives, a, none);
	}
}

static void on_resend(struct deed *deed)
{
	struct asked *a = deed->who;

	if (!a->answered)
		send_datagram(a);
}

static void ask_by_datagram(struct client_peer *c, char *name)
{
	struct drama *d = c->drama;
	struct asked *a = make(c, NULL, name, true);
	char text[MESSAGE_TEXT];

	happened(&d->chronicle, "client %u asks %s", c->number,
		message_words((struct span){ a->message, a->len }, text));
	send_datagram(a);
	if (chance_of(&d->chance, 200))
		deed_post(d, drama_now(d) + RESEND_MS, on_resend, a, (struct span){ NULL, 0 });
}

void client_heard_datagram(void *drama, const struct addr *to, struct span m)
{
	struct drama *d = drama;

	d->udp_heard++;
	for (unsigned i = 0; i < d->client_count; i++)
		if (addr_equal(&d->clients[i].addr, to)) {
			oracle_answered(
				&d->clients[i], NULL, find(&d->clients[i], message_id(m)), m);
			return;
		}
	broken(&d->chronicle, "to whom it belongs: a datagram goes to nobody");
}

/* ---- over connections ---- */

static void on_bytes(void *arg, struct span bytes)
{
	struct line *l = arg;
	struct span m;

	if (l->over)
		return;
	MUST(buf_append(&l->in, bytes));
	while (frame_first(&l->in, &m)) {
		oracle_answered(l->client, l, find(l->client, message_id(m)), m);
		frame_drop(&l->in, m);
	}
}

static void on_left(void *arg)
{
	struct line *l = arg;
	struct drama *d = l->client->drama;

	l->left_ms = drama_now(d) - l->wire->delay_ms;
	happened(&d->chronicle, "sotto closes a connection of client %u", l->client->number);
	oracle_left(l);
	line_end(l, CLOSES);
}

static struct line *connect_to_daemon(struct client_peer *c)
{
	struct drama *d = c->drama;
	struct line *l = line_new(d, &c->lines);

	l->client = c;
	l->struck = faults_struck();
	l->port = draw_port(d);
	l->version = version_before(d, drama_now(d));
	l->wire = wire_connect(
		d->daemon.loop, &c->addr, l->port, &(struct wire_user){ on_bytes, on_left, l });
	l->wire->delay_ms = chance_below(&d->chance, 5);
	happened(&d->chronicle, "client %u connects", c->number);
	return l;
}

static struct line *some_line(struct client_peer *c)
{
	struct drama *d = c->drama;
	struct list *node;

	for (node = c->lines.prev; node != &c->lines; node = node->prev) {
		struct line *l = container_of(node, struct line, node);

		if (!l->over && l->left_ms == NEVER && !l->wire->ended && l->spoiled_ms == NEVER &&
			!chance_of(&d->chance, 1000 / LINES_USUAL / 2))
			return l;
	}
	return connect_to_daemon(c);
}

/* The last octet of a query arrives, if the daemon has taken the call; else soon. */
static void on_arrived(struct deed *deed)
{
	struct asked *a = deed->who;
	struct drama *d = deed->drama;

	if (a->arrived)
		return;
	if (a->line->wire->open)
		oracle_asked(a);
	else if (a->line->left_ms == NEVER && !a->line->over) {
		a->crowded = true; /* by what else waits for the call to be taken */
		deed_post(d, drama_now(d) + 1, on_arrived, a, (struct span){ NULL, 0 });
	}
}

static void on_left_us(struct deed *deed)
{
	struct asked *a = deed->who;
	struct drama *d = deed->drama;

	if (a->line->over)
		return;
	a->said = true;
	if (a->due == DUE_ANSWER)
		oracle_awaits(a);
	deed_post(
		d, drama_now(d) + a->line->wire->delay_ms, on_arrived, a, (struct span){ NULL, 0 });
}

static void on_reads_again(struct deed *deed)
{
	struct line *l = deed->who;

	wire_take(l->wire, true);
}

static void on_half_close(struct deed *deed)
{
	struct line *l = deed->who;

	if (!l->over)
		wire_end(l->wire);
}

/* What a client does beside asking. */
static void strike_line(struct line *l)
{
	struct drama *d = l->client->drama;
	const struct span none = { NULL, 0 }, begun = SPAN("\0\x20\x12\x34");
	uint64_t now = drama_now(d);

	if (strikes(d, FAULT_slow_reader)) {
		l->was_slow = true;
		wire_take(l->wire, false);
		deed_post(d, now + chance_between(&d->chance, 1, 9000), on_reads_again, l, none);
	}
	if (strikes(d, FAULT_leaves))
		line_say(d, l, (struct span){ begun.at, chance_below(&d->chance, 5) },
			now + chance_below(&d->chance, 500),
			chance_of(&d->chance, 500) ? CLOSES : RESETS);
	else if (strikes(d, FAULT_half_close))
		deed_post(d, l->say_ms, on_half_close, l, none);
	else if (strikes(d, FAULT_drips))
		line_say(d, l, begun, now, GOES_ON);
	else
		return;
	if (!d->peace)
		l->spoiled_ms = now; /* nothing more is asked here */
}

static void ask_over(struct line *l, char *name, bool may_spoil)
{
	struct drama *d = l->client->drama;
	struct asked *a = make(l->client, l, name, may_spoil);
	uint8_t frame[FRAME_HEAD + QUERY_MOST];
	char text[MESSAGE_TEXT];

	if (a->len < DNS_HEADER)
		l->spoiled_ms = drama_now(d);
	happened(&d->chronicle, "client %u asks over tcp %s", l->client->number,
		message_words((struct span){ a->message, a->len }, text));
	frame_head(frame, a->len);
	memcpy(frame + FRAME_HEAD, a->message, a->len);
	line_say(d, l, (struct span){ frame, FRAME_HEAD + a->len }, drama_now(d), GOES_ON);
	deed_post(d, l->say_ms, on_left_us, a, (struct span){ NULL, 0 });
}

/* ---- acting ---- */

void client_acts(struct client_peer *c)
{
	struct drama *d = c->drama;
	char name[NAME_MOST];

	draw_name(d, name);
	if (chance_of(&d->chance, 600)) {
		ask_by_datagram(c, name);
		return;
	}
	struct line *l = some_line(c);
	unsigned more = chance_of(&d->chance, 200) ? chance_below(&d->chance, 12) : 0;

	ask_over(l, name, true);
	for (; more > 0 && l->spoiled_ms == NEVER; more--) { /* one behind the other */
		draw_name(d, name);
		ask_over(l, name, true);
	}
	strike_line(l);
}

void client_probes(struct client_peer *c, unsigned group, bool counts)
{
	struct drama *d = c->drama;
	char name[NAME_MOST], zone[16] = "";

	for (struct list *node = c->lines.next; node != &c->lines; node = node->next)
		line_end(container_of(node, struct line, node), CLOSES);
	if (group)
		snprintf(zone, sizeof zone, "z%u.", group);
	snprintf(name, sizeof name, "tail%u.%stest", d->tail++, zone);
	d->probes += counts ? 2 : 0;
	struct asked *a = make(c, NULL, name, false);

	a->is_probe = counts;
	send_datagram(a);
	ask_over(connect_to_daemon(c), name, false);
	c->asked[c->count - 1]->is_probe = counts;
}
