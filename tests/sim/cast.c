#include "cast.h"

#include "base/bug.h"
#include "dns/message.h"
#include "net/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- letters ---- */

static struct letter *letter_new(struct actor *a, struct line *line, struct span m)
{
	struct letter *l = calloc(1, sizeof *l + m.len);

	MUST(l);
	list_init(&l->node);
	l->line = line;
	l->at_ms = chronicle_now(a->cast->chronicle);
	memcpy(l + 1, m.at, m.len);
	l->message = (struct span){ (const uint8_t *)(l + 1), m.len };
	return l;
}

void letter_free(struct letter *l)
{
	list_remove(&l->node);
	free(l);
}

static bool is_about(const struct letter *l, const char *name)
{
	char text[MESSAGE_TEXT];
	size_t len = strlen(name);

	message_words(l->message, text);
	return strncmp(text, name, len) == 0 && text[len] == ' ';
}

struct letter *actor_question(struct actor *a, const char *name, bool answered)
{
	for (struct list *node = a->questions.next; node != &a->questions; node = node->next) {
		struct letter *l = container_of(node, struct letter, node);
		bool stands =
			a->role != UPSTREAM || !l->line || (!l->line->left && !l->line->dropped);

		if (l->answered == answered && stands && is_about(l, name))
			return l;
	}
	return NULL;
}

/* ---- saying ---- */

static void send_message(struct actor *a, struct line *line, struct span m)
{
	uint8_t head[FRAME_HEAD];

	if (!line) {
		world_datagram(a->cast->loop, &a->addr, a->port, m);
		return;
	}
	frame_head(head, m.len);
	wire_send(line->wire, (struct span){ head, sizeof head });
	wire_send(line->wire, m);
}

static struct line *latest_line(const struct actor *a)
{
	struct line *line = NULL;

	for (struct list *node = a->lines.next; node != &a->lines; node = node->next) {
		struct line *l = container_of(node, struct line, node);

		if (!l->dropped)
			line = l;
	}
	return line;
}

/* The last question that came to this upstream as a datagram. */
static struct letter *latest_datagram(const struct actor *a)
{
	struct letter *latest = NULL;

	for (struct list *node = a->questions.next; node != &a->questions; node = node->next) {
		struct letter *l = container_of(node, struct letter, node);

		if (a->role == UPSTREAM && !l->line)
			latest = l;
	}
	return latest;
}

bool actor_send(struct actor *a, struct span octets)
{
	struct line *line = latest_line(a);
	struct letter *asked = latest_datagram(a);

	happened(a->cast->chronicle, "%s sends %zu octets", a->name, octets.len);
	if (a->role == UDP_CLIENT)
		world_datagram(a->cast->loop, &a->addr, a->port, octets);
	else if (line)
		wire_send(line->wire, octets);
	else if (asked)
		world_reply(a->cast->loop, &a->addr, &asked->from, octets, a->delay_ms);
	return line || asked || a->role == UDP_CLIENT;
}

bool client_ask(struct actor *a, const char *name, uint16_t type, const struct form *f)
{
	struct line *line = latest_line(a);
	uint8_t *out = malloc(MESSAGE_MAX);
	char text[MESSAGE_TEXT];

	MUST(out);
	size_t len = message_query(out, (uint16_t)++a->asked, name, type, f);
	bool can = len && (line || a->role == UDP_CLIENT);

	if (can) {
		struct letter *l = letter_new(a, line, (struct span){ out, len });

		list_push(&a->questions, &l->node);
		happened(
			a->cast->chronicle, "%s asks %s", a->name, message_words(l->message, text));
		send_message(a, line, l->message);
	}
	free(out);
	return can;
}

void upstream_answer(struct letter *l, struct actor *a, const struct form *f)
{
	uint8_t *out = malloc(MESSAGE_MAX + 1024);
	char text[MESSAGE_TEXT];

	MUST(out);
	struct span m = { out, message_reply(out, l->message, f) };

	l->answered = true;
	happened(a->cast->chronicle, "%s answers %s%s%s", a->name, message_words(m, text),
		f->another_id ? ", under another ID" : "", f->twice ? ", twice" : "");
	for (int i = 0; i < 1 + f->twice; i++) {
		if (l->line)
			send_message(a, l->line, m);
		else
			world_reply(a->cast->loop, &a->addr, &l->from, m, a->delay_ms);
	}
	free(out);
}

