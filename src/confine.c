#include "confine.h"

#include "net/system_names.h"
#include "net/tls_files.h"
#include "upstream/domain.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Servers of these are asked after a reload as well, whatever ports there were before. */
static const uint16_t usual_ports[] = { 53, 853 };

/* ---- files ---- */

/* The folder that a path lies in. */
static void folder_of(const char *path, char folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (!slash)
		snprintf(folder, PATH_MAX, ".");
	else
		snprintf(folder, PATH_MAX, "%.*s", len ? (int)len : 1, path);
}

/* One of those from which everything hangs, such as /etc: too much for the sake of one file. */
static bool is_at_the_root(const char *folder)
{
	return !strchr(folder + 1, '/');
}

static void allow_with_folder(struct landlock *l, const char *path)
{
	char folder[PATH_MAX], real[PATH_MAX];

	landlock_read(l, path);
	folder_of(path, folder);
	if (realpath(folder, real) && !is_at_the_root(real))
		landlock_read(l, real);
}

/* A file that a reload will read: where it is named, and where it really is. Its folder goes with
 * it, since who changes a file mostly puts another one in its place. */
static void allow_file(struct landlock *l, const char *path)
{
	char real[PATH_MAX];

	if (!path)
		return;
	allow_with_folder(l, path);
	if (realpath(path, real))
		allow_with_folder(l, real);
}

static void allow_configuration(struct landlock *l, const struct config *c)
{
	char folder[PATH_MAX], more[PATH_MAX + sizeof "/conf.d"];
	const char *file = c->file ? c->file : CONFIG_FILE;

	allow_file(l, file);
	folder_of(file, folder);
	snprintf(more, sizeof more, "%s/conf.d", folder);
	landlock_read(l, more);
	allow_file(l, tls_trust_path(NULL));
	allow_file(l, c->ca);
	for (size_t i = 0; i < c->upstream.count; i++) {
		const struct server_conf *s = &c->upstream.servers[i];

		allow_file(l, s->ca);
		allow_file(l, s->cert);
		allow_file(l, s->key);
	}
	for (size_t i = 0; i < c->certificate_count; i++) {
		allow_file(l, c->certificates[i].cert);
		allow_file(l, c->certificates[i].key);
	}
	allow_file(l, c->clients_ca);
	allow_file(l, c->ticket_keys);
	for (size_t i = 0; i < c->rules.list_count; i++)
		allow_file(l, c->rules.lists[i].file);
	for (size_t i = 0; i < c->rules.file_count; i++)
		allow_file(l, c->rules.files[i].file);
	allow_file(l, domain_list());
}

static bool asks_the_system(const struct upstream_conf *u)
{
	for (size_t i = 0; i < u->count; i++)
		if (u->servers[i].host && system_names_know(u->servers[i].host))
			return true;
	return false;
}

/* Its files are replaced while it is in use, resolv.conf with each network; so it is all of /etc
 * that can be read, as far as the user may. */
static void allow_resolver(struct landlock *l)
{
	system_names_prepare();
	landlock_read(l, "/etc");
	allow_file(l, "/etc/resolv.conf");
	allow_file(l, "/etc/hosts");
	allow_file(l, "/etc/nsswitch.conf");
}

static void allow_state(struct landlock *l, const struct config *c)
{
	if (c->upstream.state)
		landlock_write(l, c->upstream.state);
}

/* A new one is made there, and what was there is renamed; but one of those from which everything
 * hangs is too much for its sake. */
static void allow_dump(struct landlock *l, const struct config *c)
{
	char folder[PATH_MAX], real[PATH_MAX];

	if (!c->dump.file)
		return;
	folder_of(c->dump.file, folder);
	if (realpath(folder, real) && !is_at_the_root(real))
		landlock_write(l, real);
}

static void allow_socket(struct landlock *l, const char *path)
{
	char folder[PATH_MAX];

	if (!path)
		return;
	folder_of(path, folder);
	landlock_sockets(l, folder);
}

static void allow_sockets(struct landlock *l, const struct config *c, const char *control)
{
	allow_socket(l, control);
	for (size_t i = 0; i < c->listen.count; i++)
		allow_socket(l, c->listen.endpoints[i].at.path);
	for (size_t i = 0; i < c->off_count; i++)
		allow_socket(l, c->off[i].at.path);
}

/* ---- ports ---- */

static void allow_listener(struct landlock *l, const struct endpoint *e)
{
	if (!e->at.path)
		landlock_bind(l, addr_port(&e->at.addr));
}

/* What is off now may be switched on by a reload. */
static void allow_ports(struct landlock *l, const struct config *c)
{
	for (size_t i = 0; i < sizeof usual_ports / sizeof *usual_ports; i++)
		landlock_connect(l, usual_ports[i]);
	for (size_t i = 0; i < c->upstream.count; i++) {
		const struct server_conf *s = &c->upstream.servers[i];

		landlock_connect(l, addr_port(&s->addr));
		/* Bound to an address of ours, it gets its port when it connects. */
		if (s->source.any.sa_family != AF_UNSPEC)
			landlock_bind(l, 0);
	}
	for (size_t i = 0; i < c->listen.count; i++)
		allow_listener(l, &c->listen.endpoints[i]);
	for (size_t i = 0; i < c->off_count; i++)
		allow_listener(l, &c->off[i]);
}

/* ---- the whole ---- */

void confine(struct sandbox *s, const struct config *c, const char *control)
{
	struct landlock l = { .fd = -1 };

	if (c->sandbox != SANDBOX_OFF) {
		landlock_begin(&l);
		allow_configuration(&l, c);
		if (asks_the_system(&c->upstream))
			allow_resolver(&l);
		allow_state(&l, c);
		allow_dump(&l, c);
		allow_sockets(&l, c, control);
		allow_ports(&l, c);
#ifdef SOTTO_SANITIZED
		/* A sanitizer's report names functions and lines, and LeakSanitizer all threads. */
		landlock_read(&l, "/proc");
		landlock_read(&l, "/usr");
		allow_file(&l, "/proc/self/exe");
#endif
#ifdef SOTTO_COVERAGE
		/* At exit each source's counts are added to what lies there. */
		landlock_write(&l, SOTTO_COVERAGE);
#endif
	}
	sandbox_enter(s, c->sandbox, &l);
}

static bool lets(const struct sandbox *s, const struct server_conf *server)
{
	return landlock_lets_connect(&s->rules, addr_port(&server->addr)) &&
		(server->source.any.sa_family == AF_UNSPEC || landlock_lets_bind(&s->rules, 0));
}

const char *confine_refuses(const struct sandbox *s, const struct config *next)
{
	if (!s->landlock)
		return NULL;
	for (size_t i = 0; i < next->upstream.count; i++)
		if (next->upstream.servers[i].scheme != SCHEME_UDP &&
			!lets(s, &next->upstream.servers[i]))
			return "the sandbox lets upstreams be asked at ports 53, 853 and those of "
			       "the start, and from no other address than then: restart sotto";
	return NULL;
}
