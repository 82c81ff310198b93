#include "ask/walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dns/message.h"
#include "dns/text.h"

enum { LABELS_MAX = 127 };

void walk_init(struct walk *w, const uint8_t *name, size_t name_len)
{
	*w = (struct walk){ .question = {
				    .name_len = name_len, .type = TYPE_NSEC, .class = CLASS_IN } };
	memcpy(w->question.name, name, name_len);
}

__attribute__((format(printf, 2, 3))) static enum walk_verdict bad(
	char why[WALK_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WALK_WHY, format, args);
	va_end(args);
	return WALK_BAD;
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

/* Finds the NSEC record of the name, in the answer or, if the server says that there is no such
 * type, in the authority section; type becomes TYPE_NSEC3 if there is one of those. */
static bool find_nsec(
	const struct walk *w, const struct reply *reply, struct record *nsec, uint16_t *type)
{
	size_t at = reply->section[SECTION_ANSWER];
	uint8_t owner[NAME_MAX_WIRE];

	*type = 0;
	while (at < reply->section[SECTION_ADDITIONAL]) {
		message_record(reply->message, &at, nsec);
		if (nsec->type == TYPE_NSEC3)
			*type = TYPE_NSEC3;
		if (nsec->type == TYPE_NSEC && nsec->class == w->question.class &&
			name_copy(reply->message, nsec->owner, owner) == w->question.name_len &&
			name_equals(owner, w->question.name, w->question.name_len))
			return true;
	}
	return false;
}

static enum walk_verdict no_nsec(
	const struct walk *w, const struct reply *reply, uint16_t type, char why[WALK_WHY])
{
	char name[NAME_TEXT], text[TEXT_MAX];

	name_to_text(w->question.name, name);
	if (type == TYPE_NSEC3)
		return bad(why, "the zone has NSEC3: its names are hashed");
	if (reply->rcode != RCODE_NOERROR)
		return bad(why, "%s for %.100s", text_rcode(reply->rcode, text), name);
	return bad(why, "there is no NSEC of %.100s: the zone is not signed, or it is none", name);
}

enum walk_verdict walk_take(
	struct walk *w, struct span message, struct record *nsec, char why[WALK_WHY])
{
	const struct ask_question *q = &w->question;
	struct reply reply;
	char text[NAME_TEXT], next_text[NAME_TEXT];
	uint16_t type;

	*why = 0;
	if (!reply_parse(message, &reply))
		return bad(why, "a reply is malformed");
	if (!find_nsec(w, &reply, nsec, &type))
		return no_nsec(w, &reply, type, why);

	const struct span rdata = { message.at, nsec->end };
	const uint8_t *next = message.at + nsec->rdata;
	size_t next_len = name_len(rdata, nsec->rdata);

	name_to_text(q->name, text);
	if (next_len == 0)
		return bad(why, "the NSEC of %.100s is broken", text);
	w->names++;
	if (name_compare(next, q->name) <= 0) {
		/* The last one leads to the zone itself, which all names are below. */
		if (name_is_below(q->name, q->name_len, next, next_len))
			return WALK_DONE;
		return bad(why, "from %.60s the walk leads back to %.60s", text,
			name_to_text(next, next_text));
	}
	if (is_made_up(next, next_len, q->name, q->name_len))
		return bad(why,
			"white lies: behind %.100s there is said to be nothing but itself with \\000",
			text);
	if (w->names == WALK_NAMES_MAX)
		return bad(why, "%u names, and no end", w->names);
	memcpy(w->question.name, next, next_len);
	w->question.name_len = next_len;
	return WALK_MORE;
}
