#include "dns/name.h"

#include <string.h>

#include "dns/octets.h"

/* The two high bits of a label's first octet: 00 a length, 11 a pointer, others are not defined. */
enum { LABEL_MAX = 63, POINTER = 0xc0 };

static size_t pointer_target(const uint8_t *at)
{
	return get_u16(at) & 0x3fffu;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

size_t name_len(struct span message, size_t at)
{
	size_t i = at;

	while (i < message.len && i - at < NAME_MAX_WIRE) {
		uint8_t label = message.at[i];

		if (label == 0)
			return i + 1 - at;
		if (label > LABEL_MAX)
			return 0;
		i += 1u + label;
	}
	return 0;
}

/* A pointer is to a prior name, so what it leads to stands wholly before the labels that it ends:
 * `limit` comes down with every hop, and nothing that follows a name in the message can change it.
 */
bool name_skip(struct span message, size_t *at)
{
	size_t i = *at, start = i, limit = message.len, end = 0, len = 0;
	unsigned hops = 0;

	while (i < limit && len < NAME_MAX_WIRE) {
		uint8_t label = message.at[i];

		if (label == 0) {
			*at = end ? end : i + 1;
			return true;
		}
		if (label <= LABEL_MAX) {
			len += 1u + label;
			i += 1u + label;
			continue;
		}
		if (label < POINTER || limit - i < 2)
			return false;
		if (!end)
			end = i + 2;
		i = pointer_target(message.at + i);
		if (i < DNS_HEADER || ++hops > NAME_HOPS)
			return false;
		limit = start;
		start = i;
	}
	return false;
}

size_t name_end(struct span message, size_t at)
{
	while (message.at[at] != 0) {
		if (message.at[at] >= POINTER)
			return at + 2;
		at += 1u + message.at[at];
	}
	return at + 1;
}

/* Eight octets at once; those above 127 keep their top bit, which makes them no letters. */
static void lower_word(uint8_t *at)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x80 * ones;
	uint64_t w;

	memcpy(&w, at, sizeof w);
	uint64_t low = w & ~tops;
	uint64_t from_a = low + (0x80 - 'A') * ones, behind_z = low + (0x80 - 'Z' - 1) * ones;

	w |= (from_a & ~behind_z & ~w & tops) >> 2;
	memcpy(at, &w, sizeof w);
}

/* Length octets are below 'A', so a name can be folded without looking at where its labels are.
 * Words are: every query comes this way. The last one may begin within the one before. */
void name_lower(uint8_t *name, size_t len)
{
	const size_t word = sizeof(uint64_t);

	for (size_t i = 0; len >= word && i < len; i += word)
		lower_word(name + (i + word <= len ? i : len - word));
	for (size_t i = 0; len < word && i < len; i++)
		name[i] = lower(name[i]);
}

bool name_equals(const uint8_t *a, const uint8_t *b, size_t len)
{
	if (memcmp(a, b, len) == 0)
		return true;
	for (size_t i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

bool name_is_below(const uint8_t *name, size_t len, const uint8_t *zone, size_t zone_len)
{
	while (len > zone_len) {
		size_t label = 1u + *name;

		name += label;
		len -= label;
	}
	return len == zone_len && name_equals(name, zone, zone_len);
}

/* The next label of a checked name, its length octet first; *at moves past it. */
static const uint8_t *next_label(struct span message, size_t *at)
{
	while (message.at[*at] >= POINTER)
		*at = pointer_target(message.at + *at);

	const uint8_t *label = message.at + *at;
	*at += 1u + *label;
	return label;
}

bool name_same(struct span message, size_t a, size_t b)
{
	for (;;) {
		const uint8_t *x = next_label(message, &a);
		const uint8_t *y = next_label(message, &b);

		if (x == y)
			return true;
		if (*x != *y || !name_equals(x + 1, y + 1, *x))
			return false;
		if (*x == 0)
			return true;
	}
}

size_t name_copy(struct span message, size_t at, uint8_t out[NAME_MAX_WIRE])
{
	const uint8_t *label;
	size_t len = 0;

	do {
		label = next_label(message, &at);
		memcpy(out + len, label, 1u + *label);
		len += 1u + *label;
	} while (*label);
	return len;
}

size_t name_replace_end(
	struct span name, size_t end_len, struct span end, uint8_t out[NAME_MAX_WIRE])
{
	size_t front = name.len - end_len;

	if (front + end.len > NAME_MAX_WIRE)
		return 0;
	memcpy(out, name.at, front);
	memcpy(out + front, end.at, end.len);
	return front + end.len;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One octet of a label in presentation form; *text moves past it. -1: a broken escape. */
static int text_octet(const char **text)
{
	const char *t = *text;

	if (*t != '\\') {
		*text += 1;
		return (uint8_t)*t;
	}
	t++;
	if (!*t)
		return -1;
	if (!is_digit(*t)) {
		*text = t + 1;
		return (uint8_t)*t;
	}
	if (!is_digit(t[1]) || !is_digit(t[2]))
		return -1;
	int value = (t[0] - '0') * 100 + (t[1] - '0') * 10 + (t[2] - '0');
	*text = t + 3;
	return value <= 255 ? value : -1;
}

size_t name_from_text(const char *text, uint8_t out[NAME_MAX_WIRE])
{
	size_t len = 0;

	if (strcmp(text, ".") == 0)
		text++;
	else if (!*text)
		return 0;
	while (*text) {
		size_t start = len++;

		while (*text && *text != '.') {
			int octet = text_octet(&text);

			if (octet < 0 || len - start > LABEL_MAX || len >= NAME_MAX_WIRE - 1)
				return 0;
			out[len++] = (uint8_t)octet;
		}
		if (len - start == 1)
			return 0;
		out[start] = (uint8_t)(len - start - 1);
		if (*text)
			text++;
	}
	out[len++] = 0;
	return len;
}

static char *put_octet(char *to, uint8_t octet)
{
	if (octet <= ' ' || octet >= 0x7f) {
		*to++ = '\\';
		*to++ = (char)('0' + octet / 100);
		*to++ = (char)('0' + octet / 10 % 10);
		*to++ = (char)('0' + octet % 10);
		return to;
	}
	if (strchr(".\\\"();@$", octet))
		*to++ = '\\';
	*to++ = (char)octet;
	return to;
}

const char *name_to_text(const uint8_t *name, char text[NAME_TEXT])
{
	char *to = text;

	if (*name == 0)
		*to++ = '.';
	for (; *name; name += 1 + *name) {
		for (unsigned i = 1; i <= *name; i++)
			to = put_octet(to, name[i]);
		*to++ = '.';
	}
	*to = 0;
	return text;
}
