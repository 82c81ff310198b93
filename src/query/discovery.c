#include "query/discovery.h"

#include "base/bug.h"
#include "dns/name.h"
#include "dns/writer.h"

/* A certificate may be renewed under another name, and then nobody shall look for the one before
 * for long. Nor need it be less: who asks every five minutes costs nothing. */
#define TTL_S 300
/* Addresses of one family that are told; any of them would do. With this, all that can be told has
 * room in a message. */
#define ADDRESSES_MAX 8

/* Parameters of a service, in the order that they must have (RFC 9460 §2.2, §14.3.2). */
enum { PARAM_ALPN = 1, PARAM_PORT = 3, PARAM_IPV4HINT = 4, PARAM_IPV6HINT = 6 };

static const uint8_t zone[] = "\10resolver\4arpa";
static const uint8_t services[] = "\4_dns\10resolver\4arpa";

/* An answer while it is written. */
struct telling {
	struct writer w;
	const struct question *question;
	const struct discovery *d;
	uint8_t target[NAME_MAX_WIRE]; /* the name that we have over TLS */
	size_t target_len;
	uint16_t ports[DISCOVERY_MAX]; /* where it is ours; the first is the best */
	size_t port_count;
	uint16_t count[SECTIONS];
};

/* ---- what there is ---- */

static bool is_loopback(const struct addr *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

/* Does this address, of the certificate, lead the client to us at that port? Loopback would lead it
 * to itself, unless it is on this host. */
static bool leads_to_us(const struct discovery *d, const struct addr *a, uint16_t port)
{
	struct addr to = *a;

	if (is_loopback(a) && !is_loopback(&d->asked_at))
		return false;
	addr_set_port(&to, port);
	for (size_t i = 0; i < d->count; i++)
		if (addr_equal(&d->at[i], &to) || addr_covers(&d->at[i], &to))
			return true;
	return false;
}

static bool any_leads_to_us(const struct discovery *d, uint16_t port)
{
	for (size_t i = 0; i < d->as->address_count; i++)
		if (leads_to_us(d, &d->as->addresses[i], port))
			return true;
	return false;
}

static bool has_port(const struct telling *t, uint16_t port)
{
	for (size_t i = 0; i < t->port_count; i++)
		if (t->ports[i] == port)
			return true;
	return false;
}

/* What is bound at one port is one service, whatever its addresses: a client takes those of the
 * name, whichever the service (RFC 9460 §7.3). */
static void find_services(struct telling *t)
{
	const struct discovery *d = t->d;

	if (!d->as || !d->as->name)
		return;
	t->target_len = name_from_text(d->as->name, t->target);
	if (t->target_len <= 1)
		return; /* none, or the root, which would mean resolver.arpa (RFC 9460 §2.5.2) */
	for (size_t i = 0; i < d->count; i++) {
		uint16_t port = addr_port(&d->at[i]);

		if (!has_port(t, port) && any_leads_to_us(d, port))
			t->ports[t->port_count++] = port;
	}
}

/* ---- writing ---- */

static void put_numbers(struct writer *w, const uint32_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		put_number(w, (uint16_t)(numbers[i] >> 16));
		put_number(w, (uint16_t)numbers[i]);
	}
}

/* The last octets of the question's name, of which there are so many. */
static void put_pointer(struct telling *t, size_t len)
{
	put_number(&t->w, (uint16_t)(0xc000 | (DNS_HEADER + t->question->name_len - len)));
}

/* A length is filled in by end(), when what has it is written. */
static size_t begin(struct telling *t)
{
	put_number(&t->w, 0);
	return t->w.len;
}

static void end(struct telling *t, size_t begin)
{
	if (t->w.ok)
		put_u16(t->w.out + begin - 2, (uint16_t)(t->w.len - begin));
}

/* All of a record between its owner and its data. */
static size_t begin_record(struct telling *t, int section, uint16_t type)
{
	static const uint32_t ttl = TTL_S;

	put_number(&t->w, type);
	put_number(&t->w, CLASS_IN);
	put_numbers(&t->w, &ttl, 1);
	t->count[section]++;
	return begin(t);
}

static void put_address(struct writer *w, const struct addr *a)
{
	if (a->any.sa_family == AF_INET)
		put_bytes(w, &a->v4.sin_addr, sizeof a->v4.sin_addr);
	else
		put_bytes(w, &a->v6.sin6_addr, sizeof a->v6.sin6_addr);
}

static void put_hints(struct telling *t, uint16_t port, sa_family_t family)
{
	const struct tls_shown *as = t->d->as;
	size_t before = t->w.len, data, told = 0;

	put_number(&t->w, family == AF_INET ? PARAM_IPV4HINT : PARAM_IPV6HINT);
	data = begin(t);
	for (size_t i = 0; i < as->address_count && told < ADDRESSES_MAX; i++) {
		const struct addr *a = &as->addresses[i];

		if (a->any.sa_family != family || !leads_to_us(t->d, a, port))
			continue;
		put_address(&t->w, a);
		told++;
	}
	end(t, data);
	if (!told)
		t->w.len = before;
}

