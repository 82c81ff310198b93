#include "upstream/addresses.h"

#include "base/log.h"
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A host name, and ADDRS_MAX addresses. */
#define LINE_MAX_TEXT (256 + ADDRS_MAX * ADDR_TEXT)
/* More lines than there can be hosts are not read. */
#define LINES_MAX 1024

static const char *path_of(const char *state, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/addresses", state);
	return path;
}

bool addresses_same(const struct addr *a, size_t count, const struct addr *b, size_t other_count)
{
	size_t same = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < other_count; k++)
			if (addr_same_host(&a[i], &b[k])) {
				same++;
				break;
			}
	return same == count && count == other_count;
}

/* ---- reading ---- */

/* Cuts up the line, `NAME ADDRESS...` and nothing else. */
static bool read_line(char *line, struct addresses_entry *e)
{
	char *rest, *end = strchr(line, '\n');

	*e = (struct addresses_entry){ 0 };
	if (!end || end[1])
		return false;
	*end = '\0';
	e->host = strtok_r(line, " ", &rest);
	for (const char *word; e->host && (word = strtok_r(NULL, " ", &rest)); e->count++) {
		struct addr *a = &e->addrs[e->count % ADDRS_MAX];

		if (e->count == ADDRS_MAX || !addr_parse(a, word, 0) || addr_port(a) ||
			addr_is_no_host(a))
			return false;
	}
	return e->count > 0;
}

/* Hands every line that makes sense to take(); false: there were others. */
static bool read_lines(FILE *f, void (*take)(void *arg, const struct addresses_entry *), void *arg)
{
	char line[LINE_MAX_TEXT];
	bool all = true;

	for (int i = 0; i < LINES_MAX && fgets(line, sizeof line, f); i++) {
		struct addresses_entry e;

		if (read_line(line, &e))
			take(arg, &e);
		else
			all = false;
	}
	return all && feof(f) && !ferror(f);
}

static void give_to_servers(void *arg, const struct addresses_entry *e)
{
	struct upstream_conf *u = arg;

	for (size_t i = 0; i < u->count; i++) {
		struct server_conf *s = &u->servers[i];

		if (!s->host || strcmp(s->host, e->host) != 0)
			continue;
		memcpy(s->saved, e->addrs, sizeof s->saved);
		s->saved_count = e->count;
	}
}

void addresses_load(struct upstream_conf *u)
{
	static const char ignored[] = "saved addresses are ignored";
	char path[PATH_MAX];

	if (!u->state)
		return;
	FILE *f = replace_read(path_of(u->state, path));

	if (!f) {
		if (errno != ENOENT)
			log_file(LOG_WARN, ignored, path, strerror(errno));
		return;
	}
	if (!read_lines(f, give_to_servers, u))
		log_file(LOG_WARN, ignored, path, "there are lines that are not NAME ADDRESS...");
	fclose(f);
}

/* ---- writing, in another thread ---- */

/* What the file says of hosts that this worker knows nothing of stays. */
static void take_others(void *arg, const struct addresses_entry *e)
{
	struct addresses_file *f = arg;

	for (size_t i = 0; i < f->count; i++) {
		struct addresses_entry *to = &f->writing[i];

		if (to->own || strcmp(to->host, e->host) != 0)
			continue;
		memcpy(to->addrs, e->addrs, sizeof to->addrs);
		to->count = e->count;
	}
}

static bool write_line(FILE *out, const struct addresses_entry *e)
{
	char text[ADDR_TEXT];
	bool ok = fputs(e->host, out) >= 0;

	for (size_t i = 0; i < e->count; i++)
		ok = fprintf(out, " %s", addr_print_host(&e->addrs[i], text)) > 0 && ok;
	return fputc('\n', out) != EOF && ok;
}

static int write_lines(void *arg, FILE *out)
{
	const struct addresses_file *f = arg;
	bool ok = true;

	for (size_t i = 0; i < f->count; i++)
		if (f->writing[i].count)
			ok = write_line(out, &f->writing[i]) && ok;
	return ok ? 0 : -errno;
}

/* Workers take turns by a lock on the folder. */
static void on_write(struct work *w)
{
	struct addresses_file *f = container_of(w, struct addresses_file, work);
	int folder = open(f->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_MAX];

	path_of(f->state, path);
	if (folder < 0 || flock(folder, LOCK_EX) < 0) {
		f->error = -errno;
		goto out;
	}
	FILE *old = replace_read(path);

	if (old) {
		read_lines(old, take_others, f);
		fclose(old);
	}
	f->error = replace_file(path, 0666, write_lines, f);

out:
	if (folder >= 0)
		close(folder);
}

/* ---- writing, as the worker sees it ---- */

static void write_all(struct addresses_file *f)
{
	memcpy(f->writing, f->entries, f->count * sizeof *f->entries);
	f->stale = false;
	f->busy = loop_work(f->loop, &f->work) == 0;
}

static void on_written(struct work *w)
{
	struct addresses_file *f = container_of(w, struct addresses_file, work);
	char path[PATH_MAX];

	f->busy = false;
	if (f->error)
		log_file(LOG_WARN, "addresses cannot be saved", path_of(f->state, path),
			strerror(-f->error));
	if (f->stale)
		write_all(f);
}

static struct addresses_entry *find(struct addresses_file *f, const char *host)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->entries[i].host, host) == 0)
			return &f->entries[i];
	return NULL;
}

void addresses_keep(
	struct addresses_file *f, const char *host, const struct addr *addrs, size_t count)
{
	struct addresses_entry *e = f->state ? find(f, host) : NULL;

	if (!e)
		return;
	bool known = addresses_same(e->addrs, e->count, addrs, count);

	e->own = true;
	if (known)
		return;
	memcpy(e->addrs, addrs, count * sizeof *addrs);
	e->count = count;
	f->stale = true;
	if (!f->busy)
		write_all(f);
}

/* ---- life ---- */

bool addresses_init(struct addresses_file *f, struct loop *loop, const struct upstream_conf *conf)
{
	f->work = (struct work){ on_write, on_written };
	f->loop = loop;
	f->state = conf->state;
	f->entries = calloc(conf->count, sizeof *f->entries);
	f->writing = calloc(conf->count, sizeof *f->writing);
	if (!f->entries || !f->writing)
		return false;
	for (size_t i = 0; i < conf->count; i++) {
		const struct server_conf *s = &conf->servers[i];

		if (!s->host || find(f, s->host))
			continue;
		struct addresses_entry *e = &f->entries[f->count++];

		e->host = s->host;
		memcpy(e->addrs, s->saved, sizeof s->saved);
		e->count = s->saved_count;
	}
	return true;
}

void addresses_clear(struct addresses_file *f)
{
	free(f->entries);
	free(f->writing);
}
