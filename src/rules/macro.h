/* macro: addresses that stand for something of this host, as `@iface:eth0`. */
#ifndef RULES_MACRO_H
#define RULES_MACRO_H

#include "net/addr.h"

#include <stdbool.h>

/* What an address stands for that is known only when it is asked for. */
enum macro {
	MACRO_NONE,
	MACRO_SELF, /* @self: the address that the question came to */
	MACRO_IFACE, /* @iface:NAME: those of an interface */
	MACRO_HOSTNAME, /* @hostname: those of this host's name, as the hosts file or the system has
			   them */
	MACRO_FIRST /* @first-nonloopback */
};

/* The most that one stands for. */
#define MACRO_ADDRESSES 64

/* What a word means; false: it is none of them. MACRO_NONE: it has no `@` in front. */
bool macro_read(const char *word, enum macro *);

/* The addresses that such a word stands for now, but for @self; how many. Those that lead nowhere
 * without the name of a link (fe80::/10) are left out. May ask the system, which may take seconds:
 * not on a loop. */
size_t macro_find(const char *word, struct addr out[MACRO_ADDRESSES]);

#endif