/* The port is left out where clients go there anyhow: it is a parameter that must be understood, so
 * who does not heed it has to pass over the whole record (RFC 9461 §4.2). */
static void put_service(struct telling *t, uint16_t priority, uint16_t port)
{
	static const uint8_t alpn[] = "\3dot";
	size_t record, param;

	put_pointer(t, t->question->name_len);
	record = begin_record(t, SECTION_ANSWER, TYPE_SVCB);
	put_number(&t->w, priority);
	put_bytes(&t->w, t->target, t->target_len); /* never compressed (RFC 9460 §2.2) */
	put_number(&t->w, PARAM_ALPN);
	param = begin(t);
	put_bytes(&t->w, alpn, sizeof alpn - 1);
	end(t, param);
	if (port != PORT_TLS) {
		put_number(&t->w, PARAM_PORT);
		param = begin(t);
		put_number(&t->w, port);
		end(t, param);
	}
	put_hints(t, port, AF_INET);
	put_hints(t, port, AF_INET6);
	end(t, record);
}

/* Is it an address of the name, whichever of its services is wanted? */
static bool is_of_all(const struct telling *t, const struct addr *a)
{
	for (size_t i = 0; i < t->port_count; i++)
		if (!leads_to_us(t->d, a, t->ports[i]))
			return false;
	return true;
}

/* So that nobody need ask for them (RFC 9462 §4). */
static void put_addresses(struct telling *t, sa_family_t family)
{
	const struct tls_shown *as = t->d->as;
	size_t record, told = 0;

	for (size_t i = 0; i < as->address_count && told < ADDRESSES_MAX; i++) {
		const struct addr *a = &as->addresses[i];

		if (a->any.sa_family != family || !is_of_all(t, a))
			continue;
		put_bytes(&t->w, t->target, t->target_len);
		record =
			begin_record(t, SECTION_ADDITIONAL, family == AF_INET ? TYPE_A : TYPE_AAAA);
		put_address(&t->w, a);
		end(t, record);
		told++;
	}
}

static void put_services(struct telling *t)
{
	for (size_t i = 0; i < t->port_count; i++)
		put_service(t, (uint16_t)(i + 1), t->ports[i]);
	put_addresses(t, AF_INET);
	put_addresses(t, AF_INET6);
}

/* As RFC 6303 §3 has it, but for how long one may remember it. */
static void put_soa(struct telling *t, int section)
{
	static const uint8_t nobody[] = "\6nobody\7invalid";
	static const uint32_t numbers[] = { 1, 3600, 1200, 604800, TTL_S };
	size_t record;

	put_pointer(t, sizeof zone);
	record = begin_record(t, section, TYPE_SOA);
	put_pointer(t, sizeof zone);
	put_bytes(&t->w, nobody, sizeof nobody);
	put_numbers(&t->w, numbers, sizeof numbers / sizeof *numbers);
	end(t, record);
}

/* ---- the answer ---- */

static bool asks_for(const struct question *q, const uint8_t *name, size_t len, uint16_t type)
{
	return (q->type == type || q->type == TYPE_ANY) && q->name_len == len &&
		name_equals(q->name, name, len);
}

bool discovery_is_asked(const struct question *q)
{
	return name_is_below(q->name, q->name_len, zone, sizeof zone);
}

void discovery_answer(
	struct packed *packed, void *memory, const struct question *q, const struct discovery *d)
{
	struct telling t = { .w = { memory, DNS_HEADER, DNS_MESSAGE_MAX, true },
		.question = q,
		.d = d,
		.count = { 1 } };
	uint8_t *message = memory;

	put_bytes(&t.w, q->name, q->name_len);
	put_number(&t.w, q->type);
	put_number(&t.w, q->class);
	if (asks_for(q, services, sizeof services, TYPE_SVCB))
		find_services(&t);
	if (t.port_count)
		put_services(&t);
	else
		put_soa(&t,
			asks_for(q, zone, sizeof zone, TYPE_SOA) ? SECTION_ANSWER
								 : SECTION_AUTHORITY);
	MUST(t.w.ok);
	memset(message, 0, DNS_HEADER);
	for (int i = 0; i < SECTIONS; i++)
		put_u16(message + 4 + 2 * i, t.count[i]);
	*packed = (struct packed){ .message = { message, t.w.len },
		.ttl_at = memory,
		.errors = { message + t.w.len, 0 },
		.rcode = RCODE_NOERROR,
		.worth = WORTH_NOTHING };
}
