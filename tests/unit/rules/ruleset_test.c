#include "rules/ruleset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../dns/wire.h"
#include "case.h"
#include "dns/types.h"
#include "rules/special.h"

static struct rules_conf conf;
static struct rule_conf rules[8];
static struct view_conf views[2];
static struct list_conf lists[2];
static struct ruleset_fault fault;
static struct ruleset *set;
static struct who client;
static struct asker_facts asker;
static struct decision decision;
static char file[2][40];

static void begin(void)
{
	memset(views, 0, sizeof views);
	conf = (struct rules_conf){
		.rules = rules, .views = views, .view_count = 1, .lists = lists, .ttl_s = 60
	};
	client = (struct who){ .mac = NULL };
	OK(prefix_parse(&client.client, "192.0.2.1"));
	asker = (struct asker_facts){ .who = &client };
}

/* A rule about one pattern; its place is a line of its own. */
static struct rule_conf *rule(enum pattern_kind kind, const char *text, enum act act)
{
	static struct pattern_conf patterns[8];
	size_t i = conf.rule_count++;

	OK(i < 8);
	patterns[i] = (struct pattern_conf){ kind, text };
	rules[i] = (struct rule_conf){ .place = { "rules", (unsigned)i + 1 },
		.patterns = &patterns[i],
		.pattern_count = 1,
		.act = act,
		.ttl_s = 60,
		.ede = EDE_NONE };
	return &rules[i];
}

static struct list_conf *list(enum list_format format, const char *text)
{
	size_t i = conf.list_count++;

	OK(i < 2);
	snprintf(file[i], sizeof file[i], "/tmp/sotto-list-XXXXXX");
	int fd = mkstemp(file[i]);

	OK(fd >= 0);
	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	lists[i] = (struct list_conf){ .name = "list",
		.file = file[i],
		.format = format,
		.ttl_s = 60,
		.ede = EDE_BLOCKED,
		.views = UINT64_MAX };
	return &lists[i];
}

static void build(void)
{
	set = ruleset_new(&conf, &fault);
	if (!set)
		print_message("%s:%u: %s\n", fault.file, fault.line, fault.why);
	OK(set);
	for (size_t i = 0; i < conf.list_count; i++)
		unlink(file[i]);
}

static void end(void)
{
	ruleset_free(set);
	set = NULL;
}

static struct decision *decide(const char *name, uint16_t type)
{
	static uint8_t wire_name[NAME_MAX_WIRE];
	size_t len = name_from_text(name, wire_name);

	OK(len);
	ruleset_decide(set, (struct span){ wire_name, len }, type, &asker, &decision, NULL);
	return &decision;
}

static void leads_to(const char *name)
{
	uint8_t want[NAME_MAX_WIRE];

	EQ(decision.target_name.len, name_from_text(name, want));
	MEM(decision.target_name.at, want, decision.target_name.len);
}

/* ---- deciding ---- */

CASE(a_rewrite_by_suffix_keeps_what_is_before_it)
{
	begin();
	rule(PATTERN_SUFFIX, "old.example", ACT_REWRITE)->target = "new.example";
	rule(PATTERN_EXACT, "one.old.example", ACT_REWRITE)->target = "two.example";
	build();
	EQ(decide("a.b.old.example", TYPE_A)->act, ACT_REWRITE);
	leads_to("a.b.new.example");
	EQ(decide("old.example", TYPE_A)->act, ACT_REWRITE);
	leads_to("new.example");
	EQ(decide("one.old.example", TYPE_A)->act, ACT_REWRITE);
	leads_to("two.example");
	end();
}

CASE(a_rewrite_to_what_is_no_name_is_an_answer)
{
	static char target[256], name[256];

	begin();
	memset(target, 'a', 249);
	for (size_t i = 60; i < 249; i += 60)
		target[i] = '.';
	memcpy(name, "verylonglabel.x", 16);
	rule(PATTERN_SUFFIX, "x", ACT_REWRITE)->target = target;
	build();
	EQ(decide(name, TYPE_A)->act, ACT_ANSWER);
	OK(decision.too_long);
	end();
}

CASE(who_asks_for_an_alias_gets_it)
{
	begin();
	rule(PATTERN_EXACT, "www.example", ACT_CNAME)->target = "other.example";
	build();
	EQ(decide("www.example", TYPE_A)->act, ACT_CNAME);
	leads_to("other.example");
	EQ(decide("www.example", TYPE_CNAME)->act, ACT_ANSWER);
	OK(rrset_find(decision.sets, TYPE_CNAME));
	end();
}

