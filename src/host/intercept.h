/* intercept: rules for nftables that have the proxy answer what is asked of any server on port 53.
 */
#ifndef HOST_INTERCEPT_H
#define HOST_INTERCEPT_H

#include "config/config.h"

enum intercept_exempt { EXEMPT_USER, EXEMPT_MARK };

struct intercept {
	/* Whose questions go where they are sent: those of a user, or packets with a mark. */
	enum intercept_exempt exempt;
	uint32_t id;
	bool apply; /* hand them to nft; else they are printed */
};

/* Prints or applies the rules that lead to the proxy's listeners, in the place of those before. The
 * exit status; what is wrong, and what is not caught, is told. */
int intercept_run(const struct intercept *, const struct config *);
/* Takes them away; that there are none is no failure. The exit status. */
int intercept_remove(void);

#endif
