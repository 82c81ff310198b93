/* The messages of a transfer: a first octet says of which kind (1: IXFR, 2: with a key), then come
 * frames. It ends once; what is counted is what was handed out. */
#include <string.h>

#include "ask/transfer.h"
#include "dns/message.h"
#include "dns/reader.h"
#include "fuzz.h"

static uint64_t told;

static void on_record(void *arg, struct span m, const struct record *rec)
{
	(void)arg;
	HOLDS(rec->owner < rec->rdata && rec->rdata <= rec->end && rec->end <= m.len);
	told++;
}

static enum transfer_verdict take(struct transfer *t, const uint8_t *at, size_t len)
{
	static uint8_t message[DNS_MESSAGE_MAX];
	char why[WHY_MAX];

	memcpy(message, at, len);
	enum transfer_verdict verdict = transfer_take(t, message, len, 0, why);

	HOLDS((verdict == TRANSFER_BAD) == (*why != 0));
	HOLDS(memchr(why, 0, WHY_MAX));
	HOLDS(t->records == told && t->size_min <= t->size_max);
	HOLDS(t->empty <= TRANSFER_EMPTY_MAX || verdict == TRANSFER_BAD);
	HOLDS((verdict == TRANSFER_DONE) <= (t->records > 0 && t->form != TRANSFER_UNKNOWN));
	HOLDS(transfer_lacks(t));
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader r = { { data, len }, 0, true };
	const uint8_t kind = read_u8(&r);
	const struct ask_key key = { .algorithm = "hmac-sha256",
		.name = "\1k",
		.name_len = 3,
		.secret = (const uint8_t *)"secret",
		.secret_len = 6 };
	struct ask_question question = {
		.type = kind & 1 ? TYPE_IXFR : TYPE_AXFR, .class = CLASS_IN, .serial = 3
	};
	struct tsig tsig;
	struct transfer transfer = { .question = &question,
		.id = 0x1234,
		.tsig = kind & 2 ? &tsig : NULL,
		.on_record = on_record };
	bool is_over = false;

	question.name_len = name_from_text("example.", question.name);
	tsig_init(&tsig, &key);
	tsig.is_later = true; /* as behind a message that was good: unsigned ones may follow */
	told = 0;
	for (;;) {
		size_t size = read_u16(&r);
		const uint8_t *message = read_bytes(&r, size);

		if (!message)
			break;
		enum transfer_verdict verdict = take(&transfer, message, size);
		HOLDS(!is_over || verdict == TRANSFER_BAD);
		is_over |= verdict != TRANSFER_MORE;
	}
	tsig_clear(&tsig);
	return 0;
}
