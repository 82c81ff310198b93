#include "dns/edns.h"

#include "dns/reader.h"

#define UDP_SIZE_MIN 512

struct option {
	uint16_t code;
	struct span data;
};

static struct option read_option(struct reader *r)
{
	struct option o = { .code = read_u16(r) };

	o.data.len = read_u16(r);
	o.data.at = read_bytes(r, o.data.len);
	return o;
}

static void note_option(struct edns *e, const struct option *o)
{
	if (o->code == OPTION_PADDING)
		e->has_padding = true;
	if (o->code == OPTION_KEEPALIVE && (o->data.len == 0 || o->data.len == 2)) {
		e->has_keepalive = true;
		e->keepalive = o->data.len ? get_u16(o->data.at) : 0;
	}
}

bool edns_parse(struct edns *e, uint16_t class, uint32_t ttl, struct span rdata)
{
	struct reader r = { rdata, 0, true };

	*e = (struct edns){
		.present = true,
		.version = (uint8_t)(ttl >> 16),
		.rcode_high = (uint8_t)(ttl >> 24),
		.udp_size = class < UDP_SIZE_MIN ? UDP_SIZE_MIN : class,
		.dnssec_ok = ttl & EDNS_DO,
	};
	for (unsigned n = 0; r.at < rdata.len; n++) {
		struct option o = read_option(&r);

		if (!r.ok || n == EDNS_OPTIONS_MAX) {
			e->has_keepalive = e->has_padding = false;
			return false;
		}
		note_option(e, &o);
	}
	e->options = rdata;
	return true;
}

size_t edns_text_len(struct span text)
{
	size_t len = text.len < EDNS_EDE_TEXT ? text.len : EDNS_EDE_TEXT;

	while (len > 0 && len < text.len && (text.at[len] & 0xc0) == 0x80)
		len--;
	return len;
}

bool edns_error_at(const struct edns *e, unsigned n, struct edns_error *error)
{
	struct reader r = { e->options, 0, true };

	while (r.at < e->options.len) {
		struct option o = read_option(&r);

		if (!r.ok)
			return false;
		if (o.code != OPTION_EDE || o.data.len < 2 || n-- > 0)
			continue;
		error->code = get_u16(o.data.at);
		error->text = (struct span){ o.data.at + 2, o.data.len - 2 };
		return true;
	}
	return false;
}
