#include "host/intercept.h"

#include "host/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TABLE "inet sotto_intercept"
/* Deletes what need not be there: what is added twice is there once. */
#define CLEARED "add table " TABLE "\ndelete table " TABLE "\n"
#define ASKED   "meta l4proto { tcp, udp } th dport 53 "

/* Where questions of one family go. */
struct way {
	const char *name;
	const char *family; /* as nftables calls it ... */
	const char *ip; /* ... and its addresses */
	const char *loopback;
	bool is_there, is_any;
	struct addr at;
};

static bool takes(const struct endpoint *e, bool v6)
{
	return !e->at.path && !e->at.interface && e->datagrams && e->spoken.plain &&
		(e->at.addr.any.sa_family == AF_INET6) == v6;
}

/* The first listener of the family. */
static void find_way(struct way *w, const struct config *c, bool v6)
{
	static const struct way ways[] = {
		{ .name = "IPv4", .family = "ipv4", .ip = "ip", .loopback = "127.0.0.1" },
		{ .name = "IPv6", .family = "ipv6", .ip = "ip6", .loopback = "::1" },
	};

	*w = ways[v6];
	for (size_t i = 0; i < c->listen.count && !w->is_there; i++)
		if (takes(&c->listen.endpoints[i], v6)) {
			w->at = c->listen.endpoints[i].at.addr;
			w->is_there = true;
			w->is_any = addr_is_any(&w->at);
		}
	if (w->is_any)
		addr_parse(&w->at, w->loopback, addr_port(&w->at));
}

/* Can the listener be reached from other hosts? The kernel lets nothing from outside to loopback.
 */
static bool is_open(const struct way *w)
{
	struct prefix loopback;

	prefix_parse(&loopback, w->at.any.sa_family == AF_INET6 ? "::1" : "127.0.0.0/8");
	return w->is_there && (w->is_any || !prefix_matches(&loopback, &w->at));
}

static void print_exempt(const struct intercept *i, FILE *out)
{
	if (i->exempt == EXEMPT_MARK)
		fprintf(out, "\t\tmeta mark %u accept\n", i->id);
	else
		fprintf(out, "\t\tmeta skuid %u accept\n", i->id);
}

/* What this host asks. What stays on it is for those who listen there: the proxy, or a cache before
 * it. */
static void print_output(const struct intercept *i, const struct way ways[2], FILE *out)
{
	char text[ADDR_TEXT];

	fputs("\tchain output {\n"
	      "\t\ttype nat hook output priority -100; policy accept;\n"
	      "\t\toifname \"lo\" accept\n",
		out);
	print_exempt(i, out);
	for (const struct way *w = ways; w < ways + 2; w++)
		if (w->is_there)
			fprintf(out, "\t\tmeta nfproto %s " ASKED "dnat %s to %s\n", w->family,
				w->ip, addr_print(&w->at, text));
	fputs("\t}\n", out);
}

/* What others ask whom this host routes for. What they ask of this host is for who listens there.
 */
static void print_prerouting(const struct intercept *i, const struct way ways[2], FILE *out)
{
	char text[ADDR_TEXT];

	if (!is_open(&ways[0]) && !is_open(&ways[1]))
		return;
	fputs("\tchain prerouting {\n"
	      "\t\ttype nat hook prerouting priority -100; policy accept;\n"
	      "\t\tfib daddr type local accept\n",
		out);
	if (i->exempt == EXEMPT_MARK)
		print_exempt(i, out);
	for (const struct way *w = ways; w < ways + 2; w++) {
		if (is_open(w) && w->is_any)
			fprintf(out, "\t\tmeta nfproto %s " ASKED "redirect to :%u\n", w->family,
				addr_port(&w->at));
		else if (is_open(w))
			fprintf(out, "\t\tmeta nfproto %s " ASKED "dnat %s to %s\n", w->family,
				w->ip, addr_print(&w->at, text));
	}
	fputs("\t}\n", out);
}

static void say_what_escapes(const struct way ways[2])
{
	for (const struct way *w = ways; w < ways + 2; w++)
		if (!w->is_there)
			fprintf(stderr,
				"sotto: what is asked over %s goes where it is sent: no listener "
				"takes it\n",
				w->name);
		else if (!is_open(w))
			fprintf(stderr,
				"sotto: what other hosts ask over %s goes where it is sent: they "
				"cannot reach loopback\n",
				w->name);
}

static int run_nft(const char *text)
{
	const char *const argv[] = { "nft", "-f", "-", NULL };
	int status = child_run(argv, text);

	if (status < 0)
		fprintf(stderr, "sotto: nft: %s\n",
			status == -ENOENT ? "it is not there (nftables)" : strerror(-status));
	return status != 0;
}

static void print_rules(const struct intercept *i, const struct way ways[2], FILE *out)
{
	fputs(CLEARED "table " TABLE " {\n", out);
	print_output(i, ways, out);
	print_prerouting(i, ways, out);
	fputs("}\n", out);
}

int intercept_run(const struct intercept *i, const struct config *c)
{
	struct way ways[2];
	char *text = NULL;
	size_t len;

	find_way(&ways[0], c, false);
	find_way(&ways[1], c, true);
	if (!ways[0].is_there && !ways[1].is_there) {
		fputs("sotto: `listen` has no plain DNS over UDP and TCP at an address\n", stderr);
		return 1;
	}
	FILE *out = i->apply ? open_memstream(&text, &len) : stdout;

	if (!out) {
		fprintf(stderr, "sotto: %s\n", strerror(errno));
		return 1;
	}
	print_rules(i, ways, out);
	say_what_escapes(ways);
	if (!i->apply)
		return 0;
	int status = fclose(out) != 0 || run_nft(text);

	free(text);
	return status;
}

int intercept_remove(void)
{
	return run_nft(CLEARED);
}
