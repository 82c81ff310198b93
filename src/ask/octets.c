#include "ask/octets.h"

#include <ctype.h>
#include <string.h>

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

bool octets_from_hex(struct memory *m, const char *text, uint8_t **out, size_t *len)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF");

	if (digits % 2 || text[digits] || digits / 2 > UINT16_MAX)
		return false;
	*len = digits / 2;
	*out = memory_take(m, *len + 1);
	for (size_t i = 0; i < *len; i++)
		(*out)[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	return true;
}

void octets_put_hex(FILE *out, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		fprintf(out, "%02x", s.at[i]);
}

void octets_put_text(FILE *out, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] >= ' ' && s.at[i] < 0x7f)
			fputc(s.at[i], out);
		else
			fprintf(out, "\\%03u", s.at[i]);
	}
}
