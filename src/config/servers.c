#include "config/servers.h"

#include <string.h>

#include "config/uri.h"

void servers_begin(const struct setting *s, size_t count)
{
	struct written_servers *list = s->field;

	(void)count;
	*list = (struct written_servers){ .given = true };
}

static struct written_server *append(struct written_servers *list, struct memory *m)
{
	if (list->count == list->room) {
		struct written_server *before = list->all;

		list->room = list->room ? 2 * list->room : 4;
		list->all = memory_take(m, list->room * sizeof(*before));
		if (before)
			memcpy(list->all, before, list->count * sizeof(*before));
	}
	return &list->all[list->count++];
}

static bool is_listed(const struct written_servers *list, const struct server_conf *conf)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->all[i].conf.text, conf->text) == 0)
			return true;
	}
	return false;
}

struct written_server *servers_add(
	const struct setting *s, const struct node *node, const char *text)
{
	struct written_servers *list = s->field;
	struct memory *m = &s->config->memory;
	struct server_conf conf;
	struct uri_reading reading;

	if (!uri_read(&conf, text, m, &reading)) {
		problem(s->problems, &node->place, s->path, "%s", reading.problem);
		return NULL;
	}
	if (is_listed(list, &conf)) {
		problem(s->problems, &node->place, s->path, "\"%s\" is listed twice", text);
		return NULL;
	}
	struct written_server *w = append(list, m);

	*w = (struct written_server){ .conf = conf,
		.spelling = uri_print(&conf, m),
		.given = reading.is_foreign ? node->text : NULL,
		.place = node->place,
		.path = s->path };
	return w;
}

static void take_server(const struct setting *s, const struct node *node)
{
	servers_add(s, node, node->text);
}

const struct kind kind_servers = { .name = "list of upstreams",
	.form = "an upstream",
	.most = GROUP_MAX,
	.begin = servers_begin,
	.take = take_server };

/* --- bootstrap ---------------------------------------------------------------------------------
 */

static void take_bootstrap(const struct setting *s, const struct node *node)
{
	struct written_servers *list = s->field;
	const struct written_server *w = servers_add(s, node, node->text);

	if (!w || !w->conf.host)
		return;
	problem(s->problems, &node->place, s->path,
		"\"%s\" is a name, and these are asked for the addresses of names; write its "
		"address: tls://ADDRESS#%s",
		node->text, w->conf.host);
	list->count--;
}

static const char *bootstrap_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	const struct written_servers *list = &c->written.bootstrap;

	(void)o;
	(void)m;
	return index < list->count ? list->all[index].spelling : NULL;
}

const struct kind kind_bootstrap = { .name = "list of upstreams by address",
	.form = "an upstream",
	.most = GROUP_MAX,
	.begin = servers_begin,
	.take = take_bootstrap,
	.text = bootstrap_text };
