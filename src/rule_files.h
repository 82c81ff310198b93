/* rule_files: lists, hosts files and zone files that have changed are read again, and rules decide
 * by them from then on. One that is broken changes nothing, and is said.
 *
 * Files are looked at every few seconds, in a thread that serves nobody, and read when they have
 * stayed the same for that long. What is replaced, be it a set of rules or a configuration with all
 * of its rules, may be large: it is given back in that thread as well. So this is an owner of each
 * of them, and waits until it is the only one.
 *
 * Everything here is for one loop's thread.
 */
#ifndef RULE_FILES_H
#define RULE_FILES_H

#include "config/config.h"
#include "control/view.h"

struct kept;

/* Embedded, zeroed. */
struct rule_files {
	struct loop *loop;
	struct config *conf; /* whose files they are; one owner of it */
	struct config *next; /* that of a reload, while files are looked at; NULL: none */
	struct timer timer;
	struct work work;
	bool working;
	uint64_t known, seen; /* how files stood when they were read, and last looked at */
	struct kept *kept; /* what is to be given back, once nobody else owns it */
	struct kept *more; /* what came to it while files are looked at */

	struct view_rules told;
	struct ruleset_fault fault; /* that is told */

	/* Of one look. */
	bool looked_new; /* there is a set, or a fault of it */
	struct ruleset *set;
	struct ruleset_fault found;
};

/* Looks from now on. */
void rule_files_start(struct rule_files *, struct loop *, struct config *);
/* That configuration was read, and may be in force some day: it is given back here. */
void rule_files_keep(struct rule_files *, struct config *);
/* It is in force; it was read just now. */
void rule_files_renew(struct rule_files *, struct config *);
/* Looks no more. */
void rule_files_stop(struct rule_files *);
/* After the loop was freed. */
void rule_files_clear(struct rule_files *);

#endif
