#include "import/spelled.h"

#include <string.h>

#include "import/lines.h"
#include "import/servers.h"

static void add(struct recipe *p, const struct said *said, const struct server_said *s,
	const char *where[2])
{
	const char *key = where[0], *domain = where[1];
	const char *text;

	if (!key)
		server_add(p, said, s, domain);
	else if ((text = server_spell(p, said, s)))
		recipe_add(p, said, key, text);
}

/* What is encrypted in another way goes over TLS; the port was that of the other one. */
static bool over_other(
	struct recipe *p, const struct said *said, const char *scheme, struct server_said *s)
{
	if (strcmp(scheme, "https") != 0 && strcmp(scheme, "h3") != 0 &&
		strcmp(scheme, "quic") != 0)
		return false;
	recipe_leave(p, said,
		"%s is not spoken; it is asked over TLS, which it must offer at port 853", scheme);
	s->scheme = "tls";
	s->port = NULL;
	return true;
}

static void add_one(struct recipe *p, const struct said *said, char *text, const char *where[2])
{
	struct server_said s = { .scheme = "udp" };
	char *rest = strstr(text, "://");

	if (strncmp(text, "sdns://", 7) == 0) {
		recipe_leave(p, said, "stamps are not read");
		return;
	}
	if (rest) {
		*rest = '\0';
		rest += 3;
	}
	char *host = rest ? rest : text;

	host[strcspn(host, "/?")] = '\0';
	if (rest && strrchr(host, '@')) /* a user, and a password */
		host = strrchr(host, '@') + 1;
	server_cut(&s, host, ':');
	if (rest && !over_other(p, said, text, &s)) {
		if (strcmp(text, "tls") != 0 && strcmp(text, "udp") != 0 &&
			strcmp(text, "tcp") != 0) {
			recipe_leave(p, said, "\"%s\" is no scheme", text);
			return;
		}
		s.scheme = text;
	}
	add(p, said, &s, where);
}

void spelled_add(struct recipe *p, const struct said *said, char *text, const char *key)
{
	char *end = strstr(text, "/]");

	if (strncmp(text, "[/", 2) != 0 || !end) {
		add_one(p, said, text, (const char *[]){ key, NULL });
		return;
	}
	*end = '\0';
	char *domains = text + 2, *server = end + 2;

	for (char *domain; (domain = lines_part(&domains, "/"));) {
		if (!*domain || *domain == '*')
			recipe_leave(p, said, "names without dots, or subdomains alone");
		else if (strcmp(server, "#") == 0)
			recipe_put(p, said, "zones", domain, "default");
		else
			add_one(p, said, memory_copy(&p->memory, server, strlen(server)),
				(const char *[]){ NULL, domain });
	}
}
