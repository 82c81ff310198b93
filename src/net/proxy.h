/* proxy: the header that a load balancer puts in front of what it passes on, and which says whom it
 * speaks for: the PROXY protocol of HAProxy, version 2 (binary) and 1 (a line of text).
 *
 * It proves nothing. Whoever asks here has made sure first that the sender may speak for others.
 *
 * What follows the addresses (TLVs) must fit the header, and is ignored, also its CRC32C: TCP and
 * UDP have checksums, and who changes a header on purpose changes that as well.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include "base/span.h"
#include "net/addr.h"

/* The longest header of version 1, with its CR and LF. */
#define PROXY_LINE_MAX 107

/* The header of who speaks for himself: version 2, LOCAL. */
#define PROXY_LOCAL "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"

enum proxy_found {
	PROXY_WHOLE, /* a header, and all of it */
	PROXY_MORE, /* so far it is one, but its end is missing */
	PROXY_NONE /* it is none, whatever follows */
};

struct proxy_header {
	size_t len; /* octets of the header itself */
	/* For whom, and where that client was connected to; AF_UNSPEC: no client is named, as the
	 * proxy speaks for itself (LOCAL), or for who has no IP address (a unix socket) or none
	 * that it knows of. The sender is the client then. */
	struct addr source, destination;
};

/* What stands at the beginning of a stream. The header is filled in if it is whole. */
enum proxy_found proxy_parse(struct proxy_header *, struct span);
/* What stands at the beginning of a datagram: version 2 alone, and all of it must be there. */
bool proxy_parse_datagram(struct proxy_header *, struct span);

#endif