/* RPZ: `*.x` is the name that is asked for in front of x. */
CASE(a_policy_puts_the_name_in_front_of_its_target)
{
	char name[256];

	begin();
	list(LIST_RPZ,
		"$TTL 60\n@ SOA a b 1 2 3 4 5\na.example CNAME *.garden.test.\n"
		"*.b.example CNAME *.garden.test.\nc.example CNAME garden.test.\n");
	build();
	EQ(decide("a.example", TYPE_A)->act, ACT_CNAME);
	leads_to("a.example.garden.test");
	EQ(decide("x.y.b.example", TYPE_MX)->act, ACT_CNAME);
	leads_to("x.y.b.example.garden.test");
	EQ(decide("c.example", TYPE_A)->act, ACT_CNAME);
	leads_to("garden.test");
	memset(name, 'x', sizeof name);
	name[62] = name[124] = name[186] = '.';
	snprintf(name + 240, sizeof name - 240, ".b.example");
	EQ(decide(name, TYPE_A)->act, ACT_ANSWER);
	OK(decision.too_long);
	end();
}

CASE(truncation_is_for_datagrams)
{
	begin();
	rule(PATTERN_SUFFIX, "example", ACT_TRUNCATE);
	rule(PATTERN_SUFFIX, ".", ACT_NODATA);
	build();
	EQ(decide("a.example", TYPE_A)->act, ACT_TRUNCATE);
	asker.stream = true;
	EQ(decide("a.example", TYPE_A)->act, ACT_NODATA);
	end();
}

static unsigned view_of(const char *network)
{
	OK(prefix_parse(&client.client, network));
	return ruleset_view(set, &client);
}

CASE(the_longest_prefix_that_holds_all_of_the_client_is_the_view)
{
	struct view_conf three[3] = { { .name = "everybody" } };
	struct addr a;

	begin();
	OK(acl_add(&three[1].clients, "192.0.2.0/24") && acl_add(&three[2].clients, "192.0.2.7"));
	conf.views = three;
	conf.view_count = 3;
	build();
	EQ(view_of("192.0.2.7"), 2);
	EQ(view_of("::ffff:c000:208"), 1);
	EQ(view_of("198.51.100.1"), 0);
	EQ(view_of("192.0.2.0/25"), 1);
	EQ(view_of("192.0.2.0/23"), 0);
	a.any.sa_family = AF_UNIX;
	client.client = prefix_of_host(&a);
	EQ(ruleset_view(set, &client), 0);
	end();
	acl_clear(&three[1].clients);
	acl_clear(&three[2].clients);
}

static unsigned view_of_words(const char *mac, const char *cpe_id)
{
	client.mac = mac;
	client.cpe_id = cpe_id;
	return ruleset_view(set, &client);
}

CASE(a_mac_address_goes_before_a_cpe_and_that_before_a_prefix)
{
	const char *macs[] = { "00:00:00:00:00:07", "00:00:00:00:00:01", "00:00:00:00:00:03" };
	const char *more[] = { "00:00:00:00:00:02", "00:00:00:00:00:04" };
	const char *cpe_ids[] = { "shed", "den" };
	struct view_conf four[4] = { { .name = "everybody" }, { .macs = macs, .mac_count = 3 },
		{ .macs = more, .mac_count = 2, .cpe_ids = cpe_ids, .cpe_id_count = 2 },
		{ .name = "network" } };

	begin();
	OK(acl_add(&four[3].clients, "192.0.2.0/24"));
	conf.views = four;
	conf.view_count = 4;
	build();
	for (size_t i = 0; i < 3; i++)
		EQ(view_of_words(macs[i], "den"), 1);
	for (size_t i = 0; i < 2; i++)
		EQ(view_of_words(more[i], NULL), 2);
	for (size_t i = 0; i < 2; i++)
		EQ(view_of_words("00:00:00:00:00:05", cpe_ids[i]), 2);
	EQ(view_of_words("00:00:00:00:00:05", "Den"), 3);
	EQ(view_of_words("den", "00:00:00:00:00:01"), 3);
	EQ(view_of_words(NULL, NULL), 3);
	end();
	acl_clear(&four[3].clients);
}

