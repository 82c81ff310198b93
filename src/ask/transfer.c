#include "ask/transfer.h"

#include "ask/broken.h"
#include "dns/message.h"
#include "dns/name.h"
#include "dns/text.h"

/* Is it the SOA of the zone, and which serial has it? reply_parse() has seen that there are two
 * names and five numbers in it. */
static bool is_apex(
	const struct transfer *t, struct span m, const struct record *rec, uint32_t *serial)
{
	uint8_t owner[NAME_MAX_WIRE];

	if (rec->type != TYPE_SOA || rec->class != t->question->class)
		return false;
	if (name_copy(m, rec->owner, owner) != t->question->name_len ||
		!name_equals(owner, t->question->name, t->question->name_len))
		return false;
	*serial = get_u32(m.at + rec->end - 20);
	return true;
}

/* RFC 1982 §3.2. */
static bool serial_is_newer(uint32_t a, uint32_t b)
{
	return a != b && a - b < 0x80000000u;
}

static void end_of_zone(struct transfer *t, enum transfer_form form)
{
	t->form = form;
	t->at = AT_END;
}

/* Behind the first SOA, the second record says what it is; a second SOA of the same serial ends a
 * zone that has nothing else. */
static bool take_second(struct transfer *t, bool apex, uint32_t serial, char why[WHY_MAX])
{
	if (!apex) {
		t->form = TRANSFER_WHOLE;
		t->at = IN_ZONE;
		return true;
	}
	if (serial == t->serial) {
		end_of_zone(t, TRANSFER_WHOLE);
		return true;
	}
	if (t->question->type == TYPE_AXFR)
		return why_say(why, "it begins with serial %u and ends with %u", t->serial, serial);
	if (serial != t->question->serial)
		return why_say(why, "the changes begin at serial %u, not at %u", serial,
			t->question->serial);
	t->form = TRANSFER_CHANGES;
	t->at = IN_DELETED;
	t->reached = serial;
	return true;
}

/* A SOA among changes: deletions end with it, or additions (RFC 1995 §4). */
static bool take_turn(struct transfer *t, uint32_t serial, char why[WHY_MAX])
{
	if (t->at == IN_DELETED) {
		t->at = IN_ADDED;
		t->reached = serial;
		return true;
	}
	if (serial != t->reached)
		return why_say(why, "changes up to serial %u are followed by those from %u",
			t->reached, serial);
	if (serial == t->serial)
		end_of_zone(t, TRANSFER_CHANGES);
	else
		t->at = IN_DELETED;
	return true;
}

static bool take_record(
	struct transfer *t, struct span m, const struct record *rec, char why[WHY_MAX])
{
	uint32_t serial = 0;
	bool apex = is_apex(t, m, rec, &serial);

	if (t->at == AT_END)
		return why_say(
			why, "there are records behind the last SOA, at octet %zu", rec->owner);
	if (t->at == AT_START) {
		if (!apex)
			return why_say(why, "the first record is not the SOA of the zone");
		t->serial = serial;
		t->at = AT_SECOND;
		return true;
	}
	if (t->at == AT_SECOND)
		return take_second(t, apex, serial, why);
	if (!apex)
		return true;
	if (t->at == IN_DELETED || t->at == IN_ADDED)
		return take_turn(t, serial, why);
	if (serial != t->serial)
		return why_say(why, "it begins with serial %u and ends with %u", t->serial, serial);
	end_of_zone(t, TRANSFER_WHOLE);
	return true;
}

