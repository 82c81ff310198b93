/* uri: how an upstream is written.
 *
 *	SCHEME://HOST[:PORT][#AUTH-NAME][?KEY=VALUE&...]
 *
 * The scheme is tls, tcp, udp or ddr; the host is an address or, but for ddr, a name. The parts
 * behind it stand in any order. Spellings of other products are understood where they can only mean
 *this.
 */
#ifndef CONFIG_URI_H
#define CONFIG_URI_H

#include "config/uri_parts.h"

/* Fills in all but what is loaded from files. Texts live in the memory. */
bool uri_read(struct server_conf *, const char *text, struct memory *, struct uri_reading *);

/* The whole spelling: the server's text, and the parameters that are not part of it. It reads back
 * to the same. */
const char *uri_print(const struct server_conf *, struct memory *);

#endif