CASE(special_names_are_answered_and_can_be_asked)
{
	const char *off[] = { "onion" };

	begin();
	conf.special = true;
	conf.special_off = off;
	conf.special_off_count = 1;
	build();
	EQ(decide("www.localhost", TYPE_A)->act, ACT_ANSWER);
	OK(rrset_find(decision.sets, TYPE_AAAA));
	EQ(decide("a.invalid", TYPE_A)->act, ACT_NXDOMAIN);
	EQ(decide("10.in-addr.arpa", TYPE_SOA)->act, ACT_ANSWER);
	EQ(decide("1.0.0.10.in-addr.arpa", TYPE_PTR)->act, ACT_NXDOMAIN);
	EQ(decide("home.arpa", TYPE_DS)->decided, false);
	EQ(decide("a.home.arpa", TYPE_DS)->act, ACT_NXDOMAIN);
	EQ(decide("a.onion", TYPE_A)->act, ACT_PASS);
	OK(decision.decided && decision.tier == TIER_SPECIAL);
	EQ(decide("use-application-dns.net", TYPE_A)->decided, false);
	end();
}

CASE(a_name_that_a_list_has_twice_is_there_once)
{
	static char text[64 * 1024];
	struct ruleset_count count;
	size_t len = 0;

	begin();
	for (int i = 0; i < 6000; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "a.ads\n");
	list(LIST_DOMAINS, text);
	build();
	ruleset_count(set, &count);
	EQ(count.list_entries, 1);
	EQ(decide("x.a.ads", TYPE_A)->place.line, 1);
	end();
}

CASE(patterns_of_one_place_are_bounded)
{
	begin();
	struct rule_conf *r = rule(PATTERN_SUFFIX, "a", ACT_PASS);
	static struct pattern_conf many[4097];
	static char globs[4097][8];

	for (int i = 0; i < 4097; i++) {
		snprintf(globs[i], sizeof globs[i], "*x%d*", i);
		many[i] = (struct pattern_conf){ PATTERN_GLOB, globs[i] };
	}
	r->patterns = many;
	r->pattern_count = 4097;
	OK(!ruleset_new(&conf, &fault));
	STR(fault.file, "rules");
	EQ(fault.line, 1);
	STR(fault.why, "more than 4096 patterns have the same end");
}

CASE(an_entry_of_a_list_is_small)
{
	enum { NAMES = 50000 };
	char *text = malloc(NAMES * 40);
	struct ruleset_count count;
	size_t len = 0, octets = 0;

	OK(text);
	begin();
	for (unsigned i = 0; i < NAMES; i++) {
		unsigned n = (unsigned)snprintf(
			text + len, 40, "x%08x.tracker.example\n", i * 2654435761u);

		len += n;
		octets += n + 1; /* on the wire: a length for each dot, and the root */
	}
	text[len] = '\0';
	list(LIST_DOMAINS, text);
	build();
	free(text);
	ruleset_count(set, &count);
	EQ(count.list_entries, NAMES);
	OK(count.memory < octets + 64 * NAMES);
	end();
}

/* ---- judging ---- */

static struct wire wire;

static void answer(uint16_t type)
{
	wire_begin(&wire, DNS_QR);
	wire_question(&wire, "Www.Example", type);
}

static void alias(const char *owner, uint16_t type, const char *target)
{
	uint8_t from[NAME_MAX_WIRE], to[NAME_MAX_WIRE];

	wire_record(&wire, SECTION_ANSWER, (struct span){ from, name_from_text(owner, from) }, type,
		CLASS_IN, 60, (struct span){ to, name_from_text(target, to) });
}

static void address(const char *text)
{
	struct addr a;

	OK(addr_parse(&a, text, 0));
	bool v4 = a.any.sa_family == AF_INET;
	struct span octets = { v4 ? (const uint8_t *)&a.v4.sin_addr : a.v6.sin6_addr.s6_addr,
		v4 ? 4 : 16 };

	wire_record(
		&wire, SECTION_ANSWER, TO_QUESTION, v4 ? TYPE_A : TYPE_AAAA, CLASS_IN, 60, octets);
}

static bool passes(void)
{
	const struct packed packed = { .message = wire_span(&wire) };

	return ruleset_judge(set, &packed, &asker, &decision, NULL);
}

static bool address_passes(const char *text)
{
	answer(TYPE_A);
	address(text);
	return passes();
}

