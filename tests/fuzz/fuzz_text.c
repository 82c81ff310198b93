/* Text that people write: names, types, and the words of `sotto cache`. What is taken can be
 * printed, and what is printed reads back to the same; ldns, which knows the same syntax, makes the
 * same name of it. */
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "control/cache_words.h"
#include "dns/text.h"
#include "fuzz.h"

/* ldns takes some names that are none here, such as `a..b`; what both take is the same. */
static void compare(const char *text, const uint8_t *name, size_t len)
{
	ldns_rdf *rdf = ldns_dname_new_frm_str(text);

	if (!rdf)
		return;
	HOLDS(ldns_rdf_size(rdf) == len && memcmp(ldns_rdf_data(rdf), name, len) == 0);
	ldns_rdf_deep_free(rdf);
}

static void read_name(const char *text)
{
	uint8_t name[NAME_MAX_WIRE], again[NAME_MAX_WIRE];
	char printed[NAME_TEXT];
	size_t len = name_from_text(text, name);

	if (!len)
		return;
	HOLDS(len <= NAME_MAX_WIRE && name_len((struct span){ name, len }, 0) == len);
	HOLDS(name_from_text(name_to_text(name, printed), again) == len);
	HOLDS(memcmp(name, again, len) == 0);
	compare(text, name, len);
	compare(printed, name, len);
}

static void read_type(const char *text)
{
	char printed[TEXT_MAX];
	uint16_t type, again;

	if (!text_read_type(text, &type))
		return;
	HOLDS(text_read_type(text_type(type, printed), &again) && again == type);
	HOLDS(strlen(text_rcode(type, printed)) < TEXT_MAX); /* any number is one */
}

typedef const char *meaning_fn(struct cache_words *, const struct words *);

/* What the words mean, said in other words, means the same. */
static void read_words(const char *text, meaning_fn *meaning)
{
	char line[WORDS_LINE], printed[CACHE_WORDS_TEXT];
	struct cache_words first, again;
	struct words words;

	snprintf(line, sizeof line, "%s", text);
	if (!words_cut(&words, line) || meaning(&first, &words))
		return;
	cache_words_print(&first, printed);
	HOLDS(words_cut(&words, printed) && !meaning(&again, &words));
	HOLDS(first.all == again.all && first.below == again.below);
	HOLDS(first.any_type == again.any_type && first.type == again.type);
	HOLDS(first.name_len == again.name_len);
	HOLDS(memcmp(first.name, again.name, first.name_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = strndup((const char *)data, len);

	HOLDS(text);
	read_name(text);
	read_type(text);
	read_words(text, cache_words_lookup);
	read_words(text, cache_words_flush);
	free(text);
	return 0;
}
