#include "dns/behind.h"

#include "dns/reader.h"
#include "dns/writer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAC_OCTETS 6
#define MAC_BASE64 8 /* characters */

enum { FAMILY_NONE, FAMILY_V4, FAMILY_V6 }; /* as IANA numbers them */

/* ---- words ---- */

/* One that is said for the first time, or once more. */
static bool note_word(char *said, const char *word)
{
	if (*said)
		return strcmp(said, word) == 0;
	memcpy(said, word, strlen(word) + 1); /* of the same kind, so there is room */
	return true;
}

static void write_mac(char mac[BEHIND_MAC], const uint8_t *o)
{
	snprintf(mac, BEHIND_MAC, "%02x:%02x:%02x:%02x:%02x:%02x", o[0], o[1], o[2], o[3], o[4],
		o[5]);
}

bool behind_read_mac(char mac[BEHIND_MAC], struct span text)
{
	if (text.len != BEHIND_MAC - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = text.at[i];

		if (i % 3 == 2 ? c != ':' && c != '-' : !isxdigit(c))
			return false;
		mac[i] = (char)(i % 3 == 2 ? ':' : tolower(c));
	}
	mac[text.len] = '\0';
	return true;
}

/* The value of a digit of base64; 64: it is none. */
static unsigned digit(uint8_t c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (unsigned)(at - digits) : 64;
}

static bool read_base64(char mac[BEHIND_MAC], struct span text)
{
	uint8_t octets[MAC_OCTETS];

	if (text.len != MAC_BASE64)
		return false;
	for (size_t half = 0; half < 2; half++) {
		uint32_t bits = 0;

		for (size_t i = 0; i < MAC_BASE64 / 2; i++) {
			unsigned value = digit(text.at[half * MAC_BASE64 / 2 + i]);

			if (value == 64)
				return false;
			bits = bits << 6 | value;
		}
		for (size_t i = 0; i < MAC_OCTETS / 2; i++)
			octets[half * MAC_OCTETS / 2 + i] = (uint8_t)(bits >> (16 - 8 * i));
	}
	write_mac(mac, octets);
	return true;
}

/* ---- options ---- */

static bool note_mac(struct behind *b, struct span data)
{
	char mac[BEHIND_MAC];

	if (data.len != MAC_OCTETS)
		return true;
	write_mac(mac, data.at);
	return note_word(b->mac, mac);
}

static bool note_device(struct behind *b, struct span data)
{
	char mac[BEHIND_MAC];

	if (!behind_read_mac(mac, data) && !read_base64(mac, data))
		return true;
	return note_word(b->mac, mac);
}

static bool note_cpe(struct behind *b, struct span data)
{
	char cpe_id[BEHIND_CPE];

	if (data.len == 0 || data.len >= sizeof cpe_id || memchr(data.at, '\0', data.len))
		return true;
	memcpy(cpe_id, data.at, data.len);
	cpe_id[data.len] = '\0';
	return note_word(b->cpe_id, cpe_id);
}

/* As many octets as the prefix needs, and no bit beyond it. */
static bool is_cut(struct span address, unsigned bits)
{
	return address.len == (bits + 7) / 8 &&
		(bits % 8 == 0 || !(address.at[address.len - 1] & 0xff >> bits % 8));
}

static bool note_subnet(struct behind *b, struct span data)
{
	struct reader r = { data, 0, true };
	const uint16_t family = read_u16(&r);
	const uint8_t bits = read_u8(&r), scope = read_u8(&r);
	const uint8_t len = family == FAMILY_V4 ? 4 : family == FAMILY_V6 ? 16 : 0;
	const struct span address = { data.at + r.at, data.len - r.at };
	struct behind said = { .address_len = bits ? len : 0, .bits = bits };

	if (!r.ok || family > FAMILY_V6 || scope != 0 || bits > 8 * len || !is_cut(address, bits))
		return false;
	memcpy(said.address, address.at, address.len);
	if (b->has_subnet)
		return b->address_len == said.address_len && b->bits == said.bits &&
			memcmp(b->address, said.address, sizeof said.address) == 0;
	memcpy(b->address, said.address, sizeof said.address);
	b->has_subnet = true;
	b->address_len = said.address_len;
	b->bits = said.bits;
	return true;
}

static bool note(struct behind *b, uint16_t code, struct span data)
{
	switch (code) {
	case OPTION_SUBNET:
		return note_subnet(b, data);
	case OPTION_MAC:
		return note_mac(b, data);
	case OPTION_DEVICE:
		return note_device(b, data);
	case OPTION_CPE:
		return note_cpe(b, data);
	default:
		return true;
	}
}

bool behind_read(struct behind *b, struct span options)
{
	struct reader r = { options, 0, true };
	bool ok = true;

	*b = (struct behind){ .has_subnet = false };
	while (ok && r.ok && r.at < options.len) {
		const uint16_t code = read_u16(&r), len = read_u16(&r);
		const uint8_t *at = read_bytes(&r, len);

		ok = r.ok && note(b, code, (struct span){ at, len });
	}
	return ok;
}

/* ---- the same, written ---- */

static void put_subnet(struct writer *w, const struct behind *b)
{
	const uint8_t lengths[] = { b->bits, 0 }; /* of the prefix, and of a scope */
	const size_t len = (b->bits + 7u) / 8;

	put_number(w, OPTION_SUBNET);
	put_number(w, (uint16_t)(4 + len));
	put_number(w, b->address_len == 16 ? FAMILY_V6 : FAMILY_V4);
	put_bytes(w, lengths, sizeof lengths);
	put_bytes(w, b->address, len);
}

static void put_word(struct writer *w, uint16_t code, const char *word)
{
	if (!*word)
		return;
	put_number(w, code);
	put_number(w, (uint16_t)strlen(word));
	put_bytes(w, word, strlen(word));
}

size_t behind_write(uint8_t out[BEHIND_OPTIONS], const struct behind *b)
{
	struct writer w = { out, 0, BEHIND_OPTIONS, true };

	if (b->has_subnet)
		put_subnet(&w, b);
	put_word(&w, OPTION_DEVICE, b->mac);
	put_word(&w, OPTION_CPE, b->cpe_id);
	return w.len;
}