CASE(an_alias_to_a_blocked_name_is_blocked)
{
	begin();
	list(LIST_DOMAINS, "tracker.net\n");
	build();
	EQ(ruleset_objects_to(set, 0), HOLDS_ALIAS);
	answer(TYPE_A);
	alias("www.example", TYPE_CNAME, "a.innocent.net");
	OK(passes());
	alias("a.innocent.net", TYPE_CNAME, "A.Tracker.net");
	OK(!passes());
	EQ(decision.act, ACT_NXDOMAIN);
	EQ(decision.tier, TIER_BLOCK);
	EQ(decision.ede, EDE_BLOCKED);
	EQ(decision.place.line, 1);
	EQ(decision.zone.len, sizeof "\3www\7example"); /* what was asked for does not exist */
	end();
}

CASE(a_dname_to_a_blocked_name_is_blocked)
{
	begin();
	rule(PATTERN_EXACT, "www.tracker.net", ACT_REFUSE);
	build();
	answer(TYPE_A);
	alias("example", TYPE_DNAME, "tracker.net");
	OK(!passes());
	EQ(decision.act, ACT_REFUSE);
	answer(TYPE_A);
	alias("other", TYPE_DNAME, "tracker.net");
	OK(passes());
	end();
}

CASE(an_answer_with_more_aliases_than_any_needs_is_not_told)
{
	begin();
	list(LIST_DOMAINS, "tracker.net\n");
	build();
	answer(TYPE_A);
	for (unsigned i = 0; i < 32; i++)
		alias("www.example", TYPE_CNAME, "innocent.net");
	OK(passes());
	alias("www.example", TYPE_CNAME, "innocent.net");
	OK(!passes());
	EQ(decision.act, ACT_SERVFAIL);
	EQ(decision.ede, EDE_OTHER);
	STR(decision.ede_text, "too many aliases");
	end();
}

CASE(who_allows_a_name_allows_where_it_leads)
{
	begin();
	list(LIST_DOMAINS, "tracker.net\nbad.net\n");
	list(LIST_DOMAINS, "bad.net\n")->allows = true;
	build();
	answer(TYPE_A);
	alias("www.example", TYPE_CNAME, "bad.net"); /* the target is allowed */
	OK(passes());
	end();
	begin();
	list(LIST_DOMAINS, "tracker.net\n");
	rule(PATTERN_SUFFIX, "example", ACT_PASS);
	build();
	answer(TYPE_A);
	alias("www.example", TYPE_CNAME, "tracker.net"); /* what was asked for is */
	OK(passes());
	end();
}

CASE(a_rule_about_every_name_says_nothing_of_aliases)
{
	struct pattern_conf ok = { PATTERN_SUFFIX, "example" };

	begin();
	struct rule_conf *r = rule(PATTERN_SUFFIX, ".", ACT_NODATA);

	r->pattern_count = 0;
	r->except = &ok;
	r->except_count = 1;
	build();
	answer(TYPE_A);
	alias("www.example", TYPE_CNAME, "elsewhere.net");
	OK(passes());
	end();
}

CASE(private_addresses_do_not_come_from_outside)
{
	static const char *const private[] = { "10.1.2.3", "172.31.0.1", "192.168.0.1",
		"169.254.1.1", "127.0.0.1", "0.0.0.0", "100.64.0.1", "fd00::1", "fc00::1",
		"fe80::1", "::1", "::", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2001:db8:a:1::" };

	begin();
	conf.judge.rebind = true;
	OK(prefix_parse(&conf.dns64.prefix, "2001:db8::/32"));
	build();
	EQ(ruleset_objects_to(set, 0), HOLDS_ADDRESS | HOLDS_SERVICE);
	for (size_t i = 0; i < sizeof private / sizeof *private; i++) {
		bool passed = address_passes(private[i]);

		if (passed)
			print_message("%s\n", private[i]);
		OK(!passed);
		EQ(decision.act, ACT_NODATA);
	}
	OK(address_passes("192.0.2.1"));
	OK(address_passes("172.32.0.1"));
	OK(address_passes("2001:db9::1"));
	asker.inside = true;
	OK(address_passes("10.1.2.3"));
	end();
}

CASE(private_addresses_pass_where_they_are_excepted)
{
	const char *allow[] = { "example" };

	begin();
	conf.judge.rebind = true;
	conf.judge.rebind_allow = allow;
	conf.judge.rebind_allow_count = 1;
	build();
	OK(address_passes("10.1.2.3"));
	end();
}

CASE(private_hints_are_addresses)
{
	begin();
	conf.judge.rebind = true;
	build();
	answer(TYPE_HTTPS);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_HTTPS, CLASS_IN, 60,
		SPAN("\0\1\0\0\4\0\4\xc0\0\2\1"));
	OK(passes());
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_HTTPS, CLASS_IN, 60,
		SPAN("\0\1\0\0\4\0\4\x0a\0\0\1"));
	OK(!passes());
	end();
}

