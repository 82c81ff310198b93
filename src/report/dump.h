/* dump: messages of clients, written to a file as packets (report/pcap).
 *
 * Nobody who serves clients waits for a disk: messages are put into memory, and a thread of its own
 * writes them. What finds no room there is lost. A file that cannot be written is tried again every
 * second, and goes on where it ended; one that has its size gets no more, which is said once.
 *
 * A file of an earlier run becomes FILE.old; anything else that is there under that name stays as
 * it is, and is an error.
 */
#ifndef REPORT_DUMP_H
#define REPORT_DUMP_H

#include "report/pcap.h"

/* What is written, bit by bit. */
enum {
	DUMP_ALL = 1, /* every message, and its answer */
	DUMP_INVALID = 2, /* what is no query, or none that is taken */
	DUMP_RULES = 4 /* what a rule decides that says so */
};

struct dump_conf {
	const char *file; /* NULL: none */
	uint64_t size; /* that it may have, in octets */
};

struct dump;

/* Nothing is open yet. NULL: out of memory. */
struct dump *dump_new(void);
/* Writes what was put, and closes the file; nobody may put any more. NULL is nothing. */
void dump_free(struct dump *);

/* Before there are threads, or a sandbox: opens the file, which is for its owner alone (0600).
 * False: it cannot be had, which is said. */
bool dump_open(struct dump *, const struct dump_conf *);
/* When there may be threads: writes what is put. Again, after a reload: another file or size is in
 * force, or none. A file that is full, or is no longer found under its name, is left for a new one.
 * What goes wrong is said. */
void dump_write(struct dump *, const struct dump_conf *);

/* From any thread; copied. False: it is lost. */
bool dump_put(struct dump *, const struct packet *);

#endif
