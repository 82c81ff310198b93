/* What is said below resolver.arpa, as ldns reads it. */
#include "query/discovery.h"

#include "case.h"

#include "dns/name.h"
#include "query/reply.h"

#include <ldns/ldns.h>
#include <string.h>

#define SERVICES "_dns.resolver.arpa."
#define SOA                                                                                        \
	"resolver.arpa.\t300\tIN\tSOA\tresolver.arpa. nobody.invalid. 1 3600 1200 604800 300\n"
#define MANY 12

static uint16_t memory[PACKED_MAX / 2 + 1];
static uint8_t out[REPLY_MAX];
static struct addr addresses[2 * MANY];
static struct tls_shown shown;
static struct discovery d;

/* Addresses, separated by blanks. */
static size_t read_addresses(const char *text, struct addr *to)
{
	char copy[512], *rest = copy;
	size_t count = 0;

	strcpy(copy, text);
	for (char *one; (one = strsep(&rest, " "));)
		OK(addr_parse(&to[count++], one, 0));
	return count;
}

/* A certificate with that name and those addresses, places where TLS is spoken, and where the
 * client asks. */
static void is_shown(const char *name, const char *in, const char *at, const char *asked_at)
{
	shown = (struct tls_shown){ .name = name, .addresses = addresses };
	shown.address_count = read_addresses(in, addresses);
	d = (struct discovery){ .as = &shown };
	d.count = read_addresses(at, d.at);
	OK(addr_parse(&d.asked_at, asked_at, 0));
}

static void is_text(const ldns_rr_list *records, const char *want)
{
	char *text = ldns_rr_list2str(records);

	STR(text ? text : "", want);
	free(text);
}

/* What the question is answered: the answer, authority and additional sections. */
static void is_told(const char *name, uint16_t type, const char *const want[3])
{
	uint8_t wire[NAME_MAX_WIRE];
	const struct request request = { .id = 7,
		.question = { wire, name_from_text(name, wire), type, CLASS_IN } };
	const struct manners manners = { .stream = true };
	struct packed packed;
	struct answer answer = { .packed = &packed, .authoritative = true };
	ldns_pkt *pkt;

	OK(discovery_is_asked(&request.question));
	discovery_answer(&packed, memory, &request.question, &d);
	struct shape shape = reply_shape(&request, &answer, &manners, out);

	EQ(ldns_wire2pkt(&pkt, shape.message.at, shape.message.len), LDNS_STATUS_OK);
	OK(ldns_pkt_aa(pkt) && ldns_pkt_ra(pkt) && !ldns_pkt_tc(pkt) && !ldns_pkt_ad(pkt));
	EQ(ldns_pkt_get_rcode(pkt), LDNS_RCODE_NOERROR);
	is_text(ldns_pkt_answer(pkt), want[0]);
	is_text(ldns_pkt_authority(pkt), want[1]);
	is_text(ldns_pkt_additional(pkt), want[2]);
	ldns_pkt_free(pkt);
}

static void is_told_services(const char *services, const char *others)
{
	is_told(SERVICES, TYPE_SVCB, (const char *[]){ services, "", others });
}

static void is_told_nothing(const char *name, uint16_t type)
{
	is_told(name, type, (const char *[]){ "", SOA, "" });
}

CASE(who_asks_for_services_is_told_of_them)
{
	is_shown("dns.example", "192.0.2.1 2001:db8::1", "192.0.2.1:853", "192.0.2.1");
	is_told_services(SERVICES "\t300\tIN\tSVCB\t1 dns.example. alpn=dot ipv4hint=192.0.2.1\n",
		"dns.example.\t300\tIN\tA\t192.0.2.1\n");
}

CASE(a_wildcard_has_all_addresses_of_its_family)
{
	is_shown("dns.example", "192.0.2.1 2001:db8::1 192.0.2.2", "[::]:853 0.0.0.0:853",
		"192.0.2.1");
	is_told_services(SERVICES "\t300\tIN\tSVCB\t1 dns.example. alpn=dot "
				  "ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1\n",
		"dns.example.\t300\tIN\tA\t192.0.2.1\n"
		"dns.example.\t300\tIN\tA\t192.0.2.2\n"
		"dns.example.\t300\tIN\tAAAA\t2001:db8::1\n");
}

CASE(each_port_is_a_service_in_the_order_of_the_endpoints)
{
	is_shown("dns.example", "192.0.2.1 192.0.2.2",
		"192.0.2.1:8853 192.0.2.2:853 192.0.2.1:853 192.0.2.9:9953", "192.0.2.1");
	is_told_services(
		SERVICES
		"\t300\tIN\tSVCB\t1 dns.example. alpn=dot port=8853 ipv4hint=192.0.2.1\n" SERVICES
		"\t300\tIN\tSVCB\t2 dns.example. alpn=dot ipv4hint=192.0.2.1,192.0.2.2\n",
		"dns.example.\t300\tIN\tA\t192.0.2.1\n"); /* the other one is not of both */
}