CASE(blocked_and_bogus_addresses)
{
	begin();
	OK(acl_add(&conf.judge.block, "198.51.100.0/24"));
	OK(acl_add(&conf.judge.bogus, "203.0.113.1"));
	build();
	OK(address_passes("192.0.2.1"));
	OK(!address_passes("198.51.100.7"));
	EQ(decision.ede, EDE_BLOCKED);
	OK(!address_passes("203.0.113.1"));
	EQ(decision.act, ACT_NXDOMAIN);
	EQ(decision.ede, EDE_NONE);
	end();
	acl_clear(&conf.judge.block);
	acl_clear(&conf.judge.bogus);
}

/* ---- telling ---- */

static struct packed packed;
static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];

static void tell(const char *name, uint16_t type)
{
	static uint8_t octets[NAME_MAX_WIRE];
	const struct question q = { octets, name_from_text(name, octets), type, CLASS_IN };

	OK(decide(name, type)->decided);
	ruleset_answer(set, &decision, &q, NULL, &packed, memory);
}

static unsigned count(int section)
{
	return get_u16(packed.message.at + 4 + 2 * section);
}

CASE(what_is_decided_is_told)
{
	const char *records[] = { "A 192.0.2.1", "A 192.0.2.2" };

	begin();
	conf.special = true;
	struct rule_conf *r = rule(PATTERN_EXACT, "www.example", ACT_ANSWER);

	r->records = records;
	r->record_count = 2;
	rule(PATTERN_SUFFIX, "no.example", ACT_NXDOMAIN);
	rule(PATTERN_SUFFIX, "mute.example", ACT_REFUSE);
	build();
	tell("www.example", TYPE_A);
	EQ(count(SECTION_ANSWER), 2);
	tell("www.example", TYPE_AAAA);
	EQ(count(SECTION_ANSWER), 0);
	EQ(count(SECTION_AUTHORITY), 1);
	EQ(packed.rcode, RCODE_NOERROR);
	tell("a.no.example", TYPE_A);
	EQ(packed.rcode, RCODE_NXDOMAIN);
	tell("mute.example", TYPE_A);
	EQ(packed.rcode, RCODE_REFUSED);
	tell("localhost", TYPE_AAAA);
	EQ(count(SECTION_ANSWER), 1);
	tell("10.in-addr.arpa", TYPE_NS);
	EQ(count(SECTION_ANSWER), 1);
	end();
}

CASE(an_alias_that_follows_from_the_name_is_told_to_who_asks_for_it)
{
	begin();
	list(LIST_RPZ, "$TTL 60\n@ SOA a b 1 2 3 4 5\na.example CNAME *.garden.test.\n");
	build();
	tell("a.example", TYPE_CNAME);
	EQ(count(SECTION_ANSWER), 1);
	OK(memmem(packed.message.at, packed.message.len, "\1a\7example\6garden\4test\0", 23));
	end();
}

/* ---- explaining ---- */

struct told {
	struct trace trace;
	char text[400];
};

static void tried(struct trace *trace, enum tier tier, const struct rules_place *place,
	const char *pattern, const char *why_not)
{
	struct told *told = (struct told *)trace;
	size_t len = strlen(told->text);

	snprintf(told->text + len, sizeof told->text - len, "%d %u %s: %s\n", tier, place->line,
		pattern, why_not ? why_not : "holds");
}

/* What is told of local data, as decide() and a trace have it. */
static void local_is(const char *name, const char *file_name, unsigned line, const char *trace)
{
	uint8_t wire_name[NAME_MAX_WIRE];
	struct span of = { wire_name, name_from_text(name, wire_name) };
	struct told told = { .trace = { tried } };

	ruleset_decide(set, of, TYPE_A, &asker, &decision, &told.trace);
	STR(decision.place.file, file_name);
	EQ(decision.place.line, line);
	STR(told.text, trace);
}

