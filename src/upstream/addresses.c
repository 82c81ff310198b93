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
	char *rest, *end = strchr(line, '\n'), *host;

	*e = (struct addresses_entry){ 0 };
	if (!end || end[1])
		return false;
	*end = '\0';
	host = strtok_r(line, " ", &rest);
	if (!host || strlen(host) >= sizeof e->host)
		return false;
	memcpy(e->host, host, strlen(host) + 1);
	for (const char *word; (word = strtok_r(NULL, " ", &rest)); e->count++) {
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
	struct addresses_list *list = arg;

	for (size_t i = 0; i < list->count; i++) {
		struct addresses_entry *to = &list->entries[i];

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
	const struct addresses_list *list = arg;
	bool ok = true;

	for (size_t i = 0; i < list->count; i++)
		if (list->entries[i].count)
			ok = write_line(out, &list->entries[i]) && ok;
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
		read_lines(old, take_others, &f->writing);
		fclose(old);
	}
	f->error = replace_file(path, 0666, write_lines, &f->writing);

out:
	if (folder >= 0)
		close(folder);
}

/* ---- writing, as the worker sees it ---- */

static void list_clear(struct addresses_list *list)
{
	free(list->entries);
	*list = (struct addresses_list){ 0 };
}

/* Without memory it is written the next time. */
static void write_all(struct addresses_file *f)
{
	size_t size = f->now.count * sizeof *f->now.entries;

	f->stale = false;
	f->writing = (struct addresses_list){ malloc(size), f->now.count };
	if (!f->writing.entries)
		return;
	memcpy(f->writing.entries, f->now.entries, size);
	f->busy = loop_work(f->loop, &f->work) == 0;
	if (!f->busy)
		list_clear(&f->writing);
}

static void on_written(struct work *w)
{
	struct addresses_file *f = container_of(w, struct addresses_file, work);
	char path[PATH_MAX];

	f->busy = false;
	list_clear(&f->writing);
	if (f->error)
		log_file(LOG_WARN, "addresses cannot be saved", path_of(f->state, path),
			strerror(-f->error));
	if (f->stale)
		write_all(f);
}

static struct addresses_entry *find(const struct addresses_list *list, const char *host)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->entries[i].host, host) == 0)
			return &list->entries[i];
	return NULL;
}

void addresses_keep(
	struct addresses_file *f, const char *host, const struct addr *addrs, size_t count)
{
	struct addresses_entry *e = f->state ? find(&f->now, host) : NULL;

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

bool addresses_init(struct addresses_file *f, struct loop *loop, const char *state)
{
	f->work = (struct work){ on_write, on_written };
	f->loop = loop;
	f->state = state ? strdup(state) : NULL;
	return f->state || !state;
}

bool addresses_prepare(struct addresses_file *f, const struct upstream_conf *conf)
{
	f->next.entries = calloc(conf->count, sizeof *f->next.entries);
	if (!f->next.entries)
		return false;
	for (size_t i = 0; i < conf->count; i++) {
		const struct server_conf *s = &conf->servers[i];
		size_t len = s->host ? strlen(s->host) + 1 : 0;

		if (!len || len > ADDRESSES_NAME || find(&f->next, s->host))
			continue;
		struct addresses_entry *e = &f->next.entries[f->next.count++];

		memcpy(e->host, s->host, len);
		memcpy(e->addrs, s->saved, sizeof s->saved);
		e->count = s->saved_count;
	}
	return true;
}

/* What this worker knows of a host that stays is newer than what the file said. */
void addresses_swap(struct addresses_file *f)
{
	for (size_t i = 0; i < f->next.count; i++) {
		const struct addresses_entry *known = find(&f->now, f->next.entries[i].host);

		if (known)
			f->next.entries[i] = *known;
	}
	list_clear(&f->now);
	f->now = f->next;
	f->next = (struct addresses_list){ 0 };
}

void addresses_forget(struct addresses_file *f)
{
	list_clear(&f->next);
}

void addresses_clear(struct addresses_file *f)
{
	list_clear(&f->now);
	list_clear(&f->next);
	list_clear(&f->writing);
	free(f->state);
}
