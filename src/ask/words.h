/* words: the options of `sotto query`, a row of one table each, of which the help is made, too.
 *
 * What can be decided by one word alone goes into the plan at once; what depends on others is kept
 * as it was said, for ask/plan_read.
 */
#ifndef ASK_WORDS_H
#define ASK_WORDS_H

#include "ask/plan.h"

#include <stdio.h>

#define WORDS_PLAIN_MAX (3 * ASK_QUESTIONS_MAX)

/* A word that is no option, or one of -q, -t, -c, -x, which say what kind it is. */
enum plain_kind { PLAIN_ANY, PLAIN_NAME, PLAIN_TYPE, PLAIN_CLASS, PLAIN_REVERSE };

struct plain_word {
	enum plain_kind kind;
	const char *text;
};

struct ask_words {
	struct ask_plan *plan;
	FILE *err;
	unsigned mistakes;
	const char *option; /* the word that is being read, for what is said of mistakes */
	bool helped; /* the help was asked for, and has been printed */

	const char *server; /* without its @; NULL: none was named */
	const char *config, *port, *tls_port, *source, *tls_name, *ca, *cert, *key;
	const char *pins[TLS_PINS_MAX];
	unsigned pin_count;
	bool tcp, tls, unverified;
	bool has_edns_flags;
	uint16_t edns_flags; /* +ednsflags stands above +dnssec and the like */
	struct plain_word plain[WORDS_PLAIN_MAX];
	size_t plain_count;
};

/* Reads all words, up to NULL; mistakes are told, and counted. */
void words_read(struct ask_words *, const char *const *words);
/* Tells one mistake: "sotto query: WORD: what is wrong". False, for its callers to return. */
bool words_mistake(struct ask_words *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void words_help(FILE *);

#endif
