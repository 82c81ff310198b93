/* Service bindings: a record is read as a plain walk over it reads it, and of whom a resolver
 * designates, nobody is taken who could not be connected to or must not be. */
#include <string.h>

#include "dns/name.h"
#include "dns/svcb.h"
#include "fuzz.h"
#include "upstream/designation.h"

/* ---- a record ---- */

/* The value of the key in the parameters; at NULL: it is not there. */
static struct span value_of(struct span parameters, unsigned key)
{
	const uint8_t *at = parameters.at, *end = at + parameters.len;

	for (; end - at >= 4 && end - at >= 4 + get_u16(at + 2); at += 4 + get_u16(at + 2))
		if (get_u16(at) == key)
			return (struct span){ at + 4, get_u16(at + 2) };
	return (struct span){ NULL, 0 };
}

static bool same(struct span a, struct span b)
{
	return a.len == b.len && (!a.len || a.at == b.at);
}

static void parameters_are_as_they_stand(const struct svcb *s, struct span parameters)
{
	const struct span port = value_of(parameters, 3), mandatory = value_of(parameters, 0);
	bool understood = true;

	HOLDS(same(s->alpn, value_of(parameters, 1)));
	HOLDS(same(s->ipv4hint, value_of(parameters, 4)) && s->ipv4hint.len % 4 == 0);
	HOLDS(same(s->ipv6hint, value_of(parameters, 6)) && s->ipv6hint.len % 16 == 0);
	HOLDS(s->has_port == (port.at != NULL) && (!port.at || s->port == get_u16(port.at)));
	for (size_t i = 0; i < mandatory.len; i += 2) {
		unsigned key = get_u16(mandatory.at + i);

		HOLDS(key && value_of(parameters, key).at);
		understood &= key <= 6 && key != 5;
	}
	HOLDS(s->is_understood == understood);
}

static void read_record(struct span rdata)
{
	struct svcb s;

	if (!svcb_parse(rdata, &s))
		return;
	HOLDS(rdata.len >= 3 && s.priority == get_u16(rdata.at));
	HOLDS(s.target.at == rdata.at + 2 && s.target.len == name_len(rdata, 2));
	if (s.priority)
		parameters_are_as_they_stand(&s,
			(struct span){ s.target.at + s.target.len, rdata.len - 2 - s.target.len });
	HOLDS(!svcb_speaks(&s, "dot") || memmem(s.alpn.at, s.alpn.len, "\3dot", 4));
}

/* ---- a designation ---- */

static void is_of_use(const struct designee *e)
{
	HOLDS(e->port && e->port != 53 && e->priority);
	HOLDS(*e->name && memchr(e->name, '\0', sizeof e->name));
	HOLDS(strcasecmp(e->name, "resolver.arpa") != 0);
	HOLDS(strspn(e->name, ".") == 0 && !strpbrk(e->name, "_\\ "));
	HOLDS(e->hint_count <= DESIGNATION_ADDRS);
	for (size_t i = 0; i < e->hint_count; i++)
		HOLDS(addr_port(&e->hints[i]) == e->port && !addr_is_no_host(&e->hints[i]));
}

static void read_designation(struct span m)
{
	static struct rand rand;
	struct designation d;
	struct reply r;
	struct fault f;

	HOLDS(reply_parse(m, &r));
	designation_read(&r, &rand, &d);
	HOLDS(d.count <= DESIGNATION_MAX && (d.count > 0) == (d.lack == LACKS_NOTHING));
	for (size_t i = 0; i < d.count; i++) {
		is_of_use(&d.endpoints[i]);
		HOLDS(!i || d.endpoints[i - 1].priority <= d.endpoints[i].priority);
	}
	if (d.count)
		return;
	designation_fault(&d, "192.0.2.1:53", &f);
	HOLDS(*f.reason);
}

/* ---- the input: records, each behind its length ---- */

static size_t put_record(uint8_t *out, struct span rdata)
{
	static const uint8_t head[] = { 0xc0, DNS_HEADER, 0, TYPE_SVCB, 0, CLASS_IN, 0, 0, 0, 60 };

	memcpy(out, head, sizeof head);
	put_u16(out + sizeof head, (uint16_t)rdata.len);
	memcpy(out + sizeof head + 2, rdata.at, rdata.len);
	return sizeof head + 2 + rdata.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t message[DNS_MESSAGE_MAX] = { 0, 0, 0x81, 0x80, 0, 1 };
	size_t at = DNS_HEADER + name_from_text("_dns.resolver.arpa", message + DNS_HEADER);
	uint16_t count = 0;

	if (len > 4096)
		return 0;
	put_u16(message + at, TYPE_SVCB);
	put_u16(message + at + 2, CLASS_IN);
	at += 4;
	while (len >= 2) {
		size_t wanted = get_u16(data), size = wanted < len - 2 ? wanted : len - 2;
		struct span rdata = { data + 2, size };

		read_record(rdata);
		at += put_record(message + at, rdata);
		count++;
		data += 2 + size;
		len -= 2 + size;
	}
	put_u16(message + 6, count);
	read_designation((struct span){ message, at });
	return 0;
}
