#include "cache/image.h"

#include "base/siphash.h"
#include "dns/message.h"

#include <string.h>

#define MAGIC "sotto cache\n"

enum {
	VERSION = 1,
	MAGIC_LEN = sizeof MAGIC - 1,
	HEAD_LEN = MAGIC_LEN + 2 + IMAGE_BOOT + 8 + 8 + 2,
	LENGTH_LEN = 4,
	ENTRY_LEN = 1 + 1 + 8, /* without length and message */
	END_LEN = LENGTH_LEN + 8, /* without the sum */
	OPT_LEN = 1 + 10, /* without options */
	OPT_SIZE = 1232 /* what it offers means nothing here */
};

enum { FLAG_DO = 1, FLAG_CD = 2, FLAGS_ALL = FLAG_DO | FLAG_CD };

/* No time in a file is longer: some nine thousand years. */
#define TIME_MAX_MS (INT64_C(1) << 48)

static const char foreign[] = "it is nothing that sotto has written",
		  other_version[] = "another version of sotto has written it",
		  too_short[] = "it ends too early", unreadable[] = "it cannot be read",
		  senseless[] = "it holds what makes no sense",
		  broken[] = "it is not as it was written",
		  too_long[] = "something follows its end";

static void put_u64(uint8_t *p, uint64_t v)
{
	put_u32(p, (uint32_t)(v >> 32));
	put_u32(p + 4, (uint32_t)v);
}

static uint64_t get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

/* The sum of all so far and of one piece more. The key is no secret. */
static uint64_t sum_of(uint64_t sum, const uint8_t *piece, size_t len)
{
	const struct siphash_key key = { { sum, 0x736f74746f } };

	return siphash(&key, piece, len);
}

/* ---- writing ---- */

static bool write_piece(struct image_writer *w, size_t len)
{
	w->sum = sum_of(w->sum, w->piece, len);
	return fwrite(w->piece, 1, len, w->out) == len;
}

bool image_write_head(struct image_writer *w, FILE *out, const struct image_head *h)
{
	uint8_t *p = w->piece;

	w->out = out;
	w->sum = w->count = 0;
	memcpy(p, MAGIC, MAGIC_LEN);
	p += MAGIC_LEN;
	put_u16(p, VERSION);
	memcpy(p + 2, h->boot, IMAGE_BOOT);
	p += 2 + IMAGE_BOOT;
	put_u64(p, (uint64_t)h->since_boot_ms);
	put_u64(p + 8, (uint64_t)h->date_ms);
	put_u16(p + 16, h->group_count);
	p += 18;
	for (unsigned i = 0; i < h->group_count; i++, p += 8)
		put_u64(p, h->groups[i]);
	return write_piece(w, (size_t)(p - w->piece));
}

/* An OPT record behind the message, with the extended errors. They are left out where the message
 * has no room. Its length. */
static size_t put_opt(uint8_t *message, size_t len, struct span errors)
{
	uint8_t *opt = message + len;
	uint16_t additional = get_u16(message + 10);

	if (errors.len == 0 || OPT_LEN + errors.len > DNS_MESSAGE_MAX - len)
		return 0;
	put_u16(message + 10, (uint16_t)(additional + 1));
	opt[0] = 0;
	put_u16(opt + 1, TYPE_OPT);
	put_u16(opt + 3, OPT_SIZE);
	put_u32(opt + 5, 0);
	put_u16(opt + 9, (uint16_t)errors.len);
	memcpy(opt + OPT_LEN, errors.at, errors.len);
	return OPT_LEN + errors.len;
}

bool image_write_entry(struct image_writer *w, const struct cache_entry *e, int64_t now_ms)
{
	const struct packed *packed = &e->packed;
	uint8_t *p = w->piece + LENGTH_LEN, *message = p + ENTRY_LEN;
	size_t len = packed->message.len;
	int64_t age_ms = now_ms - e->since_ms;

	if (packed->worth == WORTH_FAILURE || e->key.group >= IMAGE_GROUPS)
		return true;
	p[0] = (uint8_t)((e->key.dnssec_ok ? FLAG_DO : 0) |
		(e->key.checking_disabled ? FLAG_CD : 0));
	p[1] = (uint8_t)e->key.group;
	put_u64(p + 2, age_ms > 0 ? (uint64_t)age_ms : 0);
	memcpy(message, packed->message.at, len);
	put_u16(message + 2, (uint16_t)((get_u16(message + 2) & ~DNS_RCODE) | packed->rcode));
	len += put_opt(message, len, packed->errors);
	put_u32(w->piece, (uint32_t)(ENTRY_LEN + len));
	w->count++;
	return write_piece(w, LENGTH_LEN + ENTRY_LEN + len);
}