/* ---- hearing ---- */

static void upstream_hears(
	struct actor *a, struct line *line, const struct addr *from, struct span m)
{
	struct letter *question = letter_new(a, line, m);
	char text[MESSAGE_TEXT];
	struct reply r;

	happened(a->cast->chronicle, "%s hears %s", a->name, message_words(m, text));
	if (!reply_parse(m, &r) || r.flags & DNS_QR || r.count[SECTION_QUESTION] != 1)
		broken(a->cast->chronicle, "instead: %s is sent what is not a query: %s", a->name,
			text);
	if (from)
		question->from = *from;
	a->asked++;
	list_push(&a->questions, &question->node);
	if (a->loops) {
		world_datagram(a->cast->loop, &a->mirror, DAEMON_PORT, m);
		return;
	}
	if (a->answers)
		upstream_answer(question, a, &a->form);
	else if (!a->silent)
		list_push(&a->inbox, &letter_new(a, line, m)->node);
}

/* Of this way of asking, with that ID. */
static struct letter *question_by_id(struct actor *a, const struct line *line, uint16_t id)
{
	for (struct list *node = a->questions.next; node != &a->questions; node = node->next) {
		struct letter *l = container_of(node, struct letter, node);

		if (l->line == line && message_id(l->message) == id)
			return l;
	}
	return NULL;
}

static void client_hears(struct actor *a, struct line *line, struct span m)
{
	struct letter *question = question_by_id(a, line, message_id(m));
	char text[MESSAGE_TEXT];

	happened(a->cast->chronicle, "%s hears %s", a->name, message_words(m, text));
	if (question && question->answered)
		broken(a->cast->chronicle, "instead: %s gets a second answer: %s", a->name, text);
	if (question && m.len >= DNS_HEADER && get_u16(m.at + 4) &&
		!message_same_question(question->message, m))
		broken(a->cast->chronicle, "instead: %s gets the answer to another question: %s",
			a->name, text);
	if (question)
		question->answered = true;
	list_push(&a->inbox, &letter_new(a, line, m)->node);
}

static void on_bytes(void *arg, struct span bytes)
{
	struct line *line = arg;
	struct span m;

	if (line->dropped)
		return;
	MUST(buf_append(&line->in, bytes));
	while (frame_first(&line->in, &m)) {
		if (line->actor->role == UPSTREAM)
			upstream_hears(line->actor, line, NULL, m);
		else
			client_hears(line->actor, line, m);
		frame_drop(&line->in, m);
	}
}

static void on_left(void *arg)
{
	struct line *line = arg;
	struct actor *a = line->actor;

	line->left = true;
	if (line->wire->dial == DIAL_REFUSED || line->wire->dial == DIAL_UNVERIFIED)
		return;
	if (!line->wire->open && a->role == UPSTREAM)
		happened(a->cast->chronicle, "sotto gives up connecting to %s", a->name);
	else if (!line->dropped)
		happened(a->cast->chronicle, "sotto closes its connection with %s", a->name);
	wire_end(line->wire);
}

static struct line *line_new(struct actor *a)
{
	struct line *line = calloc(1, sizeof *line);

	MUST(line);
	line->actor = a;
	list_push(&a->lines, &line->node);
	return line;
}

static bool is_at(const struct actor *a, const struct addr *to)
{
	const uint8_t *v4 = (const uint8_t *)&a->addr.v4.sin_addr;
	struct addr v6;
	char text[ADDR_TEXT];

	snprintf(text, sizeof text, "2001:db8::%u", v4[3]);
	MUST(addr_parse(&v6, text, 0));
	return addr_same_host(&a->addr, to) || addr_same_host(&v6, to);
}

static struct actor *upstream_at(struct cast *c, const struct addr *to)
{
	for (struct list *node = c->actors.next; node != &c->actors; node = node->next) {
		struct actor *a = container_of(node, struct actor, node);

		if (a->role == UPSTREAM && is_at(a, to))
			return a;
	}
	broken(c->chronicle, "instead: sotto asks a server that was not configured");
}

