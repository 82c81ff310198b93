/* list_entry: what a list says, and what it came to. */
#ifndef RULES_LIST_ENTRY_H
#define RULES_LIST_ENTRY_H

#include "rules/rrset.h"
#include "rules/rules.h"

/* One entry of a file. Records of a policy zone are one if they are of one name and stand together.
 */
struct list_entry {
	unsigned line;
	struct prefix *addresses; /* NULL: it is about names; else about addresses of answers */
	enum pattern_kind kind; /* EXACT, SUFFIX, BELOW; or GLOB with its text */
	struct span name; /* on the wire, in lower case */
	const char *glob; /* of GLOB; NULL otherwise */
	bool allows; /* an exception of the file's own */
	bool has_act; /* RPZ: what is done is said here ... */
	enum act act; /* ... NXDOMAIN, NODATA, PASS, DROP, TRUNCATE, CNAME, ANSWER */
	const char *target; /* of CNAME; `*.` in front: the name that is asked for stands there */
	struct rrset *sets; /* of ANSWER; borrowed */
};

/* What a file came to. */
struct list_report {
	enum list_format format; /* that was found */
	unsigned entries, ignored; /* ignored: lines of a known kind that DNS cannot do, such as
				      paths of URLs */
	unsigned ignored_line; /* the first of them ... */
	const char *ignored_why; /* ... and why; NULL: none */
	unsigned line; /* of the fault; 0: of no line */
	char why[RRSET_WHY]; /* the fault */
};

#endif
