/* special: names that are answered here whatever servers there are (RFC 6761, 6303, 7686, 8375,
 * 9476): no server outside knows them, and each question tells it of what is inside. */
#ifndef RULES_SPECIAL_H
#define RULES_SPECIAL_H

#include "dns/types.h"

#include <stdint.h>

enum special_kind {
	SPECIAL_LOOPBACK, /* 127.0.0.1 and ::1; nothing else */
	SPECIAL_NXDOMAIN, /* it and all below do not exist */
	SPECIAL_ZONE, /* an empty zone of RFC 6303: SOA and NS at the top, nothing below */
	SPECIAL_HOME, /* like a zone, but who asks for DS is sent upstream (RFC 8375 §4) */
	SPECIAL_CANARY /* NXDOMAIN, if the configuration says so */
};

struct special {
	const char *name;
	enum special_kind kind;
};

/* All of them, ending with a name of NULL. */
extern const struct special special_names[];

#endif
