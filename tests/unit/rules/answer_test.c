/* What is answered here, as ldns reads it. */
#include "rules/answer.h"

#include "case.h"

#include "dns/name.h"
#include "query/reply.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#define MADE_UP "example.\t60\tIN\tSOA\texample. nobody.invalid. 1 3600 1200 604800 60\n"

static uint16_t memory[PACKED_MAX / 2 + 1];
static uint8_t out[REPLY_MAX], asked[NAME_MAX_WIRE];
static struct packed packed;
static struct question question;
static struct addr self;
static struct answer_to to;
static struct rrset *sets;

static void asks(const char *name, uint16_t type)
{
	question = (struct question){ asked, name_from_text(name, asked), type, CLASS_IN };
	to = (struct answer_to){ .question = &question, .zone = SPAN("\7example\0"), .ttl_s = 60 };
}

static void add(const char *text)
{
	char why[RRSET_WHY];

	OK(rrset_read(&sets, text, 60, why));
}

static void is_text(const ldns_rr_list *records, const char *want)
{
	char *text = ldns_rr_list2str(records);

	STR(text ? text : "", want);
	free(text);
}

/* What is packed, told when it is so old. */
static void is_told_at(uint32_t age_s, enum rcode rcode, const char *answer, const char *authority)
{
	const struct request request = { .id = 7, .question = question };
	const struct manners manners = { .stream = true };
	const struct answer said = { .packed = &packed, .age_s = age_s, .ede = EDE_NONE };
	ldns_pkt *pkt;

	EQ(packed.worth, WORTH_NOTHING);
	EQ(packed.lifetime_s, 0);
	struct shape shape = reply_shape(&request, &said, &manners, out);

	EQ(ldns_wire2pkt(&pkt, shape.message.at, shape.message.len), LDNS_STATUS_OK);
	EQ(ldns_pkt_get_rcode(pkt), rcode);
	is_text(ldns_pkt_answer(pkt), answer);
	is_text(ldns_pkt_authority(pkt), authority);
	EQ(ldns_pkt_arcount(pkt), 0);
	ldns_pkt_free(pkt);
}

static void is_told(enum rcode rcode, const char *answer, const char *authority)
{
	is_told_at(0, rcode, answer, authority);
}

static void records(void)
{
	answer_records(&packed, memory, &to, sets);
}

static void end(void)
{
	rrset_free(sets);
	sets = NULL;
}

/* ---- records ---- */

CASE(the_set_of_the_type_is_told_under_the_name_as_it_was_spelled)
{
	asks("WWW.Example", TYPE_A);
	add("A 192.0.2.1");
	add("A 192.0.2.2");
	add("TXT hello");
	records();
	is_told(RCODE_NOERROR,
		"WWW.Example.\t60\tIN\tA\t192.0.2.1\nWWW.Example.\t60\tIN\tA\t192.0.2.2\n", "");
	end();
}

CASE(ttls_come_down_where_they_are)
{
	asks("a.example", TYPE_TXT);
	add("300 TXT one");
	add("300 TXT two");
	records();
	EQ(packed.ttl_count, 2);
	is_told_at(100, RCODE_NOERROR,
		"a.example.\t200\tIN\tTXT\t\"one\"\na.example.\t200\tIN\tTXT\t\"two\"\n", "");
	answer_negative(&packed, memory, &to, RCODE_NXDOMAIN);
	EQ(packed.ttl_count, 1);
	is_told_at(10, RCODE_NXDOMAIN, "",
		"example.\t50\tIN\tSOA\texample. nobody.invalid. 1 3600 1200 604800 60\n");
	end();
}

CASE(what_is_packed_can_be_moved)
{
	static uint16_t elsewhere[PACKED_MAX / 2 + 1];

	asks("a.example", TYPE_A);
	add("300 A 192.0.2.1");
	records();
	OK(packed_size(&packed) < 100);
	packed_move(&packed, elsewhere);
	memset(memory, 0xff, sizeof memory);
	is_told_at(1, RCODE_NOERROR, "a.example.\t299\tIN\tA\t192.0.2.1\n", "");
	end();
}

CASE(another_type_has_no_records)
{
	asks("a.example", TYPE_AAAA);
	add("A 192.0.2.1");
	records();
	is_told(RCODE_NOERROR, "", MADE_UP);
	answer_records(&packed, memory, &to, NULL);
	is_told(RCODE_NOERROR, "", MADE_UP);
	end();
}

