#include "holder.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TCP_LISTENING 0x0a

/* Every address as one of IPv6, which an IPv4 one is to a socket that serves both. */
static struct in6_addr as_v6(const struct addr *a)
{
	struct in6_addr v6 = { 0 };

	if (a->any.sa_family == AF_INET6)
		return a->v6.sin6_addr;
	v6.s6_addr32[2] = htonl(0xffff);
	v6.s6_addr32[3] = a->v4.sin_addr.s_addr;
	return v6;
}

/* Reads an address in words of hexadecimal digits, as the kernel prints them. */
static bool parse_host(const char *text, struct in6_addr *host)
{
	uint32_t *word = host->s6_addr32;

	if (strlen(text) > 8)
		return sscanf(text, "%8x%8x%8x%8x", &word[0], &word[1], &word[2], &word[3]) == 4;
	struct addr v4 = { .v4 = { .sin_family = AF_INET } };

	*host = as_v6(&v4);
	return sscanf(text, "%8x", &word[3]) == 1;
}

static bool is_any(const struct in6_addr *a)
{
	return IN6_IS_ADDR_UNSPECIFIED(a) || (IN6_IS_ADDR_V4MAPPED(a) && !a->s6_addr32[3]);
}

/* Does a socket that is bound to host keep another one from being bound to a? */
static bool is_in_the_way(const struct in6_addr *host, const struct in6_addr *a)
{
	if (IN6_IS_ADDR_UNSPECIFIED(host) || IN6_ARE_ADDR_EQUAL(host, a))
		return true;
	if (!IN6_IS_ADDR_V4MAPPED(host) != !IN6_IS_ADDR_V4MAPPED(a))
		return false;
	return is_any(host) || is_any(a);
}

/* The inode of the socket in the way of that address; 0: there is none in this table. */
static unsigned long inode_in(const char *table, const struct addr *a, bool stream)
{
	FILE *f = fopen(table, "re");
	struct in6_addr address = as_v6(a), host;
	char line[512], text[33];
	unsigned port, state;
	unsigned long inode, found = 0;

	if (!f)
		return 0;
	while (!found && fgets(line, sizeof line, f)) {
		if (sscanf(line,
			    " %*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu",
			    text, &port, &state, &inode) != 4)
			continue;
		if (port == addr_port(a) && (!stream || state == TCP_LISTENING) &&
			parse_host(text, &host) && is_in_the_way(&host, &address))
			found = inode;
	}
	fclose(f);
	return found;
}

/* A socket of IPv6 that serves IPv4, too, is only looked for when no socket of IPv4 is in the way:
 * the table does not tell whether it does. */
static unsigned long find_inode(const struct addr *a, bool stream)
{
	unsigned long inode = inode_in(stream ? "/proc/net/tcp" : "/proc/net/udp", a, stream);

	return inode ? inode : inode_in(stream ? "/proc/net/tcp6" : "/proc/net/udp6", a, stream);
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
	unsigned long inode = find_inode(a, stream);
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
