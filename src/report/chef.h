/* chef: a line for each answered query, in the words of DNSChef:
 *
 *	[10:00:00] 127.0.0.1: cooking the response of type 'A' for www.example.com to 192.0.2.1
 *	[10:00:00] 127.0.0.1: proxying the response of type 'MX' for www.example.com
 *
 * For `sotto fake`. Nobody waits for whoever reads it: a line that is not taken at once is lost.
 */
#ifndef REPORT_CHEF_H
#define REPORT_CHEF_H

#include "base/span.h"
#include "net/addr.h"

#include <stdbool.h>

/* Lines go to standard output and, unless it is NULL, are added to a file. Before there are
 * threads, or a sandbox. 0 or -errno: the file cannot be written. */
int chef_open(const char *file);
bool chef_is_open(void);

/* cooked: the answer is ours. From any thread. */
void chef_report(const struct addr *client, struct span answer, bool cooked);

#endif
