/* rules: what the daemon is told to say itself of a few names, the own ones, and what must come of
 * it. */
#ifndef WORLDS_RULES_H
#define WORLDS_RULES_H

#include "drama.h"

/* How each of the own names is ruled is drawn, or drawn anew. */
void rules_draw(struct drama *, struct plan *);
void rules_redraw(struct drama *, struct plan *);
/* As a setting of the command line. */
void rules_write(const struct plan *, char text[VALUE_TEXT]);
/* One of them; NAME_MOST octets. */
void rules_name(struct drama *, char name[NAME_MOST]);

/* The group that a question goes to under that plan; NO_GROUP: it is answered here. */
#define NO_GROUP UINT32_MAX
unsigned rules_group(const struct plan *, const struct meant *);
/* The question that is asked for it instead, if it is an alias under that plan. */
bool rules_alias(const struct plan *, const struct meant *, struct meant *target);

/* All that may be said of it, by bits 1 << enum ruling, under the configurations from first to
 * last. */
unsigned rules_of(const struct drama *, const struct meant *, unsigned first, unsigned last);
/* Is that what one of these rulings says, of itself? */
bool rules_said(unsigned rulings, const struct meant *, const struct reply *);

/* Those that need somebody else to be asked, in whole or in part; and those of which AA is set. */
#define RULINGS_ASKED (1u << RULED_NOT | 1u << RULED_ROUTED | 1u << RULED_ALIAS)
#define RULINGS_AA                                                                                 \
	(1u << RULED_NXDOMAIN | 1u << RULED_NODATA | 1u << RULED_ADDRESS | 1u << RULED_ALIAS)

#endif
