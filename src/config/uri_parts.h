/* uri_parts: an upstream while it is being read: what its parts have in common. */
#ifndef CONFIG_URI_PARTS_H
#define CONFIG_URI_PARTS_H

#include "config/memory.h"
#include "upstream/upstream.h"

#include <stdbool.h>

/* What came of reading: a sentence if it failed, and whether the spelling is another product's. */
struct uri_reading {
	char problem[512];
	bool is_foreign;
};

/* The parts of one spelling, cut out of a copy. */
struct uri_parts {
	struct memory *memory;
	struct uri_reading *reading;
	struct server_conf *server;
	char *host, *port, *name;
};

/* Writes what is wrong into the reading; false. */
bool uri_parts_fail(struct uri_reading *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* How the server's spelling begins: tls, tcp, udp or ddr. */
const char *uri_parts_scheme(const struct server_conf *);

#endif
