#include "rules/list_form.h"

#include <stdlib.h>
#include <string.h>

/* Every hosts file begins with them, for the host that it would be installed on. */
static const char *const of_the_host[] = { "localhost", "localhost.localdomain", "local",
	"broadcasthost", "ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix",
	"ip6-allnodes", "ip6-allrouters", "ip6-allhosts", "0.0.0.0", NULL };

static bool is_of_the_host(const char *name)
{
	const char *const *s = of_the_host;

	while (*s && strcasecmp(*s, name) != 0)
		s++;
	return *s;
}

/* An address, maybe with its link: which one does not matter, nor whether it is on this host. */
static bool is_address(char *text)
{
	char *scope = strchr(text, '%');
	struct addr a;

	if (scope)
		*scope = 0;
	bool is = addr_parse(&a, text, 0);
	if (scope)
		*scope = '%';
	return is;
}

bool list_line_hosts(struct list_reading *r, char *line)
{
	line[strcspn(line, "#")] = 0;
	if (!*line)
		return true;
	char *name = list_next_word(line);

	if (!is_address(line))
		return list_fault(r, "not an address", line);
	if (!*name)
		return list_fault(r, "an address without a name", line);
	while (*name) {
		char *next = list_next_word(name);

		if (!is_of_the_host(name) && !list_give_name(r, PATTERN_EXACT, name, false))
			return false;
		name = next;
	}
	return true;
}

bool list_line_domains(struct list_reading *r, char *line)
{
	if (strchr("#;!", *line))
		return true;
	list_cut_comment(line);
	if (strncmp(line, "*.", 2) == 0)
		return list_give_name(r, PATTERN_BELOW, line + 2, false);
	return list_give_name(r, PATTERN_SUFFIX, line, false);
}

/* ---- dnsmasq ---- */

/* What is behind the names of address=/NAME/... decides: nothing and `#` block, and so does an
 * address that nobody is at. Any other is an answer, which is for rules. */
static bool blocks(const char *value)
{
	struct addr a;

	if (!*value || strcmp(value, "#") == 0)
		return true;
	if (!addr_parse(&a, value, 0))
		return false;
	return addr_is_any(&a) || strcmp(value, "::1") == 0 || strncmp(value, "127.", 4) == 0;
}

/* `#` is every name, `*` its front; a dot before a name says nothing. */
static bool give_domain(struct list_reading *r, const char *name, bool allows)
{
	if (strcmp(name, "#") == 0)
		return list_give_name(r, PATTERN_SUFFIX, ".", allows);
	if (!*name)
		return list_ignore(r, "names without a dot");
	if (strchr(name, '*'))
		return list_give_glob(r, name, allows);
	return list_give_name(r, PATTERN_SUFFIX, name + (*name == '.'), allows);
}

/* NAME/NAME/VALUE */
static bool take_domains(struct list_reading *r, char *names, const char *value, bool allows)
{
	while (names < value) {
		size_t len = strcspn(names, "/");

		names[len] = 0;
		if (!give_domain(r, names, allows))
			return false;
		names += len + 1;
	}
	return true;
}

bool list_line_dnsmasq(struct list_reading *r, char *line)
{
	list_cut_comment(line);
	char *equals = strchr(line, '=');

	if (!*line)
		return true;
	if (!equals)
		return list_fault(r, "not address=, server= or local=", line);
	size_t key = (size_t)(equals - line);
	bool address = key == 7 && memcmp(line, "address", key) == 0;

	if (!address && !(key == 6 && memcmp(line, "server", key) == 0) &&
		!(key == 5 && memcmp(line, "local", key) == 0))
		return list_fault(r, "not address=, server= or local=", line);
	if (equals[1] != '/')
		return address ? list_fault(r, "not address=/NAME/", line)
			       : list_ignore(r, "a server is no name");
	char *value = strrchr(line, '/') + 1;

	if (value == equals + 2)
		return list_fault(r, "a name without / behind it", line);
	if (address && !blocks(value))
		return list_ignore(r, "an answer, which is for rules");
	if (!address && *value && strcmp(value, "#") != 0)
		return list_ignore(r, "a server of its own, which is for zones");
	return take_domains(r, equals + 2, value, !address && *value == '#');
}
