#include "config/trust.h"

#include <string.h>

#include "base/file_state.h"
#include "config/options.h"
#include "net/tls_tickets.h"

/* --- whom we trust -----------------------------------------------------------------------------
 */

static bool uses_default(const struct server_conf *s)
{
	return s->scheme == SCHEME_TLS && !s->ca;
}

static bool is_default_needed(const struct config *c)
{
	for (size_t i = 0; i < c->upstream.count; i++) {
		const struct server_conf *s = &c->upstream.servers[i];

		if (uses_default(s) && server_needs_authority(s))
			return true;
	}
	return c->ca;
}

/* Want of memory says nothing about the file. */
static struct tls_trust *load(const char *ca, struct fault *f)
{
	struct tls_trust *trust = tls_trust_load(ca, f);

	if (!trust && strcmp(f->cause, "memory") == 0)
		memory_out();
	return trust;
}

static void load_default(struct config *c, const struct place *at, struct problems *problems)
{
	struct fault f;

	c->trust = load(c->ca, &f);
	if (!c->trust && is_default_needed(c))
		problem(problems, at, "tls.ca", "%s; %s%s", f.reason, f.hint,
			c->ca ? " in tls.ca" : "");
}

static struct tls_trust *load_own(struct config *c, size_t server, struct problems *problems)
{
	const struct server_conf *s = &c->upstream.servers[server];
	const struct written_server *w = c->written.servers[server];
	struct fault f;

	for (const struct server_conf *b = c->upstream.servers; b < s; b++) {
		if (b->trust && b->ca && strcmp(b->ca, s->ca) == 0)
			return b->trust;
	}
	struct tls_trust *trust = load(s->ca, &f);

	if (!trust)
		problem(problems, &w->place, w->path, "%s; %s in ?ca=", f.reason, f.hint);
	return trust;
}

/* --- who we are --------------------------------------------------------------------------------
 */

static void load_credentials(struct config *c, size_t server, struct problems *problems)
{
	struct server_conf *s = &c->upstream.servers[server];
	const struct written_server *w = c->written.servers[server];
	struct fault f;

	s->credentials = tls_credentials_load(s->cert, s->key, &f);
	if (!s->credentials)
		problem(problems, &w->place, w->path, "%s; %s", f.reason, f.hint);
}

/* --- what we show to clients -------------------------------------------------------------------
 */

static bool is_front_needed(const struct config *c)
{
	for (size_t i = 0; i < c->listen.count; i++)
		if (c->listen.endpoints[i].spoken.tls == TLS_TERMINATE)
			return true;
	return false;
}

uint64_t trust_files(const struct config *c)
{
	uint64_t sum = 1;

	for (size_t i = 0; i < c->certificate_count; i++) {
		file_state_add(&sum, c->certificates[i].cert);
		file_state_add(&sum, c->certificates[i].key);
	}
	file_state_add(&sum, c->clients_ca);
	file_state_add(&sum, c->ticket_keys);
	return sum;
}

struct tls_front *trust_load_front(
	const struct config *c, const struct tls_front *before, struct fault *f)
{
	const struct tls_front_conf conf = { .pairs = c->certificates,
		.count = c->certificate_count,
		.self_signed = c->self_signed,
		.before = before,
		.clients_ca = c->clients_ca,
		.clients_required = c->clients_required };

	return tls_front_load(&conf, f);
}

static const struct place *place_of(const struct place *set_at, const char *key)
{
	return &set_at[options_index(options_find(key))];
}

/* Want of memory says nothing about a file. */
static void tell(const struct fault *f, const struct place *set_at, const char *key,
	struct problems *problems)
{
	if (strcmp(f->cause, "memory") == 0)
		memory_out();
	problem(problems, place_of(set_at, key), key, "%s; %s", f->reason, f->hint);
}

/* Where a listener ends TLS and nothing is to be shown, the checks have told so. */
static void load_front(struct config *c, const struct tls_front *before, const struct place *set_at,
	struct problems *problems)
{
	struct fault f;

	if (!is_front_needed(c) || (!c->certificate_count && !c->self_signed))
		return;
	c->front_files = trust_files(c); /* before: what changes meanwhile is then seen */
	c->front = trust_load_front(c, before, &f);
	if (!c->front)
		tell(&f, set_at, "certificate", problems);
	struct tls_tickets *keys = tls_tickets_new(c->ticket_keys, &f);

	if (!keys)
		tell(&f, set_at, "tls.ticket-keys", problems);
	tls_tickets_free(keys);
}

/* --- everything --------------------------------------------------------------------------------
 */

void trust_load(struct config *c, const struct tls_front *before, const struct place *set_at,
	struct problems *problems)
{
	bool is_default_used = c->ca;

	for (size_t i = 0; i < c->upstream.count; i++)
		is_default_used |= uses_default(&c->upstream.servers[i]);
	if (is_default_used)
		load_default(c, place_of(set_at, "tls.ca"), problems);
	load_front(c, before, set_at, problems);
	for (size_t i = 0; i < c->upstream.count; i++) {
		struct server_conf *s = &c->upstream.servers[i];

		if (s->ca)
			s->trust = load_own(c, i, problems);
		else if (uses_default(s))
			s->trust = c->trust;
		if (s->cert)
			load_credentials(c, i, problems);
	}
}

/* Those that share it have it no more. */
static void free_shared(struct config *c, struct tls_trust *trust)
{
	for (size_t i = 0; i < c->upstream.count; i++) {
		if (c->upstream.servers[i].trust == trust)
			c->upstream.servers[i].trust = NULL;
	}
	tls_trust_free(trust);
}

void trust_free(struct config *c)
{
	tls_front_free(c->front);
	c->front = NULL;
	free_shared(c, c->trust);
	c->trust = NULL;
	for (size_t i = 0; i < c->upstream.count; i++) {
		free_shared(c, c->upstream.servers[i].trust);
		tls_credentials_free(c->upstream.servers[i].credentials);
	}
}
