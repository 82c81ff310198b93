/* What a server sends, kept in the cache and given to a client, has the RRsets that it had: ldns,
 * which shares no line with us, reads the same records out of both, TTLs aside. */
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"
#include "dns/build.h"
#include "dns/rdata.h"
#include "fuzz.h"

/* Of an OPT without options. */
#define OPT_LEN 11

static const struct cache_conf conf = { .size = CACHE_SIZE_MIN, .failure_ms = 5000 };
static const struct siphash_key secret = { { 1, 2 } };
static const struct pack_limits limits = { 0, 86400, 3600 };

/* ---- the independent reader ---- */

/* A record uncompressed, its TTL apart (and 0 in it). */
struct plain {
	uint8_t *octets;
	size_t len;
	uint32_t ttl;
};

static struct plain plain_of(const ldns_rr *rr)
{
	struct plain p = { .ttl = ldns_rr_ttl(rr) };

	HOLDS(ldns_rr2wire(&p.octets, rr, LDNS_SECTION_ANSWER, &p.len) == LDNS_STATUS_OK);
	put_u32(p.octets + ldns_rdf_size(ldns_rr_owner(rr)) + 4, 0);
	return p;
}

static void compare(ldns_rr *before, ldns_rr *after)
{
	struct plain b = plain_of(before), a = plain_of(after);

	HOLDS(a.ttl <= (b.ttl > INT32_MAX ? 0 : b.ttl));
	HOLDS(a.len == b.len && memcmp(a.octets, b.octets, a.len) == 0);
	free(a.octets);
	free(b.octets);
}

static void compare_section(const ldns_rr_list *before, const ldns_rr_list *after, bool whole)
{
	size_t count = ldns_rr_list_rr_count(after);

	HOLDS(count <= ldns_rr_list_rr_count(before));
	HOLDS(!whole || count == ldns_rr_list_rr_count(before));
	for (size_t i = 0; i < count; i++)
		compare(ldns_rr_list_rr(before, i), ldns_rr_list_rr(after, i));
}

/* RDATA is kept as it is, but for compressed names in the types of RFC 1035 (RFC 3597 §4). Where
 * ldns makes something else of it, because other types have compressed names in it, or it is too
 * long or too short, that may depend on what is behind it, and there is nothing to compare. */
static bool is_sound(const ldns_rr_list *list, const struct reply *r)
{
	size_t at = r->question_end;
	struct record rec = { .type = 0 };

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		struct plain p = plain_of(rr);
		size_t rdata = ldns_rdf_size(ldns_rr_owner(rr)) + 10;

		if (at == r->opt && r->has_opt)
			at = r->opt_end;
		if (at < r->message.len)
			message_record(r->message, &at, &rec);
		bool same = p.len - rdata == rec.end - rec.rdata &&
			memcmp(p.octets + rdata, r->message.at + rec.rdata, p.len - rdata) == 0;

		free(p.octets);
		if (!same && (rec.type > TYPE_TXT || !rdata_has_names(rec.type)))
			return false;
	}
	return true;
}

/* fits: there is room for all. What stands behind OPT has to move, and may find none. */
static void compare_all(const struct reply *before, struct span after, bool truncated, bool fits)
{
	const struct span m = before->message;
	const bool moves = before->has_opt && before->opt_end != m.len;
	ldns_pkt *b = NULL, *a = NULL;

	if (ldns_wire2pkt(&b, m.at, m.len) != LDNS_STATUS_OK)
		return; /* RDATA that is no matter of ours */
	ldns_rr_list *all = ldns_pkt_all_noquestion(b);

	if (is_sound(all, before)) {
		HOLDS(ldns_wire2pkt(&a, after.at, after.len) == LDNS_STATUS_OK);
		compare_section(ldns_pkt_answer(b), ldns_pkt_answer(a), !truncated);
		compare_section(ldns_pkt_authority(b), ldns_pkt_authority(a), !truncated);
		compare_section(ldns_pkt_additional(b), ldns_pkt_additional(a), fits && !moves);
		ldns_pkt_free(a);
	}
	ldns_rr_list_deep_free(all);
	ldns_pkt_free(b);
}

/* ---- ours ---- */

static struct question question_of(const struct reply *r)
{
	const uint8_t *m = r->message.at, *end = m + r->question_end;

	return (struct question){ m + DNS_HEADER, r->question_end - DNS_HEADER - 4,
		get_u16(end - 4), get_u16(end - 2) };
}

/* What the cache makes of it, which is the same; if it is not kept, it stays. */
static void keep(struct packed *packed, const struct question *q)
{
	static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];
	struct cache *cache = cache_new(&conf, &secret);
	struct found found = { .memory = memory };
	struct key key;

	HOLDS(cache);
	key_make(&key, &secret, q, &(struct key_scope){ .group = 0 });
	cache_store(cache, &key, packed, 1000);
	cache_find(cache, &key, 1000, &found);
	if (found.freshness == CACHE_FRESH) {
		HOLDS(packed->worth != WORTH_NOTHING && packed->worth != WORTH_FAILURE);
		HOLDS(found.packed.worth == packed->worth && found.age_s == 0);
		HOLDS(found.packed.lifetime_s == packed->lifetime_s);
		HOLDS(found.packed.holds == packed->holds);
		*packed = found.packed;
	}
	cache_free(cache);
}

static void give(const struct packed *packed, const struct reply *r, const struct question *q)
{
	static uint8_t out[DNS_MESSAGE_MAX];
	const struct request request = { .question = *q, .edns = { .present = r->id & 1 } };
	const struct answer_form form = { .request = &request,
		.size_max = r->id & 2 ? DNS_MESSAGE_MAX : r->message.len / 2 + 64,
		.udp_size = 1232,
		.keepalive = -1,
		.ede = EDE_NONE };
	bool truncated;
	size_t len = build_answer(out, sizeof out, &form, packed, &truncated);

	const bool fits = form.size_max >= packed->message.len + OPT_LEN;

	HOLDS(!fits || !truncated);
	if (len)
		compare_all(r, (struct span){ out, len }, truncated, fits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];
	struct packed packed;
	struct reply reply;

	if (!reply_parse((struct span){ data, len }, &reply) || !reply.count[SECTION_QUESTION])
		return 0;
	const struct question q = question_of(&reply);

	if (!reply_answers(&reply, &q) || !pack_reply(&packed, memory, &reply, &limits))
		return 0;
	keep(&packed, &q);
	give(&packed, &reply, &q);
	return 0;
}
