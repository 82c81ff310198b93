#include "rules/rrset.h"

#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/types.h"
#include "rules/macro.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <ldns/ldns.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a record takes in a message besides its data: a pointer to the owner, type, class, TTL and
 * length. */
#define RECORD_HEAD 12

static const char no_room[] = "more records than one answer can hold, or no memory for them";
static const char unsound[] = "its data is not what its type asks for";

__attribute__((format(printf, 2, 3))) static bool refuse(
	char why[RRSET_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, RRSET_WHY, format, args);
	va_end(args);
	return false;
}

/* ---- sets ---- */

const struct rrset *rrset_find(const struct rrset *sets, uint16_t type)
{
	while (sets && sets->type != type)
		sets = sets->next;
	return sets;
}

const char *rrset_clash(const struct rrset *sets)
{
	const struct rrset *alias = rrset_find(sets, TYPE_CNAME);
	const struct rrset *below = rrset_find(sets, TYPE_DNAME);

	for (const struct rrset *set = sets; alias && set; set = set->next)
		if (set->type != TYPE_CNAME && set->type != TYPE_RRSIG && set->type != TYPE_NSEC)
			return "CNAME beside other data";
	if ((alias && alias->count > 1) || (below && below->count > 1))
		return "a name is an alias of more than one";
	return NULL;
}

/* @self has no octets yet, and is as large as the largest address. */
static size_t room_of(const struct rdata *d)
{
	return RECORD_HEAD + (d->macro == MACRO_NONE ? d->len : sizeof(struct in6_addr));
}

static bool has_room(const struct rrset *sets, const struct rdata *more)
{
	size_t used = room_of(more);

	for (; sets; sets = sets->next)
		for (const struct rdata *d = sets->first; d; d = d->next)
			used += room_of(d);
	return used <= RRSET_ROOM;
}

/* The set of this type, made if need be behind the others. */
static struct rrset *set_of(struct rrset **sets, uint16_t type, uint32_t ttl_s)
{
	while (*sets && (*sets)->type != type)
		sets = &(*sets)->next;
	if (!*sets) {
		*sets = calloc(1, sizeof **sets);
		if (!*sets)
			return NULL;
		(*sets)->type = type;
		(*sets)->ttl_s = ttl_s;
	}
	return *sets;
}

static bool is_same(const struct rdata *a, const struct rdata *b)
{
	return a->macro == b->macro && a->len == b->len &&
		memcmp(a->octets, b->octets, a->len) == 0;
}

/* Takes the data. */
static bool put(struct rrset **sets, uint16_t type, uint32_t ttl_s, struct rdata *d)
{
	struct rrset *set;
	struct rdata **end;

	if (!has_room(*sets, d) || !(set = set_of(sets, type, ttl_s))) {
		free(d);
		return false;
	}
	if (ttl_s < set->ttl_s)
		set->ttl_s = ttl_s;
	for (end = &set->first; *end; end = &(*end)->next)
		if (is_same(*end, d)) {
			free(d);
			return true;
		}
	*end = d;
	set->count++;
	return true;
}

static struct rdata *rdata_new(enum macro macro, size_t len)
{
	struct rdata *d = len <= RRSET_ROOM ? calloc(1, sizeof *d + len) : NULL;

	if (d) {
		d->macro = macro;
		d->len = (uint16_t)len;
	}
	return d;
}

bool rrset_add(struct rrset **sets, uint16_t type, uint32_t ttl_s, struct span rdata)
{
	struct rdata *d = rdata_new(MACRO_NONE, rdata.len);

	if (!d)
		return false;
	if (rdata.len > 0)
		memcpy(d->octets, rdata.at, rdata.len);
	return put(sets, type, ttl_s, d);
}

void rrset_free(struct rrset *sets)
{
	while (sets) {
		struct rrset *set = sets;

		sets = set->next;
		while (set->first) {
			struct rdata *d = set->first;

			set->first = d->next;
			free(d);
		}
		free(set);
	}
}