CASE(self_is_the_address_that_was_asked_in_its_family)
{
	asks("a.example", TYPE_A);
	add("A @self");
	add("AAAA @self");
	records();
	is_told(RCODE_NOERROR, "", MADE_UP); /* not known */
	OK(addr_parse(&self, "192.0.2.53", 53));
	to.self = &self;
	records();
	is_told(RCODE_NOERROR, "a.example.\t60\tIN\tA\t192.0.2.53\n", "");
	question.type = TYPE_AAAA;
	records();
	is_told(RCODE_NOERROR, "", MADE_UP);
	OK(addr_parse(&self, "2001:db8::53", 53));
	records();
	is_told(RCODE_NOERROR, "a.example.\t60\tIN\tAAAA\t2001:db8::53\n", "");
	OK(addr_parse(&self, "::ffff:192.0.2.53", 53));
	question.type = TYPE_A;
	records();
	is_told(RCODE_NOERROR, "a.example.\t60\tIN\tA\t192.0.2.53\n", "");
	end();
}

CASE(all_that_an_owner_may_have_is_told_to_any)
{
	uint8_t octets[RRSET_ROOM - 12] = { 0 };

	asks("a.example", TYPE_ANY);
	OK(rrset_add(&sets, TYPE_NULL, 60, (struct span){ octets, sizeof octets }));
	OK(!rrset_add(&sets, TYPE_A, 60, SPAN("\300\0\2\1")));
	records();
	EQ(packed.message.len, DNS_HEADER + question.name_len + 4 + RRSET_ROOM);
	end();
}

CASE(any_is_answered_as_the_configuration_says)
{
	asks("a.example", TYPE_ANY);
	add("A 192.0.2.1");
	add("MX 10 m.example.");
	records();
	is_told(RCODE_NOERROR,
		"a.example.\t60\tIN\tA\t192.0.2.1\na.example.\t60\tIN\tMX\t10 m.example.\n", "");
	to.any = ANY_HINFO;
	records();
	is_told(RCODE_NOERROR, "a.example.\t60\tIN\tHINFO\t\"RFC8482\" \"\"\n", "");
	to.any = ANY_REFUSE;
	records();
	is_told(RCODE_REFUSED, "", "");
	end();
}

/* ---- aliases ---- */

CASE(an_alias_is_told_whatever_the_type)
{
	asks("a.example", TYPE_AAAA);
	add("CNAME B.test.");
	records();
	is_told(RCODE_NOERROR, "a.example.\t60\tIN\tCNAME\tB.test.\n", "");
	answer_alias(&packed, memory, &to, SPAN("\1c\4test\0"));
	is_told(RCODE_NOERROR, "a.example.\t60\tIN\tCNAME\tc.test.\n", "");
	end();
}

CASE(dname_is_told_with_the_alias_that_follows)
{
	struct answer_dname dname = { .owner = SPAN("\3div\7example\0") };

	asks("Www.div.example", TYPE_A);
	add("300 DNAME acme.test.");
	dname.set = sets;
	EQ(answer_dname(&packed, memory, &to, &dname), 15);
	MEM(dname.target, "\3Www\4acme\4test\0", 15);
	is_told(RCODE_NOERROR,
		"div.example.\t300\tIN\tDNAME\tacme.test.\n"
		"Www.div.example.\t300\tIN\tCNAME\tWww.acme.test.\n",
		"");
	end();
}

#define LABEL "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk."

CASE(dname_that_leads_to_too_long_a_name_is_yxdomain)
{
	struct answer_dname dname = { .owner = SPAN("\7example\0") };

	asks(LABEL LABEL LABEL "example", TYPE_A);
	add("300 DNAME " LABEL "test.");
	dname.set = sets;
	EQ(answer_dname(&packed, memory, &to, &dname), 0);
	EQ(packed.rcode, RCODE_YXDOMAIN);
	is_told(RCODE_YXDOMAIN, "example.\t300\tIN\tDNAME\t" LABEL "test.\n", "");
	end();
}

/* NULL: there is none. */
static void dname_leads(const char *name, const char *owner, const char *target, const char *want)
{
	uint8_t n[NAME_MAX_WIRE], o[NAME_MAX_WIRE], t[NAME_MAX_WIRE], got[NAME_MAX_WIRE];
	const struct span in = { n, name_from_text(name, n) }, of = { o, name_from_text(owner, o) },
			  is = { t, name_from_text(target, t) };
	size_t len = answer_dname_target(in, of, is, got);
	char text[NAME_TEXT];

	OK(in.len && of.len && is.len);
	if (!want) {
		EQ(len, 0);
		return;
	}
	OK(len > 0);
	STR(name_to_text(got, text), want);
}

