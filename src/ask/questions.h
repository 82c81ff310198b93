/* questions: what the words that are no options ask for.
 *
 * NAME [TYPE...] [CLASS], again and again; or TYPE NAME, as others have it. While a name is open, a
 * word without a dot is its type or class, or a mistake. So `ns` alone is a name, and `ns a` too;
 * `ns example.com` are the name servers of a domain.
 */
#ifndef ASK_QUESTIONS_H
#define ASK_QUESTIONS_H

#include "ask/words.h"

/* Makes the plan's questions of them. False: mistakes have been told. */
bool questions_read(struct ask_words *);

#endif
