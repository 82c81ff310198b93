/* addresses: the last good addresses of host names, kept over a restart in the file `addresses` of
 * the state folder: one line for each host, `NAME ADDRESS...`.
 *
 * All workers write to the one file, each what it knows, and leave the rest as it is; it is
 * replaced in one step, so that a crash leaves the old one or the new one.
 */
#ifndef UPSTREAM_ADDRESSES_H
#define UPSTREAM_ADDRESSES_H

#include "upstream/upstream.h"

/* Reads the file at start, into server_conf.saved of each server that has that host. A missing file
 * is nothing; lines that make no sense are ignored, which is said in one warning. */
void addresses_load(struct upstream_conf *);

/* Room for a host name. */
#define ADDRESSES_NAME 256

/* What is known of one host. */
struct addresses_entry {
	char host[ADDRESSES_NAME];
	struct addr addrs[ADDRS_MAX]; /* the port is 0 */
	size_t count;
	bool own; /* this worker knows it, and not from the file */
};

struct addresses_list {
	struct addresses_entry *entries;
	size_t count;
};

/* One worker's part in the file. Embedded, zeroed; lives until its loop is freed. */
struct addresses_file {
	struct work work;
	struct loop *loop;
	char *state; /* NULL: there is no file */
	struct addresses_list now, next; /* next: of another configuration, or empty */
	struct addresses_list writing; /* a copy, for the other thread */
	bool busy, stale; /* is being written; that is not the latest */
	int error; /* of the last write, 0 or -errno */
};

/* state: the folder, or NULL. False: out of memory. */
bool addresses_init(struct addresses_file *, struct loop *, const char *state);
/* Makes ready for the hosts of another configuration, of which the file will tell once that is
 * swapped in; or it is forgotten. False: out of memory. */
bool addresses_prepare(struct addresses_file *, const struct upstream_conf *);
void addresses_swap(struct addresses_file *);
void addresses_forget(struct addresses_file *);
/* Has the host's addresses written, by another thread, if they are not those of the file. What
 * cannot be written is said in a warning. */
void addresses_keep(struct addresses_file *, const char *host, const struct addr *, size_t count);
/* After loop_free(). */
void addresses_clear(struct addresses_file *);

/* The same addresses, in whatever order? */
bool addresses_same(const struct addr *, size_t count, const struct addr *, size_t other_count);

#endif
