#include "ask/walk.h"

#include <string.h>

#include "dns/message.h"
#include "dns/text.h"

enum { LABELS_MAX = 127, LABEL_MAX = 63 };

static void ask_for(struct walk *w, const uint8_t *name, size_t name_len)
{
	memcpy(w->question.name, name, name_len);
	w->question.name_len = name_len;
}

static void go_to(struct walk *w, const uint8_t *name, size_t name_len)
{
	memcpy(w->name, name, name_len);
	w->name_len = name_len;
	w->is_behind = false;
	ask_for(w, name, name_len);
}

void walk_init(struct walk *w, const uint8_t *name, size_t name_len)
{
	*w = (struct walk){ .question = { .type = TYPE_NSEC, .class = CLASS_IN } };
	go_to(w, name, name_len);
}

/* Where the labels of a name are, the last one before the root first. */
static unsigned labels_of(const uint8_t *name, const uint8_t *labels[LABELS_MAX])
{
	const uint8_t *forward[LABELS_MAX];
	unsigned count = 0;

	for (; *name; name += 1 + *name)
		forward[count++] = name;
	for (unsigned i = 0; i < count; i++)
		labels[i] = forward[count - 1 - i];
	return count;
}

static int label_compare(const uint8_t *a, const uint8_t *b)
{
	uint8_t x[64], y[64];

	memcpy(x, a, 1u + *a);
	memcpy(y, b, 1u + *b);
	name_lower(x, 1u + *a);
	name_lower(y, 1u + *b);

	int order = memcmp(x + 1, y + 1, *a < *b ? *a : *b);
	return order ? order : *a - *b;
}

/* The order of names in a zone (RFC 4034 §6.1). */
static int name_compare(const uint8_t *a, const uint8_t *b)
{
	const uint8_t *x[LABELS_MAX], *y[LABELS_MAX];
	unsigned x_count = labels_of(a, x), y_count = labels_of(b, y);

	for (unsigned i = 0; i < x_count && i < y_count; i++) {
		int order = label_compare(x[i], y[i]);

		if (order)
			return order;
	}
	return (int)x_count - (int)y_count;
}

/* Is the name the very next that there can be: one label of \000 more, or \000 more in its first
 * label? Who says so has made it up for the question (RFC 4470, RFC 9824). */
static bool is_made_up(const uint8_t *next, size_t next_len, const uint8_t *name, size_t name_len)
{
	if (next_len == name_len + 2 && next[0] == 1 && next[1] == 0)
		return name_equals(next + 2, name, name_len);
	if (next_len != name_len + 1 || *next != *name + 1 || next[*next] != 0)
		return false;
	return name_equals(next + 1, name + 1, *name) &&
		name_equals(next + 1 + *next, name + 1 + *name, name_len - 1 - *name);
}

/* The first name behind all that can be below this one: \000 more in its first label or, where that
 * is too long, the label that comes next. 0: there is none. */
static size_t name_behind(const uint8_t *name, size_t len, uint8_t out[NAME_MAX_WIRE])
{
	uint8_t first[LABEL_MAX + 1];
	size_t count = *name, rest = len - 1 - count;

	memcpy(first, name + 1, count);
	name_lower(first, count);
	if (count < LABEL_MAX && len < NAME_MAX_WIRE) {
		first[count++] = 0;
	} else {
		while (count > 0 && first[count - 1] == 0xff)
			count--;
		if (count == 0)
			return 0;
		/* Capitals count as small letters, which come later. */
		first[count - 1] = first[count - 1] == '@' ? '[' : first[count - 1] + 1;
	}
	*out = (uint8_t)count;
	memcpy(out + 1, first, count);
	memcpy(out + 1 + count, name + len - rest, rest);
	return 1 + count + rest;
}

/* What a reply has of the name that we have come to. */
struct found {
	bool has_nsec, has_nsec3;
	bool is_cut; /* a zone begins there, which is not the one that is walked ... */
	bool is_refused; /* ... or should have been, and the server does not have it */
};

static bool is_of(const struct walk *w, struct span m, const struct record *rec)
{
	uint8_t owner[NAME_MAX_WIRE];

	return rec->class == w->question.class && name_copy(m, rec->owner, owner) == w->name_len &&
		name_equals(owner, w->name, w->name_len);
}

/* Is it the NSEC of a zone's own name? Such a one has a SOA (RFC 4034 §4.1.2). */
static bool is_apex(struct span m, const struct record *nsec)
{
	const struct span rdata = { m.at, nsec->end };
	size_t len = name_len(rdata, nsec->rdata), types = nsec->rdata + len;

	return len > 0 && nsec->end - types >= 3 && m.at[types] == 0 && m.at[types + 1] > 0 &&
		m.at[types + 2] & 0x80 >> TYPE_SOA;
}