/* ---- what ldns reads ---- */

/* Is it about a message or a transaction, or a question for many types (RFC 6895 §3.1)? */
static bool is_data(uint16_t type)
{
	return type != 0 && type != TYPE_OPT && !(type >= 128 && type <= TYPE_ANY);
}

/* The names of types that have them, where we look at them or others decompress them. Those that
 * were written as octets (RFC 3597 §5) may be anything. */
static bool is_sound(uint16_t type, struct span data)
{
	const struct record rec = { .end = data.len, .type = type };
	struct rdata_names names;

	if (!rdata_names(data, &rec, &names))
		return false;
	for (; names.count > 0; names.count--) {
		size_t len = name_len(data, names.at);

		if (!len)
			return false;
		names.at += len;
	}
	return true;
}

static struct rdata *rdata_of(const ldns_rr *rr)
{
	size_t len = 0;
	struct rdata *d;

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
		len += ldns_rdf_size(ldns_rr_rdf(rr, i));
	d = rdata_new(MACRO_NONE, len);
	len = 0;
	for (size_t i = 0; d && i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *part = ldns_rr_rdf(rr, i);

		if (ldns_rdf_size(part) > 0)
			memcpy(d->octets + len, ldns_rdf_data(part), ldns_rdf_size(part));
		len += ldns_rdf_size(part);
	}
	return d;
}

bool rrset_add_rr(struct rrset **sets, const struct ldns_struct_rr *rr, char why[RRSET_WHY])
{
	uint16_t type = (uint16_t)ldns_rr_get_type(rr);
	struct rdata *d;

	if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
		return refuse(why, "its class is not IN");
	if (!is_data(type))
		return refuse(why, "no record has this type");
	if (ldns_rr_ttl(rr) > INT32_MAX)
		return refuse(why, "its TTL is larger than %d", INT32_MAX);
	if (ldns_rr_rd_count(rr) < ldns_rr_descriptor_minimum(ldns_rr_descript(type)))
		return refuse(why, "%s", unsound); /* octets, of which there are none */
	d = rdata_of(rr);
	if (!d)
		return refuse(why, "%s", no_room);
	if (!is_sound(type, (struct span){ d->octets, d->len })) {
		free(d);
		return refuse(why, "%s", unsound);
	}
	return put(sets, type, ldns_rr_ttl(rr), d) || refuse(why, "%s", no_room);
}

/* ---- text ---- */

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

/* The next word, into room for it; where the rest begins. What is longer is cut. */
static const char *next_word(const char *at, char *word, size_t room)
{
	size_t len = strcspn(at, " \t\r\n"), copied = len < room ? len : room - 1;

	memcpy(word, at, copied);
	word[copied] = 0;
	return skip_space(at + len);
}

/* Where the type is. */
static const char *skip_ttl(const char *text)
{
	text = skip_space(text);
	return isdigit((unsigned char)*text) ? skip_space(text + strcspn(text, " \t\r\n")) : text;
}

/* Seconds, or as `5m`. ldns counts in 32 bits, and does not say when they are over. */
static bool read_ttl(const char *text, uint32_t *ttl_s)
{
	char word[32];
	const char *end;

	next_word(text, word, sizeof word);
	*ttl_s = ldns_str2period(word, &end);
	return *ttl_s <= INT32_MAX && !*end && strtoull(word, NULL, 10) <= INT32_MAX;
}

/* A TTL is written in front where none is: ldns takes 0 for no TTL, and has one of its own then. */
static bool read_by_ldns(struct rrset **sets, const char *text, uint32_t ttl_s, char why[RRSET_WHY])
{
	ldns_rdf *root = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, 1, "");
	char ttl[sizeof "4294967295"] = "";
	ldns_rr *rr = NULL;
	char *line = NULL;
	bool ok = false;

	if (skip_ttl(text) == skip_space(text))
		snprintf(ttl, sizeof ttl, "%" PRIu32, ttl_s);
	if (!root || asprintf(&line, ". %s %s", ttl, text) < 0) {
		line = NULL;
		refuse(why, "%s", no_room);
		goto out;
	}
	ldns_status status = ldns_rr_new_frm_str(&rr, line, 0, root, NULL);

	if (status == LDNS_STATUS_OK)
		ok = rrset_add_rr(sets, rr, why);
	else
		refuse(why, "%.60s: %s", text, ldns_get_errorstr_by_id(status));
	ldns_rr_free(rr);
