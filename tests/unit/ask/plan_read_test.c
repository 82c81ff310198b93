/* The command line of `sotto query`: what it is understood as, and what is told of mistakes. */
#include "ask/plan_read.h"

#include "case.h"
#include "dns/message.h"

#include <stdlib.h>
#include <string.h>

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* A server first, so that no test depends on /etc/resolv.conf. */
#define ASK(...) WORDS("@192.0.2.1", __VA_ARGS__)

static struct ask_plan plan;
static char told[4096];

static bool reads(const char *const *words)
{
	FILE *err = fmemopen(told, sizeof told, "w");

	plan_clear(&plan);
	*told = '\0';
	bool ok = plan_read(&plan, words, err);

	fclose(err);
	return ok;
}

static void understands(const char *const *words)
{
	if (!reads(words))
		fail_msg("%s", told);
	STR(told, "");
}

static void refuses(const char *const *words, const char *saying)
{
	OK(!reads(words));
	if (!strstr(told, saying))
		fail_msg("\"%s\" is not in: %s", saying, told);
}

static void asks(size_t i, const char *name, uint16_t type, uint16_t class)
{
	char text[NAME_TEXT];

	OK(i < plan.question_count);
	STR(name_to_text(plan.questions[i].name, text), name);
	EQ(plan.questions[i].type, type);
	EQ(plan.questions[i].class, class);
}

static const struct ask_option *option(size_t i, uint16_t code)
{
	OK(i < plan.edns.option_count);
	EQ(plan.edns.options[i].code, code);
	return &plan.edns.options[i];
}

/* ---- questions ---- */

CASE(nothing_asks_for_the_servers_of_the_root)
{
	understands(WORDS("@192.0.2.1"));
	EQ(plan.question_count, 1);
	asks(0, ".", TYPE_NS, CLASS_IN);
	EQ(plan.flags, DNS_RD);
	OK(plan.edns.on);
	EQ(plan.edns.size, 1232);
	EQ(plan.server.scheme, SCHEME_UDP);
	EQ(addr_port(&plan.server.addr), 53);
}

CASE(a_name_its_type_and_its_class_stand_in_that_order)
{
	understands(ASK("a.test", "mx", "ch"));
	EQ(plan.question_count, 1);
	asks(0, "a.test.", TYPE_MX, 3);
	understands(ASK("a.test", "TYPE65280", "CLASS42"));
	asks(0, "a.test.", 65280, 42);
	understands(ASK("ns"));
	asks(0, "ns.", TYPE_A, CLASS_IN);
	understands(ASK("ns", "a"));
	asks(0, "ns.", TYPE_A, CLASS_IN);
}

CASE(options_stand_before_and_behind)
{
	understands(WORDS("+tcp", "a.test", "+dnssec", "AAAA", "@192.0.2.1", "-p", "5353"));
	asks(0, "a.test.", TYPE_AAAA, CLASS_IN);
	EQ(plan.server.scheme, SCHEME_TCP);
	EQ(plan.edns.flags, 0x8000);
	EQ(addr_port(&plan.server.addr), 5353);
}

CASE(several_names_are_asked_each_with_its_types)
{
	understands(ASK("a.test", "A", "AAAA", "b.test", "mx", "c.test"));
	EQ(plan.question_count, 4);
	asks(0, "a.test.", TYPE_A, CLASS_IN);
	asks(1, "a.test.", TYPE_AAAA, CLASS_IN);
	asks(2, "b.test.", TYPE_MX, CLASS_IN);
	asks(3, "c.test.", TYPE_A, CLASS_IN);
}

CASE(a_type_may_stand_before_its_name)
{
	understands(ASK("mx", "a.test"));
	EQ(plan.question_count, 1);
	asks(0, "a.test.", TYPE_MX, CLASS_IN);
	understands(ASK("-t", "TXT", "-c", "CH", "-q", "mx"));
	EQ(plan.question_count, 1);
	asks(0, "mx.", TYPE_TXT, 3);
}

CASE(addresses_have_names)
{
	understands(ASK("-x", "192.0.2.10"));
	asks(0, "10.2.0.192.in-addr.arpa.", TYPE_PTR, CLASS_IN);
	understands(ASK("-x2001:db8::1"));
	asks(0, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
		TYPE_PTR, CLASS_IN);
	refuses(ASK("-x", "192.0.2"), "-x wants an address");
}

CASE(keys_of_an_e_mail_address_are_under_its_hash)
{
	/* RFC 7929 §3: hugh@example.com. */
	understands(ASK("hugh@example.com", "OPENPGPKEY"));
	asks(0, "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6._openpgpkey.example.com.",
		TYPE_OPENPGPKEY, CLASS_IN);
	understands(ASK("SMIMEA", "hugh@example.com"));
	asks(0, "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6._smimecert.example.com.",
		TYPE_SMIMEA, CLASS_IN);
}

