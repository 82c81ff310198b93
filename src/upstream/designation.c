#include "upstream/designation.h"

#include "dns/name.h"
#include "dns/svcb.h"
#include "upstream/chain.h"

#include <string.h>

/* Text of addresses, as octets. */
#define IPV4_LEN 4
#define IPV6_LEN 16

static const uint8_t resolver_arpa[] = "\010resolver\004arpa";

/* ---- an endpoint ---- */

/* Letters, digits, hyphens and dots, as they are in names of certificates and in no address. */
static bool is_host_name(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	struct addr a;

	return *name && !name[strspn(name, letters)] && !addr_parse(&a, name, 0);
}

/* The name must be given, and must not be that of the question, which is nobody's (RFC 9462 §4,
 * §6.3). */
static bool read_name_of(const struct svcb *s, struct designee *e)
{
	char text[NAME_TEXT];
	size_t len = strlen(name_to_text(s->target.at, text));

	if (name_is_below(s->target.at, s->target.len, resolver_arpa, sizeof resolver_arpa) ||
		len > sizeof e->name)
		return false;
	text[len - 1] = '\0'; /* the last dot */
	memcpy(e->name, text, len);
	return is_host_name(e->name);
}

static bool read_port(const struct svcb *s, struct designee *e)
{
	e->port = s->has_port ? s->port : PORT_TLS;
	return e->port && e->port != PORT_DNS;
}

static struct chain list_of(struct span hints, size_t len)
{
	struct chain c = { .count = 0 };

	for (size_t at = 0; at < hints.len && c.count < ADDRS_MAX; at += len)
		if (addr_from_octets(&c.addrs[c.count], hints.at + at, len) &&
			!addr_is_no_host(&c.addrs[c.count]))
			c.count++;
	return c;
}

static void read_hints(const struct svcb *s, struct designee *e)
{
	const struct chain v6 = list_of(s->ipv6hint, IPV6_LEN);
	const struct chain v4 = list_of(s->ipv4hint, IPV4_LEN);
	struct addr all[ADDRS_MAX];
	size_t count = chain_interleave(&v6, &v4, all);

	for (; e->hint_count < count && e->hint_count < DESIGNATION_ADDRS; e->hint_count++) {
		addr_set_port(&all[e->hint_count], e->port);
		e->hints[e->hint_count] = all[e->hint_count];
	}
}

static enum lack read_endpoint(const struct svcb *s, struct designee *e)
{
	*e = (struct designee){ .priority = s->priority };
	if (!s->priority)
		return LACKS_SERVICE;
	if (!s->is_understood)
		return LACKS_KEY;
	if (!svcb_speaks(s, "dot"))
		return LACKS_DOT;
	if (!read_name_of(s, e))
		return LACKS_NAME;
	if (!read_port(s, e))
		return LACKS_PORT;
	read_hints(s, e);
	return LACKS_NOTHING;
}

/* ---- all of them ---- */

/* In front of those that are worse, and anywhere among its equals; the worst falls off the end. */
static void insert(struct designation *d, const struct designee *e, struct rand *rand)
{
	size_t first = 0, behind, at;

	while (first < d->count && d->endpoints[first].priority < e->priority)
		first++;
	for (behind = first; behind < d->count; behind++)
		if (d->endpoints[behind].priority != e->priority)
			break;
	at = first + rand_below(rand, (uint32_t)(behind - first) + 1);
	if (at == DESIGNATION_MAX)
		return;
	if (d->count < DESIGNATION_MAX)
		d->count++;
	memmove(&d->endpoints[at + 1], &d->endpoints[at], (d->count - at - 1) * sizeof *e);
	d->endpoints[at] = *e;
}

/* False: it is malformed, and all of them are void (RFC 9460 §2.2). */
static bool take(struct designation *d, const struct reply *r, const struct record *record,
	struct rand *rand)
{
	struct span rdata = { r->message.at + record->rdata, record->end - record->rdata };
	uint32_t ttl_s = record->ttl >> 31 ? 0 : record->ttl; /* RFC 2181 §8 */
	struct designee e;
	struct svcb s;

	if (!svcb_parse(rdata, &s))
		return false;
	enum lack lack = read_endpoint(&s, &e);

	if (lack > d->lack)
		d->lack = lack;
	if (lack != LACKS_NOTHING)
		return true;
	insert(d, &e, rand);
	if (ttl_s < d->ttl_s)
		d->ttl_s = ttl_s;
	return true;
}

void designation_read(const struct reply *r, struct rand *rand, struct designation *d)
{
	size_t at = r->section[SECTION_ANSWER];

	*d = (struct designation){ .ttl_s = UINT32_MAX };
	for (unsigned i = 0; i < r->count[SECTION_ANSWER]; i++) {
		struct record record;

		message_record(r->message, &at, &record);
		if (record.type != TYPE_SVCB || record.class != CLASS_IN ||
			!name_same(r->message, record.owner, DNS_HEADER))
			continue;
		if (!take(d, r, &record, rand)) {
			*d = (struct designation){ .lack = LACKS_SENSE };
			return;
		}
	}
}

/* ---- in words ---- */

void designation_fault(const struct designation *d, const char *where, struct fault *f)
{
	static const struct {
		const char *cause, *reason;
	} words[] = {
		[LACKS_RECORDS] = { "no-designation",
			"designates no encrypted resolver in its place" },
		[LACKS_SENSE] = { "malformed",
			"designates somebody by a record that is malformed" },
		[LACKS_SERVICE] = { "no-dot", "designates only an alias, which is not followed" },
		[LACKS_KEY] = { "no-dot",
			"designates only resolvers that ask for what sotto does not know" },
		[LACKS_DOT] = { "no-dot", "designates nobody who speaks DNS over TLS" },
		[LACKS_NAME] = { "no-name", "gives no host name of whom it designates" },
		[LACKS_PORT] = { "bad-port", "designates a port that never carries DNS over TLS" },
	};

	fault_set(f, PHASE_RESOLVE, words[d->lack].cause,
		"ask the resolver's operator, or name its encrypted server: tls://ADDRESS#NAME",
		"%s %s", where, words[d->lack].reason);
}
