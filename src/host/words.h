/* words: the command line of `sotto host`. */
#ifndef HOST_WORDS_H
#define HOST_WORDS_H

#include "host/intercept.h"

enum { WORDS_USAGE = 64, WORDS_LISTEN = 64 };

enum host_deed { DEED_ENABLE, DEED_DISABLE, DEED_STATUS, DEED_INTERCEPT };

struct host_words {
	enum host_deed deed;
	const char *root;
	bool dry_run, force, remove;
	struct intercept intercept;
	const char *file; /* the configuration; NULL: the usual one */
	const char *listen[WORDS_LISTEN + 1];
	size_t listen_count;
	bool exempts; /* it was said who */
};

/* Reads the words behind `host`, argv[0]. -1: go on; else the exit status: what is wrong, or the
 * help, has been told. */
int host_words_read(struct host_words *, int argc, char **argv);

#endif
