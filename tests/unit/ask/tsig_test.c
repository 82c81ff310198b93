#include "ask/tsig.h"

#include <string.h>

#include "dns/name.h"
#include "hex.h"
#include "signed.h"

#define NOW 1700000000

static const char *const algorithms[] = { "hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256",
	"hmac-sha384", "hmac-sha512" };
enum { SHA256 = 3, ALGORITHMS = sizeof(algorithms) / sizeof(algorithms[0]) };

static struct ask_key key;
static struct tsig tsig;
static struct octets message;
static char why[WHY_MAX];

/* Signs the question that dnspython has signed, as a message without its record. */
static size_t ask(int algorithm)
{
	static uint8_t secret[32];

	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	key = (struct ask_key){
		.algorithm = algorithms[algorithm], .secret = secret, .secret_len = sizeof(secret)
	};
	key.name_len = name_from_text("Key.example.", key.name);

	static const char question[] = "123401000001000000000000"
				       "03777777076578616d706c650000010001";
	tsig_clear(&tsig);
	tsig_init(&tsig, &key);
	hex_read(&message, question);
	return tsig_sign(&tsig, message.at, message.len, sizeof(message.at), NOW);
}

static enum tsig_verdict verify_at(const char *text, uint64_t now_s)
{
	hex_read(&message, text);
	return tsig_verify(&tsig, message.at, &message.len, now_s, why);
}

static enum tsig_verdict verify(const char *text)
{
	return verify_at(text, NOW);
}

CASE(a_question_is_signed_as_dnspython_signs_it)
{
	for (int i = 0; i < ALGORITHMS; i++) {
		static struct octets theirs;
		size_t len = ask(i);

		hex_read(&theirs, questions[i]);
		EQ(len, theirs.len);
		MEM(message.at, theirs.at, len);
	}
}

CASE(what_does_not_fit_is_not_signed)
{
	size_t len = ask(SHA256);

	hex_read(&message,
		"123401000001000000000000"
		"03777777076578616d706c650000010001");
	EQ(tsig_sign(&tsig, message.at, message.len, len - 1, NOW), 0);
	EQ(get_u16(message.at + 10), 0);
	EQ(tsig_sign(&tsig, message.at, message.len, len, NOW), len);
}

CASE(a_reply_of_each_algorithm_is_good)
{
	for (int i = 0; i < ALGORITHMS; i++) {
		ask(i);
		EQ(verify(replies[i]), TSIG_GOOD);
		STR(why, "");
		/* The record is off. */
		struct reply reply;
		OK(reply_parse((struct span){ message.at, message.len }, &reply));
		EQ(reply.count[SECTION_ADDITIONAL], 0);
	}
}

CASE(a_reply_under_another_id_is_judged_under_the_original_one)
{
	ask(SHA256);
	EQ(verify(renumbered[0]), TSIG_GOOD);
	EQ(get_u16(message.at), 0x4321);
}

CASE(no_octet_can_be_changed)
{
	struct octets intact;

	hex_read(&intact, replies[SHA256]);
	for (size_t i = 2; i < intact.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			ask(SHA256);
			message = intact;
			message.at[i] ^= (uint8_t)(1u << bit);
			enum tsig_verdict verdict =
				tsig_verify(&tsig, message.at, &message.len, NOW, why);

			/* But for the case of letters in the record's own names. */
			if (verdict == TSIG_GOOD)
				OK(bit == 5 && i >= 45);
			else
				OK(*why);
		}
	}
}

CASE(a_reply_belongs_to_its_question)
{
	ask(SHA256);
	tsig.mac[0] ^= 1;
	EQ(verify(replies[SHA256]), TSIG_BAD);
	STR(why, "its MAC is wrong");
}

CASE(the_clock_may_be_off_by_the_fudge)
{
	ask(SHA256);
	EQ(verify_at(replies[SHA256], NOW + 300), TSIG_GOOD);
	ask(SHA256);
	EQ(verify_at(replies[SHA256], NOW - 300), TSIG_GOOD);
	ask(SHA256);
	EQ(verify_at(replies[SHA256], NOW + 301), TSIG_BAD);
	STR(why, "it was signed 301 s ago, and may be 300 s off");
	ask(SHA256);
	EQ(verify_at(replies[SHA256], NOW - 301), TSIG_BAD);
	STR(why, "it was signed 301 s ahead, and may be 300 s off");
}

CASE(a_cut_mac_is_refused)
{
	ask(SHA256);
	EQ(verify(cut_mac[0]), TSIG_BAD);
	STR(why, "its MAC is cut to 16 octets of 32");
}

