/* words: the command line of `sotto host`. */
#ifndef HOST_WORDS_H
#define HOST_WORDS_H

#include "config/config.h"

enum { WORDS_USAGE = 64, WORDS_LISTEN = 64 };

enum host_deed { DEED_ENABLE, DEED_DISABLE, DEED_STATUS };

struct host_words {
	enum host_deed deed;
	const char *root;
	bool dry_run, force;
	const char *file; /* the configuration; NULL: the usual one */
	const char *listen[WORDS_LISTEN + 1];
	size_t listen_count;
};

/* Reads the words behind `host`, argv[0]. -1: go on; else the exit status: what is wrong, or the
 * help, has been told. */
int host_words_read(struct host_words *, int argc, char **argv);

#endif
