#include "query/reply.h"

#include "dns/build.h"

#define UDP_PLAIN 512 /* without EDNS (RFC 1035 §4.2.1) */

static size_t size_max(const struct edns *edns, const struct manners *m)
{
	if (m->stream)
		return REPLY_MAX;
	if (!edns->present)
		return UDP_PLAIN;
	return edns->udp_size < m->udp_size ? edns->udp_size : m->udp_size;
}

struct shape reply_shape(
	const struct request *r, const struct answer *a, const struct manners *m, uint8_t *out)
{
	/* The idle timeout is told to those who ask, over streams only (RFC 7828 §3.3.2). */
	bool keepalive = m->stream && r->edns.has_keepalive;
	/* Who pads is padded for, where that hides anything (RFC 7830 §4, §6). */
	bool pad = m->encrypted && r->edns.has_padding;
	struct answer_form form = { .request = r,
		.size_max = size_max(&r->edns, m),
		.udp_size = m->udp_size,
		.keepalive = keepalive ? m->keepalive : -1,
		.pad = pad,
		.ede = a->ede,
		.ede_text = a->ede_text,
		.age_s = a->age_s,
		.ttl_s = a->ttl_s };
	struct shape shape = { .truncated = a->truncate };
	size_t len = a->packed ? build_answer(out, REPLY_MAX, &form, a->packed, &shape.truncated)
			       : build_error(out, REPLY_MAX, &form, a->rcode);

	if (a->truncate)
		put_u16(out + 2, get_u16(out + 2) | DNS_TC);
	if (a->authoritative)
		put_u16(out + 2, get_u16(out + 2) | DNS_AA);
	shape.message = (struct span){ out, len };
	return shape;
}
