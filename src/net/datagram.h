/* datagram: a UDP socket that listens, in batches both ways.
 *
 * What comes is handed over message by message; what is sent is collected and goes out at the end
 * of the loop's turn, or when a batch is full. A wildcard socket answers from the address that was
 * asked (RFC 2181 §4).
 */
#ifndef NET_DATAGRAM_H
#define NET_DATAGRAM_H

#include "base/loop.h"
#include "base/span.h"
#include "net/addr.h"
#include "net/socket.h"

/* The longest datagram sent or received; a longer one is cut when it comes. */
#define DATAGRAM_MAX 4096

struct datagram;

/* Who sent it, and where it arrived: what an answer needs to find its way back. */
struct path {
	struct addr peer;
	struct addr local; /* of a wildcard socket; else any.sa_family is AF_UNSPEC */
	unsigned interface; /* likewise */
};

/* A message came. path and message are valid during the call. */
typedef void datagram_fn(void *arg, const struct path *path, struct span message);

/* Opens, binds and starts reading. 0 or -errno. */
int datagram_open(struct datagram **out, struct loop *, const struct binding *, enum sharing,
	datagram_fn *got, void *arg);
/* Appends a copy, of at most DATAGRAM_MAX octets; lost, as UDP is, if the kernel has no room, now
 * and a moment later. */
void datagram_send(struct datagram *, const struct path *to, struct span message);
/* A message larger than the link takes in one piece is never fragmented (RFC 9715 R1): shorten()
 * makes it shorter in place and returns its new length, or 0 to give it up (R4). */
typedef size_t datagram_shorten_fn(uint8_t *message, size_t len);
void datagram_on_too_big(struct datagram *, datagram_shorten_fn *shorten);
/* Stops reading; what is sent still goes out. */
void datagram_stop(struct datagram *);
/* Flushes and frees. */
void datagram_close(struct datagram *);

/* The port that was bound, for addresses given with port 0. */
void datagram_address(const struct datagram *, struct addr *);

#endif
