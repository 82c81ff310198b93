#include "dns/draft.h"

void draft_begin(struct draft *d, void *memory, const struct question *q)
{
	uint8_t *message = (uint8_t *)memory + 2 * PACKED_RECORDS;

	*d = (struct draft){ .w = { message, DNS_HEADER, DNS_MESSAGE_MAX, true },
		.question = q,
		.ttl_at = memory,
		.count = { 1 } };
	memset(message, 0, DNS_HEADER);
	put_bytes(&d->w, q->name, q->name_len);
	put_number(&d->w, q->type);
	put_number(&d->w, q->class);
}

void draft_pointer(struct draft *d, size_t len)
{
	put_number(&d->w, (uint16_t)(0xc000 | (DNS_HEADER + d->question->name_len - len)));
}

void draft_u32(struct draft *d, uint32_t v)
{
	put_number(&d->w, (uint16_t)(v >> 16));
	put_number(&d->w, (uint16_t)v);
}

size_t draft_open(struct draft *d)
{
	put_number(&d->w, 0);
	return d->w.len;
}

void draft_close(struct draft *d, size_t open)
{
	if (d->w.ok)
		put_u16(d->w.out + open - 2, (uint16_t)(d->w.len - open));
}

size_t draft_record(struct draft *d, int section, uint16_t type, uint32_t ttl_s)
{
	put_number(&d->w, type);
	put_number(&d->w, CLASS_IN);
	if (d->w.ok)
		d->ttl_at[d->ttl_count++] = (uint16_t)d->w.len;
	d->count[section]++;
	draft_u32(d, ttl_s);
	return draft_open(d);
}

void draft_soa(struct draft *d, int section, size_t zone_len, uint32_t ttl_s)
{
	static const uint8_t nobody[] = "\6nobody\7invalid";
	static const uint32_t numbers[] = { 1, 3600, 1200, 604800 };
	size_t record;

	draft_pointer(d, zone_len);
	record = draft_record(d, section, TYPE_SOA, ttl_s);
	draft_pointer(d, zone_len);
	put_bytes(&d->w, nobody, sizeof nobody);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		draft_u32(d, numbers[i]);
	draft_u32(d, ttl_s);
	draft_close(d, record);
}

bool draft_end(struct draft *d, struct packed *packed, enum rcode rcode)
{
	uint8_t *message = d->w.out;

	if (!d->w.ok)
		return false;
	for (int i = 0; i < SECTIONS; i++)
		put_u16(message + 4 + 2 * i, d->count[i]);
	*packed = (struct packed){ .message = { message, d->w.len },
		.ttl_at = d->ttl_at,
		.ttl_count = d->ttl_count,
		.errors = { message + d->w.len, 0 },
		.rcode = (uint16_t)rcode,
		.worth = WORTH_NOTHING };
	return true;
}