void cast_dialled(void *cast, const struct addr *to, struct wire *w)
{
	static const char *const outcome[] = { [DIAL_OPENS] = "",
		[DIAL_REFUSED] = ", which refuses",
		[DIAL_VANISHES] = ", which is not there",
		[DIAL_UNVERIFIED] = ", which is somebody else" };
	struct cast *c = cast;

	struct actor *a = upstream_at(c, to);
	struct line *line = line_new(a);

	line->wire = w;
	w->dial = a->no_tcp ? DIAL_REFUSED : a->dial;
	if (w->dial == DIAL_OPENS && w->tls && a->is_another)
		w->dial = DIAL_UNVERIFIED;
	happened(c->chronicle, "sotto connects to %s%s", a->name, outcome[w->dial]);
	w->open_ms = a->open_ms;
	w->delay_ms = a->delay_ms;
	w->got = on_bytes;
	w->closed = on_left;
	w->arg = line;
}

/* A datagram on its way to an upstream. */
struct hearing {
	struct event event;
	struct actor *actor;
	struct addr from;
	size_t len;
	uint8_t bytes[];
};

static void on_hearing(struct event *e)
{
	struct hearing *h = container_of(e, struct hearing, event);

	if (h->actor->dial == DIAL_OPENS)
		upstream_hears(h->actor, NULL, &h->from, (struct span){ h->bytes, h->len });
}

void cast_asked(void *cast, const struct addr *to, const struct addr *from, struct span m)
{
	struct cast *c = cast;
	struct actor *a = upstream_at(c, to);

	if (a->dial == DIAL_REFUSED)
		world_icmp(c->loop, to, from, -ECONNREFUSED, 2 * a->delay_ms);
	if (a->dial != DIAL_OPENS)
		return;
	struct hearing *h = calloc(1, sizeof *h + m.len);

	MUST(h);
	h->event = (struct event){ .owned = true, .happen = on_hearing };
	h->actor = a;
	h->from = *from;
	h->len = m.len;
	memcpy(h->bytes, m.at, m.len);
	event_post(c->loop, &h->event, loop_now(c->loop) + a->delay_ms);
}

/* What a server that loops was told by the daemon is its answer. */
static void mirror_hears(struct actor *a, struct span m)
{
	for (struct list *node = a->questions.next; node != &a->questions; node = node->next) {
		struct letter *l = container_of(node, struct letter, node);

		if (!l->answered && message_id(l->message) == message_id(m)) {
			l->answered = true;
			happened(a->cast->chronicle, "%s passes on what sotto says", a->name);
			send_message(a, l->line, m);
			return;
		}
	}
}

void cast_datagram(void *cast, const struct addr *to, struct span message)
{
	struct cast *c = cast;

	for (struct list *node = c->actors.next; node != &c->actors; node = node->next) {
		struct actor *a = container_of(node, struct actor, node);

		if (a->loops && addr_equal(&a->mirror, to)) {
			mirror_hears(a, message);
			return;
		}
		if (a->role == UDP_CLIENT && addr_equal(&a->addr, to)) {
			client_hears(a, NULL, message);
			return;
		}
	}
	broken(c->chronicle, "instead: sotto sends a datagram to nobody");
}

/* ---- connections ---- */

size_t actor_connections(const struct actor *a)
{
	size_t n = 0;

	for (struct list *node = a->lines.next; node != &a->lines; node = node->next) {
		const struct line *line = container_of(node, struct line, node);

		n += line->wire->open && !line->left && !line->dropped;
	}
	return n;
}

static bool for_each_line(struct actor *a, const char *what, void (*fn)(struct line *))
{
	bool any = false;

	happened(a->cast->chronicle, "%s %s", a->name, what);
	for (struct list *node = a->lines.next; node != &a->lines; node = node->next) {
		struct line *line = container_of(node, struct line, node);

		if (line->left || line->dropped)
			continue;
		fn(line);
		any = true;
	}
	return any;
}

static void close_line(struct line *line)
{
	line->dropped = true;
	wire_end(line->wire);
}

static void reset_line(struct line *line)
{
	line->dropped = true;
	wire_reset(line->wire);
}

static void hang_line(struct line *line)
{
	line->dropped = true;
}

static void vanish_line(struct line *line)
{
	line->dropped = true;
	line->wire->vanished = true;
}

static void half_close_line(struct line *line)
{
	wire_end(line->wire);
}

static void take_line(struct line *line)
{
	wire_take(line->wire, true);
}

static void stop_line(struct line *line)
{
	wire_take(line->wire, false);
}

bool actor_close(struct actor *a)
{
	return for_each_line(a, "closes", close_line);
}

bool actor_reset(struct actor *a)
{
	return for_each_line(a, "resets", reset_line);
}

