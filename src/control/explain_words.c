#include "control/explain_words.h"

#include "dns/text.h"
#include "dns/types.h"

#include <string.h>

static const char *take_client(struct explain_words *e, const char *text)
{
	e->has_client = addr_parse(&e->client, text, 0) && !addr_port(&e->client);
	return e->has_client ? NULL : "--client is an address, without a port";
}

static const char *take_option(struct explain_words *e, const char *option, const char *value)
{
	static const char no_value[] = "a value is missing behind the last option";

	if (strcmp(option, "--client") == 0)
		return value ? take_client(e, value) : no_value;
	if (strcmp(option, "--at") == 0)
		e->listener = value;
	else if (strcmp(option, "--identity") == 0)
		e->identity = value;
	else
		return "explain knows --client, --at and --identity";
	return value ? NULL : no_value;
}

/* The first is a name, the second a type. */
static const char *take_word(struct explain_words *e, const char *word, unsigned place)
{
	if (place == 0) {
		e->name_len = name_from_text(word, e->name);
		return e->name_len ? NULL : "what is to be explained is no domain name";
	}
	if (place > 1)
		return "too many words: explain NAME [TYPE]";
	return text_read_type(word, &e->type)
		? NULL
		: "there is no such type; those without a name are TYPE1 to TYPE65535";
}

const char *explain_words_read(struct explain_words *e, const struct words *w)
{
	const char *why = NULL;
	unsigned place = 0;

	*e = (struct explain_words){ .type = TYPE_A };
	for (size_t i = 0; i < w->count && !why; i++) {
		if (strncmp(w->at[i], "--", 2) != 0) {
			why = take_word(e, w->at[i], place++);
		} else {
			why = take_option(e, w->at[i], i + 1 < w->count ? w->at[i + 1] : NULL);
			i++;
		}
	}
	if (!why && !place)
		return "a name is missing: explain NAME [TYPE]";
	return why;
}
