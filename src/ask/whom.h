/* whom: which server the words mean, and who it has to prove to be.
 *
 * What options say of a server is written as an upstream of the configuration, and read as such:
 * one reader decides what is a name, a pin or a mistake.
 */
#ifndef ASK_WHOM_H
#define ASK_WHOM_H

#include "ask/words.h"

/* Makes the plan's server of them. False: a mistake has been told. */
bool whom_read(struct ask_words *);

#endif