static bool take_records(struct transfer *t, const struct reply *reply, char why[WHY_MAX])
{
	size_t at = reply->section[SECTION_ANSWER];

	for (unsigned i = 0; i < reply->count[SECTION_ANSWER]; i++) {
		struct record rec;

		message_record(reply->message, &at, &rec);
		if (!take_record(t, reply->message, &rec, why))
			return false;
		t->records++;
		if (t->on_record)
			t->on_record(t->arg, reply->message, &rec);
	}
	if (reply->count[SECTION_ANSWER] == 0 && ++t->empty > TRANSFER_EMPTY_MAX)
		return why_say(why, "more than %d messages have no records", TRANSFER_EMPTY_MAX);
	/* Nothing but a SOA that is not newer: there are no changes (RFC 1995 §2). */
	if (t->at == AT_SECOND && t->question->type == TYPE_IXFR &&
		!serial_is_newer(t->serial, t->question->serial))
		end_of_zone(t, TRANSFER_CURRENT);
	return true;
}

/* Each message but the first may leave the question out (RFC 5936 §2.2.1). */
static bool is_ours(struct transfer *t, const struct reply *reply, char why[WHY_MAX])
{
	const struct question asked = { t->question->name, t->question->name_len, t->question->type,
		t->question->class };
	char text[TEXT_MAX];

	if (reply->id != t->id)
		return why_say(why, "a message has ID %u, not %u", reply->id, t->id);
	if ((reply->flags & (DNS_QR | DNS_OPCODE)) != DNS_QR)
		return why_say(why, "a message is not the reply to a query");
	if (reply->rcode != RCODE_NOERROR)
		return why_say(why, "the server says %s", text_rcode(reply->rcode, text));
	if (reply->flags & DNS_TC)
		return why_say(why, "a message is truncated");
	if (reply->count[SECTION_QUESTION] ? !reply_answers(reply, &asked) : t->messages == 1)
		return why_say(why, "a message is not of the question");
	return true;
}

/* May the message be believed? */
static bool is_signed(
	struct transfer *t, uint8_t *message, size_t len, uint64_t now_s, char why[WHY_MAX])
{
	char reason[WHY_MAX];

	if (!t->tsig)
		return true;
	switch (tsig_verify(t->tsig, message, &len, now_s, reason)) {
	case TSIG_GOOD:
		t->signed_good++;
		return true;
	case TSIG_UNSIGNED:
		t->unsigned_count++;
		return true;
	case TSIG_BAD:
		break;
	}
	t->signed_bad++;
	return why_say(why, "TSIG: %s", reason);
}

static void count(struct transfer *t, size_t len)
{
	if (t->messages == 0 || len < t->size_min)
		t->size_min = len;
	if (len > t->size_max)
		t->size_max = len;
	t->octets += len;
	t->messages++;
}

static enum transfer_verdict take(
	struct transfer *t, uint8_t *message, size_t len, uint64_t now_s, char why[WHY_MAX])
{
	struct reply reply;

	if (t->at == AT_END || t->at == IN_ERROR)
		return why_say(why, "a message comes behind the end");
	count(t, len);
	if (!reply_parse((struct span){ message, len }, &reply)) {
		broken_where((struct span){ message, len }, why, WHY_MAX);
		return TRANSFER_BAD;
	}
	t->rcode = reply.rcode;
	if (!is_signed(t, message, len, now_s, why) || !is_ours(t, &reply, why) ||
		!take_records(t, &reply, why))
		return TRANSFER_BAD;
	if (t->at != AT_END)
		return TRANSFER_MORE;
	if (t->tsig && t->tsig->unsigned_count > 0)
		return why_say(why, "TSIG: the last message is not signed");
	return TRANSFER_DONE;
}

enum transfer_verdict transfer_take(
	struct transfer *t, uint8_t *message, size_t len, uint64_t now_s, char why[WHY_MAX])
{
	*why = 0;
	enum transfer_verdict verdict = take(t, message, len, now_s, why);

	if (verdict == TRANSFER_BAD)
		t->at = IN_ERROR;
	return verdict;
}

const char *transfer_lacks(const struct transfer *t)
{
	switch (t->at) {
	case AT_START:
		return "nothing came";
	case AT_SECOND:
		return "nothing came but its SOA";
	case AT_END:
		return "nothing is missing";
	default:
		return "its last SOA did not come";
	}
}
