#include "query/chase.h"

#include "../dns/packing.h"

static uint8_t scratch[DNS_MESSAGE_MAX], name[NAME_MAX_WIRE];
static _Alignas(uint16_t) uint8_t spliced[PACKED_MAX];
static struct chase_room room = { .memory = spliced, .scratch = scratch };
static struct chase c;
static struct question client;

static void begin(uint16_t type)
{
	client = (struct question){ name, name_from_text("here.test", name), type, CLASS_IN };
	chase_init(&c);
}

static struct alias to(const char *target)
{
	struct alias a = { .ttl_s = 60 };

	a.target_len = (uint8_t)name_from_text(target, a.target);
	return a;
}

/* What the server says of www.example.com, which is what was asked last. */
static struct answer answer_with(unsigned rcode, unsigned records)
{
	server(rcode, c.question.type);
	for (unsigned i = 0; i < records; i++)
		record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	OK(pack());
	return (struct answer){ .packed = &packed, .age_s = 100, .ede = EDE_NONE };
}

static unsigned told_in(const struct answer *a, int section)
{
	return get_u16(a->packed->message.at + 4 + 2 * section);
}

CASE(an_alias_is_asked_and_told)
{
	const struct alias a = to("www.example.com");

	begin(TYPE_A);
	OK(chase_alias(&c, &a, TYPE_A, true));
	EQ(c.question.type, TYPE_A);
	EQ(c.question.name_len, a.target_len);
	MEM(c.question.name, a.target, a.target_len);
	struct answer answer = answer_with(RCODE_NOERROR, 1);

	OK(chase_tell(&c, &client, &answer, &room));
	EQ(told_in(&answer, SECTION_ANSWER), 2);
	OK(answer.authoritative && answer.age_s == 0);
	struct question told = packed_question(answer.packed);

	OK(question_equals(&told, &client));
}

CASE(a_loop_ends_after_eight_steps)
{
	const struct alias a = to("www.example.com");

	begin(TYPE_A);
	for (int i = 0; i < CHASE_STEPS; i++)
		OK(i % 2 ? chase_alias(&c, &a, TYPE_A, false)
			 : chase_rewrite(&c, (struct span){ a.target, a.target_len }, TYPE_A));
	OK(!chase_alias(&c, &a, TYPE_A, false));
	OK(!chase_rewrite(&c, (struct span){ a.target, a.target_len }, TYPE_A));
	EQ(c.alias_count, CHASE_STEPS / 2);
}

CASE(what_fails_is_told_without_aliases)
{
	const struct alias a = to("www.example.com");

	begin(TYPE_A);
	OK(chase_alias(&c, &a, TYPE_A, true));
	struct answer answer = answer_with(RCODE_SERVFAIL, 0);

	OK(chase_tell(&c, &client, &answer, &room));
	EQ(answer.packed->rcode, RCODE_SERVFAIL);
	EQ(told_in(&answer, SECTION_ANSWER), 0);
	OK(!answer.authoritative);
}

CASE(what_is_refused_here_stays_that)
{
	const struct alias a = to("www.example.com");
	struct answer answer = { .rcode = RCODE_REFUSED };

	begin(TYPE_A);
	OK(chase_alias(&c, &a, TYPE_A, true));
	OK(chase_tell(&c, &client, &answer, &room));
	OK(!answer.packed);
}

CASE(an_alias_is_all_where_nothing_was_asked)
{
	const struct alias a = to("www.example.com");
	struct answer answer = { .rcode = RCODE_NOERROR };

	begin(TYPE_A);
	OK(chase_alias(&c, &a, TYPE_A, true));
	OK(chase_tell(&c, &client, &answer, &room));
	EQ(told_in(&answer, SECTION_ANSWER), 1);
}

CASE(what_is_made_of_addresses_answers_the_question_for_the_others)
{
	static const struct dns64_prefix prefix = { { 0, 0x64, 0xff, 0x9b }, 96 };
	static const struct span www = { (const uint8_t *)"\3www\7example\3com", 17 };
	struct record rec;

	begin(TYPE_AAAA);
	OK(chase_rewrite(&c, www, TYPE_AAAA));
	OK(chase_dns64(&c, (struct span){ c.question.name, c.question.name_len }, &prefix, 50));
	EQ(c.question.type, TYPE_A);
	struct answer answer = answer_with(RCODE_NOERROR, 1);

	OK(chase_tell(&c, &client, &answer, &room));
	struct question told = packed_question(answer.packed);
	size_t at = DNS_HEADER + told.name_len + 4;

	EQ(told.type, TYPE_AAAA);
	message_record(answer.packed->message, &at, &rec);
	EQ(rec.type, TYPE_AAAA);
	EQ(rec.ttl, 50);
}

/* Of what was asked instead, which has no records, and of a zone. */
static void tell_soa_of(const char *zone, size_t *owner_len)
{
	static const struct span www = { (const uint8_t *)"\3www\7example\3com", 17 };
	uint8_t owner[NAME_MAX_WIRE], data[22] = { 0 };
	struct record rec;

	begin(TYPE_A);
	OK(chase_rewrite(&c, www, TYPE_A));
	server(RCODE_NXDOMAIN, TYPE_A);
	record(SECTION_AUTHORITY, (struct span){ owner, name_from_text(zone, owner) }, TYPE_SOA, 60,
		(struct span){ data, sizeof data });
	OK(pack());
	struct answer answer = { .packed = &packed, .ede = EDE_NONE };

	OK(chase_tell(&c, &client, &answer, &room));
	size_t at = DNS_HEADER + client.name_len + 4;

	message_record(answer.packed->message, &at, &rec);
	EQ(rec.type, TYPE_SOA);
	*owner_len = name_copy(answer.packed->message, rec.owner, owner);
	OK(name_is_below(client.name, client.name_len, owner, *owner_len));
}

CASE(what_is_not_there_is_told_by_a_zone_above_the_name)
{
	size_t len;

	tell_soa_of("com", &len); /* not above here.test */
	EQ(len, client.name_len);
	tell_soa_of("www.example.com", &len);
	EQ(len, client.name_len);
	tell_soa_of(".", &len);
	EQ(len, 1);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(an_alias_is_asked_and_told),
		CLAIM(a_loop_ends_after_eight_steps),
		CLAIM(what_fails_is_told_without_aliases),
		CLAIM(what_is_refused_here_stays_that),
		CLAIM(an_alias_is_all_where_nothing_was_asked),
		CLAIM(what_is_made_of_addresses_answers_the_question_for_the_others),
		CLAIM(what_is_not_there_is_told_by_a_zone_above_the_name),
	};

	return RUN(cases);
}
