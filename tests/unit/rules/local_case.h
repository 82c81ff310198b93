/* local_case: files of hosts and zones as tests write them, and what there is for a name. */
#ifndef LOCAL_CASE_H
#define LOCAL_CASE_H

#include "case.h"

#include "dns/name.h"
#include "dns/text.h"
#include "rules/local.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TTL_S 60

static struct local *l;
static struct local_fault fault;
static struct local_found found;

/* A file that has this text, until the next one. */
static inline const char *file_of(const char *text)
{
	static char path[64];
	static int fd = -1;
	size_t len = strlen(text);

	if (fd >= 0)
		close(fd);
	fd = memfd_create("text", MFD_CLOEXEC);
	OK(fd >= 0);
	OK(write(fd, text, len) == (ssize_t)len);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return path;
}

static inline struct span wire(const char *text)
{
	static uint8_t names[4][NAME_MAX_WIRE];
	static unsigned next;
	uint8_t *to = names[next++ % 4];
	size_t len = name_from_text(text, to);

	OK(len);
	return (struct span){ to, len };
}

/* Sets `found`; what kind it is. */
static inline enum local_kind look(const char *name, uint16_t type)
{
	local_find(l, wire(name), type, &found);
	return found.kind;
}

static inline void is_name(struct span name, const char *want)
{
	char text[NAME_TEXT];

	OK(name.len > 0);
	STR(name_to_text(name.at, text), want);
}

/* The n-th record that was found, as octets. */
static inline struct span data_of(uint16_t type, unsigned n)
{
	const struct rrset *set = rrset_find(found.sets, type);
	const struct rdata *d = set ? set->first : NULL;

	for (; d && n > 0; n--)
		d = d->next;
	OK(d);
	return (struct span){ d->octets, d->len };
}

static inline unsigned count_of(uint16_t type)
{
	const struct rrset *set = rrset_find(found.sets, type);

	return set ? set->count : 0;
}

#endif
