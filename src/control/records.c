#include "control/records.h"

#include "dns/message.h"
#include "dns/name.h"
#include "dns/text.h"

#include <inttypes.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

/* Peers have a say in what it is, and none in what a terminal does. */
static void put_text(const char *text, FILE *out)
{
	for (; *text; text++)
		if (*text == '\t')
			fputc(' ', out);
		else if (*text == '\n' || (*text >= ' ' && *text <= '~'))
			fputc(*text, out);
		else
			fputc('?', out);
}

/* `example. 300 CLASS1 TYPE65280 \# 2 cafe` (RFC 3597 §5). */
static void put_unknown(struct span m, const struct record *r, FILE *out)
{
	uint8_t owner[NAME_MAX_WIRE];
	char name[NAME_TEXT];

	name_copy(m, r->owner, owner);
	fprintf(out, "%s %" PRIu32 " CLASS%u TYPE%u \\# %zu", name_to_text(owner, name), r->ttl,
		r->class, r->type, r->end - r->rdata);
	for (size_t i = r->rdata; i < r->end; i++)
		fprintf(out, "%s%02x", i == r->rdata ? " " : "", m.at[i]);
	fputc('\n', out);
}

/* As a zone file has it, to be freed; NULL: it is not what its type says. */
static char *record_text(struct span m, const struct record *r)
{
	size_t at = r->owner;
	ldns_rr *rr = NULL;
	char *text = NULL;

	if (ldns_wire2rr(&rr, m.at, m.len, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
		return NULL;
	if (at == r->end &&
		ldns_rr_rd_count(rr) >= ldns_rr_descriptor_minimum(ldns_rr_descript(r->type)))
		text = ldns_rr2str_fmt(ldns_output_format_nocomments, rr);
	ldns_rr_free(rr);
	return text;
}

static void put_record(struct span m, const struct record *r, FILE *out)
{
	char *text = record_text(m, r);

	fputs("  ", out);
	if (text)
		put_text(text, out);
	else
		put_unknown(m, r, out);
	free(text);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The octets that the text stands for, into memory of as many; how many. 0: it is none. */
static size_t read_hex(const char *text, uint8_t *to)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return 0;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return len;
}

void records_put(const char *hex, FILE *out)
{
	uint8_t *message = malloc(strlen(hex) / 2 + 1);
	struct span m = { message, message ? read_hex(hex, message) : 0 };
	struct reply reply;

	if (!reply_parse(m, &reply)) {
		fputs("  (its records cannot be read)\n", out);
		free(message);
		return;
	}
	for (size_t at = reply.section[SECTION_ANSWER]; at < m.len;) {
		struct record r;

		message_record(m, &at, &r);
		if (r.type != TYPE_OPT)
			put_record(m, &r, out);
	}
	free(message);
}
