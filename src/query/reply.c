#include "query/reply.h"

#include "dns/build.h"

#define UDP_PLAIN 512 /* without EDNS (RFC 1035 §4.2.1) */

static size_t size_max(const struct query *q)
{
	const struct edns *edns = &q->request.edns;

	if (q->client->stream)
		return REPLY_MAX;
	if (!edns->present)
		return UDP_PLAIN;
	return edns->udp_size < q->env->conf->udp_size ? edns->udp_size : q->env->conf->udp_size;
}

/* The idle timeout is told to those who ask for it, over streams only (RFC 7828 §3.3.2). */
static int keepalive(const struct query *q)
{
	return q->client->stream && q->request.edns.has_keepalive ? q->env->conf->keepalive : -1;
}

struct shape reply_shape(const struct query *q, uint8_t *out)
{
	struct answer_form form = { .request = &q->request, .size_max = size_max(q),
		.udp_size = q->env->conf->udp_size, .keepalive = keepalive(q), .ede_text = q->ede_text };
	struct shape shape = { .truncated = false };
	size_t len = 0;

	if (q->reply)
		len = build_answer(out, REPLY_MAX, &form, q->reply, &shape.truncated);
	if (!len)
		len = build_error(out, REPLY_MAX, &form, q->reply ? RCODE_SERVFAIL : q->rcode,
			q->reply ? EDE_INVALID_DATA : q->ede);
	if (q->truncate) {
		put_u16(out + 2, get_u16(out + 2) | DNS_TC);
		shape.truncated = true;
	}
	shape.message = (struct span){ out, len };
	return shape;
}
