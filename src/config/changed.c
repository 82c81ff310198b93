#include "config/changed.h"

#include <stdlib.h>
#include <string.h>

#include "config/options.h"
#include "config/print.h"

static void add(char list[CHANGED_TEXT], const char *word)
{
	size_t len = strlen(list);

	snprintf(list + len, CHANGED_TEXT - len, "%s%s", len ? "," : "", word);
}

/* Its value as YAML; NULL: out of memory. */
static char *text_of(const struct config *c, const struct config_option *o)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	print_option(c, o, o->key, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static bool differs(
	const struct config_option *o, const struct config *now, const struct config *next)
{
	char *a = text_of(now, o), *b = text_of(next, o);
	bool same = a && b && strcmp(a, b) == 0;

	free(a);
	free(b);
	return !same;
}

/* A server that is spelled as before, but has to prove something to others, or shows something
 * else. */
static bool have_files_changed(const struct upstream_conf *now, const struct upstream_conf *next)
{
	for (size_t i = 0; i < next->count; i++) {
		const struct server_conf *n = &next->servers[i];

		for (size_t k = 0; k < now->count; k++) {
			const struct server_conf *s = &now->servers[k];

			if (strcmp(n->text, s->text) == 0 &&
				(!tls_trust_same(n->trust, s->trust) ||
					!tls_credentials_same(n->credentials, s->credentials)))
				return true;
		}
	}
	return false;
}

void changed_find(struct changed *c, const struct config *now, const struct config *next)
{
	c->at_once[0] = c->after_restart[0] = '\0';
	for (const struct config_option *o = options; o->key; o++)
		if (differs(o, now, next))
			add(options_needs_restart(o) ? c->after_restart : c->at_once, o->key);
	if (!*c->at_once && have_files_changed(&now->upstream, &next->upstream))
		add(c->at_once, "certificates");
	if (now->rules_files != next->rules_files)
		add(c->at_once, "files of rules");
}

static const char *copy(struct config *c, const char *text)
{
	return text ? memory_copy(&c->memory, text, strlen(text)) : NULL;
}

void changed_keep(struct config *next, const struct config *now)
{
	struct upstream_conf *u = &next->upstream;

	next->workers = now->workers;
	next->sandbox = now->sandbox;
	next->control = copy(next, now->control);
	next->cache.size = now->cache.size;
	next->cache_keep = now->cache_keep;
	next->state_auto = now->state_auto;
	u->state = copy(next, now->upstream.state);
	memcpy(u->mark, now->upstream.mark, sizeof u->mark);
	u->echo_key = now->upstream.echo_key;
}