bool image_write_end(struct image_writer *w)
{
	put_u32(w->piece, 0);
	put_u64(w->piece + LENGTH_LEN, w->count);
	if (!write_piece(w, END_LEN))
		return false;
	put_u64(w->piece, w->sum);
	return fwrite(w->piece, 1, 8, w->out) == 8;
}

/* ---- reading ---- */

static bool fail(struct image_reader *r, const char *fault)
{
	r->fault = fault;
	return false;
}

static bool read_octets(struct image_reader *r, uint8_t *to, size_t len)
{
	if (fread(to, 1, len, r->in) == len)
		return true;
	return fail(r, ferror(r->in) ? unreadable : too_short);
}

static bool read_time(const uint8_t *p, int64_t *ms)
{
	uint64_t v = get_u64(p);

	*ms = (int64_t)v;
	return v <= TIME_MAX_MS;
}

bool image_read_head(struct image_reader *r, FILE *in, struct image_head *h)
{
	uint8_t *p = r->piece + MAGIC_LEN;

	r->in = in;
	r->sum = r->count = 0;
	r->fault = NULL;
	if (!read_octets(r, r->piece, MAGIC_LEN) || memcmp(r->piece, MAGIC, MAGIC_LEN) != 0)
		return fail(r, ferror(in) ? unreadable : foreign);
	if (!read_octets(r, p, 2))
		return false;
	if (get_u16(p) != VERSION)
		return fail(r, other_version);
	if (!read_octets(r, p + 2, HEAD_LEN - MAGIC_LEN - 2))
		return false;
	memcpy(h->boot, p + 2, IMAGE_BOOT);
	p += 2 + IMAGE_BOOT;
	h->group_count = get_u16(p + 16);
	if (!read_time(p, &h->since_boot_ms) || !read_time(p + 8, &h->date_ms) ||
		h->group_count > IMAGE_GROUPS)
		return fail(r, senseless);
	p += 18;
	if (!read_octets(r, p, 8u * h->group_count))
		return false;
	for (unsigned i = 0; i < h->group_count; i++, p += 8)
		h->groups[i] = get_u64(p);
	r->group_count = h->group_count;
	r->sum = sum_of(0, r->piece, (size_t)(p - r->piece));
	return true;
}

/* Behind a length of 0. */
static void read_end(struct image_reader *r)
{
	if (!read_octets(r, r->piece + LENGTH_LEN, END_LEN - LENGTH_LEN + 8))
		return;
	r->sum = sum_of(r->sum, r->piece, END_LEN);
	if (get_u64(r->piece + LENGTH_LEN) != r->count || get_u64(r->piece + END_LEN) != r->sum)
		r->fault = broken;
	else if (getc(r->in) != EOF)
		r->fault = too_long;
}

bool image_read_entry(struct image_reader *r, struct image_entry *e)
{
	const uint8_t *p = r->piece + LENGTH_LEN;

	if (r->fault || !read_octets(r, r->piece, LENGTH_LEN))
		return false;
	size_t len = get_u32(r->piece);

	if (len == 0) {
		read_end(r);
		return false;
	}
	if (len < ENTRY_LEN + DNS_HEADER || len > IMAGE_PIECE - LENGTH_LEN)
		return fail(r, senseless);
	if (!read_octets(r, r->piece + LENGTH_LEN, len))
		return false;
	r->sum = sum_of(r->sum, r->piece, LENGTH_LEN + len);
	r->count++;
	*e = (struct image_entry){ .group = p[1],
		.dnssec_ok = p[0] & FLAG_DO,
		.checking_disabled = p[0] & FLAG_CD,
		.message = { p + ENTRY_LEN, len - ENTRY_LEN } };
	if (p[0] & ~FLAGS_ALL || e->group >= r->group_count || !read_time(p + 2, &e->age_ms))
		return fail(r, senseless);
	return true;
}

bool image_unpack(const struct image_entry *e, const struct pack_limits *limits,
	struct packed *packed, void *memory)
{
	struct reply reply;

	if (!reply_parse(e->message, &reply) || reply.count[SECTION_QUESTION] == 0)
		return false;

	const uint8_t *end = e->message.at + reply.question_end;
	const struct question question = { e->message.at + DNS_HEADER,
		reply.question_end - DNS_HEADER - 4, get_u16(end - 4), get_u16(end - 2) };

	if (!reply_answers(&reply, &question) || !pack_reply(packed, memory, &reply, limits))
		return false;
	/* Of a name that does not exist, any type was asked for; of nothing else can that be. */
	if (packed->worth == WORTH_NXDOMAIN)
		return true;
	return question.type != 0 &&
		(packed->worth == WORTH_POSITIVE || packed->worth == WORTH_NODATA);
}
