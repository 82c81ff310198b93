#include "ask/opt.h"

#include "ask/octets.h"
#include "ask/record.h"
#include "dns/message.h"
#include "dns/reader.h"
#include "dns/text.h"

#include <string.h>

/* ---- words ---- */

/* Extended DNS Errors (RFC 8914 and the registry since). */
static const char *const errors[] = { "Other", "Unsupported DNSKEY Algorithm",
	"Unsupported DS Digest Type", "Stale Answer", "Forged Answer", "DNSSEC Indeterminate",
	"DNSSEC Bogus", "Signature Expired", "Signature Not Yet Valid", "DNSKEY Missing",
	"RRSIGs Missing", "No Zone Key Bit Set", "NSEC Missing", "Cached Error", "Not Ready",
	"Blocked", "Censored", "Filtered", "Prohibited", "Stale NXDomain Answer",
	"Not Authoritative", "Not Supported", "No Reachable Authority", "Network Error",
	"Invalid Data", "Signature Expired before Valid", "Too Early",
	"Unsupported NSEC3 Iterations Value", "Unable to conform to policy", "Synthesized",
	"Invalid Query Type" };

const char *opt_error(uint16_t code)
{
	return code < sizeof errors / sizeof *errors ? errors[code] : NULL;
}

static void put_hex(struct span s, FILE *out)
{
	octets_put_hex(out, s);
}

/* What may be text stands behind its octets. */
static void put_nsid(struct span s, FILE *out)
{
	octets_put_hex(out, s);
	fputs(" (", out);
	octets_put_text(out, s);
	fputc(')', out);
}

static void put_algorithms(struct span s, FILE *out)
{
	for (size_t i = 0; i < s.len; i++)
		fprintf(out, "%s%u", i ? " " : "", s.at[i]);
}

static void put_subnet(struct span s, FILE *out)
{
	uint8_t octets[16] = { 0 };
	struct addr a;
	char text[ADDR_TEXT];
	size_t len = s.len > 3 && get_u16(s.at) == 1 ? 4 : 16;

	if (s.len < 4 || s.len - 4 > len || get_u16(s.at) < 1 || get_u16(s.at) > 2) {
		octets_put_hex(out, s);
		return;
	}
	memcpy(octets, s.at + 4, s.len - 4);
	addr_from_octets(&a, octets, len);
	fprintf(out, "%s/%u/%u", addr_print_host(&a, text), s.at[2], s.at[3]);
}

static void put_expire(struct span s, FILE *out)
{
	if (s.len == 4)
		fprintf(out, "%u s", get_u32(s.at));
	else
		octets_put_hex(out, s);
}

/* RFC 7873 §4: the client's part, then the server's. */
static void put_cookie(struct span s, FILE *out)
{
	size_t own = s.len < 8 ? s.len : 8;

	octets_put_hex(out, (struct span){ s.at, own });
	fputs(s.len > own ? " " : "", out);
	octets_put_hex(out, (struct span){ s.at + own, s.len - own });
}

static void put_keepalive(struct span s, FILE *out)
{
	if (s.len == 2)
		fprintf(out, "%u.%u s", get_u16(s.at) / 10u, get_u16(s.at) % 10u);
	else
		octets_put_hex(out, s);
}

static void put_padding(struct span s, FILE *out)
{
	bool zero = true;

	for (size_t i = 0; i < s.len; i++)
		zero &= s.at[i] == 0;
	fprintf(out, "%zu octets%s", s.len, zero ? "" : ", not all of them 0");
}

static void put_name(struct span s, FILE *out)
{
	if (name_len(s, 0) == s.len && s.len)
		record_put_name(s, 0, out);
	else
		octets_put_hex(out, s);
}

