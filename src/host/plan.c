#include "host/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEAD "# Written by `sotto host enable`; `sotto host disable` takes it back.\n"

/* Lists of systemd add up, over all files: an empty one begins anew. */
#define RESOLVED_TEXT HEAD "[Resolve]\nDNS=\nDNS=%s\nDomains=\nDomains=~.\nDNSOverTLS=no\n"

/* Who would write resolv.conf again, and what keeps them from it. `%s` is what the file says. */
static const struct other {
	enum look_owner owner;
	const char *folder, *name, *text, *unit;
} others[] = {
	{ LOOK_MANAGER, "/etc/NetworkManager/conf.d", "zz-sotto.conf", HEAD "[main]\ndns=none\n",
		"NetworkManager.service" },
	{ LOOK_OPENRESOLV, "/etc", "resolvconf.conf", "%s\n" HEAD "resolvconf=NO\n", "" },
	{ LOOK_NOBODY, "/etc/dhcp/dhclient-enter-hooks.d", "zz-sotto",
		HEAD "make_resolv_conf() { :; }\n", "" },
};

/* What a resolv.conf says besides whom to ask, and is kept. */
static const char *const kept[] = { "search", "domain", "options", "sortlist" };

bool plan_needs_port(const struct look *l)
{
	return l->owner != LOOK_RESOLVED;
}

static struct edit *add(
	struct plan *p, const struct root *r, const char *folder, const char *name, int *err)
{
	struct edit *c = &p->edits[p->count++];

	snprintf(c->folder, sizeof c->folder, "%s", folder);
	snprintf(c->name, sizeof c->name, "%s", name);
	*err = edit_prepare(r, c);
	return c;
}

static int add_resolved(struct plan *p, const struct root *r)
{
	int err;
	struct edit *c = add(p, r, "/etc/systemd/resolved.conf.d", "zz-sotto.conf", &err);

	snprintf(c->text, sizeof c->text, RESOLVED_TEXT, p->at);
	snprintf(p->unit, sizeof p->unit, "systemd-resolved.service");
	return err;
}

static bool has_folder(const struct root *r, const char *folder)
{
	int fd = root_at(r, folder, O_PATH | O_DIRECTORY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int add_other(struct plan *p, const struct root *r, const struct other *o)
{
	char before[ROOT_TEXT], path[2 * EDIT_NAME];
	int err;
	struct edit *c = add(p, r, o->folder, o->name, &err);
	bool has_text = strncmp(o->text, "%s", 2) == 0;

	snprintf(p->unit, sizeof p->unit, "%s", o->unit);
	snprintf(path, sizeof path, "%s/%s", o->folder, o->name);
	if (!err && has_text && c->had)
		err = root_read(r, path, before);
	else
		*before = '\0';
	const char *rest = o->text + (has_text ? 2 : 0);

	if (strlen(before) + strlen(rest) >= sizeof c->text)
		return -EFBIG;
	memcpy(stpcpy(c->text, before), rest, strlen(rest) + 1);
	return err;
}

static bool is_kept(const char *line)
{
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (strncmp(line, kept[i], strlen(kept[i])) == 0)
			return true;
	return false;
}

static int add_file(
	struct plan *p, const struct root *r, const struct look *l, const struct addr *at)
{
	char host[ADDR_TEXT];
	int err;
	struct edit *c = add(p, r, LOOK_FOLDER, LOOK_NAME, &err);
	size_t len = (size_t)snprintf(
		c->text, sizeof c->text, HEAD "nameserver %s\n", addr_print_host(at, host));

	for (const char *line = l->text; *line;) {
		size_t n = strcspn(line, "\n");

		if (is_kept(line) && len + n + 2 > sizeof c->text)
			return -EFBIG;
		if (is_kept(line))
			len += (size_t)snprintf(
				c->text + len, sizeof c->text - len, "%.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
	return err;
}

int plan_make(struct plan *p, const struct root *r, const struct look *l, const struct addr *at)
{
	int err = 0;

	memset(p, 0, sizeof *p);
	addr_print(at, p->at);
	if (l->owner == LOOK_RESOLVED || l->owner == LOOK_RESOLVED_LIST)
		err = add_resolved(p, r);
	for (size_t i = 0; !err && i < sizeof others / sizeof *others; i++)
		if (l->owner == others[i].owner &&
			(l->owner != LOOK_NOBODY || has_folder(r, others[i].folder)))
			err = add_other(p, r, &others[i]);
	if (!err && plan_needs_port(l))
		err = add_file(p, r, l, at);
	for (size_t i = 0; i < p->count; i++)
		p->edits[i].sum = edit_sum(p->edits[i].text);
	return err;
}
