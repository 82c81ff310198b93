#include "ask/whom.h"

#include "config/uri.h"
#include "config/values.h"
#include "net/system_names.h"

#include <stdlib.h>
#include <string.h>

/* ---- the server as an upstream is written ---- */

/* The first of /etc/resolv.conf that is of the family. */
static const char *system_server(struct ask_words *w)
{
	int family = w->plan->family;
	struct system_names names;
	char text[ADDR_TEXT];

	system_names_find(&names, "localhost");
	for (size_t i = 0; i < names.server_count; i++) {
		const struct addr *a = &names.servers[i];

		if (family == AF_UNSPEC || a->any.sa_family == family)
			return memory_format(&w->plan->memory, "%s", addr_print(a, text));
	}
	words_mistake(w, "no server is named, and /etc/resolv.conf has none%s",
		family == AF_UNSPEC ? "" : " of that family");
	return NULL;
}

/* With its scheme; an address of IPv6 in brackets. */
static const char *with_scheme(struct ask_words *w, const char *said)
{
	const char *scheme = w->tls ? "tls" : w->tcp ? "tcp" : "udp";
	bool bare = said[0] != '[' && strchr(said, ':') && strchr(strchr(said, ':') + 1, ':');

	return memory_format(&w->plan->memory, bare ? "%s://[%s]" : "%s://%s", scheme, said);
}

static const char *add(struct ask_words *w, const char *text, const char *name, const char *value)
{
	struct memory *m = &w->plan->memory;

	if (!value)
		return text;
	if (strpbrk(value, "&#?"))
		words_mistake(w, "& # and ? cannot be in \"%s\"", value);
	return memory_format(m, "%s%c%s=%s", text, strchr(text, '?') ? '&' : '?', name, value);
}

/* The name stands last, behind the parameters: it could be cut off nowhere else. */
static const char *with_options(struct ask_words *w, const char *text)
{
	text = add(w, text, "source", w->source);
	text = add(w, text, "ca", w->ca);
	text = add(w, text, "cert", w->cert);
	text = add(w, text, "key", w->key);
	for (unsigned i = 0; i < w->pin_count; i++)
		text = add(w, text, "pin", w->pins[i]);
	text = add(w, text, "verify", w->unverified ? "no" : NULL);
	return w->tls_name ? memory_format(&w->plan->memory, "%s#%s", text, w->tls_name) : text;
}

/* ---- what must hold ---- */

static bool read_port(struct ask_words *w, const char *text, uint16_t *port)
{
	uint64_t n;

	if (!value_read_count(text, &n) || n == 0 || n > UINT16_MAX)
		return words_mistake(w, "a port is from 1 to 65535, not \"%s\"", text);
	*port = (uint16_t)n;
	return true;
}

/* pydig has a port for each of TLS and plain DNS; dig's -p is whichever is spoken. */
static bool set_ports(struct ask_words *w)
{
	struct server_conf *s = &w->plan->server;
	bool tls = s->scheme == SCHEME_TLS;
	const char *said = tls && w->tls_port ? w->tls_port : w->port;
	uint16_t port = addr_port(&s->addr);

	w->plan->fallback_port = PORT_DNS;
	if (tls && w->tls_port && w->port && !read_port(w, w->port, &w->plan->fallback_port))
		return false;
	if (said && !read_port(w, said, &port))
		return false;
	addr_set_port(&s->addr, port);
	for (size_t i = 0; i < s->hint_count; i++)
		addr_set_port(&s->hints[i], port);
	return true;
}

static bool check_family(struct ask_words *w)
{
	const struct server_conf *s = &w->plan->server;
	int family = w->plan->family;

	if (s->host || family == AF_UNSPEC || s->addr.any.sa_family == family)
		return true;
	return words_mistake(w, "-%c, and %s is of the other family", family == AF_INET ? '4' : '6',
		w->plan->server_said);
}

static bool check_tls(struct ask_words *w)
{
	const struct ask_plan *p = w->plan;

	if (p->server.designated)
		return words_mistake(w, "%s: ask it itself, as in @ADDRESS _dns.resolver.arpa SVCB",
			p->server_said);
	if (w->tls && p->server.scheme != SCHEME_TLS)
		return words_mistake(w, "%s is in clear, and other options want TLS; write tls://",
			p->server_said);
	if (p->server.scheme != SCHEME_TLS && (p->tls_fallback || p->resume))
		return words_mistake(w, "%s is of use with TLS only; add +tls",
			p->resume ? "+resume" : "+tls-fallback");
	if (p->server.scheme == SCHEME_TLS && w->tcp)
		return words_mistake(w, "+tcp is in clear, and other options want TLS");
	return true;
}

/* Its configuration says where it is, which is known only when it is asked. */
static bool check_sotto(struct ask_words *w)
{
	const struct ask_plan *p = w->plan;

	if (p->is_sotto &&
		(w->port || w->tls_port || w->source || p->tls_fallback || p->family != AF_UNSPEC))
		return words_mistake(w,
			"@sotto is asked where it listens; -p, -b, -4, -6, +tls-port and "
			"+tls-fallback go with an address");
	if (!p->is_sotto && p->config)
		return words_mistake(w, "+config says where @sotto is, which is not asked");
	return true;
}

bool whom_read(struct ask_words *w)
{
	struct ask_plan *p = w->plan;
	const char *said = w->server ? w->server : system_server(w);
	struct uri_reading reading;

	if (!said)
		return false;
	p->server_said = said;
	p->is_sotto = strcmp(said, "sotto") == 0;
	p->config = w->config;
	if (!check_sotto(w))
		return false;
	/* Of the proxy, the address is put in later. */
	if (p->is_sotto)
		said = "127.0.0.1";
	unsigned before = w->mistakes;
	const char *text = with_options(w, strstr(said, "://") ? said : with_scheme(w, said));

	if (w->mistakes > before)
		return false;
	if (!uri_read(&p->server, text, &p->memory, &reading))
		return words_mistake(w, "@%s: %s", said, reading.problem);
	if (w->tcp && p->server.scheme == SCHEME_UDP)
		p->server.scheme = SCHEME_TCP;
	return set_ports(w) && check_family(w) && check_tls(w);
}