void upstream_vanish(struct actor *a)
{
	a->dial = DIAL_VANISHES;
	for_each_line(a, "vanishes", vanish_line);
}

bool upstream_hang(struct actor *a)
{
	return for_each_line(a, "hangs", hang_line);
}

void upstream_cut(struct actor *a)
{
	upstream_vanish(a);
	world_cut(a->cast->loop, &a->addr, true);
}

void upstream_return(struct actor *a)
{
	happened(a->cast->chronicle, "%s is back", a->name);
	a->no_tcp = a->is_another = false;
	a->dial = DIAL_OPENS;
	a->open_ms = 2 * a->delay_ms;
	a->silent = false;
	world_cut(a->cast->loop, &a->addr, false);
}

void cast_move(struct cast *c)
{
	world_moves(c->loop);
	for (struct list *node = c->actors.next; node != &c->actors; node = node->next) {
		struct actor *a = container_of(node, struct actor, node);

		if (a->role == UPSTREAM)
			for_each_line(a, "loses its connections", vanish_line);
	}
}

bool actor_half_close(struct actor *a)
{
	return for_each_line(a, "half-closes", half_close_line);
}

bool actor_take(struct actor *a, bool takes)
{
	return for_each_line(
		a, takes ? "reads again" : "stops reading", takes ? take_line : stop_line);
}

/* ---- the actors ---- */

void client_connect(struct actor *a)
{
	struct line *line = line_new(a);

	happened(a->cast->chronicle, "%s connects", a->name);
	line->wire = wire_connect(
		a->cast->loop, &a->addr, a->port, &(struct wire_user){ on_bytes, on_left, line });
}

static struct actor *actor_new(struct cast *c, const char *name, enum role role)
{
	struct actor *a = calloc(1, sizeof *a);

	MUST(a);
	a->cast = c;
	a->name = name;
	a->role = role;
	list_init(&a->lines);
	list_init(&a->inbox);
	list_init(&a->questions);
	list_push(&c->actors, &a->node);
	return a;
}

struct actor *upstream_new(struct cast *c, const char *name, const char *scheme, unsigned delay_ms)
{
	struct actor *a = actor_new(c, name, UPSTREAM);
	char addr[ADDR_TEXT];

	snprintf(addr, sizeof addr, "10.0.2.%u", c->upstreams + 1);
	MUST(addr_parse(&a->mirror, addr, 4000));
	snprintf(addr, sizeof addr, "192.0.2.%u", ++c->upstreams);
	MUST(addr_parse(&a->addr, addr, strcmp(scheme, "tls") == 0 ? 853 : 53));
	a->scheme = scheme;
	a->delay_ms = delay_ms;
	a->open_ms = 2 * delay_ms; /* TCP and TLS */
	return a;
}

struct actor *client_new(struct cast *c, const char *name, bool tcp, uint16_t port)
{
	struct actor *a = actor_new(c, name, tcp ? TCP_CLIENT : UDP_CLIENT);
	char addr[ADDR_TEXT];

	snprintf(addr, sizeof addr, "10.0.1.%u", ++c->clients);
	MUST(addr_parse(&a->addr, addr, 4000));
	a->port = port;
	if (tcp)
		client_connect(a);
	return a;
}

struct actor *cast_find(struct cast *c, const char *name)
{
	for (struct list *node = c->actors.next; node != &c->actors; node = node->next) {
		struct actor *a = container_of(node, struct actor, node);

		if (strcmp(a->name, name) == 0)
			return a;
	}
	return NULL;
}

void cast_open(struct cast *c, struct chronicle *chronicle)
{
	*c = (struct cast){ .chronicle = chronicle };
	list_init(&c->actors);
}

void cast_enter(struct cast *c, struct loop *l)
{
	c->loop = l;
}

static void free_letters(struct list *letters)
{
	struct list *node;

	while ((node = list_first(letters)))
		letter_free(container_of(node, struct letter, node));
}

static void actor_free(struct actor *a)
{
	struct list *node;

	while ((node = list_first(&a->lines))) {
		struct line *line = container_of(node, struct line, node);

		list_remove(node);
		buf_clear(&line->in);
		free(line);
	}
	free_letters(&a->inbox);
	free_letters(&a->questions);
	list_remove(&a->node);
	free(a);
}

void cast_clear(struct cast *c)
{
	struct list *node;

	while ((node = list_first(&c->actors)))
		actor_free(container_of(node, struct actor, node));
}
