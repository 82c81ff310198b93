/* A hosts file, and the same octets as a file of leases, whatever is in it: each of its names is
 * found, and each address has a name; of leases nothing is a fault. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dns/types.h"
#include "fuzz.h"
#include "rules/local.h"

struct seen {
	const struct local *local;
	unsigned names;
};

/* What local_each() visits is what local_find() finds. */
static bool is_found(void *arg, struct span name, bool zone)
{
	struct seen *seen = arg;
	struct local_found found;

	local_find(seen->local, name, TYPE_ANY, &found);
	HOLDS(!zone && found.kind == LOCAL_RECORDS && found.sets);
	for (const struct rrset *set = found.sets; set; set = set->next) {
		HOLDS(set->count > 0 && set->first && set->ttl_s == 60);
		HOLDS(set->type == TYPE_A || set->type == TYPE_AAAA || set->type == TYPE_PTR);
	}
	local_find(seen->local, name, TYPE_TXT, &found);
	HOLDS(found.kind == LOCAL_NODATA);
	seen->names++;
	return true;
}

static void read_leases(const char *path)
{
	struct local *l = local_new(60);
	struct seen seen = { .local = l };
	struct local_leases told;

	HOLDS(l);
	if (local_read_leases(l, "lan", path, 1000, &told) && local_add_pointers(l)) {
		HOLDS((told.ignored > 0) == (told.why != NULL) && (!told.ignored || told.line > 0));
		local_seal(l);
		HOLDS(local_each(l, is_found, &seen));
	}
	local_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct local *l = local_new(60);
	int fd = memfd_create("hosts", MFD_CLOEXEC);
	struct seen seen = { .local = l };
	struct local_fault fault;
	char path[64];

	HOLDS(l && fd >= 0 && write(fd, data, len) == (ssize_t)len);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (local_read_hosts(l, path, &fault) && local_add_pointers(l)) {
		local_seal(l);
		HOLDS(local_each(l, is_found, &seen));
	} else {
		HOLDS(*fault.why);
	}
	read_leases(path);
	close(fd);
	local_free(l);
	return 0;
}
