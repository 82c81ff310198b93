#include "control/cache_words.h"

#include "dns/text.h"

#include <stdio.h>
#include <string.h>

static bool take_name(struct cache_words *c, const char *text)
{
	c->name_len = name_from_text(text, c->name);
	name_lower(c->name, c->name_len);
	return c->name_len > 0;
}

const char *cache_words_lookup(struct cache_words *c, const struct words *w)
{
	*c = (struct cache_words){ .any_type = w->count < 2 };
	if (w->count == 0)
		return "a name is missing: lookup NAME [TYPE]";
	if (w->count > 2)
		return "too many words: lookup NAME [TYPE]";
	if (!take_name(c, w->at[0]))
		return "what is to be looked up is no domain name";
	if (w->count == 2 && !text_read_type(w->at[1], &c->type))
		return "there is no such type; those without a name are TYPE1 to TYPE65535";
	return NULL;
}

/* Nobody should empty a cache by a word left out. */
const char *cache_words_flush(struct cache_words *c, const struct words *w)
{
	const char *name = w->count ? w->at[w->count - 1] : NULL;

	*c = (struct cache_words){ .any_type = true };
	if (!name)
		return "say what: flush NAME, flush --below NAME, or flush --all";
	c->all = strcmp(w->at[0], "--all") == 0;
	c->below = strcmp(w->at[0], "--below") == 0;
	if (c->below && w->count == 1)
		return "a name is missing: flush --below NAME";
	if (w->count > (c->below ? 2 : 1))
		return "too many words: flush NAME, flush --below NAME, or flush --all";
	if (!c->all && !take_name(c, name))
		return "what is to be forgotten is no domain name";
	return NULL;
}

void cache_words_print(const struct cache_words *c, char text[CACHE_WORDS_TEXT])
{
	char name[NAME_TEXT], type[TEXT_MAX];

	if (c->all)
		snprintf(text, CACHE_WORDS_TEXT, "--all");
	else
		snprintf(text, CACHE_WORDS_TEXT, "%s%s%s%s", c->below ? "--below " : "",
			name_to_text(c->name, name), c->any_type ? "" : " ",
			c->any_type ? "" : text_type(c->type, type));
}