CASE(a_transfer_has_its_serial)
{
	understands(ASK("a.test", "IXFR=4294967295"));
	asks(0, "a.test.", TYPE_IXFR, CLASS_IN);
	EQ(plan.questions[0].serial, 4294967295u);
	refuses(ASK("a.test", "IXFR=4294967296"), "IXFR=4294967296");
}

/* ---- the message ---- */

CASE(each_flag_of_the_header_has_its_word)
{
	static const struct {
		const char *word;
		uint16_t flags;
	} words[] = { { "+aaonly", DNS_RD | DNS_AA }, { "+adflag", DNS_RD | DNS_AD },
		{ "+cdflag", DNS_RD | DNS_CD }, { "+norecurse", 0 }, { "+tcflag", DNS_RD | DNS_TC },
		{ "+raflag", DNS_RD | DNS_RA }, { "+zflag", DNS_RD | DNS_Z } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		understands(ASK(words[i].word));
		EQ(plan.flags, words[i].flags);
	}
	understands(ASK("+opcode=4", "-i4660"));
	EQ(plan.opcode, 4);
	EQ(plan.id, 0x1234);
	OK(plan.has_id);
}

CASE(edns_is_what_is_said_of_it)
{
	understands(ASK("+dnssec", "+compactok", "+delegok"));
	EQ(plan.edns.flags, 0xe000);
	understands(ASK("+ednsflags=0x1", "+dnssec")); /* it stands above the others */
	EQ(plan.edns.flags, 1);
	understands(ASK("+walk"));
	EQ(plan.edns.flags, 0x8000);
	understands(ASK("+walk", "+ednsflags=0"));
	EQ(plan.edns.flags, 0);
	understands(ASK("+edns=1", "+bufsize=4096"));
	EQ(plan.edns.version, 1);
	EQ(plan.edns.size, 4096);
	understands(ASK("+noedns"));
	OK(!plan.edns.on);
	understands(ASK("+noedns", "+nsid")); /* a later one wins */
	OK(plan.edns.on);
}

CASE(options_of_edns_are_in_the_order_of_the_words)
{
	understands(ASK("+nsid", "+expire", "+cookie=0102030405060708", "+subnet=192.0.2.0/25",
		"+chainquery=test", "+ednsopt=65001:beef", "+ednsopt=65001", "+keepalive",
		"+zoneversion"));
	EQ(option(0, 3)->len, 0);
	EQ(option(1, 9)->len, 0);
	MEM(option(2, 10)->octets, "\1\2\3\4\5\6\7\10", 8);
	EQ(option(3, 8)->len, 8);
	MEM(option(3, 8)->octets, "\0\1\31\0\300\0\2\0", 8);
	MEM(option(4, 13)->octets, "\4test\0", 6);
	MEM(option(5, 65001)->octets, "\xbe\xef", 2);
	EQ(option(6, 65001)->len, 0);
	EQ(option(7, 11)->len, 0);
	EQ(option(8, 19)->len, 0);
	understands(ASK("+cookie", "+subnet=2001:db8::/32", "+padding"));
	EQ(option(0, 10)->len, 8);
	MEM(option(1, 8)->octets, "\0\2\40\0\40\1\15\270", 8);
	OK(plan.edns.pad);
	EQ(plan.edns.pad_to, 128);
	understands(ASK("+subnet=192.0.2.255/25")); /* the bits behind it are nobody's business */
	MEM(option(0, 8)->octets, "\0\1\31\0\300\0\2\200", 8);
	understands(ASK("+nsid", "+nonsid"));
	EQ(plan.edns.option_count, 0);
}

/* ---- the server ---- */

CASE(a_bare_address_is_in_clear_unless_tls_is_asked_for)
{
	understands(ASK("a.test"));
	EQ(plan.server.scheme, SCHEME_UDP);
	understands(ASK("a.test", "+tls"));
	EQ(plan.server.scheme, SCHEME_TLS);
	EQ(addr_port(&plan.server.addr), 853);
	OK(!plan.server.opportunistic);
	understands(ASK("+tls=auth", "+tls_hostname=dns.test", "+tls_port=8853"));
	STR(plan.server.auth_name, "dns.test");
	EQ(addr_port(&plan.server.addr), 8853);
	understands(ASK("+tls=noauth"));
	OK(plan.server.opportunistic);
	understands(WORDS("@2001:db8::1", "+tls"));
	EQ(plan.server.addr.any.sa_family, AF_INET6);
	understands(WORDS("@[2001:db8::1]:5353"));
	EQ(addr_port(&plan.server.addr), 5353);
	understands(WORDS("@ns1.test", "-6"));
	STR(plan.server.host, "ns1.test");
	EQ(plan.family, AF_INET6);
}

