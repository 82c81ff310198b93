/* local: records that are served here: those of hosts files, of `hosts:`, and of zone files, of one
 * view. Names that are owned answer every type.
 *
 * A zone is served by RFC 1034 §4.3.2 and RFC 4592: wildcards, empty non-terminals, aliases,
 * DNAME; what it delegates is not ours. Names of hosts stand for themselves: nothing is said of
 * what is below or above them. Names that are made of addresses (synth.h) stand likewise, where no
 * other record has the name.
 */
#ifndef RULES_LOCAL_H
#define RULES_LOCAL_H

#include "rules/rrset.h"
#include "rules/rules.h"
#include "rules/synth.h"

struct local;

/* What is wrong, and where. */
struct local_fault {
	char file[256];
	unsigned line; /* 0: of no line */
	char why[RRSET_WHY];
};

struct local *local_new(uint32_t ttl_s);
void local_free(struct local *);

/* Each reads a file whole, or a folder of hosts files (folder.h); false: the fault says why, and
 * what was added is of no use. Of a hosts file, a line that is no address and names is a fault; of
 * a zone file everything that ldns refuses, a zone without SOA, names outside of it, CNAME beside
 * other data. $INCLUDE is refused. Of a zone file, the name is borrowed.
 */
bool local_read_hosts(struct local *, const char *path, struct local_fault *);
bool local_read_zone(struct local *, const char *origin, const char *file, struct local_fault *);
bool local_add_host(struct local *, const struct host_conf *, struct local_fault *);
/* Names of leases of DHCP that hold now, in the domain, where no other record has
 * the name: so all others are read before. */
#define LOCAL_LEASES_MAX 16384
struct local_leases {
	unsigned ignored; /* lines, ... */
	unsigned line; /* ... and the first of them; 0: the file cannot be read */
	const char *why; /* that one was; NULL: none */
};
/* False: out of memory, or no room for all addresses of a name. */
bool local_read_leases(
	struct local *, const char *domain, const char *file, int64_t now_s, struct local_leases *);
/* Names of the addresses of hosts (in-addr.arpa, ip6.arpa), where they have none. */
bool local_add_pointers(struct local *);
/* Names that are made of addresses; behind that, since an address that has a name keeps it. */
bool local_add_synthesized(struct local *, const struct synth_conf *, struct local_fault *);
/* Nothing is added afterwards. */
void local_seal(struct local *);

/* Calls visit() for each name that is owned by itself, and each domain that others are in: zones,
 * and those of names that are made (zone: with all below). False: visit() said so. */
bool local_each(
	const struct local *, bool (*visit)(void *arg, struct span name, bool zone), void *arg);

enum local_kind {
	LOCAL_FOREIGN, /* not ours: delegated, or not there at all */
	LOCAL_RECORDS, /* sets are those of the name */
	LOCAL_ALIAS, /* the name is an alias; CNAME is in sets */
	LOCAL_DNAME, /* sets has DNAME, of `owner` */
	LOCAL_NODATA, /* there are others */
	LOCAL_NXDOMAIN
};

struct local_found {
	enum local_kind kind;
	const struct rrset *sets; /* all of the name; NULL if it is made */
	const struct synth *made; /* what has the record of the name then */
	struct span owner; /* of what was found: a wildcard's, or a DNAME's; else the name */
	struct span zone; /* apex; of a name that is made, itself; empty: a name of hosts */
	const struct rrset *soa; /* of the zone; NULL: none */
	struct rules_place
		place; /* where it is named first; line 0: it is not in the zone's file */
};

/* What there is for a name (uncompressed, in lower case) and type. */
void local_find(const struct local *, struct span name, uint16_t type, struct local_found *);

#endif
