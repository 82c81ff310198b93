#include "dns/text.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dns/types.h"

struct word {
	uint16_t number;
	const char *text;
};

#define X(name, number) { number, #name },
static const struct word types[] = { DNS_TYPES(X) };
static const struct word rcodes[] = { DNS_RCODES(X) };
#undef X

static const char *word_for(const struct word *words, size_t count, uint16_t number)
{
	for (size_t i = 0; i < count; i++)
		if (words[i].number == number)
			return words[i].text;
	return NULL;
}

const char *text_type(uint16_t type, char text[TEXT_MAX])
{
	const char *word = word_for(types, sizeof(types) / sizeof(types[0]), type);

	if (word)
		return word;
	snprintf(text, TEXT_MAX, "TYPE%u", type);
	return text;
}

bool text_read_type(const char *text, uint16_t *type)
{
	unsigned number = 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcasecmp(types[i].text, text) == 0) {
			*type = types[i].number;
			return true;
		}
	}
	if (strncasecmp(text, "TYPE", 4) != 0 || !text[4])
		return false;
	for (const char *c = text + 4; *c; c++) {
		if (*c < '0' || *c > '9')
			return false;
		number = number * 10 + (unsigned)(*c - '0');
		if (number > UINT16_MAX)
			return false;
	}
	*type = (uint16_t)number;
	return true;
}

const char *text_rcode(uint16_t rcode, char text[TEXT_MAX])
{
	const char *word = word_for(rcodes, sizeof(rcodes) / sizeof(rcodes[0]), rcode);

	if (word)
		return word;
	snprintf(text, TEXT_MAX, "RCODE%u", rcode);
	return text;
}
