#include "ask/object.h"

#include <stdlib.h>
#include <string.h>

json_t *object_word(const char *text)
{
	json_t *word = json_string(text);

	if (word)
		return word;
	char *ascii = strdup(text);

	for (char *c = ascii; c && *c; c++)
		if (*c & 0x80)
			*c = '?';
	word = ascii ? json_string(ascii) : NULL;
	free(ascii);
	return word;
}

void object_put(json_t *o, FILE *out)
{
	if (!o || json_dumpf(o, out, JSON_COMPACT | JSON_ENSURE_ASCII) < 0)
		fputs("{\"error\":\"out of memory\"}", out);
	fputc('\n', out);
	json_decref(o);
}
