#include "ask/message.h"

#include "ask/tsig.h"
#include "base/clock.h"
#include "base/rand.h"
#include "dns/message.h"
#include "dns/writer.h"

#include <ctype.h>

static void put_wide(struct writer *w, uint32_t v)
{
	put_number(w, (uint16_t)(v >> 16));
	put_number(w, (uint16_t)v);
}

/* Each letter in a case that nobody can foretell (0x20); it has to come back as it is. */
static void mix_case(uint8_t *name, size_t len)
{
	struct rand chance = { 0 };
	size_t label_end = 0;

	for (size_t i = 0; i < len; i++) {
		if (i == label_end)
			label_end += name[i] + 1u;
		else if (isalpha(name[i]))
			name[i] ^= rand_below(&chance, 2) ? 0x20 : 0;
	}
}

static void put_question(struct writer *w, struct ask_message *m, const struct ask_plan *p,
	const struct ask_question *q)
{
	memcpy(m->name, q->name, q->name_len);
	if (p->mixed_case)
		mix_case(m->name, q->name_len);
	put_bytes(w, m->name, q->name_len);
	put_number(w, q->type);
	put_number(w, q->class);
}

/* The SOA that says which version of the zone is there already (RFC 1995 §3): only its serial
 * counts. */
static void put_serial(struct writer *w, const struct ask_question *q)
{
	put_number(w, 0xc000 | DNS_HEADER);
	put_number(w, TYPE_SOA);
	put_number(w, q->class);
	put_wide(w, 0);
	put_number(w, 22);
	put_number(w, 0); /* two roots: who serves it, who looks after it */
	put_wide(w, q->serial);
	for (int i = 0; i < 4; i++)
		put_wide(w, 0);
}

static void put_option(struct writer *w, uint16_t code, const uint8_t *octets, size_t len)
{
	put_number(w, code);
	put_number(w, (uint16_t)len);
	put_bytes(w, octets, len);
}

/* What a TSIG record will add, so that the message is padded to its whole length. It is signed
 * where it stands, and as it was afterwards: what is behind its end is written over. */
static size_t signature_len(const struct ask_plan *p, struct ask_message *m, size_t len)
{
	uint8_t header[DNS_HEADER];
	struct tsig t;

	if (!p->key.algorithm)
		return 0;
	memcpy(header, m->octets, sizeof header);
	tsig_init(&t, &p->key);
	size_t with = tsig_sign(&t, m->octets, len, sizeof m->octets, 0);

	tsig_clear(&t);
	memcpy(m->octets, header, sizeof header);
	return with ? with - len : 0;
}

/* RFC 7830, as the last option: fills up to the next multiple. */
static void put_padding(struct writer *w, struct ask_message *m, const struct ask_plan *p)
{
	size_t len = w->len + 4 + signature_len(p, m, w->len);
	size_t over = p->edns.pad_to ? len % p->edns.pad_to : 0;
	uint8_t *room;

	m->padding = (uint16_t)(over ? p->edns.pad_to - over : 0);
	put_number(w, OPTION_PADDING);
	put_number(w, m->padding);
	room = put_room(w, m->padding);
	if (room)
		memset(room, 0, m->padding);
}

static void put_edns(struct writer *w, struct ask_message *m, const struct ask_plan *p)
{
	const struct ask_edns *e = &p->edns;

	put_bytes(w, "", 1);
	put_number(w, TYPE_OPT);
	put_number(w, e->size);
	put_number(w, e->version);
	put_number(w, e->flags);
	size_t start = w->len;

	put_number(w, 0);
	for (size_t i = 0; i < e->option_count; i++)
		put_option(w, e->options[i].code, e->options[i].octets, e->options[i].len);
	if (e->pad)
		put_padding(w, m, p);
	if (w->ok)
		put_u16(w->out + start, (uint16_t)(w->len - start - 2));
}

static bool sign(struct ask_message *m, const struct ask_plan *p)
{
	struct tsig t;

	if (!p->key.algorithm)
		return true;
	tsig_init(&t, &p->key);
	m->len = tsig_sign(
		&t, m->octets, m->len, sizeof m->octets, (uint64_t)clock_system_ms() / 1000);
	memcpy(m->mac, t.mac, t.mac_len);
	m->mac_len = t.mac_len;
	tsig_clear(&t);
	return m->len > 0;
}

bool message_make(
	struct ask_message *m, const struct ask_plan *p, const struct ask_question *q, uint16_t id)
{
	struct writer w = { m->octets, 0, sizeof m->octets, true };
	bool question = !p->no_question && !p->header_only;
	bool serial = question && q->type == TYPE_IXFR, edns = p->edns.on && !p->header_only;

	m->id = id;
	m->mac_len = m->padding = 0;
	put_number(&w, id);
	put_number(&w, (uint16_t)(p->flags | p->opcode << 11));
	put_number(&w, question);
	put_number(&w, 0);
	put_number(&w, serial);
	put_number(&w, edns);
	if (question)
		put_question(&w, m, p, q);
	if (serial)
		put_serial(&w, q);
	if (edns)
		put_edns(&w, m, p);
	m->len = w.len;
	return w.ok && sign(m, p);
}
