#include "announce.h"

#include "config/values.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Short enough that what is said of safety fits into a line, however much there is to list. */
#define LIST 160
/* Room for " and 4294967295 more". */
#define MORE 24

struct words {
	char text[LIST + MORE];
	unsigned left_out;
};

/* Appends one thing, behind a label if it has one; where there is no room for it, it and all that
 * follow are counted. */
static void add(struct words *list, const char *separator, const char *label, const char *one)
{
	size_t len = strlen(list->text);
	const char *colon = *label ? ": " : "";
	int size = snprintf(
		list->text + len, LIST - len, "%s%s%s%s", len ? separator : "", label, colon, one);

	if (!list->left_out && size >= 0 && len + (size_t)size < LIST)
		return;
	list->text[len] = '\0';
	list->left_out++;
}

static void say(struct log_line *l, const char *key, struct words *list)
{
	size_t len = strlen(list->text);

	if (list->left_out)
		snprintf(list->text + len, sizeof list->text - len, " and %u more", list->left_out);
	if (*list->text)
		log_str(l, key, list->text);
}

/* ---- where it sends ---- */

static void say_listen(struct log_line *l, const struct listen_conf *conf)
{
	struct words list = { 0 };

	for (size_t i = 0; i < conf->count; i++)
		add(&list, " ", "", conf->endpoints[i].text);
	say(l, "listen", &list);
}

static void say_spoken(struct log_line *l, const struct listen_conf *conf)
{
	bool udp = false, tcp = false, tls = false, passed = false;

	for (size_t i = 0; i < conf->count; i++) {
		const struct endpoint *e = &conf->endpoints[i];

		udp |= e->datagrams;
		tcp |= e->spoken.plain;
		tls |= e->spoken.tls == TLS_TERMINATE;
		passed |= e->spoken.tls == TLS_PASSTHROUGH;
	}
	log_fmt(l, "proto", "%s%s%s%s",
		udp           ? "udp+tcp"
			: tcp ? "tcp"
			      : "",
		tls && tcp ? "+" : "", tls ? "tls" : "", passed ? ", tls passed through" : "");
}

static void say_group(struct log_line *l, const char *key, const struct upstream_conf *u, size_t g)
{
	const struct group_conf *group = &u->groups[g];
	struct words list = { 0 };

	for (size_t i = 0; i < group->count; i++)
		add(&list, " ", "", u->servers[group->servers[i]].text);
	say(l, key, &list);
}

/* The servers of a group that has a name, and of a zone that has servers of its own. */
static void add_written(struct words *list, const char *name, const struct written_servers *servers)
{
	for (size_t i = 0; i < servers->count; i++)
		add(list, i ? " " : ", ", i ? "" : name, servers->all[i].conf.text);
}

static void say_routes(struct log_line *l, const struct written *w)
{
	struct words groups = { 0 }, zones = { 0 };

	for (const struct written_group *g = w->groups; g; g = g->next)
		add_written(&groups, g->name, &g->upstreams);
	for (const struct written_zone *z = w->zones; z; z = z->next) {
		if (z->group)
			add(&zones, ", ", z->domain, z->group);
		else
			add_written(&zones, z->domain, &z->upstreams);
	}
	say(l, "groups", &groups);
	say(l, "zones", &zones);
}

/* ---- how safe that is ---- */

/* How a server proves that it is the one. */
static const char *proof(const struct server_conf *s, char text[LIST])
{
	if (s->auth_name)
		snprintf(text, LIST, "name %s%s", s->auth_name, s->pin_count ? " and pin" : "");
	else if (s->designated)
		snprintf(text, LIST, "address%s", s->pin_count ? " and pin" : "");
	else
		snprintf(text, LIST, "%s", s->pin_count ? "pin" : "address");
	return text;
}

static bool is_verified(const struct server_conf *s)
{
	return s->scheme == SCHEME_TLS && !s->opportunistic;
}

static void say_verified(struct log_line *l, const struct upstream_conf *u)
{
	struct words verified = { 0 }, unverified = { 0 };
	char text[LIST], before[LIST];

	for (size_t i = 0; i < u->count; i++) {
		const struct server_conf *s = &u->servers[i];
		bool known = false;

		if (s->opportunistic)
			add(&unverified, " ", "", s->text);
		if (!is_verified(s))
			continue;
		proof(s, text);
		for (size_t k = 0; k < i && !known; k++)
			known = is_verified(&u->servers[k]) &&
				strcmp(text, proof(&u->servers[k], before)) == 0;
		if (!known)
			add(&verified, ", ", "", text);
	}
	say(l, "unverified", &unverified);
	say(l, "verified", &verified);
}

static void say_encrypted(struct log_line *l, const struct upstream_conf *u)
{
	struct words clear = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < u->count; i++) {
		if (u->servers[i].scheme == SCHEME_TLS)
			continue;
		add(&clear, " ", "", u->servers[i].text);
		count++;
	}
	log_str(l, "encrypted",
		count == 0                 ? "DNS over TLS only"
			: count < u->count ? "DNS over TLS, but for those in clear"
					   : "nothing");
	say(l, "in-clear", &clear);
}

void announce_upstreams(struct log_line *l, const struct config *c)
{
	say_group(l, "upstreams", &c->upstream, GROUP_DEFAULT);
	say_encrypted(l, &c->upstream);
	say_verified(l, &c->upstream);
}

void announce_shown(const struct tls_front *front)
{
	for (size_t i = 0; i < tls_front_count(front); i++) {
		const struct tls_shown *shown = tls_front_shown(front, i);
		time_t end_s = (time_t)shown->not_after_s;
		struct log_line l;
		struct tm tm;
		char day[16];

		log_begin(&l, LOG_INFO, "shown to clients over TLS");
		log_str(&l, "name", shown->name ? shown->name : "none");
		log_str(&l, "pin", shown->pin);
		if (gmtime_r(&end_s, &tm) && strftime(day, sizeof day, "%Y-%m-%d", &tm))
			log_str(&l, "ends", day);
		if (shown->self_signed)
			log_str(&l, "made", "now, for this run");
		log_end(&l);
	}
}

void announce(const struct config *c)
{
	struct log_line l;
	char size[VALUE_TEXT];

	log_begin(&l, LOG_INFO, "sotto " SOTTO_VERSION " is ready");
	say_listen(&l, &c->listen);
	say_spoken(&l, &c->listen);
	announce_upstreams(&l, c);
	log_str(&l, "ca", c->ca ? c->ca : "system");
	log_fmt(&l, "workers", "%u", c->workers);
	log_str(&l, "cache", c->cache.size ? value_print_size(c->cache.size, size) : "off");
	log_str(&l, "config", c->file ? c->file : "none");
	say_routes(&l, &c->written);
	say_group(&l, "bootstrap", &c->upstream, GROUP_BOOTSTRAP);
	log_end(&l);
	if (c->front)
		announce_shown(c->front);
}
