/* Octets of a server's connection, cut anywhere: whatever is among them, clients get the same
 * answers as if it had come in one piece.
 *
 * The daemon of tests/sim asks a few questions over one connection. What the server says is made of
 * the input: answers, frames under the ID of a question, and octets as they are. It is said twice,
 * whole and cut.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sim/daemon.h"
#include "../sim/rand.h"
#include "../sim/world.h"
#include "dns/message.h"
#include "fuzz.h"
#include "net/frame.h"

#define CUTS      8
#define QUESTIONS 4
/* More than that is more of the same. */
#define SAID_MAX 8192

static struct {
	struct daemon daemon;
	struct wire *wire; /* the first connection */
	struct event next;
	struct buf heard; /* over it */
	struct buf told[QUESTIONS]; /* what each client got */
	struct span input, left; /* left: to be sent */
	const uint8_t *cuts; /* NULL: whole */
	unsigned sent;
	uint8_t said[SAID_MAX + 512];
} run;

/* ---- the clients ---- */

static struct addr client_addr(unsigned i)
{
	struct addr a;

	HOLDS(addr_parse(&a, "10.0.1.1", (uint16_t)(4000 + i)));
	return a;
}

static void ask(unsigned i)
{
	const uint8_t query[] = { 0, (uint8_t)i, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1,
		(uint8_t)('a' + i), 0, 0, TYPE_TXT, 0, CLASS_IN };
	struct addr from = client_addr(i);

	world_datagram(run.daemon.loop, &from, DAEMON_PORT, (struct span){ query, sizeof query });
}

static void on_told(void *arg, const struct addr *to, struct span m)
{
	unsigned i = addr_port(to) - 4000u;
	struct reply r;

	(void)arg;
	HOLDS(i < QUESTIONS && buf_len(&run.told[i]) == 0);
	HOLDS(reply_parse(m, &r) && r.id == i && m.at[DNS_HEADER + 1] == 'a' + i);
	HOLDS(buf_append(&run.told[i], m));
}

/* ---- the server ---- */

/* The question about that letter, as the daemon asked it. */
static bool find_question(unsigned i, struct span *question)
{
	struct span s = buf_span(&run.heard);

	while (s.len > FRAME_HEAD) {
		size_t len = get_u16(s.at);

		*question = (struct span){ s.at + FRAME_HEAD, len };
		if (question->at[DNS_HEADER + 1] == 'a' + i)
			return true;
		s.at += FRAME_HEAD + len;
		s.len -= FRAME_HEAD + len;
	}
	return false;
}

static uint8_t take_octet(struct span *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->at++;
}

static size_t put_answer(uint8_t *to, struct span question, uint8_t octet)
{
	const uint8_t record[] = { 0xc0, DNS_HEADER, 0, TYPE_TXT, 0, CLASS_IN, 0, 0, 0, 60, 0, 2, 1,
		octet };
	const size_t end = DNS_HEADER + 3 + 4; /* of the question */

	put_u16(to, (uint16_t)(end + sizeof record));
	memcpy(to + FRAME_HEAD, question.at, end);
	memcpy(to + FRAME_HEAD + 2, "\x81\x80\0\1\0\1\0\0\0\0", 10);
	memcpy(to + FRAME_HEAD + end, record, sizeof record);
	return FRAME_HEAD + end + sizeof record;
}

/* Octets of the input, in a frame under the ID of a question or as they are. */
static size_t put_octets(uint8_t *to, struct span *in, const struct span *question)
{
	size_t len = take_octet(in), head = question ? FRAME_HEAD : 0;

	len = len < in->len ? len : in->len;
	memcpy(to + head, in->at, len);
	in->at += len;
	in->len -= len;
	if (question) {
		put_u16(to, (uint16_t)len);
		memcpy(to + FRAME_HEAD, question->at, len < 2 ? len : 2);
	}
	return head + len;
}

static void make_up(void)
{
	struct span in = run.input, question;
	size_t len = 0;

	while (in.len && len < SAID_MAX) {
		unsigned what = take_octet(&in);

		if (!find_question(what % QUESTIONS, &question))
			continue;
		if (what & 4)
			len += put_answer(run.said + len, question, take_octet(&in));
		else
			len += put_octets(run.said + len, &in, what & 8 ? NULL : &question);
	}
	run.left = (struct span){ run.said, len };
}

/* No time passes between two pieces: what is late is another matter. */
static void on_next(struct event *e)
{
	size_t len = run.cuts ? run.cuts[run.sent % CUTS] + 1u : sizeof run.said;

	if (!run.sent++)
		make_up();
	if (!run.left.len)
		return;
	struct span piece = { run.left.at, len < run.left.len ? len : run.left.len };

	run.left.at += piece.len;
	run.left.len -= piece.len;
	wire_send(run.wire, piece);
	event_post(run.daemon.loop, e, loop_now(run.daemon.loop));
}

static void on_heard(void *arg, struct span bytes)
{
	if (arg != run.wire)
		return;
	HOLDS(buf_append(&run.heard, bytes));
	if (!run.next.waiting && !run.sent)
		event_post(run.daemon.loop, &run.next, loop_now(run.daemon.loop) + 1);
}

static void on_left(void *wire)
{
	wire_end(wire);
}

static void on_dialled(void *arg, const struct addr *to, struct wire *w)
{
	(void)arg, (void)to;
	if (!run.wire)
		run.wire = w;
	w->got = on_heard;
	w->closed = on_left;
	w->arg = w;
}

/* ---- a run ---- */

static void on_moment_over(void *arg, uint64_t next_ms)
{
	(void)arg, (void)next_ms;
	for (unsigned i = 0; i < QUESTIONS; i++)
		if (!buf_len(&run.told[i]))
			return;
	daemon_drain(&run.daemon);
}

static void play(struct span input, const uint8_t *cuts, struct buf told[QUESTIONS])
{
	static const char *const upstreams[] = { "tls://192.0.2.1#dns.example", NULL };
	static const struct config_override overrides[] = { { "log.level", "error", NULL },
		{ "bootstrap", "tls://192.0.2.1#dns.example", NULL }, { "control", "none", NULL } };
	static const struct peers peers = {
		.datagram = on_told, .dialled = on_dialled, .moment_over = on_moment_over
	};

	memset(&run, 0, sizeof run);
	run.input = input;
	run.cuts = cuts;
	run.next.happen = on_next;
	rand_seed(1);
	HOLDS(daemon_start(&run.daemon, upstreams, overrides, 3));
	loop_world(run.daemon.loop)->peers = &peers;
	for (unsigned i = 0; i < QUESTIONS; i++)
		ask(i);
	loop_run(run.daemon.loop);
	HOLDS(!daemon_remains(&run.daemon));
	daemon_free(&run.daemon);
	memcpy(told, run.told, sizeof run.told);
	buf_clear(&run.heard);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf whole[QUESTIONS], cut[QUESTIONS];

	if (len < CUTS)
		return 0;
	play((struct span){ data + CUTS, len - CUTS }, NULL, whole);
	play((struct span){ data + CUTS, len - CUTS }, data, cut);
	for (unsigned i = 0; i < QUESTIONS; i++) {
		struct span a = buf_span(&whole[i]), b = buf_span(&cut[i]);

		HOLDS(a.len > 0 && a.len == b.len && memcmp(a.at, b.at, a.len) == 0);
		buf_clear(&whole[i]);
		buf_clear(&cut[i]);
	}
	return 0;
}
