#include "config/checks.h"

#include <string.h>

#include "config/options.h"

/* --- timers ------------------------------------------------------------------------------------
 */

/* A default gives way; what somebody asked for does not. */
static void check_order(const char *less, unsigned *less_ms, const struct config *c,
	const struct place *set_at, struct problems *problems)
{
	const struct place *at = &set_at[options_index(options_find(less))];
	unsigned most_ms = c->query.deadline_ms;

	if (*less_ms <= most_ms)
		return;
	if (strcmp(at->source->name, CHECKS_DEFAULT) == 0)
		*less_ms = most_ms;
	else
		problem(problems, at, less, "%u ms is longer than timeouts.query, which is %u ms",
			*less_ms, most_ms);
}

/* --- sizes -------------------------------------------------------------------------------------
 */

static void check_cache(
	const struct config *c, const struct place *set_at, struct problems *problems)
{
	static const char key[] = "cache.size";

	if (c->cache.size > 0 && c->cache.size < CACHE_SIZE_MIN)
		problem(problems, &set_at[options_index(options_find(key))], key,
			"too small for a cache: at least %dKiB, or 0, which switches it off",
			CACHE_SIZE_MIN / 1024);
	if (c->cache.ttl_min_ms > c->cache.ttl_max_ms)
		problem(problems, &set_at[options_index(options_find("cache.ttl-min"))],
			"cache.ttl-min", "longer than cache.ttl-max");
}

/* --- where clients come in ---------------------------------------------------------------------
 */

static void check_listeners(
	const struct config *c, const struct place *set_at, struct problems *problems)
{
	if (!c->listen.count && c->off_count)
		problem(problems, &set_at[options_index(options_find("listen"))], "listen",
			"all of it is enabled=no: nobody could ask");
}

/* --- clients over TLS --------------------------------------------------------------------------
 */

static void check_certificates(
	const struct config *c, const struct place *set_at, struct problems *problems)
{
	const struct place *at = &set_at[options_index(options_find("listen"))];

	if (c->certificate_count && !c->certificates[0].cert)
		problem(problems, &set_at[options_index(options_find("certificate"))],
			"certificate.cert", "is missing: a key alone shows nothing");
	if (c->clients_required && !c->clients_ca)
		problem(problems, &set_at[options_index(options_find("clients.required"))],
			"clients.required", "needs clients.ca, of whom clients must be");
	if (c->certificate_count || c->self_signed)
		return;
	for (size_t i = 0; i < c->listen.count; i++)
		if (c->listen.endpoints[i].spoken.tls == TLS_TERMINATE)
			problem(problems, at, "listen",
				"\"%s\" needs a certificate to show: set certificate: { cert: FILE, "
				"key: FILE }, or certificate: self-signed",
				c->listen.endpoints[i].text);
}

/* --- loops -------------------------------------------------------------------------------------
 */

static bool is_ours(const struct config *c, const struct addr *a)
{
	return addr_is_heard(a, c->upstream.own, c->upstream.own_count);
}

static void check_loop(
	const struct config *c, const struct written_server *w, struct problems *problems)
{
	const struct server_conf *s = &w->conf;
	char text[ADDR_TEXT];

	if (!s->host && is_ours(c, &s->addr))
		problem(problems, &w->place, w->path,
			"\"%s\" is an address that sotto itself listens on: a loop", s->text);
	for (size_t i = 0; i < s->hint_count; i++) {
		if (is_ours(c, &s->hints[i]))
			problem(problems, &w->place, w->path,
				"\"%s\" would be at %s, where sotto itself listens: a loop",
				s->text, addr_print(&s->hints[i], text));
	}
}

/* --- what is required --------------------------------------------------------------------------
 */

static void check_plain(
	const struct server_conf *s, const struct written_server *w, struct problems *problems)
{
	char host[ADDR_TEXT];

	if (s->host)
		problem(problems, &w->place, w->path,
			"\"%s\" would send questions in clear to wherever %s is; write its address if "
			"it is in this network, or tls://, or set require: nothing",
			s->text, s->host);
	else if (!addr_is_inside(&s->addr))
		problem(problems, &w->place, w->path,
			"\"%s\" would send questions in clear to %s, outside of this network; write "
			"tls://, or set require: nothing",
			s->text, addr_print_host(&s->addr, host));
}

static void check_required(
	const struct config *c, const struct written_server *w, struct problems *problems)
{
	const struct server_conf *s = &w->conf;

	if (c->require == REQUIRE_NOTHING)
		return;
	if (s->scheme != SCHEME_TLS)
		check_plain(s, w, problems);
	else if (s->opportunistic && c->require == REQUIRE_AUTHENTICATED)
		problem(problems, &w->place, w->path,
			"\"%s\" would send questions, encrypted, to whoever answers: nobody is "
			"verified; leave out verify=no and write #NAME or ?pin=, or set require: "
			"encrypted",
			s->text);
}

/* --- everything --------------------------------------------------------------------------------
 */

static void check_servers(
	const struct config *c, const struct written_servers *list, struct problems *problems)
{
	for (size_t i = 0; i < list->count; i++) {
		check_loop(c, &list->all[i], problems);
		check_required(c, &list->all[i], problems);
	}
}

void checks_run(struct config *c, const struct place *set_at, struct problems *problems)
{
	const struct written *w = &c->written;

	check_order("timeouts.attempt", &c->upstream.attempt_ms, c, set_at, problems);
	check_order("timeouts.connect", &c->upstream.connect_ms, c, set_at, problems);
	check_cache(c, set_at, problems);
	check_listeners(c, set_at, problems);
	check_certificates(c, set_at, problems);
	check_servers(c, &w->upstreams, problems);
	check_servers(c, &w->bootstrap, problems);
	for (const struct written_group *g = w->groups; g; g = g->next)
		check_servers(c, &g->upstreams, problems);
	for (const struct written_zone *z = w->zones; z; z = z->next)
		check_servers(c, &z->upstreams, problems);
}
