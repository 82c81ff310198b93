#include "rules.h"

#include "base/bug.h"

#include <stdio.h>
#include <string.h>

#define ADDRESS_FIRST 0xc6336401 /* 198.51.100.1, of the first of them */

/* ---- drawing ---- */

void rules_draw(struct drama *d, struct plan *p)
{
	bool any = chance_of(&d->chance, 500);

	for (unsigned i = 0; i < OWN_NAMES; i++)
		p->rulings[i] = any ? (enum ruling)chance_below(&d->chance, RULINGS) : RULED_NOT;
}

void rules_redraw(struct drama *d, struct plan *p)
{
	p->rulings[chance_below(&d->chance, OWN_NAMES)] =
		(enum ruling)chance_below(&d->chance, RULINGS);
}

void rules_name(struct drama *d, char name[NAME_MOST])
{
	snprintf(name, NAME_MOST, "own%u.test", chance_below(&d->chance, OWN_NAMES));
}

/* ---- as it is written ---- */

/* The last group that has servers. */
static unsigned group_routed_to(const struct plan *p)
{
	unsigned group = ZONES_MOST - 1;

	while (group && !p->servers[group])
		group--;
	return group;
}

static size_t write_verdict(const struct plan *p, unsigned i, char *text, size_t room)
{
	unsigned group = group_routed_to(p);

	switch (p->rulings[i]) {
	case RULED_NXDOMAIN:
		return (size_t)snprintf(text, room, "action: nxdomain");
	case RULED_NODATA:
		return (size_t)snprintf(text, room, "action: nodata");
	case RULED_REFUSED:
		return (size_t)snprintf(text, room, "action: refuse");
	case RULED_DROPPED:
		return (size_t)snprintf(text, room, "action: drop");
	case RULED_ADDRESS:
		return (size_t)snprintf(text, room, "a: 198.51.100.%u", i + 1);
	case RULED_ALIAS:
		return (size_t)snprintf(text, room, "cname: p0.test");
	case RULED_ROUTED:
		if (group)
			return (size_t)snprintf(text, room, "route: g%u", group);
		return (size_t)snprintf(text, room, "route: default");
	default:
		return (size_t)snprintf(text, room, "action: pass");
	}
}

void rules_write(const struct plan *p, char text[VALUE_TEXT])
{
	size_t len = (size_t)snprintf(text, VALUE_TEXT, "[");

	for (unsigned i = 0; i < OWN_NAMES; i++) {
		if (p->rulings[i] == RULED_NOT)
			continue;
		len += (size_t)snprintf(text + len, VALUE_TEXT - len, "%s{exact: own%u.test, ",
			len > 1 ? ", " : "", i);
		len += write_verdict(p, i, text + len, VALUE_TEXT - len);
		len += (size_t)snprintf(text + len, VALUE_TEXT - len, "}");
	}
	len += (size_t)snprintf(text + len, VALUE_TEXT - len, "]");
	MUST(len < VALUE_TEXT);
}

/* ---- what they say ---- */

/* Of which own name is it? OWN_NAMES: of none. */
static unsigned own_name(const struct meant *m)
{
	static const uint8_t test[] = "\4test";

	if (m->name[0] != 4 || memcmp(m->name + 1, "own", 3) != 0 ||
		memcmp(m->name + 5, test, sizeof test) != 0)
		return OWN_NAMES;
	return m->name[4] - (unsigned)'0';
}

static enum ruling ruling_of(const struct plan *p, const struct meant *m)
{
	unsigned i = own_name(m);

	return i < OWN_NAMES ? p->rulings[i] : RULED_NOT;
}

unsigned rules_group(const struct plan *p, const struct meant *m)
{
	switch (ruling_of(p, m)) {
	case RULED_NOT:
		return p->groups[m->zone];
	case RULED_ROUTED:
		return group_routed_to(p);
	default:
		return NO_GROUP;
	}
}

bool rules_alias(const struct plan *p, const struct meant *m, struct meant *target)
{
	static const uint8_t name[] = "\2p0\4test";

	if (ruling_of(p, m) != RULED_ALIAS)
		return false;
	*target = *m;
	memset(target->name, 0, sizeof target->name);
	memcpy(target->name, name, sizeof name);
	return true;
}

unsigned rules_of(const struct drama *d, const struct meant *m, unsigned first, unsigned last)
{
	unsigned rulings = 0;

	for (unsigned v = first; v <= last; v++)
		rulings |= 1u << ruling_of(&d->versions[v].plan, m);
	return rulings;
}

/* The first record of the answer; type 0: there is none. */
static struct record first_record(const struct reply *r)
{
	size_t at = r->section[SECTION_ANSWER];
	struct record record = { .type = 0 };

	if (r->count[SECTION_ANSWER])
		message_record(r->message, &at, &record);
	return record;
}

static bool is_address(const struct meant *m, const struct reply *r)
{
	struct record record = first_record(r);

	if (m->type != TYPE_A && m->type != TYPE_ANY)
		return !record.type;
	return record.type == TYPE_A && r->count[SECTION_ANSWER] == 1 &&
		get_u32(r->message.at + record.rdata) == ADDRESS_FIRST + own_name(m);
}

static bool says(enum ruling ruling, const struct meant *m, const struct reply *r)
{
	bool empty = !r->count[SECTION_ANSWER], aa = r->flags & DNS_AA;

	switch (ruling) {
	case RULED_NXDOMAIN:
		return aa && empty && r->rcode == RCODE_NXDOMAIN;
	case RULED_NODATA:
		return aa && empty && r->rcode == RCODE_NOERROR;
	case RULED_REFUSED:
		return empty && r->rcode == RCODE_REFUSED;
	case RULED_ADDRESS:
		return aa && r->rcode == RCODE_NOERROR && is_address(m, r);
	default:
		return false;
	}
}

bool rules_said(unsigned rulings, const struct meant *m, const struct reply *r)
{
	for (unsigned ruling = 0; ruling < RULINGS; ruling++)
		if (rulings >> ruling & 1 && says((enum ruling)ruling, m, r))
			return true;
	return false;
}
