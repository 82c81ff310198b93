/* views: views of clients, as they are written. */
#ifndef CONFIG_VIEWS_H
#define CONFIG_VIEWS_H

#include "config/kinds.h"

/* The name of the view that is what stands at the top. */
#define VIEW_EVERYBODY "everybody"

/* Is the node's key what a list or a view may be called? Tells if not. */
bool views_check_name(const struct setting *, const struct node *);

#endif
