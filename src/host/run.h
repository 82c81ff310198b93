/* run: `sotto host`: this host's own questions, led to the proxy and away from it again. */
#ifndef HOST_RUN_H
#define HOST_RUN_H

#include "host/resolver.h"

/* argv[0] is `host`. The exit status. */
int host_run(int argc, char **argv, resolver_alive_fn *);

#endif