/* Looks for the NSEC record of the name, in the answer or, if the server says that there is no such
 * type, in the authority section. The first name of all may be that of the zone; of any other, NS
 * and SOA are those of a zone below. */
static struct found find(const struct walk *w, const struct reply *reply, struct record *nsec)
{
	size_t at = reply->section[SECTION_ANSWER];
	const bool refers =
		!(reply->flags & DNS_AA) && reply->count[SECTION_ANSWER] == 0 && w->names == 0;
	struct found found = { 0 };

	while (at < reply->section[SECTION_ADDITIONAL] && !found.has_nsec) {
		struct record rec;

		message_record(reply->message, &at, &rec);
		if (rec.type == TYPE_NSEC3)
			found.has_nsec3 = true;
		if (!is_of(w, reply->message, &rec))
			continue;
		bool below = w->names > 0 &&
			(rec.type == TYPE_NS || rec.type == TYPE_SOA ||
				(rec.type == TYPE_NSEC && is_apex(reply->message, &rec)));

		found.is_cut |= below;
		found.is_refused |= refers && rec.type == TYPE_NS;
		found.has_nsec = rec.type == TYPE_NSEC && !below;
		*nsec = rec;
	}
	return found;
}

static enum walk_verdict no_nsec(
	struct walk *w, const struct reply *reply, struct found found, char why[WHY_MAX])
{
	char name[NAME_TEXT], text[TEXT_MAX];
	uint8_t behind[NAME_MAX_WIRE];
	size_t len;

	if (found.is_cut && !w->is_behind && (len = name_behind(w->name, w->name_len, behind))) {
		ask_for(w, behind, len);
		w->is_behind = true;
		return WALK_AGAIN;
	}
	name_to_text(w->name, name);
	if (found.has_nsec3)
		return why_say(why, "the zone has NSEC3: its names are hashed");
	if (w->is_behind && (!reply->rcode || reply->rcode == RCODE_NXDOMAIN))
		return why_say(why,
			"no NSEC says what is behind the zone cut %.100s: "
			"white lies, or it was asked without DO",
			name);
	if (reply->rcode != RCODE_NOERROR)
		return why_say(why, "%s for %.100s", text_rcode(reply->rcode, text), name);
	return why_say(
		why, "there is no NSEC of %.100s: the zone is not signed, or it is none", name);
}

/* Has the server made it up for the question? */
static bool is_white_lie(const struct walk *w, const uint8_t *next, size_t next_len)
{
	const struct ask_question *q = &w->question;

	return is_made_up(next, next_len, w->name, w->name_len) ||
		(w->is_behind && is_made_up(next, next_len, q->name, q->name_len));
}

static enum walk_verdict follow(
	struct walk *w, const uint8_t *next, size_t next_len, char why[WHY_MAX])
{
	char text[NAME_TEXT], next_text[NAME_TEXT];

	name_to_text(w->name, text);
	if (name_compare(next, w->name) <= 0) {
		/* The last one leads to the zone itself, which all names are below. */
		if (name_is_below(w->name, w->name_len, next, next_len))
			return WALK_DONE;
		return why_say(why, "from %.60s the walk leads back to %.60s", text,
			name_to_text(next, next_text));
	}
	if (is_white_lie(w, next, next_len))
		return why_say(why,
			"white lies: behind %.100s there is said to be nothing but itself with \\000",
			text);
	if (w->names == WALK_NAMES_MAX)
		return why_say(why, "%u names, and no end", w->names);
	go_to(w, next, next_len);
	return WALK_MORE;
}

enum walk_verdict walk_take(
	struct walk *w, struct span message, struct record *nsec, char why[WHY_MAX])
{
	struct reply reply;
	char text[NAME_TEXT];

	*why = 0;
	if (!reply_parse(message, &reply))
		return why_say(why, "a reply is malformed");

	struct found found = find(w, &reply, nsec);
	if (found.is_refused)
		return why_say(why, "the server does not have %.100s: it refers to others",
			name_to_text(w->name, text));
	if (!found.has_nsec)
		return no_nsec(w, &reply, found, why);

	const struct span rdata = { message.at, nsec->end };
	size_t next_len = name_len(rdata, nsec->rdata);

	if (next_len == 0)
		return why_say(why, "the NSEC of %.100s is broken", name_to_text(w->name, text));
	w->names++;
	return follow(w, message.at + nsec->rdata, next_len, why);
}
