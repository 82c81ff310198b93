/* renewal: certificates, and the keys of tickets, whose files have changed are read again, and
 * shown from then on. What cannot be used changes nothing, and is said.
 *
 * Files are looked at every few seconds, in a thread that serves nobody, and read when they have
 * stayed the same for that long: a certificate and its key are two files. inotify(7) would not see
 * all that happens to a path of symbolic links, as there are in containers, nor over a network.
 */
#ifndef RENEWAL_H
#define RENEWAL_H

#include "config/config.h"
#include "listen/shown.h"

/* Embedded, zeroed. */
struct renewal {
	struct loop *loop;
	struct shown *shown; /* borrowed */
	struct config *conf; /* whose files they are; one owner of it */
	struct config *next; /* that of a reload, while files are looked at; NULL: none */
	struct tls_front *shows; /* what is shown of conf; one owner of it */
	struct timer timer;
	struct work work;
	bool working;
	uint64_t known, seen; /* how files stood when they were read, and last looked at */
	bool begun; /* with this configuration: nothing was looked at yet */

	/* Of one look. */
	bool loaded, tickets_failed;
	struct tls_front *front; /* NULL: it could not be loaded, as fault says */
	struct fault fault;
};

/* It is an owner of the configuration from here on. */
void renewal_start(struct renewal *, struct loop *, struct shown *, struct config *);
/* That configuration, whose files have just been read, is in force. */
void renewal_renew(struct renewal *, struct config *);
/* Looks no more. */
void renewal_stop(struct renewal *);
/* After the loop was freed. */
void renewal_clear(struct renewal *);

#endif
