#include "announce.h"

#include "case.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first line of the log of a daemon with these settings. */
static const char *line_of(const char *upstreams, const char *groups, const char *zones)
{
	static char text[2048];
	const struct config_override all[] = { { "upstreams", upstreams, NULL },
		{ "groups", groups, NULL }, { "zones", zones, NULL },
		{ "require", "nothing", NULL }, { "workers", "1", NULL } };
	struct config_sources sources = {
		.file = "/dev/null", .overrides = all, .override_count = sizeof all / sizeof *all
	};
	struct config c;
	int ends[2], before = dup(STDERR_FILENO);

	OK(config_load(&c, &sources, stderr));
	OK(pipe2(ends, O_CLOEXEC) == 0 && dup2(ends[1], STDERR_FILENO) >= 0);
	announce(&c);
	dup2(before, STDERR_FILENO);
	close(before);
	close(ends[1]);
	ssize_t n = read(ends[0], text, sizeof text - 1);
	close(ends[0]);
	text[n < 0 ? 0 : n] = '\0';
	config_clear(&c);
	return text;
}

#define HAS(line, part)                                                                            \
	do {                                                                                       \
		if (!strstr(line, part))                                                           \
			fail_msg("no %s in %s", part, line);                                       \
	} while (0)

CASE(only_what_is_all_tls_is_called_so)
{
	const char *line = line_of("tls://192.0.2.1#a.example tls://192.0.2.2", "{}", "{}");

	HAS(line, "upstreams=\"tls://192.0.2.1#a.example tls://192.0.2.2\" ");
	HAS(line, "encrypted=\"DNS over TLS only\" verified=\"name a.example, address\" ");
	OK(!strstr(line, "in-clear=") && !strstr(line, "unverified="));
	OK(!strstr(line, "bootstrap=") && !strstr(line, "zones=") && !strstr(line, "groups="));
}

CASE(what_is_in_clear_is_named_wherever_it_is)
{
	const char *line = line_of("tls://192.0.2.1", "{lan: [udp://10.0.0.53, tcp://10.0.0.54]}",
		"{corp.example: lan, b.example: [udp://192.0.2.9]}");

	HAS(line,
		"encrypted=\"DNS over TLS, but for those in clear\" "
		"in-clear=\"udp://10.0.0.53 tcp://10.0.0.54 udp://192.0.2.9\" ");
	HAS(line, "groups=\"lan: udp://10.0.0.53 tcp://10.0.0.54\" ");
	HAS(line, "zones=\"corp.example: lan, b.example: udp://192.0.2.9\"");
	line = line_of("udp://192.0.2.1", "{}", "{}");
	HAS(line, "encrypted=nothing in-clear=udp://192.0.2.1 ");
	OK(!strstr(line, "verified="));
}

CASE(who_is_not_verified_is_named)
{
	const char *line = line_of("tls://192.0.2.1?verify=no tls://192.0.2.2", "{}", "{}");

	HAS(line,
		"encrypted=\"DNS over TLS only\" "
		"unverified=\"tls://192.0.2.1?verify=no\" verified=address ");
}

CASE(whom_a_resolver_designates_is_verified_by_its_address)
{
	HAS(line_of("ddr://192.0.2.1", "{}", "{}"),
		"upstreams=ddr://192.0.2.1 encrypted=\"DNS over TLS only\" verified=address ");
	HAS(line_of("ddr://192.0.2.1?pin=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "{}",
		    "{}"),
		"verified=\"address and pin\" ");
}

CASE(who_is_asked_for_addresses_is_said)
{
	HAS(line_of("tls://dns.example", "{}", "{}"),
		"bootstrap=\"tls://1.0.0.1#cloudflare-dns.com tls://9.9.9.9#dns.quad9.net\"");
}

CASE(a_list_that_is_too_long_says_how_much_is_left_out)
{
	const char *line = line_of("udp://192.0.2.101 udp://192.0.2.102 udp://192.0.2.103 "
				   "udp://192.0.2.104 udp://192.0.2.105 udp://192.0.2.106 "
				   "udp://192.0.2.107 udp://192.0.2.108 udp://192.0.2.109 "
				   "udp://192.0.2.1",
		"{a: [udp://10.0.0.1]}", "{}");

	HAS(line, "upstreams=\"udp://192.0.2.101 ");
	HAS(line, " udp://192.0.2.108 and 2 more\" "); /* the last would fit, out of its order */
	HAS(line, " udp://192.0.2.108 and 3 more\" "); /* of those in clear */
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(only_what_is_all_tls_is_called_so),
		CLAIM(what_is_in_clear_is_named_wherever_it_is),
		CLAIM(who_is_not_verified_is_named),
		CLAIM(whom_a_resolver_designates_is_verified_by_its_address),
		CLAIM(who_is_asked_for_addresses_is_said),
		CLAIM(a_list_that_is_too_long_says_how_much_is_left_out),
	};

	return RUN(cases);
}
