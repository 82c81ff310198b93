#include "ask/walk.h"

#include "dns/wire.h"

static struct wire wire;
static struct walk walk;
static struct record nsec;
static char why[WHY_MAX];

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

/* ---- a zone cut ---- */

/* The zone, and in it a name that is a zone of its own. */
static void begin_cut(const char *cut)
{
	begin("example.");
	EQ(to(cut), WALK_MORE);
}

static void begin_reply(unsigned flags)
{
	char name[NAME_TEXT];

	wire_begin(&wire, DNS_QR | flags);
	wire_question(&wire, name_to_text(walk.question.name, name), TYPE_NSEC);
}

/* A referral for the name that is asked for. */
static void refer(void)
{
	begin_reply(0);
	wire_record(&wire, SECTION_AUTHORITY, TO_QUESTION, TYPE_NS, CLASS_IN, 60, SPAN("\2ns\0"));
}

/* What is asked for is not there: an NSEC of the owner covers it. */
static enum walk_verdict covered(const char *owner, const char *next)
{
	uint8_t name[NAME_MAX_WIRE];
	size_t len = name_from_text(owner, name);

	begin_reply(RCODE_NXDOMAIN);
	wire_record(&wire, SECTION_AUTHORITY, (struct span){ name, len }, TYPE_NSEC, CLASS_IN, 60,
		rdata_to(next));
	return take();
}

static void behind_is(const char *cut, const char *behind)
{
	char name[NAME_TEXT];

	begin_cut(cut);
	refer();
	EQ(take(), WALK_AGAIN);
	STR(name_to_text(walk.question.name, name), behind);
}

CASE(behind_a_cut_the_walk_goes_on)
{
	char name[NAME_TEXT];

	behind_is("cut.example.", "cut\\000.example.");
	EQ(walk.names, 1);
	EQ(covered("CUT.example.", "d.example."), WALK_MORE);
	EQ(walk.names, 2);
	STR(name_to_text(walk.question.name, name), "d.example.");
	EQ(to("e.example."), WALK_MORE);
	refer();
	EQ(take(), WALK_AGAIN);
	EQ(covered("e.example.", "example."), WALK_DONE);
	EQ(walk.names, 4);
}

CASE(a_referral_may_have_the_nsec)
{
	begin_cut("cut.example.");
	refer();
	wire_record(&wire, SECTION_AUTHORITY, TO_QUESTION, TYPE_NSEC, CLASS_IN, 60,
		rdata_to("d.example."));
	EQ(take(), WALK_MORE);
}

/* Of the zone below the cut answers who has both, or asks others. */
CASE(the_nsec_of_the_zone_below_is_another)
{
	begin_cut("cut.example.");
	begin_reply(DNS_AA);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_NSEC, CLASS_IN, 60,
		SPAN("\1a\3cut\7example\0\0\1\x22")); /* NS SOA */
	EQ(take(), WALK_AGAIN);
	EQ(covered("cut.example.", "d.example."), WALK_MORE);
	begin_reply(DNS_AA);
	wire_record(&wire, SECTION_AUTHORITY, TO_QUESTION, TYPE_SOA, CLASS_IN, 60,
		SPAN("\0\0aaaabbbbccccddddeeee"));
	EQ(take(), WALK_AGAIN);
}

static char *labels(char *at, unsigned count, char octet, unsigned len)
{
	for (; count > 0; count--) {
		memset(at, octet, len);
		at += len;
		*at++ = '.';
	}
	return at;
}

CASE(the_name_behind_is_the_first_that_fits)
{
	char cut[NAME_TEXT], behind[NAME_TEXT];

	/* A label of 63 octets. */
	strcpy(labels(cut, 1, 'z', 63), "example.");
	strcpy(labels(behind, 1, 'z', 63), "example.");
	behind[62] = '{';
	behind_is(cut, behind);
	cut[62] = behind[62] = '@';
	behind[62] = '[';
	behind_is(cut, behind);
	/* A name of 255. */
	strcpy(labels(labels(cut, 1, 'b', 53), 3, 'a', 63), "example.");
	strcpy(labels(labels(behind, 1, 'b', 53), 3, 'a', 63), "example.");
	behind[52] = 'c';
	behind_is(cut, behind);
}

CASE(behind_the_last_label_there_is_nothing)
{
	char cut[NAME_TEXT] = "";

	for (int i = 0; i < 63; i++)
		strcat(cut, "\\255");
	strcat(cut, ".example.");
	begin_cut(cut);
	refer();
	EQ(take(), WALK_BAD);
	memcpy(cut, "\\001", 4);
	begin_cut(cut);
	refer();
	EQ(take(), WALK_AGAIN);
	MEM(walk.question.name, "\1\2\7example", 11);
}

CASE(a_cut_without_nsec_ends_it)
{
	static const char *const nothing =
		"no NSEC says what is behind the zone cut cut.example.: white lies, or it was "
		"asked without DO";

	behind_is("cut.example.", "cut\\000.example.");
	refer();
	BAD(take(), nothing);
	BAD(covered("b.example.", "d.example."), nothing);
	BAD(covered("cut\\000.example.", "\\000.cut\\000.example."), nothing);
	begin_reply(RCODE_SERVFAIL);
	BAD(take(), "SERVFAIL for cut.example.");
	begin_reply(RCODE_NXDOMAIN);
	wire_record(&wire, SECTION_AUTHORITY, TO_QUESTION, TYPE_NSEC3, CLASS_IN, 60, SPAN("x"));
	BAD(take(), "the zone has NSEC3: its names are hashed");
}

CASE(behind_a_cut_nobody_is_led_back_or_lied_to)
{
	behind_is("cut.example.", "cut\\000.example.");
	BAD(covered("cut.example.", "b.example."),
		"from cut.example. the walk leads back to b.example.");
	behind_is("cut.example.", "cut\\000.example.");
	EQ(covered("cut.example.", "cut\\000\\000.example."), WALK_BAD);
	behind_is("cut.example.", "cut\\000.example.");
	EQ(covered("cut.example.", "\\000.cut\\000.example."), WALK_BAD);
	behind_is("cut.example.", "cut\\000.example.");
	EQ(covered("cut.example.", "cut\\000.example."), WALK_BAD);
}

/* Else the zone above it would be walked. */
CASE(a_zone_that_the_server_does_not_have_is_not_walked)
{
	begin("cut.example.");
	refer();
	BAD(take(), "the server does not have cut.example.: it refers to others");
	wire_record(&wire, SECTION_AUTHORITY, TO_QUESTION, TYPE_NSEC, CLASS_IN, 60,
		rdata_to("d.example."));
	EQ(take(), WALK_BAD);
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
		CLAIM(behind_a_cut_the_walk_goes_on),
		CLAIM(a_referral_may_have_the_nsec),
		CLAIM(the_nsec_of_the_zone_below_is_another),
		CLAIM(the_name_behind_is_the_first_that_fits),
		CLAIM(behind_the_last_label_there_is_nothing),
		CLAIM(a_cut_without_nsec_ends_it),
		CLAIM(behind_a_cut_nobody_is_led_back_or_lied_to),
		CLAIM(a_zone_that_the_server_does_not_have_is_not_walked),
		CLAIM(a_zone_without_end_has_one),
	};
	return RUN(cases);
}
