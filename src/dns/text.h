/* text: the words for types and rcodes. */
#ifndef DNS_TEXT_H
#define DNS_TEXT_H

#include <stdint.h>

#define TEXT_MAX 16

/* "A", or "TYPE65280" (RFC 3597 §5) written into text. */
const char *text_type(uint16_t type, char text[TEXT_MAX]);
/* "SERVFAIL", or "RCODE3841". */
const char *text_rcode(uint16_t rcode, char text[TEXT_MAX]);

#endif
