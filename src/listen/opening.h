/* opening: what a stream is, told by its first octets. */
#ifndef LISTEN_OPENING_H
#define LISTEN_OPENING_H

#include "base/span.h"

enum opening {
	OPENING_UNKNOWN, /* there is too little of it yet */
	OPENING_DNS, /* frames (RFC 1035 §4.2.2), or nothing that we know */
	OPENING_TLS, /* a ClientHello */
	OPENING_HTTP /* a request of any version */
};

/* At most OPENING_MAX octets are looked at. */
#define OPENING_MAX 6
enum opening opening_of(struct span first);

#endif