CASE(dname_substitutes_as_table_1_of_rfc6672_has_it)
{
	dname_leads("com.", "example.com.", "example.net.", NULL);
	dname_leads("example.com.", "example.com.", "example.net.", NULL);
	dname_leads("a.example.com.", "example.com.", "example.net.", "a.example.net.");
	dname_leads("a.b.example.com.", "example.com.", "example.net.", "a.b.example.net.");
	dname_leads("ab.example.com.", "b.example.com.", "example.net.", NULL);
	dname_leads("foo.example.com.", "example.com.", "example.net.", "foo.example.net.");
	dname_leads("a.x.example.com.", "x.example.com.", "example.net.", "a.example.net.");
	dname_leads("a.example.com.", "example.com.", "y.example.net.", "a.y.example.net.");
	dname_leads("cyc.example.com.", "example.com.", "example.com.", "cyc.example.com.");
	dname_leads("cyc.example.com.", "example.com.", "c.example.com.", "cyc.c.example.com.");
	dname_leads("shortloop.x.x.", "x.", ".", "shortloop.x.");
	dname_leads("shortloop.x.", "x.", ".", "shortloop.");
}

/* ---- nothing ---- */

CASE(what_is_not_there_has_the_soa_of_its_zone)
{
	struct rrset *apex = NULL;
	char why[RRSET_WHY];

	asks("a.b.example", TYPE_A);
	OK(rrset_read(&apex, "3600 SOA ns.example. root.example. 1 2 3 4 300", 60, why));
	to.soa = apex;
	answer_negative(&packed, memory, &to, RCODE_NXDOMAIN);
	is_told(RCODE_NXDOMAIN, "",
		"example.\t300\tIN\tSOA\tns.example. root.example. 1 2 3 4 300\n");
	apex->ttl_s = 30;
	answer_negative(&packed, memory, &to, RCODE_NOERROR);
	is_told(RCODE_NOERROR, "",
		"example.\t30\tIN\tSOA\tns.example. root.example. 1 2 3 4 300\n");
	rrset_free(apex);
}

CASE(without_a_zone_it_is_the_name_that_has_nothing)
{
	asks("a.example", TYPE_A);
	to.zone = (struct span){ NULL, 0 };
	answer_negative(&packed, memory, &to, RCODE_NOERROR);
	is_told(RCODE_NOERROR, "",
		"a.example.\t60\tIN\tSOA\ta.example. nobody.invalid. 1 3600 1200 604800 60\n");
	to.zone = SPAN("\0");
	answer_negative(&packed, memory, &to, RCODE_NXDOMAIN);
	is_told(RCODE_NXDOMAIN, "", ".\t60\tIN\tSOA\t. nobody.invalid. 1 3600 1200 604800 60\n");
}

CASE(other_rcodes_stand_alone)
{
	asks("a.example", TYPE_A);
	answer_negative(&packed, memory, &to, RCODE_REFUSED);
	is_told(RCODE_REFUSED, "", "");
	answer_negative(&packed, memory, &to, RCODE_SERVFAIL);
	is_told(RCODE_SERVFAIL, "", "");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(the_set_of_the_type_is_told_under_the_name_as_it_was_spelled),
		CLAIM(ttls_come_down_where_they_are),
		CLAIM(what_is_packed_can_be_moved),
		CLAIM(another_type_has_no_records),
		CLAIM(self_is_the_address_that_was_asked_in_its_family),
		CLAIM(all_that_an_owner_may_have_is_told_to_any),
		CLAIM(any_is_answered_as_the_configuration_says),
		CLAIM(an_alias_is_told_whatever_the_type),
		CLAIM(dname_is_told_with_the_alias_that_follows),
		CLAIM(dname_that_leads_to_too_long_a_name_is_yxdomain),
		CLAIM(dname_substitutes_as_table_1_of_rfc6672_has_it),
		CLAIM(what_is_not_there_has_the_soa_of_its_zone),
		CLAIM(without_a_zone_it_is_the_name_that_has_nothing),
		CLAIM(other_rcodes_stand_alone),
	};

	return RUN(cases);
}
