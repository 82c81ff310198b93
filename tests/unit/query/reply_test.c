#include "query/reply.h"

#include "case.h"

#include "dns/build.h"

static const uint8_t name[] = "\7example";
static uint8_t out[REPLY_MAX];

/* The answer REFUSED to a client of these manners. */
static struct reply refused(const struct edns *edns, const struct manners *manners)
{
	const struct request request = {
		.id = 7, .question = { name, sizeof name, TYPE_A, CLASS_IN }, .edns = *edns
	};
	const struct answer answer = { .rcode = RCODE_REFUSED, .ede = EDE_PROHIBITED };
	struct shape shape = reply_shape(&request, &answer, manners, out);
	struct reply reply;

	OK(reply_parse(shape.message, &reply));
	return reply;
}

CASE(who_pads_is_padded_for_where_it_is_encrypted)
{
	for (int i = 0; i < 8; i++) {
		const struct edns edns = {
			.present = true, .udp_size = 1232, .has_padding = i & 1
		};
		const struct manners manners = {
			.encrypted = i & 2, .stream = i & 4, .udp_size = 1232
		};
		struct reply reply = refused(&edns, &manners);

		EQ(reply.edns.has_padding, (i & 3) == 3);
		EQ(reply.message.len % BUILD_PAD_ANSWER == 0, (i & 3) == 3);
	}
}

CASE(the_idle_timeout_is_for_streams_that_ask)
{
	for (int i = 0; i < 4; i++) {
		const struct edns edns = {
			.present = true, .udp_size = 512, .has_keepalive = i & 1
		};
		const struct manners manners = {
			.stream = i & 2, .udp_size = 1232, .keepalive = 100
		};
		struct reply reply = refused(&edns, &manners);

		EQ(reply.edns.has_keepalive, i == 3);
		EQ(reply.edns.keepalive, i == 3 ? 100 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(who_pads_is_padded_for_where_it_is_encrypted),
		CLAIM(the_idle_timeout_is_for_streams_that_ask),
	};

	return RUN(cases);
}
