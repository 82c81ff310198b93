/* relay: TLS that is not for us: a client's connection is passed on to one of our servers as it is.
 *
 * The ClientHello is read for the name of its server, and never answered. From the moment on that
 * the server is connected to, octets are handed over in both directions, and so is each side's end
 * of sending. A side is not read from while the other one is slow, so that no more than some 80 KiB
 * wait in each direction. When one side is gone, the other one gets what was sent to it, and ends.
 *
 * If no server can be connected to, the client is told so by an alert (internal_error) and not only
 * by an end: no key has been agreed on yet, so anybody on the way may say it, and it does not make
 * clients try again with something older, as an end without a word does.
 *
 * Octets are copied through buffers and not spliced. What DNS says is short, and of 200 octets
 * there and back, copying took 23 µs of processor time, splicing 38; of 16,000 octets 28 and 41;
 * only of 200,000 it was 235 and 140 (the least of three runs each, on loopback). Nor are there two
 * pipes, hence four descriptors, for each connection.
 */
#ifndef LISTEN_RELAY_H
#define LISTEN_RELAY_H

#include "listen/listener.h"
#include "net/stream.h"

struct relay;

/* Both from the loop. */
struct relay_events {
	/* Octets have passed, in one direction or the other. */
	void (*passed)(void *arg);
	/* Both sides have ended; the relay is gone. Once. */
	void (*over)(void *arg);
};

/* Takes the stream, with what is in its buffer. NULL: out of memory; it is still the caller's. */
struct relay *relay_begin(
	struct listening *, struct stream *client, const struct relay_events *, void *arg);
/* Octets that client or server are slow to take: they are in hosts.unsent. */
size_t relay_untaken(const struct relay *);
/* Ends within a moment: whether anybody waits for something, TLS does not let us see. */
void relay_stop(struct relay *);
/* Ends now; no event comes. NULL is nothing. */
void relay_close(struct relay *);

#endif
