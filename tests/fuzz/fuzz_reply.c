/* What a server sends: if it counts as a reply, the answer made of it is well-formed in every size,
 * and answers the same question. */
#include "dns/build.h"
#include "fuzz.h"

static void answer(
	const struct reply *reply, const struct question *question, bool edns, size_t size)
{
	static uint8_t out[DNS_MESSAGE_MAX];
	const struct request request = {
		.flags = DNS_RD,
		.question = *question,
		.edns = { .present = edns, .dnssec_ok = edns },
	};
	const struct answer_form form = { &request, size, 1232, edns ? 100 : -1, NULL };
	struct reply back;
	bool truncated;
	size_t len = build_answer(out, sizeof(out), &form, reply, &truncated);

	if (len == 0) {
		HOLDS(size < BUILD_QUERY_MAX || reply->ttl_max > BUILD_TTL_MAX);
		return;
	}
	HOLDS(len <= size);
	HOLDS(reply_parse((struct span){ out, len }, &back) && reply_answers(&back, question));
	HOLDS(back.has_opt == edns && back.ttl_max <= BUILD_TTL_MAX);
	HOLDS(!truncated || back.flags & DNS_TC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reply reply;

	if (!reply_parse((struct span){ data, len }, &reply) || reply.count[SECTION_QUESTION] == 0)
		return 0;

	const uint8_t *end = data + reply.question_end;
	const struct question question = { data + DNS_HEADER, reply.question_end - DNS_HEADER - 4,
		get_u16(end - 4), get_u16(end - 2) };
	if (!reply_answers(&reply, &question))
		return 0;
	for (size_t size = DNS_HEADER; size < len; size += 1 + size / 4) {
		answer(&reply, &question, false, size);
		answer(&reply, &question, true, size);
	}
	answer(&reply, &question, false, DNS_MESSAGE_MAX);
	answer(&reply, &question, true, DNS_MESSAGE_MAX);
	return 0;
}
