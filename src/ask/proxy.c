#include "ask/proxy.h"

#include "config/config.h"
#include "control/asker.h"
#include "control/explain_show.h"
#include "control/words.h"
#include "dns/text.h"
#include "net/tls_files.h"

#include <string.h>

extern char **environ;

/* The command that is asked for it, and how people are told. */
static const struct {
	const char *command;
	void (*show)(const json_t *, FILE *);
} saying = { "explain", explain_show };

static struct config *load(const struct ask_plan *plan)
{
	const struct config_sources sources = { .file = plan->config, .environment = environ };

	return config_new(&sources, stderr);
}

/* ---- where ---- */

static bool is_plain(const struct endpoint *e)
{
	return e->spoken.plain && !e->at.path && addr_port(&e->at.addr);
}

static bool is_unix_socket(const struct endpoint *e)
{
	return e->spoken.plain && e->at.path;
}

static bool is_tls(const struct endpoint *e)
{
	return e->spoken.tls == TLS_TERMINATE && !e->at.path && addr_port(&e->at.addr);
}

static const struct endpoint *first(
	const struct listen_conf *listen, bool (*suits)(const struct endpoint *))
{
	for (size_t i = 0; i < listen->count; i++)
		if (suits(&listen->endpoints[i]))
			return &listen->endpoints[i];
	return NULL;
}

/* UDP is what is asked over if nothing was said. */
static const struct endpoint *choose(const struct listen_conf *listen, enum scheme wanted)
{
	const struct endpoint *e = wanted == SCHEME_TLS ? NULL : first(listen, is_plain);

	if (!e && wanted != SCHEME_TLS)
		e = first(listen, is_unix_socket);
	if (!e && wanted != SCHEME_TCP)
		e = first(listen, is_tls);
	return e;
}

static enum scheme scheme_at(const struct endpoint *e, enum scheme wanted)
{
	if (wanted == SCHEME_TLS || !e->spoken.plain)
		return SCHEME_TLS;
	return e->datagrams ? wanted : SCHEME_TCP;
}

/* ---- who it must be ---- */

/* A certificate of a LAN is of a CA that the system does not know, or for names only; which key it
 * is for is in the file that the proxy itself reads. */
static bool know_by_files(struct server_conf *s, const struct config *c)
{
	struct fault f;

	for (size_t i = 0; i < c->certificate_count && i < TLS_PINS_MAX; i++) {
		if (!tls_files_pin(c->certificates[i].cert, s->pins[i], &f)) {
			fprintf(stderr, "sotto query: @sotto: %s\n", f.reason);
			return false;
		}
		s->pin_count++;
	}
	if (s->pin_count)
		return true;
	fputs("sotto query: @sotto: its certificate is made anew at each start, and its log tells "
	      "the pin: say +tls-pin=sha256/..., or +tls=noauth\n",
		stderr);
	return false;
}

static bool is_known(const struct server_conf *s)
{
	return s->auth_name || s->pin_count || s->ca || s->opportunistic;
}

/* ---- both ---- */

static int go_to(const struct endpoint *e, struct server_conf *s, char **path)
{
	bool v4 = e->at.addr.any.sa_family == AF_INET;

	s->addr = e->at.addr;
	s->scheme = scheme_at(e, s->scheme);
	if (e->at.path) {
		*path = strdup(e->at.path);
		return *path ? 0 : ASK_HOST;
	}
	if (addr_is_any(&s->addr))
		addr_parse(&s->addr, v4 ? "127.0.0.1" : "::1", addr_port(&e->at.addr));
	return 0;
}

int proxy_find(const struct ask_plan *plan, struct server_conf *s, char **path)
{
	struct config *c = load(plan);
	const struct endpoint *e = c ? choose(&c->listen, s->scheme) : NULL;
	int status = e ? go_to(e, s, path) : ASK_USAGE;

	if (c && !e)
		fprintf(stderr, "sotto query: @sotto: it listens nowhere for %s\n",
			s->scheme == SCHEME_TLS           ? "TLS"
				: s->scheme == SCHEME_TCP ? "plain DNS"
							  : "anybody to ask");
	if (e && s->scheme == SCHEME_TLS && !is_known(s) && !know_by_files(s, c))
		status = ASK_USAGE;
	config_free(c);
	return status;
}

/* ---- what it says ---- */

void proxy_tell(const struct ask_plan *plan, const struct ask_question *q)
{
	struct config *c = load(plan);
	const struct endpoint *e = c ? choose(&c->listen, plan->server.scheme) : NULL;
	char name[NAME_TEXT], type[TEXT_MAX], line[WORDS_LINE];

	if (!e) {
		config_free(c);
		return;
	}
	/* Where it is asked, which need not be the first of `listen`. */
	snprintf(line, sizeof line, "%s %s %s --at %s", saying.command, name_to_text(q->name, name),
		text_type(q->type, type), e->text);
	const struct asker asker = { c->control, line, plan->show.json, saying.show };

	if (!plan->show.json)
		fputs(";; the running sotto says:\n", stdout);
	fflush(stdout);
	asker_run(&asker);
	if (!plan->show.json)
		putchar('\n');
	config_free(c);
}
