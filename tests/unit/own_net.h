/* own_net: what a case needs that changes the network: a namespace of its own, with nothing in it
 * but a loopback that is up. */
#ifndef OWN_NET_H
#define OWN_NET_H

#include "case.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void shell(const char *command)
{
	EQ(system(command), 0);
}

static inline void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	OK(f);
	OK(fputs(text, f) >= 0);
	EQ(fclose(f), 0);
}

/* The case is skipped where namespaces are not permitted. Each call makes a new one, for the whole
 * (single-threaded) process. */
static inline void need_own_net(void)
{
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("network namespaces are not permitted here\n");
		skip();
	}
	shell("ip link set lo up");
}

/* A number of the TcpExt row of /proc/net/netstat. */
static inline long tcp_counter(const char *name)
{
	static char names[8192], values[8192];
	char *names_at, *values_at;
	FILE *f = fopen("/proc/thread-self/net/netstat", "r");

	OK(f && fgets(names, sizeof names, f) && fgets(values, sizeof values, f));
	fclose(f);
	char *n = strtok_r(names, " \n", &names_at), *v = strtok_r(values, " \n", &values_at);

	for (; n && v && strcmp(n, name) != 0; n = strtok_r(NULL, " \n", &names_at))
		v = strtok_r(NULL, " \n", &values_at);
	OK(v);
	return strtol(v, NULL, 10);
}

#endif
