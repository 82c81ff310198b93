/* domain: which names belong together. */
#ifndef UPSTREAM_DOMAIN_H
#define UPSTREAM_DOMAIN_H

#include <stdint.h>

/* A number for the registrable domain of a name in wire form (example.co.uk for
 * www.example.co.uk), by the Public Suffix List of the system: the same for all names of a domain,
 * in every process, always. Without a list, the last two labels are the domain. */
uint64_t domain_number(const uint8_t *name);

/* The file of that list, which is read when it is first needed; NULL: there is none. */
const char *domain_list(void);

#endif
