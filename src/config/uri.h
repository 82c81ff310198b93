/* uri: how an upstream is written.
 *
 *	tls://ADDRESS[:PORT][#AUTH-NAME][?pin=sha256/BASE64&ca=FILE]
 *
 * The parts behind the address stand in any order. Spellings of other products are understood where
 * they can only mean this.
 */
#ifndef CONFIG_URI_H
#define CONFIG_URI_H

#include "config/memory.h"
#include "upstream/upstream.h"

#include <stdbool.h>

#define URI_PORT 853

/* What came of reading: a sentence if it failed, and whether the spelling is another product's. */
struct uri_reading {
	char problem[512];
	bool is_foreign;
};

/* Fills in all but the trust. Texts live in the memory. */
bool uri_read(struct server_conf *, const char *text, struct memory *, struct uri_reading *);

/* The whole spelling: the server's text, its pins and its CA file. */
const char *uri_print(const struct server_conf *, struct memory *);

#endif
