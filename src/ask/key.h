/* key: keys of TSIG, as people and name servers write them. */
#ifndef ASK_KEY_H
#define ASK_KEY_H

#include "ask/plan.h"
#include "ask/why.h"

/* Reads one key from a file: what BIND has in its configuration (`key "name" { algorithm ...;
 * secret "..."; };`, the first one of the file), or the K*.key or K*.private of dnssec-keygen. The
 * key lives in the memory. False: why. */
bool key_read_file(struct ask_key *, struct memory *, const char *path, char why[WHY_MAX]);

/* Reads [ALGORITHM:]NAME:SECRET; the algorithm is hmac-sha256 unless it is said. */
bool key_read_words(struct ask_key *, struct memory *, const char *words, char why[WHY_MAX]);

#endif
