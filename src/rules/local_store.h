/* local_store: what local.h hides, for those who fill it. */
#ifndef RULES_LOCAL_STORE_H
#define RULES_LOCAL_STORE_H

#include "rules/owners.h"

struct local_fault;

struct zone {
	unsigned depth; /* labels of its apex */
	struct owners owners; /* the apex, and what is below it */
	size_t apex_len;
	uint8_t apex[NAME_MAX_WIRE];
	const char *file;
};

/* Hosts from this owner on, up to those of the next source, are of this file. */
struct host_source {
	char *file; /* owned; NULL: none */
	uint32_t first;
};

/* Of a host: an address, and the name that it is to have. */
struct host_address {
	uint32_t node; /* of the name */
	uint8_t len;
	uint8_t octets[16];
};

struct local {
	uint32_t ttl_s;
	struct owners hosts;
	struct host_source *sources; /* in order of their owners */
	size_t source_count;
	struct host_address *addresses; /* as they were read */
	size_t address_count, address_room;
	struct names *apexes; /* a node's number is that of its zone and 1, or 0 */
	struct zone **zones;
	uint32_t zone_count;
	struct synth **synths;
	size_t synth_count;
};

/* Where a host is named. */
struct rules_place local_host_place(const struct local *, const struct owner *);

/* Says what is wrong; false. */
__attribute__((format(printf, 4, 5))) bool local_refuse(
	struct local_fault *, const char *file, unsigned line, const char *format, ...);
/* Hosts to come are of this file, of which a copy is kept. False: no memory. */
bool local_begin_source(struct local *, const char *file);
/* The owner of a host's name, made if need be, of that line. NULL: it is none, or no memory. */
struct owner *local_put_host(struct local *, const char *text, unsigned line);
/* The address is to have that name, if it gets no other one before. False: no memory. */
bool local_note_address(struct local *, uint32_t node, struct span octets);
/* Makes a zone; NULL: the fault says why. */
struct zone *local_add_zone(
	struct local *, const char *origin, const char *file, struct local_fault *);

#endif
