#include "ask/means.h"

#include "ask/proxy.h"
#include "config/problems.h"
#include "net/system_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MS 5000

/* ---- the address ---- */

static int unknown_host(const struct means *m, const char *reason)
{
	fprintf(stderr, "sotto query: %s: %s\n", m->server.host, reason);
	return ASK_UNKNOWN_HOST;
}

/* The first of the family that was asked for; else IPv6 first. */
static bool choose(struct means *m, const struct addr *addrs, size_t count)
{
	uint16_t port = addr_port(&m->server.addr);
	const struct addr *best = NULL;
	int family = m->plan->family;

	for (size_t i = 0; i < count; i++) {
		int its = addrs[i].any.sa_family;

		if ((family == AF_UNSPEC && its == AF_INET6 && !best) || its == family ||
			(family == AF_UNSPEC && !best)) {
			best = &addrs[i];
			if (its == family || its == AF_INET6)
				break;
		}
	}
	if (!best)
		return false;
	m->server.addr = *best;
	addr_set_port(&m->server.addr, port);
	return true;
}

static int find_host(struct means *m)
{
	const struct server_conf *s = &m->server;
	struct system_names names;

	if (!s->host)
		return 0;
	if (s->hint_count > 0)
		return choose(m, s->hints, s->hint_count)
			? 0
			: unknown_host(m, "it has no address of that family");
	system_names_find(&names, s->host);
	if (!names.count)
		return unknown_host(m, names.reason);
	return choose(m, names.addrs, names.count)
		? 0
		: unknown_host(m, "it has no address of that family");
}

/* ---- TLS ---- */

/* What its files hold, read as for the daemon: one that is named must be good, and who has to be
 * verified needs somebody to trust. */
static int read_files(struct means *m)
{
	struct server_conf *s = &m->server;
	struct fault f = { 0 };

	s->trust = tls_trust_load(s->ca, &f);
	if (!s->trust && (s->ca || server_needs_authority(s)))
		goto fail;
	if (!s->cert)
		return 0;
	s->credentials = tls_credentials_load(s->cert, s->key, &f);
	if (s->credentials)
		return 0;
fail:
	fprintf(stderr, "sotto query: %s%s%s\n", f.reason, f.hint ? "; " : "",
		f.hint ? f.hint : "");
	return ASK_HOST;
}

/* As upstream/server has it. */
static void set_identity(struct means *m)
{
	const struct server_conf *s = &m->server;

	m->identity.name = s->auth_name;
	m->identity.ip = !s->auth_name && !s->pin_count ? &s->addr : NULL;
	m->identity.pin_count = s->pin_count;
	memcpy(m->identity.pins, s->pins, sizeof m->identity.pins);
	m->identity.opportunistic = s->opportunistic;
}

static int prepare_tls(struct means *m)
{
	const struct server_conf *s = &m->server;
	struct tls_client_conf conf = { .tls13 = s->tls13 };
	int status = s->scheme == SCHEME_TLS ? read_files(m) : 0;

	if (status || s->scheme != SCHEME_TLS)
		return status;
	set_identity(m);
	conf.credentials = s->credentials;
	m->tls = tls_client_new(s->trust, &conf);
	return m->tls ? 0 : ASK_HOST;
}

/* ---- all of it ---- */

int means_init(struct means *m, const struct ask_plan *plan)
{
	*m = (struct means){ .plan = plan, .server = plan->server };
	m->loop = loop_new();
	if (!m->loop)
		return ASK_HOST;
	int status = plan->is_sotto ? proxy_find(plan, &m->server, &m->path) : find_host(m);

	return status ? status : prepare_tls(m);
}

void means_clear(struct means *m)
{
	if (m->loop)
		loop_free(m->loop);
	m->loop = NULL;
	tls_identity_clear(&m->identity);
	tls_client_free(m->tls);
	tls_credentials_free(m->server.credentials);
	tls_trust_free(m->server.trust);
	free(m->path);
	*m = (struct means){ .plan = m->plan };
}

enum scheme means_scheme(const struct means *m)
{
	return m->server.scheme;
}

int means_status(const struct fault *f)
{
	switch (f->phase) {
	case PHASE_HANDSHAKE:
	case PHASE_VERIFY:
		return ASK_TLS;
	case PHASE_CONNECT:
	case PHASE_RESOLVE:
		return ASK_UNREACHED;
	default:
		return ASK_SILENCE;
	}
}

unsigned means_patience_ms(const struct means *m)
{
	return m->plan->time_ms ? m->plan->time_ms : OPEN_MS;
}

int means_way(struct means *m, struct way **out, struct way_conf *conf)
{
	conf->server = &m->server;
	conf->path = m->path;
	conf->tls = m->tls;
	conf->identity = &m->identity;
	if (!conf->open_ms)
		conf->open_ms = means_patience_ms(m);
	return way_open(out, m->loop, conf);
}
