/* Names of hosts, from files in the form of /etc/hosts and from the configuration, and the names of
 * their addresses. */
#include "rules/local.h"

#include "base/folder.h"
#include "base/replace.h"
#include "dns/types.h"
#include "rules/local_store.h"
#include "rules/reverse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char blank[] = " \t\r\n\v\f";
static const char order_mark[] = "\xef\xbb\xbf"; /* what some editors begin a file with */
static const char no_room[] = "more addresses than one answer can hold, or no memory for them";

/* ---- where they are written ---- */

static bool is_file(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool local_begin_source(struct local *l, const char *file)
{
	size_t count = l->source_count;
	struct host_source *sources;

	if (count && is_file(l->sources[count - 1].file, file))
		return true;
	sources = realloc(l->sources, (count + 1) * sizeof *sources);
	if (!sources)
		return false;
	l->sources = sources;
	sources[count] = (struct host_source){ file ? strdup(file) : NULL, l->hosts.count };
	if (file && !sources[count].file)
		return false;
	l->source_count++;
	return true;
}

/* NULL: no memory. */
static struct owner *put_owner(struct local *l, struct span name, unsigned line)
{
	struct owner *owner = owners_put(&l->hosts, name);

	if (owner && !owner->sets)
		owner->line = line;
	return owner;
}

/* ---- addresses that are to have a name ---- */

bool local_note_address(struct local *l, uint32_t node, struct span octets)
{
	struct host_address *to;

	if (l->address_count == l->address_room) {
		size_t room = l->address_room ? 2 * l->address_room : 16;

		to = realloc(l->addresses, room * sizeof *to);
		if (!to)
			return false;
		l->addresses = to;
		l->address_room = room;
	}
	to = &l->addresses[l->address_count++];
	*to = (struct host_address){ .node = node, .len = (uint8_t)octets.len };
	memcpy(to->octets, octets.at, octets.len);
	return true;
}

static bool is_any(const struct host_address *a)
{
	static const uint8_t any[16];

	return memcmp(a->octets, any, a->len) == 0;
}

/* It is written where the name is that it leads to. */
static struct owner *put_pointer(struct local *l, const struct host_address *a, struct span pointer)
{
	struct rules_place place = local_host_place(l, owners_find(&l->hosts, a->node));

	return local_begin_source(l, place.file) ? put_owner(l, pointer, place.line) : NULL;
}

bool local_add_pointers(struct local *l)
{
	for (size_t i = 0; i < l->address_count; i++) {
		const struct host_address *a = &l->addresses[i];
		const struct span octets = { a->octets, a->len };
		uint8_t name[NAME_MAX_WIRE];
		struct span pointer = { name, reverse_name(octets, 8u * a->len, name) };
		struct local_found found;
		struct owner *owner;

		local_find(l, pointer, TYPE_PTR, &found);
		if (is_any(a) || found.kind == LOCAL_RECORDS || found.kind == LOCAL_ALIAS)
			continue;
		owner = put_pointer(l, a, pointer);
		if (!owner ||
			!rrset_add(&owner->sets, TYPE_PTR, l->ttl_s,
				names_name(l->hosts.names, a->node)))
			return false;
	}
	return true;
}

/* ---- names ---- */

struct owner *local_put_host(struct local *l, const char *text, unsigned line)
{
	uint8_t name[NAME_MAX_WIRE];
	size_t len = name_from_text(text, name);

	name_lower(name, len);
	return len > 1 ? put_owner(l, (struct span){ name, len }, line) : NULL;
}

/* A link's name behind an address of IPv6 is no matter of DNS. */
static size_t read_address(char *text, struct in6_addr *out)
{
	char *scope;

	if (inet_pton(AF_INET, text, out) == 1)
		return sizeof(struct in_addr);
	scope = strchr(text, '%');
	if (scope)
		*scope = 0;
	return inet_pton(AF_INET6, text, out) == 1 ? sizeof *out : 0;
}

struct reading {
	struct local *local;
	const char *file;
	unsigned line;
	struct local_fault *fault;
	bool ok; /* of a folder's files so far */
};

/* All names have the address; it has the first of them. */
static bool read_names(const struct reading *r, struct span address, char *rest)
{
	struct local *l = r->local;
	bool first = true;

	for (char *word, *at = rest; (word = strtok_r(NULL, blank, &at)); first = false) {
		struct owner *owner = local_put_host(l, word, r->line);

		if (!owner)
			return local_refuse(r->fault, r->file, r->line, "%.80s: not a name", word);
		if (!rrset_add(&owner->sets, address.len == 4 ? TYPE_A : TYPE_AAAA, l->ttl_s,
			    address) ||
			(first && !local_note_address(l, owner->node, address)))
			return local_refuse(r->fault, r->file, r->line, "%s", no_room);
	}
	if (first)
		return local_refuse(r->fault, r->file, r->line, "an address without a name");
	return true;
}

static bool read_line(const struct reading *r, char *line, size_t len)
{
	struct in6_addr octets;
	struct span address = { (const uint8_t *)&octets, 0 };
	char *rest, *word;

	if (strlen(line) != len)
		return local_refuse(r->fault, r->file, r->line, "it has a NUL");
	if (r->line == 1 && strncmp(line, order_mark, strlen(order_mark)) == 0)
		line += strlen(order_mark);
	line[strcspn(line, "#")] = 0;
	word = strtok_r(line, blank, &rest);
	if (!word)
		return true;
	address.len = read_address(word, &octets);
	if (!address.len)
		return local_refuse(r->fault, r->file, r->line, "%.80s: not an address", word);
	return read_names(r, address, rest);
}

static bool read_file(struct reading *r, const char *file)
{
	FILE *f = replace_read(file);
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	bool ok = true;

	r->file = file;
	r->line = 0;
	if (!f)
		return local_refuse(r->fault, file, 0, "%s", replace_why_not(errno));
	ok = local_begin_source(r->local, file) || local_refuse(r->fault, file, 0, "no memory");
	errno = 0;
	while (ok && (len = getline(&line, &room, f)) >= 0) {
		r->line++;
		ok = read_line(r, line, (size_t)len);
	}
	if (ok && !feof(f))
		ok = local_refuse(r->fault, file, 0, "%s", strerror(errno));
	free(line);
	fclose(f);
	return ok;
}

static bool read_next(void *arg, const char *file)
{
	struct reading *r = arg;

	r->ok = read_file(r, file);
	return r->ok;
}

bool local_read_hosts(struct local *l, const char *path, struct local_fault *fault)
{
	struct reading r = { .local = l, .fault = fault, .ok = true };
	int err = folder_each(path, read_next, &r);

	if (err == -ENOTDIR)
		return read_file(&r, path);
	if (err == -E2BIG)
		return local_refuse(
			fault, path, 0, "a folder of more than %d files", FOLDER_FILES_MAX);
	return err ? local_refuse(fault, path, 0, "%s", replace_why_not(-err)) : r.ok;
}

/* ---- of the configuration ---- */

bool local_add_host(struct local *l, const struct host_conf *conf, struct local_fault *fault)
{
	struct owner *owner = local_begin_source(l, conf->place.file)
		? local_put_host(l, conf->name, conf->place.line)
		: NULL;
	char why[RRSET_WHY];

	if (!owner)
		return local_refuse(
			fault, conf->place.file, conf->place.line, "%.80s: not a name", conf->name);
	for (size_t i = 0; i < conf->address_count; i++)
		if (!rrset_add_address(&owner->sets, conf->addresses[i], l->ttl_s, why))
			return local_refuse(fault, conf->place.file, conf->place.line, "%s", why);
	for (const struct rrset *set = owner->sets; set; set = set->next)
		for (const struct rdata *d = set->first; d; d = d->next)
			if (d->macro == MACRO_NONE &&
				!local_note_address(
					l, owner->node, (struct span){ d->octets, d->len }))
				return local_refuse(fault, NULL, 0, "no memory");
	return true;
}
