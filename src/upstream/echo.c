#include "upstream/echo.h"

#include "base/bug.h"
#include "upstream/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A server is probed at most this often, unless it was proven to loop. */
#define PROBE_PAUSE_MS 10000
/* One that is proven to loop is left alone for so long. */
#define LOOP_MS 5000

enum { PROOF_LEN = 16, POINTER_TO_QUESTION = 0xc000 | DNS_HEADER };

/* Of the name as it was spelled by us, which is in lower case where it matters. */
static void make_proof(
	const struct upstreams *u, const struct question *q, char proof[PROOF_LEN + 1])
{
	uint8_t name[NAME_MAX_WIRE];

	memcpy(name, q->name, q->name_len);
	name_lower(name, q->name_len);
	snprintf(proof, PROOF_LEN + 1, "%016" PRIx64,
		siphash(&u->conf->echo_key, name, q->name_len));
}

/* The mark as a label, before the name; the name gives way from the left if both do not fit. */
static void make_name(struct server *s, const struct question *q)
{
	const uint8_t *below = q->name;
	size_t len = q->name_len;

	while (len + 1 + MARK_LEN > NAME_MAX_WIRE) {
		len -= *below + 1u;
		below += *below + 1u;
	}
	s->echo_name[0] = MARK_LEN;
	memcpy(s->echo_name + 1, s->all->conf->mark, MARK_LEN);
	memcpy(s->echo_name + 1 + MARK_LEN, below, len);
	s->echo_question =
		(struct question){ s->echo_name, 1 + MARK_LEN + len, TYPE_TXT, CLASS_IN };
}

static void on_done(struct exchange *e, enum outcome outcome, const struct reply *r)
{
	struct server *s = e->server;
	char proof[PROOF_LEN + 1];

	if (outcome != REPLIED || r->rcode != RCODE_NOERROR || !r->count[SECTION_ANSWER])
		return;
	make_proof(s->all, &s->echo_question, proof);
	if (!memmem(r->message.at, r->message.len, proof, PROOF_LEN))
		return;
	s->echo_at_ms = 0;
	server_loops(s, LOOP_MS);
}

void echo_suspect(struct server *s, const struct question *q)
{
	uint64_t now = loop_now(s->all->loop);
	struct ask ask = { .question = &s->echo_question, .flags = DNS_RD };

	if (s->echo.lane || (s->echo_at_ms && now - s->echo_at_ms < PROBE_PAUSE_MS))
		return;
	s->echo_at_ms = now;
	s->echo.done = on_done;
	make_name(s, q);
	if (exchange_start(s, &s->echo, &ask) == 0)
		s->known.probes++;
}

bool echo_is_ours(const struct upstreams *u, const struct question *q)
{
	return q->name[0] == MARK_LEN &&
		name_equals(q->name + 1, (const uint8_t *)u->conf->mark, MARK_LEN);
}

struct reply echo_reply(
	const struct upstreams *u, const struct question *q, uint8_t message[ECHO_REPLY_MAX])
{
	const uint16_t count[SECTIONS] = { 1, 1, 0, 0 };
	char proof[PROOF_LEN + 1];
	size_t at = DNS_HEADER;
	struct reply r;

	make_proof(u, q, proof);
	memset(message, 0, DNS_HEADER);
	put_u16(message + 2, DNS_QR | DNS_RD | DNS_RA);
	for (int i = 0; i < SECTIONS; i++)
		put_u16(message + 4 + 2 * i, count[i]);
	memcpy(message + at, q->name, q->name_len);
	at += q->name_len;
	put_u16(message + at, q->type);
	put_u16(message + at + 2, q->class);
	put_u16(message + at + 4, POINTER_TO_QUESTION);
	put_u16(message + at + 6, TYPE_TXT);
	put_u16(message + at + 8, CLASS_IN);
	memset(message + at + 10, 0, 4); /* TTL: not to be kept by anybody */
	put_u16(message + at + 14, PROOF_LEN + 1);
	message[at + 16] = PROOF_LEN;
	memcpy(message + at + 17, proof, PROOF_LEN);
	MUST(reply_parse((struct span){ message, at + 17 + PROOF_LEN }, &r));
	return r;
}