CASE(loopback_is_told_to_this_host_alone)
{
	is_shown("dns.example", "127.0.0.1 192.0.2.1", "0.0.0.0:853", "192.0.2.1");
	is_told_services(SERVICES "\t300\tIN\tSVCB\t1 dns.example. alpn=dot ipv4hint=192.0.2.1\n",
		"dns.example.\t300\tIN\tA\t192.0.2.1\n");
	is_shown("dns.example", "127.0.0.1 ::1", "127.0.0.1:853", "127.0.0.1");
	is_told_services(SERVICES "\t300\tIN\tSVCB\t1 dns.example. alpn=dot ipv4hint=127.0.0.1\n",
		"dns.example.\t300\tIN\tA\t127.0.0.1\n");
}

CASE(nothing_is_told_where_nothing_proves_us)
{
	is_shown("dns.example", "192.0.2.1", "192.0.2.1:853", "192.0.2.1");
	d.as = NULL;
	is_told_nothing(SERVICES, TYPE_SVCB);
	is_shown("dns.example", "192.0.2.1", "192.0.2.2:853", "192.0.2.1");
	is_told_nothing(SERVICES, TYPE_SVCB);
	is_shown("not..a.name", "192.0.2.1", "192.0.2.1:853", "192.0.2.1");
	is_told_nothing(SERVICES, TYPE_SVCB);
	is_shown(".", "192.0.2.1", "192.0.2.1:853", "192.0.2.1");
	is_told_nothing(SERVICES, TYPE_SVCB);
}

CASE(nothing_else_is_below_the_zone)
{
	is_shown("dns.example", "192.0.2.1", "192.0.2.1:853", "192.0.2.1");
	is_told_nothing(SERVICES, TYPE_A);
	is_told_nothing(SERVICES, TYPE_HTTPS);
	is_told_nothing("resolver.arpa.", TYPE_SVCB);
	is_told_nothing("resolver.arpa.", TYPE_DS);
	is_told_nothing("x." SERVICES, TYPE_SVCB);
	is_told_nothing("other.resolver.arpa.", TYPE_AAAA);
	is_told("resolver.arpa.", TYPE_SOA, (const char *[]){ SOA, "", "" });
}

CASE(other_names_are_not_of_the_zone)
{
	static const char *const names[] = { ".", "arpa.", "xresolver.arpa.", "resolver.arpa.x.",
		"_dns.resolver.example.", "a.b.c.in-addr.arpa." };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		uint8_t wire[NAME_MAX_WIRE];
		const struct question q = { wire, name_from_text(names[i], wire), TYPE_SVCB,
			CLASS_IN };

		OK(!discovery_is_asked(&q));
	}
}

/* The longest name, as many ports, and more addresses than are told. */
CASE(all_that_can_be_told_has_room)
{
	char name[256];
	uint8_t wire[NAME_MAX_WIRE];
	struct packed packed;
	struct reply r;

	memset(name, 'x', sizeof name);
	name[63] = name[127] = name[191] = '.';
	name[253] = 0;
	is_shown(name, "192.0.2.1", "0.0.0.0:1", "192.0.2.1");
	shown.address_count = 2 * MANY;
	for (unsigned i = 0; i < MANY; i++) {
		OK(addr_parse(&addresses[i], "192.0.2.1", 0));
		OK(addr_parse(&addresses[MANY + i], "2001:db8::1", 0));
	}
	for (d.count = 0; d.count < DISCOVERY_MAX; d.count += 2) {
		OK(addr_parse(&d.at[d.count], "0.0.0.0", (uint16_t)(1000 + d.count)));
		OK(addr_parse(&d.at[d.count + 1], "::", (uint16_t)(1001 + d.count)));
	}
	const struct question q = { wire, name_from_text(SERVICES, wire), TYPE_SVCB, CLASS_IN };

	discovery_answer(&packed, memory, &q, &d);
	OK(reply_parse(packed.message, &r));
	EQ(r.count[SECTION_ANSWER], DISCOVERY_MAX);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(who_asks_for_services_is_told_of_them),
		CLAIM(a_wildcard_has_all_addresses_of_its_family),
		CLAIM(each_port_is_a_service_in_the_order_of_the_endpoints),
		CLAIM(loopback_is_told_to_this_host_alone),
		CLAIM(nothing_is_told_where_nothing_proves_us),
		CLAIM(nothing_else_is_below_the_zone),
		CLAIM(other_names_are_not_of_the_zone),
		CLAIM(all_that_can_be_told_has_room),
	};

	return RUN(cases);
}
