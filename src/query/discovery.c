#include "query/discovery.h"

#include "base/bug.h"
#include "dns/draft.h"
#include "dns/name.h"

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
	struct draft draft;
	const struct discovery *d;
	uint8_t target[NAME_MAX_WIRE]; /* the name that we have over TLS */
	size_t target_len;
	uint16_t ports[DISCOVERY_MAX]; /* where it is ours; the first is the best */
	size_t port_count;
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
	struct writer *w = &t->draft.w;
	size_t before = w->len, data, told = 0;

	put_number(w, family == AF_INET ? PARAM_IPV4HINT : PARAM_IPV6HINT);
	data = draft_open(&t->draft);
	for (size_t i = 0; i < as->address_count && told < ADDRESSES_MAX; i++) {
		const struct addr *a = &as->addresses[i];

		if (a->any.sa_family != family || !leads_to_us(t->d, a, port))
			continue;
		put_address(w, a);
		told++;
	}
	draft_close(&t->draft, data);
	if (!told)
		w->len = before;
}

/* The port is left out where clients go there anyhow: it is a parameter that must be understood, so
 * who does not heed it has to pass over the whole record (RFC 9461 §4.2). */
static void put_service(struct telling *t, uint16_t priority, uint16_t port)
{
	static const uint8_t alpn[] = "\3dot";
	struct draft *d = &t->draft;
	size_t record, param;

	draft_pointer(d, d->question->name_len);
	record = draft_record(d, SECTION_ANSWER, TYPE_SVCB, TTL_S);
	put_number(&d->w, priority);
	put_bytes(&d->w, t->target, t->target_len); /* never compressed (RFC 9460 §2.2) */
	put_number(&d->w, PARAM_ALPN);
	param = draft_open(d);
	put_bytes(&d->w, alpn, sizeof alpn - 1);
	draft_close(d, param);
	if (port != PORT_TLS) {
		put_number(&d->w, PARAM_PORT);
		param = draft_open(d);
		put_number(&d->w, port);
		draft_close(d, param);
	}
	put_hints(t, port, AF_INET);
	put_hints(t, port, AF_INET6);
	draft_close(d, record);
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
		put_bytes(&t->draft.w, t->target, t->target_len);
		record = draft_record(&t->draft, SECTION_ADDITIONAL,
			family == AF_INET ? TYPE_A : TYPE_AAAA, TTL_S);
		put_address(&t->draft.w, a);
		draft_close(&t->draft, record);
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
	struct telling t = { .d = d };

	draft_begin(&t.draft, memory, q);
	if (asks_for(q, services, sizeof services, TYPE_SVCB))
		find_services(&t);
	if (t.port_count)
		put_services(&t);
	else
		draft_soa(&t.draft,
			asks_for(q, zone, sizeof zone, TYPE_SOA) ? SECTION_ANSWER
								 : SECTION_AUTHORITY,
			sizeof zone, TTL_S);
	MUST(draft_end(&t.draft, packed, RCODE_NOERROR));
}