CASE(local_data_is_told_with_its_place)
{
	const char *address[] = { "192.0.2.1" };
	struct host_conf hosts[] = { { { "conf", 7 }, 0, "one.test", address, 1 },
		{ { "conf", 9 }, 0, "two.test", address, 1 } };
	struct local_file_conf files[2] = { { .file = "" }, { .file = "", .origin = "zone.test" } };

	begin();
	conf.hosts = hosts;
	conf.host_count = 2;
	conf.hosts_ptr = true;
	conf.files = files;
	conf.file_count = 2;
	files[0].file = list(LIST_HOSTS, "# \n192.0.2.2 three.test\n192.0.2.3 one.test\n")->file;
	files[1].file = list(
		LIST_HOSTS, "@ 60 SOA a b (1 2\n3 4 5)\n\nw 60 A 192.0.2.4\n*.x 60 A 192.0.2.5\n")
				->file;
	conf.list_count = 0;
	build();
	local_is("one.test", "conf", 7, "2 7 exact:one.test.: holds\n");
	local_is("two.test", "conf", 9, "2 9 exact:two.test.: holds\n");
	local_is("three.test", file[0], 2, "2 2 exact:three.test.: holds\n");
	local_is(
		"2.2.0.192.in-addr.arpa", file[0], 2, "2 2 exact:2.2.0.192.in-addr.arpa.: holds\n");
	local_is("3.2.0.192.in-addr.arpa", "conf", 7, "2 7 exact:3.2.0.192.in-addr.arpa.: holds\n");
	local_is("zone.test", file[1], 1, "2 1 suffix:zone.test.: holds\n");
	local_is("w.zone.test", file[1], 4, "2 4 suffix:zone.test.: holds\n");
	local_is("a.x.zone.test", file[1], 5, "2 5 suffix:zone.test.: holds\n");
	local_is("x.zone.test", file[1], 0, "2 0 suffix:zone.test.: holds\n");
	local_is("no.zone.test", file[1], 0, "2 0 suffix:zone.test.: holds\n");
	unlink(file[0]);
	unlink(file[1]);
	end();
}

CASE(a_trace_has_everything_on_the_way_by_rank)
{
	struct told told = { .trace = { tried } };
	uint16_t type = TYPE_AAAA;

	begin();
	rule(PATTERN_SUFFIX, "example", ACT_NODATA);
	struct rule_conf *r = rule(PATTERN_EXACT, "www.example", ACT_NXDOMAIN);

	r->types = &type;
	r->type_count = 1;
	rule(PATTERN_GLOB, "m*.example", ACT_DROP);
	list(LIST_DOMAINS, "# ads\nwww.example\n");
	build();
	ruleset_decide(set, SPAN("\3www\7example\0"), TYPE_A, &asker, &decision, &told.trace);
	STR(told.text,
		"1 2 exact:www.example.: it is about other types\n"
		"1 1 suffix:example.: holds\n"
		"1 3 glob:m*.example: another one goes before it\n"
		"5 2 suffix:www.example.: another one goes before it\n");
	EQ(decision.place.line, 1);
	end();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_rewrite_by_suffix_keeps_what_is_before_it),
		CLAIM(a_rewrite_to_what_is_no_name_is_an_answer),
		CLAIM(who_asks_for_an_alias_gets_it),
		CLAIM(a_policy_puts_the_name_in_front_of_its_target),
		CLAIM(truncation_is_for_datagrams),
		CLAIM(the_longest_prefix_that_holds_all_of_the_client_is_the_view),
		CLAIM(a_mac_address_goes_before_a_cpe_and_that_before_a_prefix),
		CLAIM(special_names_are_answered_and_can_be_asked),
		CLAIM(a_name_that_a_list_has_twice_is_there_once),
		CLAIM(patterns_of_one_place_are_bounded),
		CLAIM(an_entry_of_a_list_is_small),
		CLAIM(an_alias_to_a_blocked_name_is_blocked),
		CLAIM(a_dname_to_a_blocked_name_is_blocked),
		CLAIM(an_answer_with_more_aliases_than_any_needs_is_not_told),
		CLAIM(who_allows_a_name_allows_where_it_leads),
		CLAIM(a_rule_about_every_name_says_nothing_of_aliases),
		CLAIM(private_addresses_do_not_come_from_outside),
		CLAIM(private_addresses_pass_where_they_are_excepted),
		CLAIM(private_hints_are_addresses),
		CLAIM(blocked_and_bogus_addresses),
		CLAIM(what_is_decided_is_told),
		CLAIM(an_alias_that_follows_from_the_name_is_told_to_who_asks_for_it),
		CLAIM(local_data_is_told_with_its_place),
		CLAIM(a_trace_has_everything_on_the_way_by_rank),
	};

	return RUN(cases);
}
