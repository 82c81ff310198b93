/* What a client sends: whatever it is, silence, a query that we would send on or answer with a
 * failure, or a refusal that is a well-formed answer. */
#include <string.h>

#include "dns/build.h"
#include "fuzz.h"

static void refuse(const struct request *request, enum rcode rcode, enum ede ede)
{
	const struct answer_form form = { .request = request,
		.size_max = BUILD_QUERY_MAX,
		.udp_size = 1232,
		.keepalive = 100,
		.ede = ede,
		.ede_text = "not like this" };
	uint8_t out[BUILD_QUERY_MAX];
	struct reply answer;
	size_t len = build_error(out, sizeof(out), &form, rcode);

	HOLDS(build_error(out + len, DNS_HEADER - 1, &form, rcode) == 0);
	HOLDS(reply_parse((struct span){ out, len }, &answer));
	HOLDS(answer.id == request->id && answer.rcode == rcode && answer.flags & DNS_QR);
	HOLDS(answer.has_opt == request->edns.present);
	HOLDS(!request->question.name || reply_answers(&answer, &request->question) ||
		request->flags & DNS_OPCODE);
}

/* What is sent on asks the same, and nothing of the client's but its question. */
static void forward(const struct request *request)
{
	const struct query_form form = { .id = 0x4321,
		.flags = request->flags,
		.question = request->question,
		.edns = true,
		.pad = true };
	uint8_t out[BUILD_QUERY_MAX];
	size_t len = build_query(out, &form);
	struct request sent;
	enum rcode rcode;
	enum ede ede;

	HOLDS(len % BUILD_PAD_QUERY == 0);
	HOLDS(query_parse((struct span){ out, len }, &sent, &rcode, &ede) == ADMIT);
	HOLDS(sent.id == 0x4321 && (sent.flags & ~request->flags) == 0);
	HOLDS(question_equals(&sent.question, &request->question));
	HOLDS(sent.edns.present && sent.edns.has_padding && !sent.edns.dnssec_ok);
}

/* A failure that is packed is told as one that is built. */
static void fail(const struct request *request)
{
	static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];
	static const struct failure failure = { RCODE_SERVFAIL, EDE_NETWORK_ERROR, "no network" };
	const struct answer_form form = { .request = request,
		.size_max = BUILD_QUERY_MAX,
		.udp_size = 1232,
		.keepalive = -1,
		.ede = EDE_NONE };
	struct answer_form built = form;
	uint8_t packed_out[BUILD_QUERY_MAX], built_out[BUILD_QUERY_MAX];
	struct packed packed;
	bool truncated;

	built.ede = failure.ede;
	built.ede_text = failure.text;
	pack_failure(&packed, memory, &request->question, &failure);
	size_t len = build_answer(packed_out, sizeof(packed_out), &form, &packed, &truncated);

	HOLDS(len == build_error(built_out, sizeof(built_out), &built, failure.rcode));
	HOLDS(!truncated && memcmp(packed_out, built_out, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct request request;
	enum rcode rcode;
	enum ede ede;

	switch (query_parse((struct span){ data, len }, &request, &rcode, &ede)) {
	case ADMIT:
		forward(&request);
		fail(&request);
		break;
	case ADMIT_REFUSE:
		refuse(&request, rcode, ede);
		break;
	case ADMIT_DROP:
		break;
	}
	return 0;
}