out:
	free(line);
	ldns_rdf_deep_free(root);
	return ok;
}

/* An address or macro, of one type, or of 0: of that which it is. */
static bool read_address(struct rrset **, const char *, uint16_t, uint32_t, char[RRSET_WHY]);

bool rrset_read(struct rrset **sets, const char *text, uint32_t ttl_s, char why[RRSET_WHY])
{
	char word[64];
	const char *at = skip_ttl(text), *data;
	uint16_t type;

	data = next_word(at, word, sizeof word);
	type = (uint16_t)ldns_get_rr_type_by_name(word);
	if (!type)
		return refuse(why,
			"%s is not a type that is known here; any can be written as TYPE65280 \\# 2 "
			"cafe (RFC 3597)",
			word);
	if (at != skip_space(text) && !read_ttl(skip_space(text), &ttl_s))
		return refuse(why, "%.60s: not a TTL", text);
	if ((type != TYPE_A && type != TYPE_AAAA) || *data != '@')
		return read_by_ldns(sets, text, ttl_s, why);
	if (*next_word(data, word, sizeof word))
		return refuse(why, "%.60s: more than one address", data);
	return read_address(sets, word, type, ttl_s, why);
}

/* ---- addresses ---- */

static bool put_self(struct rrset **sets, uint16_t type, uint32_t ttl_s)
{
	struct rdata *d = rdata_new(MACRO_SELF, 0);

	return d && put(sets, type, ttl_s, d);
}

static uint16_t type_of(const struct addr *a)
{
	return addr_octets(a).len == sizeof(struct in_addr) ? TYPE_A : TYPE_AAAA;
}

static bool read_macro(struct rrset **sets, const char *word, uint16_t type, uint32_t ttl_s)
{
	struct addr found[MACRO_ADDRESSES];
	size_t count = macro_find(word, found);
	bool ok = true;

	for (size_t i = 0; ok && i < count; i++)
		if (!type || type_of(&found[i]) == type)
			ok = rrset_add(sets, type_of(&found[i]), ttl_s, addr_octets(&found[i]));
	return ok;
}

static bool read_address(
	struct rrset **sets, const char *text, uint16_t type, uint32_t ttl_s, char why[RRSET_WHY])
{
	struct in6_addr octets;
	enum macro macro;
	bool ok = true;

	if (!macro_read(text, &macro))
		return refuse(why,
			"%.60s: not one of @self, @iface:NAME, @hostname, @first-nonloopback",
			text);
	if (macro == MACRO_SELF) {
		ok = (type == TYPE_AAAA || put_self(sets, TYPE_A, ttl_s)) &&
			(type == TYPE_A || put_self(sets, TYPE_AAAA, ttl_s));
	} else if (macro != MACRO_NONE) {
		ok = read_macro(sets, text, type, ttl_s);
	} else if (inet_pton(AF_INET, text, &octets) == 1) {
		ok = rrset_add(sets, TYPE_A, ttl_s, (struct span){ (uint8_t *)&octets, 4 });
	} else if (inet_pton(AF_INET6, text, &octets) == 1) {
		ok = rrset_add(sets, TYPE_AAAA, ttl_s, (struct span){ (uint8_t *)&octets, 16 });
	} else {
		return refuse(why, "%.60s: not an address", text);
	}
	return ok || refuse(why, "%s", no_room);
}

bool rrset_add_address(struct rrset **sets, const char *text, uint32_t ttl_s, char why[RRSET_WHY])
{
	return read_address(sets, text, 0, ttl_s, why);
}
