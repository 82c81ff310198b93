/* synth: names that are made of the addresses of networks, both ways. Nothing is kept of single
 * names: what they have is computed when they are asked for.
 *
 * Their form is a name in which {a}, {b}, {c} and {d} are the numbers of an IPv4 address, and
 * {address} is all of one, with `-` in the place of its dots or colons: host-{c}-{d}.example. Those
 * that it leaves out are fixed by the networks, so that each name means one address.
 */
#ifndef RULES_SYNTH_H
#define RULES_SYNTH_H

#include "dns/name.h"
#include "rules/rrset.h"

struct synth;

/* The networks are borrowed, and of one family. NULL: why says what is wrong with the form, or that
 * there is no memory. */
struct synth *synth_new(const char *form, const struct acl *nets, char why[RRSET_WHY]);
void synth_free(struct synth *);

/* The record of a name (uncompressed, in lower case): A or AAAA of one that has the form, PTR of
 * the name of an address in the networks. The length of the data; 0: it is no such name. */
size_t synth_find(
	const struct synth *, struct span name, uint16_t *type, uint8_t data[NAME_MAX_WIRE]);

/* The domains that all such names are in: that of the form, and one for each network's addresses.
 * Calls visit() for each; false: visit() said so. */
bool synth_each_domain(
	const struct synth *, bool (*visit)(void *arg, struct span name, bool zone), void *arg);

#endif