static void put_error(struct span s, FILE *out)
{
	if (s.len < 2) {
		octets_put_hex(out, s);
		return;
	}
	uint16_t code = get_u16(s.at);
	size_t len = s.len - 2;

	fprintf(out, "%u (%s)", code, opt_error(code) ? opt_error(code) : "Unknown");
	if (len > 0 && s.at[2 + len - 1] == '\0') /* as some servers have it (RFC 8914 §2) */
		len--;
	fputs(len ? ": " : "", out);
	octets_put_text(out, (struct span){ s.at + 2, len });
}

/* RFC 9660 §2: labels of the zone, the kind of version, the version. */
static void put_zoneversion(struct span s, FILE *out)
{
	if (s.len == 6 && s.at[1] == 0)
		fprintf(out, "%u labels, SOA serial %u", s.at[0], get_u32(s.at + 2));
	else
		octets_put_hex(out, s);
}

/* ---- the table ---- */

static const struct known {
	uint16_t code;
	const char *name, *label;
	void (*put)(struct span, FILE *);
} options[] = {
	{ 1, "LLQ", "LLQ", put_hex },
	{ 2, "UL", "UL", put_hex },
	{ 3, "NSID", "NSID", put_nsid },
	{ 5, "DAU", "DAU", put_algorithms },
	{ 6, "DHU", "DHU", put_algorithms },
	{ 7, "N3U", "N3U", put_algorithms },
	{ 8, "Client Subnet", "ECS", put_subnet },
	{ 9, "Expire", "EXPIRE", put_expire },
	{ 10, "Cookie", "COOKIE", put_cookie },
	{ 11, "Keepalive", "KEEPALIVE", put_keepalive },
	{ 12, "Padding", "PADDING", put_padding },
	{ 13, "Chain", "CHAIN", put_name },
	{ 14, "Key Tag", "KEYTAG", put_hex },
	{ 15, "Extended DNS Error", "EDE", put_error },
	{ 18, "Report-Channel", "REPORT", put_name },
	{ 19, "Zoneversion", "ZONEVERSION", put_zoneversion },
};

static const struct known *find(uint16_t code)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (options[i].code == code)
			return &options[i];
	return NULL;
}

const char *opt_name(uint16_t code)
{
	const struct known *k = find(code);

	return k ? k->name : NULL;
}

/* ---- the record ---- */

static void put_option(uint16_t code, struct span data, FILE *out)
{
	const struct known *k = find(code);

	fprintf(out, ";; OPT code=%u (%s), length=%zu\n", code, k ? k->name : "Unknown", data.len);
	if (!data.len)
		return;
	fprintf(out, ";; DATA: %s%s", k ? k->label : "", k ? ": " : "");
	(k ? k->put : put_hex)(data, out);
	fputc('\n', out);
}

static void put_flags(uint32_t ttl, FILE *out)
{
	static const char *const names[] = { "do", "co", "de" };
	const char *space = "";

	for (unsigned i = 0; i < 3; i++) {
		if (!(ttl & 0x8000u >> i))
			continue;
		fprintf(out, "%s%s", space, names[i]);
		space = " ";
	}
	if (ttl & 0x1fff)
		fprintf(out, "%s0x%04x", space, ttl & 0x1fff);
}

void opt_put(struct span m, const struct record *r, uint16_t rcode, FILE *out)
{
	struct reader in = { { m.at, r->end }, r->rdata, true };
	char text[TEXT_MAX];

	fprintf(out, ";; OPT: edns_version=%u, udp_payload=%u, flags=", r->ttl >> 16 & 0xff,
		r->class);
	put_flags(r->ttl, out);
	fprintf(out, ", ercode=%u(%s)\n", rcode, text_rcode(rcode, text));
	while (in.ok && in.at < r->end) {
		uint16_t code = read_u16(&in), len = read_u16(&in);
		const uint8_t *data = read_bytes(&in, len);

		if (in.ok)
			put_option(code, (struct span){ data, len }, out);
	}
	if (!in.ok)
		fputs(";; OPT: its options run past its end\n", out);
}
