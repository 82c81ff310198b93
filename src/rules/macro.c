#include "rules/macro.h"

#include "net/system_names.h"

#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

static const char self[] = "@self", interface[] = "@iface:", hostname[] = "@hostname",
		  first[] = "@first-nonloopback";

bool macro_read(const char *word, enum macro *macro)
{
	*macro = MACRO_NONE;
	if (*word != '@')
		return true;
	if (strcmp(word, self) == 0)
		*macro = MACRO_SELF;
	else if (strcmp(word, hostname) == 0)
		*macro = MACRO_HOSTNAME;
	else if (strcmp(word, first) == 0)
		*macro = MACRO_FIRST;
	else if (strncmp(word, interface, strlen(interface)) == 0 && word[strlen(interface)])
		*macro = MACRO_IFACE;
	return *macro != MACRO_NONE;
}

struct finding {
	enum macro macro;
	const char *interface;
	struct addr *out;
	size_t count;
	bool has_v4, has_v6;
};

static bool is_wanted(const struct finding *f, const struct ifaddrs *i)
{
	bool v4 = i->ifa_addr->sa_family == AF_INET;

	if (f->macro == MACRO_IFACE)
		return strcmp(i->ifa_name, f->interface) == 0;
	return i->ifa_flags & IFF_UP && !(i->ifa_flags & IFF_LOOPBACK) &&
		!(v4 ? f->has_v4 : f->has_v6);
}

static void take(struct finding *f, const struct ifaddrs *i)
{
	struct addr a = { 0 };

	if (!i->ifa_addr || f->count == MACRO_ADDRESSES)
		return;
	if (i->ifa_addr->sa_family == AF_INET)
		memcpy(&a, i->ifa_addr, sizeof a.v4);
	else if (i->ifa_addr->sa_family == AF_INET6)
		memcpy(&a, i->ifa_addr, sizeof a.v6);
	else
		return;
	if (a.any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a.v6.sin6_addr))
		return;
	if (!is_wanted(f, i))
		return;
	*(a.any.sa_family == AF_INET ? &f->has_v4 : &f->has_v6) = true;
	f->out[f->count++] = a;
}

static void find_hostname(struct finding *f)
{
	char name[HOST_NAME_MAX + 1] = "";
	struct system_names found;

	if (gethostname(name, sizeof name - 1) < 0)
		return;
	system_names_find(&found, name);
	for (size_t i = 0; i < found.count; i++)
		if (!(found.addrs[i].any.sa_family == AF_INET6 &&
			    IN6_IS_ADDR_LINKLOCAL(&found.addrs[i].v6.sin6_addr)))
			f->out[f->count++] = found.addrs[i];
}

size_t macro_find(const char *word, struct addr out[MACRO_ADDRESSES])
{
	struct finding f = { .out = out };
	struct ifaddrs *all;

	if (!macro_read(word, &f.macro) || f.macro == MACRO_NONE || f.macro == MACRO_SELF)
		return 0;
	if (f.macro == MACRO_HOSTNAME) {
		find_hostname(&f);
		return f.count;
	}
	if (f.macro == MACRO_IFACE)
		f.interface = word + strlen(interface);
	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		take(&f, i);
	freeifaddrs(all);
	return f.count;
}
