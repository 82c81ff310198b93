#include "dns/rdata.h"

#include "dns/reader.h"
#include "dns/types.h"

enum { REST = 0xff };

/* RDATA is `before` octets, so many character strings, so many names, and `after` octets (or the
 * REST, whatever its length). */
struct shape {
	uint8_t before, strings, names, after;
	bool rfc1035;
};

static const struct shape shapes[] = {
	[TYPE_NS] = { 0, 0, 1, 0, true },
	[TYPE_MD] = { 0, 0, 1, 0, true },
	[TYPE_MF] = { 0, 0, 1, 0, true },
	[TYPE_CNAME] = { 0, 0, 1, 0, true },
	[TYPE_SOA] = { 0, 0, 2, 20, true },
	[TYPE_MB] = { 0, 0, 1, 0, true },
	[TYPE_MG] = { 0, 0, 1, 0, true },
	[TYPE_MR] = { 0, 0, 1, 0, true },
	[TYPE_PTR] = { 0, 0, 1, 0, true },
	[TYPE_MINFO] = { 0, 0, 2, 0, true },
	[TYPE_MX] = { 2, 0, 1, 0, true },
	[TYPE_RP] = { 0, 0, 2, 0, false },
	[TYPE_AFSDB] = { 2, 0, 1, 0, false },
	[TYPE_RT] = { 2, 0, 1, 0, false },
	[TYPE_SIG] = { 18, 0, 1, REST, false },
	[TYPE_PX] = { 2, 0, 2, 0, false },
	[TYPE_NXT] = { 0, 0, 1, REST, false },
	[TYPE_SRV] = { 6, 0, 1, 0, false },
	[TYPE_NAPTR] = { 4, 3, 1, 0, false },
};

static const struct shape *shape_of(uint16_t type)
{
	if (type >= sizeof(shapes) / sizeof(shapes[0]) || shapes[type].names == 0)
		return NULL;
	return &shapes[type];
}

static bool walk(struct span m, const struct record *rec, const struct shape *s, size_t *names_at)
{
	/* The message ends where the RDATA does, so that no label can reach beyond it. */
	struct reader r = { { m.at, rec->end }, rec->rdata, true };

	read_bytes(&r, s->before);
	for (unsigned i = 0; i < s->strings; i++)
		read_bytes(&r, read_u8(&r));
	*names_at = r.at;
	for (unsigned i = 0; i < s->names; i++)
		read_name(&r);
	if (s->after == REST)
		return r.ok;
	read_bytes(&r, s->after);
	return reader_done(&r);
}

bool rdata_names(struct span m, const struct record *rec, struct rdata_names *names)
{
	const struct shape *s = shape_of(rec->type);

	*names = (struct rdata_names){ rec->end, s ? s->names : 0 };
	return !s || walk(m, rec, s, &names->at);
}

bool rdata_has_names(uint16_t type)
{
	return shape_of(type);
}

bool rdata_check(struct span m, const struct record *rec)
{
	const struct shape *s = shape_of(rec->type);
	size_t names_at;

	return !s || !s->rfc1035 || walk(m, rec, s, &names_at);
}
