/* Names that dnsmasq has given away by DHCP, from its file of leases: a line each of when it ends,
 * the hardware's address or an IAID, the address, the name or `*`, and the client's identifier;
 * before those of IPv6 is one of the server's, `duid`.
 *
 * Clients choose their names, and the file is written while it is read. So a name is one label in
 * the domain, never alone, where it could be `com`, is not taken from who has it already, and
 * nothing in the file is a fault: what makes no sense is left out, and told.
 */
#include "rules/local.h"

#include "base/replace.h"
#include "dns/types.h"
#include "rules/local_store.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char blank[] = " \t\r\n";
static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

#define LABEL_MAX  63
#define DOMAIN_MAX 255

struct lease {
	char name[LABEL_MAX + 1];
	unsigned line;
	size_t len; /* of the address */
	uint8_t octets[16];
	bool is_free; /* nobody else has its name */
};

struct reading {
	const char *domain;
	int64_t now_s;
	struct lease *all;
	size_t count;
	struct local_leases *told;
};

/* ---- lines ---- */

/* The label that a name begins with, if nothing but the domain is behind it. */
static bool read_label(const struct reading *r, const char *text, char label[LABEL_MAX + 1])
{
	size_t len = strspn(text, letters);
	const char *rest = text + len;

	if (!len || len > LABEL_MAX || *text == '-')
		return false;
	if (*rest == '.' && strncasecmp(rest + 1, r->domain, strlen(r->domain)) == 0)
		rest += 1 + strlen(r->domain);
	if (*rest && strcmp(rest, ".") != 0)
		return false;
	memcpy(label, text, len);
	label[len] = 0;
	return true;
}

/* What is wrong with the line; NULL: nothing. Sets *held if it is a lease that has a name and
 * holds. */
static const char *read_line(const struct reading *r, char *line, struct lease *lease, bool *held)
{
	char *rest, *end, *field[5] = { NULL };
	size_t count = 0;

	for (char *at = line; count < 5 && (field[count] = strtok_r(at, blank, &rest)); at = NULL)
		count++;
	if (!count || (count == 2 && strcmp(field[0], "duid") == 0))
		return NULL;
	if (count < 4)
		return "not a lease";
	long long ends_s = strtoll(field[0], &end, 10);

	if (*end || ends_s < 0)
		return "not a time";
	lease->len = inet_pton(AF_INET, field[2], lease->octets) == 1 ? 4
		: inet_pton(AF_INET6, field[2], lease->octets) == 1   ? 16
								      : 0;
	if (!lease->len)
		return "not an address";
	if (strcmp(field[3], "*") == 0 || (ends_s && ends_s <= r->now_s))
		return NULL;
	if (!read_label(r, field[3], lease->name))
		return "not the name of a host in the domain";
	*held = true;
	return NULL;
}

static void leave(struct reading *r, unsigned line, const char *why)
{
	if (r->told->ignored++)
		return;
	r->told->line = line;
	r->told->why = why;
}

static bool read_lines(struct reading *r, FILE *f)
{
	char *line = NULL;
	size_t room = 0, have = 0;
	unsigned number = 0;
	bool ok = true;

	for (ssize_t len; ok && (len = getline(&line, &room, f)) >= 0;) {
		struct lease lease = { .len = 0 };
		bool held = false;
		const char *why = strlen(line) == (size_t)len ? read_line(r, line, &lease, &held)
							      : "it has a NUL";

		lease.line = ++number;
		if (why || (held && r->count == LOCAL_LEASES_MAX)) {
			leave(r, number, why ? why : "too many leases");
			continue;
		}
		if (!held)
			continue;
		if (r->count == have) {
			struct lease *more =
				reallocarray(r->all, have = have ? 2 * have : 16, sizeof *more);

			ok = more != NULL;
			r->all = more ? more : r->all;
		}
		if (ok)
			r->all[r->count++] = lease;
	}
	free(line);
	return ok;
}

/* ---- names ---- */

static const char *in_domain(
	const struct reading *r, const struct lease *lease, char text[LABEL_MAX + DOMAIN_MAX + 2])
{
	snprintf(text, LABEL_MAX + DOMAIN_MAX + 2, "%s.%s", lease->name, r->domain);
	return text;
}

/* Has nobody said what that is? */
static bool is_free(const struct local *l, const char *text)
{
	uint8_t name[NAME_MAX_WIRE];
	size_t len = name_from_text(text, name);
	struct local_found found;

	if (!len)
		return false;
	name_lower(name, len);
	local_find(l, (struct span){ name, len }, TYPE_A, &found);
	return found.kind == LOCAL_FOREIGN || found.kind == LOCAL_NXDOMAIN;
}

static bool put(struct local *l, const char *name, const struct lease *lease)
{
	const struct span address = { lease->octets, lease->len };
	struct owner *owner = local_put_host(l, name, lease->line);

	return owner &&
		rrset_add(&owner->sets, lease->len == 4 ? TYPE_A : TYPE_AAAA, l->ttl_s, address) &&
		local_note_address(l, owner->node, address);
}

static void put_all(struct reading *r, struct local *l)
{
	char text[LABEL_MAX + DOMAIN_MAX + 2];

	for (size_t i = 0; i < r->count; i++)
		r->all[i].is_free = is_free(l, in_domain(r, &r->all[i], text));
	for (size_t i = 0; i < r->count; i++) {
		const struct lease *lease = &r->all[i];

		if (lease->is_free && !put(l, in_domain(r, lease, text), lease))
			leave(r, lease->line,
				"more addresses of a name than one answer can hold, or no memory");
	}
}

bool local_read_leases(struct local *l, const char *domain, const char *file, int64_t now_s,
	struct local_leases *told)
{
	struct reading r = { .domain = domain, .now_s = now_s, .told = told };
	FILE *f = replace_read(file);

	*told = (struct local_leases){ .why = NULL };
	if (!f) {
		leave(&r, 0, replace_why_not(errno));
		return true;
	}
	bool ok = read_lines(&r, f) && local_begin_source(l, file);

	if (ok)
		put_all(&r, l);
	fclose(f);
	free(r.all);
	return ok;
}