CASE(a_server_is_spelled_as_in_the_configuration)
{
#define PIN "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	understands(WORDS("@tls://192.0.2.1#dns.test?pin=" PIN "&ca=a.pem", "a.test"));
	STR(plan.server.auth_name, "dns.test");
	STR(plan.server.ca, "a.pem");
	EQ(plan.server.pin_count, 1);
	understands(ASK("+tls-hostname=dns.test", "+tls-pin=" PIN, "+tls-ca=a.pem",
		"+tls-cert=c.pem", "+tls-key=k.pem"));
	EQ(plan.server.scheme, SCHEME_TLS);
	STR(plan.server.auth_name, "dns.test");
	STR(plan.server.ca, "a.pem");
	STR(plan.server.cert, "c.pem");
	STR(plan.server.key, "k.pem");
	EQ(plan.server.pin_count, 1);
	understands(WORDS("@sotto", "a.test"));
	OK(plan.is_sotto);
	EQ(plan.server.scheme, SCHEME_UDP);
	understands(WORDS("@sotto", "a.test", "+tcp"));
	EQ(plan.server.scheme, SCHEME_TCP);
	understands(WORDS("@sotto", "a.test", "+tls-pin=" PIN, "+config=sotto.yaml"));
	EQ(plan.server.scheme, SCHEME_TLS);
	EQ(plan.server.pin_count, 1);
	STR(plan.config, "sotto.yaml");
}

CASE(nothing_makes_it_weaker_than_it_was_asked_for)
{
	refuses(WORDS("@udp://192.0.2.1", "+tls"), "is in clear");
	refuses(WORDS("@udp://192.0.2.1", "+tls-ca=a.pem"), "tls:// only");
	refuses(WORDS("@tls://192.0.2.1", "+tcp"), "+tcp is in clear");
	refuses(ASK("+tls", "+tcp"), "+tcp is in clear");
	refuses(ASK("+tls=noauth", "+tls-hostname=dns.test"), "verify=no");
	refuses(ASK("+tls-fallback"), "of use with TLS only");
	refuses(WORDS("@sotto", "+tls", "+tcp"), "is in clear");
	refuses(WORDS("@sotto", "+resume"), "of use with TLS only");
	refuses(WORDS("@sotto", "+tls", "+tls-fallback"), "go with an address");
	refuses(WORDS("@192.0.2.1", "+config=FILE"), "which is not asked");
	refuses(WORDS("@sotto", "-p53"), "go with an address");
	refuses(WORDS("@sotto", "-b192.0.2.1"), "go with an address");
	refuses(WORDS("@sotto", "-6"), "go with an address");
}

/* ---- mistakes ---- */

CASE(mistakes_are_told_with_the_word_and_the_nearest_one)
{
	refuses(ASK("+dnsec"), "+dnsec: unknown option; did you mean +dnssec?");
	refuses(ASK("+nodnsec"), "did you mean +dnssec?");
	refuses(ASK("a.test", "AAAAA"), "did you mean AAAA?");
	refuses(ASK("+tcp=1"), "no value is wanted");
	refuses(ASK("+bufsize"), "+bufsize=N");
	refuses(ASK("+bufsize=65536"), "from 0 to 65535");
	refuses(ASK("+ednsopt=1:abc"), "hexadecimal");
	refuses(ASK("+subnet=192.0.2.1/33"), "33");
	refuses(ASK("a..test"), "\"a..test\" is not a domain name");
	refuses(ASK("-z"), "-z: unknown option");
	refuses(ASK("-p"), "a value is missing");
	refuses(ASK("-p0"), "from 1 to 65535");
	refuses(ASK("-6"), "of the other family");
	refuses(WORDS("@tls://192.0.2.1#a?pn=x"), "did you mean \"pin\"?");
	refuses(ASK("+dnsec", "+bufsize", "a.test", "AAAAA"), "AAAA?");
	OK(strstr(told, "+dnsec") && strstr(told, "+bufsize"));
}

CASE(what_is_told_cannot_paint_on_a_terminal)
{
	refuses(ASK("+\033[31m"), "+\\x1b[31m: unknown option");
	OK(!strchr(told, '\033'));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(nothing_asks_for_the_servers_of_the_root),
		CLAIM(a_name_its_type_and_its_class_stand_in_that_order),
		CLAIM(options_stand_before_and_behind),
		CLAIM(several_names_are_asked_each_with_its_types),
		CLAIM(a_type_may_stand_before_its_name),
		CLAIM(addresses_have_names),
		CLAIM(keys_of_an_e_mail_address_are_under_its_hash),
		CLAIM(a_transfer_has_its_serial),
		CLAIM(each_flag_of_the_header_has_its_word),
		CLAIM(edns_is_what_is_said_of_it),
		CLAIM(options_of_edns_are_in_the_order_of_the_words),
		CLAIM(a_bare_address_is_in_clear_unless_tls_is_asked_for),
		CLAIM(a_server_is_spelled_as_in_the_configuration),
		CLAIM(nothing_makes_it_weaker_than_it_was_asked_for),
		CLAIM(mistakes_are_told_with_the_word_and_the_nearest_one),
		CLAIM(what_is_told_cannot_paint_on_a_terminal),
	};
	int failed = RUN(cases);

	plan_clear(&plan);
	return failed;
}
