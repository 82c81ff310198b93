#include "ask/record.h"

#include "ask/octets.h"
#include "dns/message.h"
#include "dns/rdata.h"
#include "dns/reader.h"
#include "dns/text.h"

#include <ldns/ldns.h>
#include <string.h>

/* Names that the data of one record holds (dns/rdata). */
#define NAMES_MOST 2

bool record_read(struct span m, size_t *at, struct record *r)
{
	struct reader in = { m, *at, true };

	r->owner = *at;
	read_name(&in);
	r->type_at = in.at;
	r->type = read_u16(&in);
	r->class = read_u16(&in);
	r->ttl = (uint32_t)read_u16(&in) << 16;
	r->ttl |= read_u16(&in);
	size_t len = read_u16(&in);

	r->rdata = in.at;
	read_bytes(&in, len);
	r->end = in.at;
	*at = in.at;
	return in.ok;
}

/* ---- the parts ---- */

void record_put_name(struct span m, size_t at, FILE *out)
{
	uint8_t name[NAME_MAX_WIRE];
	char text[NAME_TEXT];

	name_copy(m, at, name);
	fputs(name_to_text(name, text), out);
}

void record_put_class(uint16_t class, bool generic, FILE *out)
{
	const char *text = class == 1 ? "IN"
		: class == 3          ? "CH"
		: class == 4          ? "HS"
		: class == 254        ? "NONE"
		: class == 255        ? "ANY"
				      : NULL;

	if (text && !generic)
		fputs(text, out);
	else
		fprintf(out, "CLASS%u", class);
}

void record_put_type(uint16_t type, bool generic, FILE *out)
{
	char text[TEXT_MAX];

	if (generic)
		fprintf(out, "TYPE%u", type);
	else
		fputs(text_type(type, text), out);
}

/* ---- the data ---- */

/* The data without compression: who reads it has no message that a pointer could lead into (RFC
 * 3597 §4). Its length. */
static size_t spread(struct span m, const struct record *r, uint8_t *out)
{
	struct rdata_names names;
	size_t at = r->rdata;

	if (!rdata_names(m, r, &names))
		names = (struct rdata_names){ r->end, 0 };
	size_t len = names.at - at;

	memcpy(out, m.at + at, len);
	at = names.at;
	for (unsigned i = 0; i < names.count; i++) {
		len += name_copy(m, at, out + len);
		name_skip(m, &at);
	}
	memcpy(out + len, m.at + at, r->end - at);
	return len + r->end - at;
}

/* RFC 3597 §5. */
static void put_generic(struct span m, const struct record *r, FILE *out)
{
	uint8_t octets[UINT16_MAX + NAMES_MOST * NAME_MAX_WIRE];
	struct span data = { octets, spread(m, r, octets) };

	fprintf(out, "\\# %zu%s", data.len, data.len ? " " : "");
	octets_put_hex(out, data);
}

/* The line that ldns writes, to be freed; NULL: it does not understand the record, or not all of
 * it. */
static char *line_of(struct span m, const struct record *r)
{
	ldns_rr *rr = NULL;
	size_t at = r->owner;
	char *line = NULL;

	if (ldns_wire2rr(&rr, m.at, r->end, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
		return NULL;
	if (at == r->end)
		line = ldns_rr2str_fmt(ldns_output_format_nocomments, rr);
	ldns_rr_free(rr);
	return line;
}

/* What is behind the fourth tab, without the end of the line. */
static struct span data_of(char *line)
{
	char *data = line;

	for (int i = 0; data && i < 4; i++) {
		data = strchr(data, '\t');
		data += data != NULL;
	}
	if (!data)
		return (struct span){ 0 };
	return (struct span){ (const uint8_t *)data, strcspn(data, "\n") };
}

void record_put_data(const struct ask_show *show, struct span m, const struct record *r, FILE *out)
{
	char *line = show->generic || show->hex || r->type == TYPE_OPT ? NULL : line_of(m, r);
	struct span data = line ? data_of(line) : (struct span){ 0 };

	if (data.at)
		octets_put_text(out, data);
	else
		put_generic(m, r, out);
	LDNS_FREE(line);
}

void record_put(const struct ask_show *show, struct span m, const struct record *r, FILE *out)
{
	record_put_name(m, r->owner, out);
	fprintf(out, "\t%u\t", r->ttl);
	record_put_class(r->class, show->generic, out);
	fputc('\t', out);
	record_put_type(r->type, show->generic, out);
	fputc('\t', out);
	record_put_data(show, m, r, out);
	fputc('\n', out);
}
