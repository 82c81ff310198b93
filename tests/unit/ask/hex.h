/* hex: messages as hexadecimal text. */
#ifndef HEX_H
#define HEX_H

#include "case.h"
#include "dns/message.h"

struct octets {
	uint8_t at[DNS_MESSAGE_MAX];
	size_t len;
};

static inline uint8_t hex_digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static inline void hex_read(struct octets *o, const char *text)
{
	for (o->len = 0; *text; text += 2)
		o->at[o->len++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
}

#endif
