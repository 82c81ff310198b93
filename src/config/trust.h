/* trust: whom the servers are verified against, and what they are shown. config_load_trust() of
 * config.h loads it. */
#ifndef CONFIG_TRUST_H
#define CONFIG_TRUST_H

#include "config/config.h"

void trust_free(struct config *);

#endif
