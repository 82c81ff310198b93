#include "holder.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TCP_LISTENING 0x0a

/* The inode of a socket bound to that port, on this address or on all; 0: none in this table. */
static unsigned long inode_in(const char *table, const struct addr *a, bool stream)
{
	FILE *f = fopen(table, "re");
	char line[512], host[33];
	unsigned port, state;
	unsigned long inode, found = 0;

	if (!f)
		return 0;
	while (!found && fgets(line, sizeof line, f)) {
		if (sscanf(line,
			    " %*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu",
			    host, &port, &state, &inode) != 4)
			continue;
		bool any = strspn(host, "0") == strlen(host);
		char v4[9];

		snprintf(v4, sizeof v4, "%08X", (unsigned)a->v4.sin_addr.s_addr);
		bool same = a->any.sa_family == AF_INET6 || addr_is_any(a) || strcmp(host, v4) == 0;

		if (port == addr_port(a) && (any || same) && (!stream || state == TCP_LISTENING))
			found = inode;
	}
	fclose(f);
	return found;
}

static bool has_socket(const char *pid, unsigned long inode)
{
	char path[64], wanted[48], target[64];
	bool found = false;
	struct dirent *e;

	snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
	snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
	DIR *dir = opendir(path);

	if (!dir)
		return false;
	while (!found && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof target - 1);

		if (n <= 0)
			continue;
		target[n] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	closedir(dir);
	return found;
}

static void name_of(const char *pid, char *name, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%.16s/comm", pid);
	FILE *f = fopen(path, "re");

	snprintf(name, size, "?");
	if (!f)
		return;
	if (fgets(name, (int)size, f))
		name[strcspn(name, "\n")] = '\0';
	fclose(f);
}

const char *holder_find(const struct addr *a, bool stream, char text[HOLDER_TEXT])
{
	static const char *const tables[2][2] = { { "/proc/net/udp", "/proc/net/udp6" },
		{ "/proc/net/tcp", "/proc/net/tcp6" } };
	unsigned long inode = inode_in(tables[stream][a->any.sa_family == AF_INET6], a, stream);
	DIR *proc = inode ? opendir("/proc") : NULL;
	struct dirent *e;
	char name[32];

	snprintf(text, HOLDER_TEXT, "another process");
	while (proc && (e = readdir(proc))) {
		if (!isdigit((unsigned char)*e->d_name) || !has_socket(e->d_name, inode))
			continue;
		name_of(e->d_name, name, sizeof name);
		snprintf(text, HOLDER_TEXT, "pid %.16s (%s)", e->d_name, name);
		break;
	}
	if (proc)
		closedir(proc);
	return text;
}
