/* list_form: what the forms of lists have in common. For rules/lists and its forms alone. */
#ifndef RULES_LIST_FORM_H
#define RULES_LIST_FORM_H

#include "rules/list_entry.h"

#include <stdio.h>

/* A list that is being read. */
struct list_reading {
	FILE *file;
	bool (*take)(void *arg, const struct list_entry *);
	void *arg;
	struct list_report *report;
	unsigned line; /* where we are */
};

/* Each reads one line: not empty, without control characters but tabs, no white space at its ends.
 * It may be changed. False: a fault, and list_fault() was told. */
bool list_line_hosts(struct list_reading *, char *line);
bool list_line_domains(struct list_reading *, char *line);
bool list_line_adblock(struct list_reading *, char *line);
bool list_line_dnsmasq(struct list_reading *, char *line);
/* Reads a whole file. */
bool list_read_rpz(struct list_reading *);

/* The first fault of a list is its last: why, and the text, NULL for none, shortened and with its
 * control characters escaped. Always false. */
bool list_fault(struct list_reading *, const char *why, const char *text);
/* A line that DNS cannot do; why is constant. Always true. */
bool list_ignore(struct list_reading *, const char *why);
/* Gives an entry of this line. */
bool list_give(struct list_reading *, struct list_entry *);
/* The same, of a name as text; one that no question can have is ignored, one that is none is a
 * fault. */
bool list_give_name(struct list_reading *, enum pattern_kind, const char *text, bool allows);
/* Likewise, of a name that may have `*` in it; one that fits it exactly. */
bool list_give_glob(struct list_reading *, const char *text, bool allows);
/* Has it any octet that is not ASCII? */
bool list_is_foreign(const char *text);

/* Cuts off a comment: what is behind a `#` that starts the line or follows white space; and the
 * white space before it. */
void list_cut_comment(char *line);
/* Cuts off the first word, up to white space; what is behind it, from its first octet on. */
char *list_next_word(char *line);
#endif
