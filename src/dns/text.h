/* text: the words for types and rcodes. */
#ifndef DNS_TEXT_H
#define DNS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define TEXT_MAX 16

/* "A", or "TYPE65280" (RFC 3597 §5) written into text. */
const char *text_type(uint16_t type, char text[TEXT_MAX]);
/* The number of such a text, in any case. False: there is no such type. */
bool text_read_type(const char *text, uint16_t *type);
/* "SERVFAIL", or "RCODE3841". */
const char *text_rcode(uint16_t rcode, char text[TEXT_MAX]);

#endif
