#include "ask/check.h"

#include <ldns/ldns.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ask/broken.h"
#include "dns/message.h"
#include "dns/text.h"

/* Adds a remark to those that are there; what has no room is cut. */
__attribute__((format(printf, 2, 3))) static void remark(char why[WHY_MAX], const char *format, ...)
{
	size_t len = strlen(why);
	va_list args;

	if (len > 0 && len < WHY_MAX - 3)
		len += (size_t)snprintf(why + len, WHY_MAX - len, "; ");
	va_start(args, format);
	vsnprintf(why + len, WHY_MAX - len, format, args);
	va_end(args);
}

static uint16_t flags_of(const struct ask_message *sent)
{
	return get_u16(sent->octets + 2);
}

static struct question question_of(const struct reply *reply)
{
	const uint8_t *end = reply->message.at + reply->question_end;

	return (struct question){
		.name = reply->message.at + DNS_HEADER,
		.name_len = reply->question_end - DNS_HEADER - 4,
		.type = get_u16(end - 4),
		.class = get_u16(end - 2),
	};
}

/* Is it of another question? A failure may come without any: who does not understand a message
 * cannot always repeat it. */
static bool is_elsewhere(const struct ask_message *sent, const struct ask_question *asked,
	const struct reply *reply, char why[WHY_MAX])
{
	bool was_asked = get_u16(sent->octets + 4) > 0;

	if (reply->count[SECTION_QUESTION] == 0) {
		if (was_asked && reply->rcode != RCODE_NOERROR && reply->rcode != RCODE_NXDOMAIN)
			remark(why, "the question is not repeated");
		else if (was_asked)
			remark(why, "it has no question");
		return was_asked &&
			(reply->rcode == RCODE_NOERROR || reply->rcode == RCODE_NXDOMAIN);
	}
	if (!was_asked) {
		remark(why, "it has a question, and none was asked");
		return false;
	}
	const struct question ours = { sent->octets + DNS_HEADER, asked->name_len, asked->type,
		asked->class };
	const struct question theirs = question_of(reply);
	char name[NAME_TEXT], type[TEXT_MAX];

	if (!question_equals(&ours, &theirs)) {
		remark(why, "it is of another question: %.120s %s", name_to_text(theirs.name, name),
			text_type(theirs.type, type));
		return true;
	}
	if (memcmp(ours.name, theirs.name, ours.name_len) != 0)
		remark(why, "the question is spelled otherwise than it was asked");
	return false;
}

static void look_at_flags(const struct ask_plan *plan, const struct ask_message *sent,
	const struct reply *reply, char why[WHY_MAX])
{
	uint16_t asked = flags_of(sent);
	bool knows_ad = asked & DNS_AD || (plan->edns.on && plan->edns.flags & EDNS_DO);

	if ((asked ^ reply->flags) & DNS_RD)
		remark(why, "RD is not as it was sent");
	else if (asked & DNS_RD && !(reply->flags & DNS_RA))
		remark(why, "recursion was wanted and is not offered");
	if (reply->flags & DNS_AD && !knows_ad)
		remark(why, "AD without AD or DO in the question");
	if (reply->flags & DNS_Z)
		remark(why, "the reserved bit is set");
}

static void look_at_edns(const struct ask_plan *plan, const struct reply *reply, char why[WHY_MAX])
{
	if (reply->has_opt && !plan->edns.on)
		remark(why, "EDNS without EDNS in the question");
	if (!reply->has_opt && plan->edns.on)
		remark(why, "no EDNS");
	if (reply->has_opt && reply->edns.version != 0)
		remark(why, "EDNS version %u", reply->edns.version);
}

/* RDATA of which ldns, who shows it, cannot make anything. */
static void look_at_records(const struct reply *reply, char why[WHY_MAX])
{
	size_t at = reply->section[SECTION_ANSWER];
	char type[TEXT_MAX];

	while (at < reply->message.len) {
		size_t read = at;
		struct record rec;
		ldns_rr *rr = NULL;
		ldns_status status = ldns_wire2rr(
			&rr, reply->message.at, reply->message.len, &read, LDNS_SECTION_ANSWER);

		ldns_rr_free(rr);
		message_record(reply->message, &at, &rec);
		if (status == LDNS_STATUS_OK && read == at)
			continue;
		remark(why, "the RDATA of %s at octet %zu is not what its type asks for",
			text_type(rec.type, type), rec.rdata);
		return;
	}
}

enum check check_reply(const struct ask_plan *plan, const struct ask_message *sent,
	const struct ask_question *question, struct span m, char why[WHY_MAX])
{
	struct reply reply;

	*why = 0;
	/* Who knows no ID knows nothing of the message: let the right one come. */
	if (m.len >= 2 && get_u16(m.at) != sent->id) {
		remark(why, "its ID is %u, not %u", get_u16(m.at), sent->id);
		return CHECK_OTHER;
	}
	if (!reply_parse(m, &reply)) {
		broken_where(m, why, WHY_MAX);
		return CHECK_MALFORMED;
	}
	if (!(reply.flags & DNS_QR)) {
		remark(why, "it is no reply: QR is 0");
		return CHECK_OTHER;
	}
	if ((reply.flags ^ flags_of(sent)) & DNS_OPCODE) {
		remark(why, "its opcode is %d, not %d", (reply.flags & DNS_OPCODE) >> 11,
			(flags_of(sent) & DNS_OPCODE) >> 11);
		return CHECK_OTHER;
	}
	if (is_elsewhere(sent, question, &reply, why))
		return CHECK_OTHER;
	look_at_flags(plan, sent, &reply, why);
	look_at_edns(plan, &reply, why);
	look_at_records(&reply, why);
	return *why ? CHECK_ODD : CHECK_GOOD;
}
