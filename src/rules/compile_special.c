#include "rules/compile_special.h"

#include <stdlib.h>
#include <string.h>

#include "dns/octets.h"
#include "dns/types.h"

static bool add_loopback(struct rrset **sets, uint32_t ttl_s)
{
	static const uint8_t v4[4] = { 127, 0, 0, 1 }, v6[16] = { [15] = 1 };

	return rrset_add(sets, TYPE_A, ttl_s, (struct span){ v4, sizeof v4 }) &&
		rrset_add(sets, TYPE_AAAA, ttl_s, (struct span){ v6, sizeof v6 });
}

/* As RFC 6303 §3 has them, but for how long one may remember it. */
static bool add_zone(struct rrset **sets, const char *zone, uint32_t ttl_s)
{
	static const uint8_t nobody[] = "\6nobody\7invalid";
	const uint32_t numbers[] = { 1, 3600, 1200, 604800, ttl_s };
	uint8_t soa[NAME_MAX_WIRE + sizeof nobody + sizeof numbers];
	size_t zone_len = name_from_text(zone, soa), len = zone_len;

	memcpy(soa + len, nobody, sizeof nobody);
	len += sizeof nobody;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++, len += sizeof *numbers)
		put_u32(soa + len, numbers[i]);
	return rrset_add(sets, TYPE_SOA, ttl_s, (struct span){ soa, len }) &&
		rrset_add(sets, TYPE_NS, ttl_s, (struct span){ soa, zone_len });
}

static bool add_sets(struct rrset **sets, const struct special *special, uint32_t ttl_s)
{
	switch (special->kind) {
	case SPECIAL_LOOPBACK:
		return add_loopback(sets, ttl_s);
	case SPECIAL_ZONE:
	case SPECIAL_HOME:
		return add_zone(sets, special->name, ttl_s);
	case SPECIAL_NXDOMAIN:
	case SPECIAL_CANARY:
		break;
	}
	return true;
}

static bool add_one(struct filing *f, uint32_t i)
{
	const struct rules_conf *conf = f->set->conf;
	const struct special *special = &special_names[i];
	const struct standing s = { .tier = TIER_SPECIAL, .order = i };
	const char *name = special->name;

	if (special->kind == SPECIAL_CANARY ? !conf->canary : !conf->special)
		return true;
	if (!add_sets(&f->set->special[i], special, conf->ttl_s))
		return filing_lacks_memory(f);
	return filing_put_suffixes(f, &name, 1, &s, i);
}

/* Who names a special name, or one above it, wants it asked: that goes before all of them. */
bool compile_special(struct filing *f)
{
	const struct rules_conf *conf = f->set->conf;
	const struct standing asked = { .tier = TIER_SPECIAL, .priority = 1 };
	uint32_t count = 0;

	while (special_names[count].name)
		count++;
	f->set->special = calloc(count + 1, sizeof(*f->set->special));
	if (!f->set->special)
		return filing_lacks_memory(f);
	for (uint32_t i = 0; i < count; i++)
		if (!add_one(f, i))
			return false;
	return filing_put_suffixes(f, conf->special_off, conf->special_off_count, &asked, OF_ASKED);
}
