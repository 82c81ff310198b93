#include "net/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- version 2 ---- */

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
/* The signature, version and command, family and transport, the length of what follows. */
#define HEAD      16
#define LOCAL     0x20
#define PROXY     0x21
#define UNIX_PATH 108
#define TLV_HEAD  3

/* In the second half of the head: what the octets of the addresses are, and how many. */
enum family { UNSPEC, INET, INET6, UNIX };
enum transport { ANY, STREAM, DATAGRAM };
static const size_t address_len[] = { 0, 4, 16, UNIX_PATH };
static const size_t port_len[] = { 0, 2, 2, 0 };

static size_t number(const uint8_t *at)
{
	return (size_t)(at[0] << 8 | at[1]);
}

/* Does it begin with that, as far as it goes? */
static bool begins_with(struct span s, struct span with)
{
	return !s.len || !memcmp(s.at, with.at, s.len < with.len ? s.len : with.len);
}

static bool are_tlvs(const uint8_t *at, size_t len)
{
	while (len >= TLV_HEAD) {
		size_t whole = TLV_HEAD + number(at + 1);

		if (whole > len)
			return false;
		at += whole;
		len -= whole;
	}
	return len == 0;
}

static void read_addr(
	struct addr *a, enum family family, const uint8_t *address, const uint8_t *port)
{
	if (family == INET) {
		a->v4.sin_family = AF_INET;
		memcpy(&a->v4.sin_addr, address, sizeof a->v4.sin_addr);
		memcpy(&a->v4.sin_port, port, sizeof a->v4.sin_port);
	} else {
		a->v6.sin6_family = AF_INET6;
		memcpy(&a->v6.sin6_addr, address, sizeof a->v6.sin6_addr);
		memcpy(&a->v6.sin6_port, port, sizeof a->v6.sin6_port);
	}
}

/* What stands behind the head, of PROXY: source, destination, their ports, TLVs. */
static bool parse_block(struct proxy_header *h, const uint8_t *head)
{
	const enum family family = head[13] >> 4;
	const enum transport transport = head[13] & 15;
	const uint8_t *block = head + HEAD;
	size_t len = number(head + 14), one = address_len[family],
	       all = 2 * (one + port_len[family]);

	if (family == UNSPEC || transport == ANY)
		return true; /* nobody says what the block is then */
	if (!are_tlvs(block + all, len - all))
		return false;
	if (family == UNIX)
		return true;
	read_addr(&h->source, family, block, block + 2 * one);
	read_addr(&h->destination, family, block + one, block + 2 * one + port_len[family]);
	return true;
}

/* Of LOCAL, family and addresses are not looked at, whatever they are. */
static bool is_head(const uint8_t *head)
{
	const unsigned family = head[13] >> 4, transport = head[13] & 15;

	if (head[12] == LOCAL)
		return true;
	if (head[12] != PROXY || family > UNIX || transport > DATAGRAM)
		return false;
	return transport == ANY ||
		number(head + 14) >= 2 * (address_len[family] + port_len[family]);
}

static enum proxy_found parse_binary(struct proxy_header *h, struct span s)
{
	if (s.len < HEAD)
		return PROXY_MORE;
	if (!is_head(s.at))
		return PROXY_NONE;
	h->len = HEAD + number(s.at + 14);
	if (h->len > s.len)
		return PROXY_MORE;
	return s.at[12] == LOCAL || parse_block(h, s.at) ? PROXY_WHOLE : PROXY_NONE;
}

/* ---- version 1 ---- */

#define LINE    "PROXY "
#define UNKNOWN "PROXY UNKNOWN"
#define END     "\r\n"

enum word { WORD_PROXY, WORD_FAMILY, SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT, WORDS };

/* Spelled in the one way that there is. */
static bool parse_port(struct addr *a, const char *text)
{
	unsigned long n = strtoul(text, NULL, 10);
	char back[sizeof "65535"];

	if (n > UINT16_MAX)
		return false;
	snprintf(back, sizeof back, "%lu", n);
	addr_set_port(a, (uint16_t)n);
	return !strcmp(text, back);
}

static bool parse_addr(struct addr *a, const char *family, const char *address, const char *port)
{
	if (!strcmp(family, "TCP4")) {
		a->v4.sin_family = AF_INET;
		return inet_pton(AF_INET, address, &a->v4.sin_addr) == 1 && parse_port(a, port);
	}
	a->v6.sin6_family = AF_INET6;
	return !strcmp(family, "TCP6") && inet_pton(AF_INET6, address, &a->v6.sin6_addr) == 1 &&
		parse_port(a, port);
}

static bool parse_words(struct proxy_header *h, char *line)
{
	const char *word[WORDS];

	for (int i = 0; i < WORDS; i++) {
		word[i] = strsep(&line, " "); /* exactly one is between two words */
		if (!word[i])
			return false;
	}
	return !line &&
		parse_addr(&h->source, word[WORD_FAMILY], word[SOURCE], word[SOURCE_PORT]) &&
		parse_addr(&h->destination, word[WORD_FAMILY], word[DESTINATION],
			word[DESTINATION_PORT]);
}

static enum proxy_found parse_text(struct proxy_header *h, struct span s)
{
	const size_t known = strlen(UNKNOWN),
		     most = s.len < PROXY_LINE_MAX ? s.len : PROXY_LINE_MAX;
	const uint8_t *end = memmem(s.at, most, END, strlen(END));
	char line[PROXY_LINE_MAX];

	if (!end)
		return s.len < PROXY_LINE_MAX ? PROXY_MORE : PROXY_NONE;
	size_t len = (size_t)(end - s.at);

	h->len = len + strlen(END);
	if (len >= known && !memcmp(s.at, UNKNOWN, known) && (len == known || s.at[known] == ' '))
		return PROXY_WHOLE;
	if (memchr(s.at, '\0', len))
		return PROXY_NONE;
	memcpy(line, s.at, len);
	line[len] = '\0';
	return parse_words(h, line) ? PROXY_WHOLE : PROXY_NONE;
}

/* ---- both ---- */

enum proxy_found proxy_parse(struct proxy_header *h, struct span s)
{
	memset(h, 0, sizeof *h);
	if (begins_with(s, SPAN(SIGNATURE)))
		return parse_binary(h, s);
	return begins_with(s, SPAN(LINE)) ? parse_text(h, s) : PROXY_NONE;
}

bool proxy_parse_datagram(struct proxy_header *h, struct span s)
{
	return s.len >= HEAD && begins_with(s, SPAN(SIGNATURE)) && proxy_parse(h, s) == PROXY_WHOLE;
}
