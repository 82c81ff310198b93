/* What a server signs, in frames as over TCP: what is good has its record off and is a message;
 * what is not stays as it came, and behind what is bad nothing is good. */
#include <string.h>

#include "ask/tsig.h"
#include "dns/message.h"
#include "dns/reader.h"
#include "fuzz.h"

/* The time, the key and the question of tests/unit/ask/signed.py, whose messages are the corpus. */
#define NOW 1700000000

static const uint8_t question[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1";

static void sign(struct tsig *t, struct ask_key *key)
{
	static uint8_t secret[32], message[512];

	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	*key = (struct ask_key){
		.algorithm = "hmac-sha256", .secret = secret, .secret_len = sizeof(secret)
	};
	key->name_len = name_from_text("key.example.", key->name);
	tsig_init(t, key);
	memcpy(message, question, sizeof(question) - 1);
	HOLDS(tsig_sign(t, message, sizeof(question) - 1, sizeof(message), NOW));
}

static enum tsig_verdict take(struct tsig *t, const uint8_t *at, size_t len)
{
	static uint8_t message[DNS_MESSAGE_MAX];
	char why[WHY_MAX];
	size_t left = len;
	struct reply before, after;

	memcpy(message, at, len);
	enum tsig_verdict verdict = tsig_verify(t, message, &left, NOW, why);

	HOLDS((verdict == TSIG_BAD) == (*why != 0));
	HOLDS(memchr(why, 0, WHY_MAX));
	HOLDS(t->unsigned_count <= TSIG_UNSIGNED_MAX || verdict == TSIG_BAD);
	if (verdict != TSIG_GOOD) {
		HOLDS(left == len && memcmp(message, at, len) == 0);
		return verdict;
	}
	HOLDS(left < len && reply_parse((struct span){ at, len }, &before));
	HOLDS(reply_parse((struct span){ message, left }, &after));
	HOLDS(after.count[SECTION_ADDITIONAL] == before.count[SECTION_ADDITIONAL] - 1);
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader r = { { data, len }, 0, true };
	struct ask_key key;
	struct tsig tsig;
	bool was_bad = false;

	sign(&tsig, &key);
	for (;;) {
		size_t size = read_u16(&r);
		const uint8_t *message = read_bytes(&r, size);

		if (!message)
			break;
		enum tsig_verdict verdict = take(&tsig, message, size);
		HOLDS(!was_bad || verdict == TSIG_BAD);
		was_bad |= verdict == TSIG_BAD;
	}
	tsig_clear(&tsig);
	return 0;
}
