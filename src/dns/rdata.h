/* rdata: where RDATA holds names that may be compressed. All other RDATA is opaque (RFC 3597 §4).
 *
 * Those of RFC 1035 are checked in every reply. The later types that RFC 3597 lists are looked into
 * only when a record has to move, because pointers in it are then of no use.
 */
#ifndef DNS_RDATA_H
#define DNS_RDATA_H

#include "base/span.h"
#include "dns/record.h"

#include <stdbool.h>

/* The names in a record's RDATA: `count` of them one after the other, from offset `at`; what is
 * before and behind them are plain octets. */
struct rdata_names {
	size_t at;
	unsigned count;
};

/* Finds and checks the names; count is 0 if the type has none. False: RDATA that is not what the
 * type asks for. */
bool rdata_names(struct span m, const struct record *, struct rdata_names *);

/* Are there names in the RDATA of this type? */
bool rdata_has_names(uint16_t type);

/* Is the RDATA what its type asks for, if that is of RFC 1035? */
bool rdata_check(struct span m, const struct record *);

#endif
