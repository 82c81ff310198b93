#include "upstream/same.h"

#include <string.h>

/* ---- servers ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_addr(const struct addr *a, const struct addr *b)
{
	if (a->any.sa_family == AF_UNSPEC || b->any.sa_family == AF_UNSPEC)
		return a->any.sa_family == b->any.sa_family;
	return addr_equal(a, b);
}

/* Of a host, only the port counts. */
static bool same_place(const struct server_conf *a, const struct server_conf *b)
{
	if (a->scheme != b->scheme || a->designated != b->designated ||
		!same_text(a->host, b->host))
		return false;
	return a->host ? addr_port(&a->addr) == addr_port(&b->addr)
		       : addr_equal(&a->addr, &b->addr);
}

static bool same_proof(const struct server_conf *a, const struct server_conf *b)
{
	return same_text(a->auth_name, b->auth_name) && a->pin_count == b->pin_count &&
		memcmp(a->pins, b->pins, a->pin_count * sizeof *a->pins) == 0 &&
		a->opportunistic == b->opportunistic && a->tls13 == b->tls13 &&
		tls_trust_same(a->trust, b->trust) &&
		tls_credentials_same(a->credentials, b->credentials);
}

bool same_server(const struct server_conf *a, const struct server_conf *b)
{
	return same_place(a, b) && same_proof(a, b) && same_addr(&a->source, &b->source) &&
		same_text(a->interface, b->interface);
}

/* ---- groups ---- */

static bool has_server(
	const struct upstream_conf *u, const struct group_conf *g, const struct server_conf *wanted)
{
	for (size_t i = 0; i < g->count; i++)
		if (same_server(&u->servers[g->servers[i]], wanted))
			return true;
	return false;
}

static bool has_all(const struct upstream_conf *next, const struct group_conf *g,
	const struct upstream_conf *now, const struct group_conf *before)
{
	for (size_t i = 0; i < before->count; i++)
		if (!has_server(next, g, &now->servers[before->servers[i]]))
			return false;
	return true;
}

/* Has one of these groups, up to `end`, that number? */
static bool is_taken(const struct upstream_conf *u, size_t end, uint32_t number)
{
	for (size_t i = 0; i < end; i++)
		if (u->groups[i].number == number)
			return true;
	return false;
}

/* What the group was; NULL: it is new. No two groups were one. */
static const struct group_conf *before(
	const struct upstream_conf *next, size_t index, const struct upstream_conf *now)
{
	const struct group_conf *g = &next->groups[index];

	for (size_t i = 0; i < now->group_count; i++) {
		const struct group_conf *b = &now->groups[i];

		if (strcmp(g->name, b->name) == 0 && has_all(next, g, now, b) &&
			!is_taken(next, index, b->number))
			return b;
	}
	return NULL;
}

/* One that no group has, now or next. *anew: all have been used, and it may have been another's. */
static uint32_t fresh_number(
	struct upstream_conf *next, const struct upstream_conf *now, bool *anew)
{
	for (;;) {
		uint32_t number = next->numbered++;

		if (number > GROUP_NUMBER_MAX) {
			next->numbered = 0;
			*anew = true;
		} else if (!is_taken(now, now->group_count, number) &&
			!is_taken(next, next->group_count, number)) {
			return number;
		}
	}
}

bool same_number(struct upstream_conf *next, const struct upstream_conf *now)
{
	bool anew = false;

	for (size_t i = 0; i < next->group_count; i++)
		next->groups[i].number = GROUP_UNNUMBERED;
	for (size_t i = 0; i < next->group_count; i++) {
		const struct group_conf *b = before(next, i, now);

		if (b)
			next->groups[i].number = b->number;
	}
	next->numbered = now->numbered;
	for (size_t i = 0; i < next->group_count; i++)
		if (next->groups[i].number == GROUP_UNNUMBERED)
			next->groups[i].number = fresh_number(next, now, &anew);
	return anew;
}
