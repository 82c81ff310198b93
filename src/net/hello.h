/* hello: what a ClientHello says that is not for us (RFC 8446 §4.1.2, §5.1): which server its
 * sender wants. It is read and never answered, so of all that it holds, only the form is looked at.
 */
#ifndef NET_HELLO_H
#define NET_HELLO_H

#include "base/span.h"

/* The most octets of a stream that a ClientHello may take, with the heads of its records: more than
 * ten times what one with a hybrid key exchange has. */
#define HELLO_MAX 16384
/* The longest server name. */
#define HELLO_NAME_MAX 255

enum hello_status {
	HELLO_WHOLE,
	HELLO_PART, /* the beginning of one: more has to come */
	HELLO_NONE, /* no ClientHello, or one that no server takes */
};

struct hello {
	char server_name[HELLO_NAME_MAX + 1]; /* letters of a DNS name; "": it names none */
};

/* Reads the first octets of a stream, be they in one record or in many. What comes behind the
 * ClientHello is not looked at. The hello is filled in if it is whole. */
enum hello_status hello_read(struct span octets, struct hello *);

#endif
