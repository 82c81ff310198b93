/* What a server sends: if it counts as a reply, the answer made of it is well-formed in every size,
 * and answers the same question. */
#include "dns/build.h"
#include "fuzz.h"

/* Large enough for octets that look like pointers. */
#define TTL_MAX 0xffff

static void answer(
	const struct packed *packed, const struct question *question, bool edns, size_t size)
{
	static uint8_t out[DNS_MESSAGE_MAX];
	const struct request request = {
		.flags = DNS_RD,
		.question = *question,
		.edns = { .present = edns, .dnssec_ok = edns },
	};
	const struct answer_form form = { .request = &request,
		.size_max = size,
		.udp_size = 1232,
		.keepalive = edns ? 100 : -1,
		.ede = EDE_NONE,
		.age_s = edns ? packed->lifetime_s / 2 : 0,
		.ttl_s = size % 2 ? 30 : 0 };
	struct reply back;
	bool truncated;
	size_t len = build_answer(out, sizeof(out), &form, packed, &truncated);

	if (len == 0) {
		HOLDS(size < BUILD_QUERY_MAX);
		return;
	}
	HOLDS(len <= size);
	HOLDS(reply_parse((struct span){ out, len }, &back) && reply_answers(&back, question));
	HOLDS(back.has_opt == edns && back.ttl_max <= TTL_MAX);
	HOLDS(!truncated || back.flags & DNS_TC);
}

/* What is packed tells the same wherever it is moved to. */
static void pack(struct packed *packed, const struct reply *reply)
{
	static _Alignas(uint16_t) uint8_t memory[PACKED_MAX], elsewhere[PACKED_MAX];
	const struct pack_limits limits = { 1, TTL_MAX, 100 };

	packed->ttl_at = NULL;
	if (!pack_reply(packed, memory, reply, &limits))
		return;
	HOLDS(packed_size(packed) <= PACKED_MAX && packed->lifetime_s <= TTL_MAX);
	HOLDS(packed->worth == WORTH_FAILURE || packed->worth == WORTH_NOTHING ||
		packed->lifetime_s > 0);
	packed_move(packed, elsewhere);
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
	struct packed packed;

	pack(&packed, &reply);
	if (!packed.ttl_at)
		return 0;
	for (size_t size = DNS_HEADER; size < len; size += 1 + size / 4) {
		answer(&packed, &question, false, size);
		answer(&packed, &question, true, size);
	}
	answer(&packed, &question, false, DNS_MESSAGE_MAX);
	answer(&packed, &question, true, DNS_MESSAGE_MAX);
	return 0;
}
