/* record: a resource record in a message, as offsets. */
#ifndef DNS_RECORD_H
#define DNS_RECORD_H

#include <stddef.h>
#include <stdint.h>

/* As message_record() reads it. */
struct record {
	size_t owner, type_at, rdata, end; /* offsets; the TTL is at type_at + 4 */
	uint16_t type, class;
	uint32_t ttl;
};

#endif
