/* trace: requests for names, as a cache sees them. The same at each run. */
#ifndef EVICTION_TRACE_H
#define EVICTION_TRACE_H

#include <stddef.h>
#include <stdint.h>

struct recipe {
	const char *title;
	uint32_t names; /* that are popular, by Zipf's law */
	uint32_t asked;
	double exponent; /* the name of rank k is asked for k^-exponent as often as the first */
	unsigned rare_in; /* each so-manieth request is for a name that is not among those; 0: none
			   */
	uint32_t again_after; /* it is asked for twice, so many others of its kind between; 0: once
			       */
	uint32_t shift; /* half-way, popularity moves on by so many names */
};

struct trace {
	const struct recipe *recipe;
	uint32_t *asked; /* the names, by number: recipe->asked of them */
	uint32_t names; /* all numbers are below this */
	uint64_t footprint; /* octets that all popular names together take */
};

enum { ZIPF, FLAT_ZIPF, FLOOD, TWICE_SOON, TWICE_LATER, SHIFT, RECIPES };

/* One of the above, with a part-th of the names and requests. */
struct recipe trace_recipe(int which, uint32_t part);

/* recipe is borrowed. Aborts when out of memory. */
void trace_make(struct trace *, const struct recipe *);
void trace_clear(struct trace *);

/* The octets that an entry takes, with everything that is known of it: 120 to 300 mostly, some up
 * to 4 KiB. */
uint32_t trace_size(uint32_t name);

/* A number spread over all 64 bits. */
uint64_t trace_mix(uint64_t);

#endif
