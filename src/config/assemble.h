/* assemble: the servers, groups and zones that were written become those that upstream/ takes:
 * every server once, groups by index.
 */
#ifndef CONFIG_ASSEMBLE_H
#define CONFIG_ASSEMBLE_H

#include "config/config.h"

/* Fills in servers, groups, zones and notes from what is written, when all sources have been read;
 * zones that were written in the list of upstreams move to the others. Tells what does not fit
 * together. */
void assemble(struct config *, struct problems *);

#endif
