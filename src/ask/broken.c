#include "ask/broken.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "dns/message.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/text.h"

enum { LABEL_MAX = 63, POINTER = 0xc0, FIXED = 10 };

static const char *const section_names[] = { "question", "answer", "authority", "additional" };

/* The second reading: it goes the way of reply_parse(), and stops where that does. */
struct reading {
	struct span m;
	size_t at;
	bool has_opt;
	char *why;
	size_t size;
};

/* Says what is wrong; false, so that whoever found it can return it. */
__attribute__((format(printf, 2, 3))) static bool say(struct reading *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(b->why, b->size, format, args);
	va_end(args);
	return false;
}

/* Why name_skip() did not take the name that starts here, if nothing of it may be at `limit` or
 * behind. */
static bool say_name(struct reading *b, size_t limit, const char *of)
{
	size_t i = b->at, start = i, len = 0, end = limit;
	unsigned hops = 0;

	while (i < limit && len < NAME_MAX_WIRE) {
		uint8_t label = b->m.at[i];

		if (label <= LABEL_MAX) {
			len += 1u + label;
			i += 1u + label;
			continue;
		}
		if (label < POINTER)
			return say(b, "%s: a label of an unknown kind (0x%02x) at octet %zu", of,
				label, i);
		if (limit - i < 2)
			return say(b, "%s: half a compression pointer at octet %zu", of, i);

		size_t target = get_u16(b->m.at + i) & 0x3fffu;
		if (target < DNS_HEADER)
			return say(b,
				"%s: the compression pointer at octet %zu leads into the header",
				of, i);
		if (target >= start)
			return say(b, "%s: the compression pointer at octet %zu does not lead back",
				of, i);
		if (++hops > NAME_HOPS)
			return say(b, "%s: more than %d compression pointers from octet %zu on", of,
				NAME_HOPS, b->at);
		i = target;
		limit = start;
		start = i;
	}
	if (len >= NAME_MAX_WIRE)
		return say(b, "%s: the name at octet %zu is longer than %d octets", of, b->at,
			NAME_MAX_WIRE);
	if (hops)
		return say(b, "%s: the name at octet %zu runs into itself", of, b->at);
	return say(b, "%s: the name at octet %zu runs past octet %zu, its end", of, b->at, end);
}

static bool read_name_of(struct reading *b, size_t limit, const char *of)
{
	return name_skip((struct span){ b->m.at, limit }, &b->at) || say_name(b, limit, of);
}

/* There is nothing before a question that its name could point to. */
static bool read_asked(struct reading *b)
{
	if (!read_name_of(b, b->m.len, "question"))
		return false;
	if (b->m.len - b->at < 4)
		return say(b, "question: type and class are cut off at octet %zu", b->m.len);
	b->at += 4;
	return true;
}

static bool read_options(struct reading *b, const struct record *rec)
{
	size_t at = rec->rdata;

	for (unsigned n = 0; at < rec->end; n++) {
		if (n == EDNS_OPTIONS_MAX)
			return say(
				b, "OPT: more than %d options, at octet %zu", EDNS_OPTIONS_MAX, at);
		if (rec->end - at < 4)
			return say(b, "OPT: half an option at octet %zu", at);

		size_t len = get_u16(b->m.at + at + 2);
		if (len > rec->end - at - 4)
			return say(b,
				"OPT: option %u at octet %zu has %zu octets, and the record %zu",
				get_u16(b->m.at + at), at, len, rec->end - at - 4);
		at += 4 + len;
	}
	return true;
}

static bool read_opt(struct reading *b, const struct record *rec, int section)
{
	if (section != SECTION_ADDITIONAL)
		return say(b, "OPT at octet %zu in the %s section", rec->owner,
			section_names[section]);
	if (b->has_opt)
		return say(b, "a second OPT at octet %zu", rec->owner);
	if (b->m.at[rec->owner] != 0)
		return say(b, "OPT at octet %zu does not belong to the root", rec->owner);
	b->has_opt = true;
	return read_options(b, rec);
}

/* RDATA that rdata_check() did not take: its names are read one by one. */
static bool say_rdata(struct reading *b, const struct record *rec, const char *type)
{
	struct rdata_names names;

	rdata_names(b->m, rec, &names);
	b->at = names.at;
	for (unsigned i = 0; i < names.count && b->at < rec->end; i++)
		if (!read_name_of(b, rec->end, type))
			return false;
	return say(b, "%s: RDATA of %zu octets at octet %zu does not have the length of its parts",
		type, rec->end - rec->rdata, rec->rdata);
}

static bool read_record_at(struct reading *b, int section)
{
	struct record rec = { .owner = b->at, .end = b->at };
	char of[64], text[TEXT_MAX];

	snprintf(of, sizeof(of), "owner in the %s section", section_names[section]);
	if (!read_name_of(b, b->m.len, of))
		return false;
	if (b->m.len - b->at < FIXED)
		return say(b, "record at octet %zu: cut off at octet %zu", rec.owner, b->m.len);

	const char *type = text_type(get_u16(b->m.at + b->at), text);
	size_t len = get_u16(b->m.at + b->at + 8), left = b->m.len - b->at - FIXED;
	if (len > left)
		return say(b, "%s: RDLENGTH at octet %zu is %zu, and %zu octets are left", type,
			b->at + 8, len, left);

	size_t at = rec.owner;
	message_record(b->m, &at, &rec);
	if (rec.type == TYPE_OPT ? !read_opt(b, &rec, section)
				 : !rdata_check(b->m, &rec) && !say_rdata(b, &rec, type))
		return false;
	b->at = rec.end;
	return true;
}

static bool read_section(struct reading *b, int section, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (b->at == b->m.len)
			return say(b,
				"the header counts %u in the %s section, and %u are there: "
				"it ends at octet %zu",
				count, section_names[section], i, b->at);
		if (!(section == SECTION_QUESTION ? read_asked(b) : read_record_at(b, section)))
			return false;
	}
	return true;
}

void broken_where(struct span m, char *why, size_t size)
{
	struct reading b = { .m = m, .at = DNS_HEADER, .why = why, .size = size };

	*why = 0;
	if (m.len < DNS_HEADER) {
		say(&b, "%zu octets are no message: a header has %d", m.len, DNS_HEADER);
		return;
	}
	unsigned questions = get_u16(m.at + 4);
	if (questions > 1) {
		say(&b, "%u questions, by the header's octet 4", questions);
		return;
	}
	for (int section = SECTION_QUESTION; section < SECTIONS; section++)
		if (!read_section(&b, section, get_u16(m.at + 4 + 2 * section)))
			return;
	if (b.at < m.len)
		say(&b, "%zu octets left over at octet %zu, behind the last record", m.len - b.at,
			b.at);
}
