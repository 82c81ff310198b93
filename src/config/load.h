/* load: the places that values come from, one function each. config_load() calls them in their order.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"
#include "config/options.h"
#include "config/syntax.h"

/* A configuration in the making. */
struct load {
	struct config *config;
	struct problems problems;
	struct memory memory; /* of sources and trees, until the end of loading */
	const struct node *given[OPTIONS_MAX]; /* what each option was last set by; NULL: the default */
};

void load_defaults(struct load *);
/* NULL: CONFIG_FILE if it exists. A file that is named must be there. */
void load_file(struct load *, const char *name);
/* The files NAME.yaml of the folder conf.d beside the file, in the order of their names. */
void load_folder(struct load *, const char *file);
void load_environment(struct load *, char **environment);
void load_command_line(struct load *, const struct config_sources *);

#endif
