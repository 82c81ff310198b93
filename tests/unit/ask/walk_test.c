#include "ask/walk.h"

#include "dns/wire.h"

static struct wire wire;
static struct walk walk;
static struct record nsec;
static char why[WALK_WHY];

static void begin(const char *name)
{
	uint8_t octets[NAME_MAX_WIRE];

	walk_init(&walk, octets, name_from_text(name, octets));
}

static struct span rdata_to(const char *next)
{
	static uint8_t rdata[NAME_MAX_WIRE + 3];
	size_t len = name_from_text(next, rdata);

	OK(len);
	memcpy(rdata + len, "\0\1\x40", 3); /* A */
	return (struct span){ rdata, len + 3 };
}

/* The reply to what is to be asked next, with an NSEC that leads there. */
static void reply_to(int section, unsigned type, const char *next)
{
	char name[NAME_TEXT];

	wire_begin(&wire, DNS_QR);
	wire_question(&wire, name_to_text(walk.question.name, name), TYPE_NSEC);
	wire_record(&wire, section, TO_QUESTION, type, CLASS_IN, 60, rdata_to(next));
}

static enum walk_verdict take(void)
{
	return walk_take(&walk, wire_span(&wire), &nsec, why);
}

static enum walk_verdict to(const char *next)
{
	reply_to(SECTION_ANSWER, TYPE_NSEC, next);
	return take();
}

/* What a walk says of two names, one behind the other, of a zone that is above both. */
static bool is_behind(const char *second, const char *first)
{
	begin(first);
	return to(second) == WALK_MORE;
}

#define BAD(verdict, words)                                                                        \
	do {                                                                                       \
		EQ(verdict, WALK_BAD);                                                             \
		STR(why, words);                                                                   \
	} while (0)

CASE(a_walk_goes_round_the_zone)
{
	char name[NAME_TEXT];

	begin("example.");
	EQ(walk.question.type, TYPE_NSEC);
	EQ(to("a.example."), WALK_MORE);
	EQ(nsec.type, TYPE_NSEC);
	STR(name_to_text(walk.question.name, name), "a.example.");
	EQ(to("b.a.example."), WALK_MORE);
	EQ(to("Z.example."), WALK_MORE);
	EQ(to("example."), WALK_DONE);
	EQ(walk.names, 4);
}

CASE(a_zone_of_one_name_ends_at_once)
{
	begin("example.");
	EQ(to("Example."), WALK_DONE);
	begin(".");
	EQ(to("."), WALK_DONE);
}

CASE(nsec_may_prove_that_there_is_no_nsec)
{
	begin("example.");
	reply_to(SECTION_AUTHORITY, TYPE_NSEC, "a.example.");
	EQ(take(), WALK_MORE);
}

/* The example of RFC 4034 §6.1. */
CASE(names_come_in_the_order_of_the_zone)
{
	static const char *const names[] = { "example.", "a.example.", "yljkjljk.a.example.",
		"Z.a.example.", "zABC.a.EXAMPLE.", "z.example.", "\\001.z.example.", "*.z.example.",
		"\\200.z.example." };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			EQ(is_behind(names[i], names[j]), i > j);
}

CASE(a_walk_that_leads_back_ends)
{
	begin("m.example.");
	BAD(to("a.example."), "from m.example. the walk leads back to a.example.");
	begin("b.m.example.");
	BAD(to("a.m.example."), "from b.m.example. the walk leads back to a.m.example.");
}

CASE(white_lies_end_it)
{
	begin("a.example.");
	BAD(to("\\000.a.example."),
		"white lies: behind a.example. there is said to be nothing but itself with \\000");
	begin("a.example.");
	BAD(to("a\\000.example."),
		"white lies: behind a.example. there is said to be nothing but itself with \\000");
	begin(".");
	EQ(to("\\000."), WALK_BAD);
	begin("a.example.");
	EQ(to("\\001.a.example."), WALK_MORE);
	begin("a.example.");
	EQ(to("b\\000.example."), WALK_MORE);
	begin("a.example.");
	EQ(to("ab.example."), WALK_MORE);
}

CASE(nsec3_ends_it)
{
	begin("example.");
	reply_to(SECTION_AUTHORITY, TYPE_NSEC3, "a.example.");
	BAD(take(), "the zone has NSEC3: its names are hashed");
}

CASE(no_nsec_ends_it)
{
	begin("example.");
	reply_to(SECTION_ANSWER, TYPE_A, "a.example.");
	BAD(take(), "there is no NSEC of example.: the zone is not signed, or it is none");
	wire.bytes[3] = RCODE_REFUSED;
	BAD(take(), "REFUSED for example.");
	reply_to(SECTION_ADDITIONAL, TYPE_NSEC, "a.example.");
	EQ(take(), WALK_BAD);
	wire_begin(&wire, DNS_QR);
	wire_question(&wire, "example.", TYPE_NSEC);
	wire_record(&wire, SECTION_ANSWER, SPAN("\1b\xc0\x0c"), TYPE_NSEC, CLASS_IN, 60,
		rdata_to("c.example."));
	EQ(take(), WALK_BAD);
}

CASE(a_broken_nsec_ends_it)
{
	begin("example.");
	wire_begin(&wire, DNS_QR);
	wire_question(&wire, "example.", TYPE_NSEC);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_NSEC, CLASS_IN, 60, SPAN("\xc0\x0c"));
	BAD(take(), "the NSEC of example. is broken");
}

CASE(a_zone_without_end_has_one)
{
	begin("example.");
	walk.names = WALK_NAMES_MAX - 1;
	BAD(to("a.example."), "1000000 names, and no end");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_walk_goes_round_the_zone),
		CLAIM(a_zone_of_one_name_ends_at_once),
		CLAIM(nsec_may_prove_that_there_is_no_nsec),
		CLAIM(names_come_in_the_order_of_the_zone),
		CLAIM(a_walk_that_leads_back_ends),
		CLAIM(white_lies_end_it),
		CLAIM(nsec3_ends_it),
		CLAIM(no_nsec_ends_it),
		CLAIM(a_broken_nsec_ends_it),
		CLAIM(a_zone_without_end_has_one),
	};
	return RUN(cases);
}
