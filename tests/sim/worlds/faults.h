/* faults: allocations of the daemon that fail, and those that are never given back.
 *
 * The linker sends the daemon's calls of malloc() and the like here (--wrap). Those of the world
 * are compiled to go past it.
 */
#ifndef WORLDS_FAULTS_H
#define WORLDS_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* Of the allocations to come, `after` succeed and then `count` fail. */
void faults_arm(size_t after, size_t count);
/* None fails until it is no longer so. */
void faults_pause(bool);
/* Does this one fail? To be asked by who allocates on the daemon's behalf. */
bool faults_strike(void);
/* How many have failed. */
size_t faults_struck(void);
/* Allocations that live. */
size_t faults_live(void);

#endif
