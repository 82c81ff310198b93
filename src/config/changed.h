/* changed: what two configurations say differently, and what of that needs a restart. */
#ifndef CONFIG_CHANGED_H
#define CONFIG_CHANGED_H

#include "config/config.h"

/* Room for every key there is. */
#define CHANGED_TEXT 1024

struct changed {
	/* Keys, with commas: which a running process can change, and which only a restart does. */
	char at_once[CHANGED_TEXT], after_restart[CHANGED_TEXT];
};

/* Both have been read, and not been touched since. Where keys are the same and a file that they
 * name is not, the word is `certificates`. */
void changed_find(struct changed *, const struct config *now, const struct config *next);

/* What only a restart changes becomes in `next` what it is now. */
void changed_keep(struct config *next, const struct config *now);

#endif