CASE(another_key_or_algorithm_is_refused)
{
	ask(SHA256);
	EQ(verify(other_key[0]), TSIG_BAD);
	STR(why, "it is signed by another key or algorithm: other.example.");
	ask(SHA256);
	EQ(verify(replies[SHA256 + 1]), TSIG_BAD);
}

CASE(errors_of_the_server_are_told)
{
	ask(SHA256);
	EQ(verify(badkey[0]), TSIG_BAD);
	STR(why, "the server says BADKEY");
	ask(SHA256);
	EQ(verify(badkey[1]), TSIG_BAD);
	STR(why, "the server says BADSIG");
}

CASE(the_clock_of_who_says_badtime_is_told_if_it_is_signed)
{
	ask(SHA256);
	EQ(verify(badtime[0]), TSIG_BAD);
	STR(why, "the server says BADTIME: its clock is 1000 s ahead of ours");
	ask(SHA256);
	tsig.mac[0] ^= 1;
	EQ(verify(badtime[0]), TSIG_BAD);
	STR(why, "its MAC is wrong");
}

CASE(later_messages_are_signed_with_the_one_before)
{
	ask(SHA256);
	EQ(verify(stream[0]), TSIG_GOOD);
	EQ(verify(stream[1]), TSIG_UNSIGNED);
	EQ(verify(stream[2]), TSIG_UNSIGNED);
	EQ(verify(stream[3]), TSIG_GOOD);
	EQ(verify(stream[4]), TSIG_GOOD);
	EQ(tsig.unsigned_count, 0);
}

CASE(an_unsigned_message_cannot_be_left_out_or_changed)
{
	ask(SHA256);
	EQ(verify(stream[0]), TSIG_GOOD);
	EQ(verify(stream[1]), TSIG_UNSIGNED);
	EQ(verify(stream[3]), TSIG_BAD);
	EQ(verify(stream[4]), TSIG_BAD);
	STR(why, "a message before it was not good");

	ask(SHA256);
	EQ(verify(stream[0]), TSIG_GOOD);
	EQ(verify(stream[1]), TSIG_UNSIGNED);
	EQ(verify(stream[1]), TSIG_UNSIGNED);
	EQ(verify(stream[3]), TSIG_BAD);
}

CASE(the_first_message_has_to_be_signed)
{
	ask(SHA256);
	EQ(verify(stream[1]), TSIG_BAD);
	STR(why, "it is not signed");
}

CASE(ninety_nine_may_be_unsigned)
{
	ask(SHA256);
	EQ(verify(stream[0]), TSIG_GOOD);
	for (int i = 0; i < 99; i++)
		EQ(verify(stream[1]), TSIG_UNSIGNED);
	EQ(verify(stream[1]), TSIG_BAD);
	STR(why, "more than 99 messages are not signed");
}

CASE(a_signature_is_the_last_record)
{
	ask(SHA256);
	hex_read(&message, replies[SHA256]);
	size_t len = message.len;
	memcpy(message.at + len, message.at + 29, 16); /* its address once more */
	message.len += 16;
	message.at[11]++;
	EQ(tsig_verify(&tsig, message.at, &message.len, NOW, why), TSIG_BAD);
	STR(why, "the TSIG record at octet 45 is not the last one");
}

CASE(algorithms_are_known_by_name)
{
	OK(tsig_knows("HMAC-SHA256"));
	OK(tsig_knows("hmac-md5"));
	OK(!tsig_knows("hmac-sha3"));
	OK(!tsig_knows(""));
}

CASE(it_ends)
{
	tsig_clear(&tsig);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_question_is_signed_as_dnspython_signs_it),
		CLAIM(what_does_not_fit_is_not_signed),
		CLAIM(a_reply_of_each_algorithm_is_good),
		CLAIM(a_reply_under_another_id_is_judged_under_the_original_one),
		CLAIM(no_octet_can_be_changed),
		CLAIM(a_reply_belongs_to_its_question),
		CLAIM(the_clock_may_be_off_by_the_fudge),
		CLAIM(a_cut_mac_is_refused),
		CLAIM(another_key_or_algorithm_is_refused),
		CLAIM(errors_of_the_server_are_told),
		CLAIM(the_clock_of_who_says_badtime_is_told_if_it_is_signed),
		CLAIM(later_messages_are_signed_with_the_one_before),
		CLAIM(an_unsigned_message_cannot_be_left_out_or_changed),
		CLAIM(the_first_message_has_to_be_signed),
		CLAIM(ninety_nine_may_be_unsigned),
		CLAIM(a_signature_is_the_last_record),
		CLAIM(algorithms_are_known_by_name),
		CLAIM(it_ends),
	};
	return RUN(cases);
}
