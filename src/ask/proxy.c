#include "ask/proxy.h"

#include "config/config.h"
#include "control/asker.h"
#include "control/explain_show.h"
#include "control/words.h"
#include "dns/text.h"

#include <string.h>

extern char **environ;

/* The command that is asked for it, and how people are told. */
static const struct {
	const char *command;
	void (*show)(const json_t *, FILE *);
} saying = { "explain", explain_show };

static struct config *load(void)
{
	const struct config_sources sources = { .environment = environ };

	return config_new(&sources, stderr);
}

static const struct endpoint *choose(const struct listen_conf *listen)
{
	for (size_t i = 0; i < listen->count; i++) {
		const struct endpoint *e = &listen->endpoints[i];

		if (e->spoken.plain && !e->at.path && addr_port(&e->at.addr))
			return e;
	}
	return NULL;
}

int proxy_find(struct server_conf *s)
{
	struct config *c = load();
	const struct endpoint *e = c ? choose(&c->listen) : NULL;

	if (c && !e)
		fputs("sotto query: @sotto: it takes plain DNS nowhere on a network; name it, as "
		      "in @tls://ADDRESS#NAME\n",
			stderr);
	if (e) {
		bool v4 = e->at.addr.any.sa_family == AF_INET;

		s->addr = e->at.addr;
		if (addr_is_any(&s->addr))
			addr_parse(&s->addr, v4 ? "127.0.0.1" : "::1", addr_port(&e->at.addr));
		s->scheme = e->datagrams && s->scheme != SCHEME_TCP ? SCHEME_UDP : SCHEME_TCP;
	}
	config_free(c);
	return e ? 0 : ASK_USAGE;
}

void proxy_tell(const struct ask_plan *plan, const struct ask_question *q)
{
	struct config *c = load();
	char name[NAME_TEXT], type[TEXT_MAX], line[WORDS_LINE];

	if (!c)
		return;
	snprintf(line, sizeof line, "%s %s %s", saying.command, name_to_text(q->name, name),
		text_type(q->type, type));
	const struct asker asker = { c->control, line, plan->show.json, saying.show };

	if (!plan->show.json)
		fputs(";; the running sotto says:\n", stdout);
	fflush(stdout);
	asker_run(&asker);
	if (!plan->show.json)
		putchar('\n');
	config_free(c);
}
