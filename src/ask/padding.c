#include "ask/padding.h"

#include "dns/message.h"
#include "dns/reader.h"

#define BLOCK_OF_CLIENTS 128 /* that many servers take as well */

/* The options are whole: edns_parse() has seen them. */
static size_t find(struct span options)
{
	struct reader r = { options, 0, true };

	while (r.ok && r.at < options.len) {
		uint16_t code = read_u16(&r);
		uint16_t len = read_u16(&r);

		if (code == OPTION_PADDING)
			return len;
		read_bytes(&r, len);
	}
	return 0;
}

void padding_read(struct span message, struct padding *p)
{
	struct reply reply;

	*p = (struct padding){ .size = message.len };
	if (!reply_parse(message, &reply) || !reply.edns.has_padding)
		return;
	p->present = true;
	p->octets = find(reply.edns.options);
	p->block = message.len % PADDING_BLOCK == 0   ? PADDING_BLOCK
		: message.len % BLOCK_OF_CLIENTS == 0 ? BLOCK_OF_CLIENTS
						      : 0;
}

void padding_put(const struct padding *p, FILE *out)
{
	if (!p->present)
		fputs("the reply is not padded\n", out);
	else if (p->block)
		fprintf(out, "%zu octets make it %zu, a multiple of %u\n", p->octets, p->size,
			p->block);
	else
		fprintf(out, "%zu octets make it %zu, which is no multiple of %u (RFC 8467)\n",
			p->octets, p->size, PADDING_BLOCK);
}
