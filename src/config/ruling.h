/* ruling: what decides on questions, loaded: rules with the files that they name. */
#ifndef CONFIG_RULING_H
#define CONFIG_RULING_H

#include "config/config.h"

/* Puts the set of config->rules, with files as they are now, into config->ruled. Tells what is
 * wrong. */
void ruling_load(struct config *, struct problems *);

/* How the files stand: another number where one of them has changed. From any thread. */
uint64_t ruling_files(const struct config *);

#endif
