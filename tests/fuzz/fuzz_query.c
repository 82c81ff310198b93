/* What a client sends: whatever it is, silence, a query that we would send on, or a refusal that is
 * a well-formed answer. */
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

	HOLDS(reply_parse((struct span){ out, len }, &answer));
	HOLDS(answer.id == request->id && answer.rcode == rcode && answer.flags & DNS_QR);
	HOLDS(answer.has_opt == request->edns.present);
	HOLDS(!request->question.name || reply_answers(&answer, &request->question) ||
		request->flags & DNS_OPCODE);
}

static void forward(const struct request *request)
{
	const struct query_form form = { .question = request->question, .edns = true, .pad = true };
	uint8_t out[BUILD_QUERY_MAX];
	size_t len = build_query(out, &form);

	HOLDS(len % BUILD_PAD_QUERY == 0);
	HOLDS(reply_parse((struct span){ out, len }, &(struct reply){ .id = 0 }));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct request request;
	enum rcode rcode;
	enum ede ede;

	switch (query_parse((struct span){ data, len }, &request, &rcode, &ede)) {
	case ADMIT:
		forward(&request);
		break;
	case ADMIT_REFUSE:
		refuse(&request, rcode, ede);
		break;
	case ADMIT_DROP:
		break;
	}
	return 0;
}
