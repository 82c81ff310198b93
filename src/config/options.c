#include "config/options.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#define FIELD(member) offsetof(struct config, member), sizeof(((struct config *)NULL)->member)
#define NO_FIELD      0, 0
#define HOUR          3600000
#define DAY           (24 * HOUR)

const struct config_option options[] = {
	{ "listen", &kind_listen, NO_FIELD, "127.0.0.1:53, [::1]:53", 0, 0,
		"Where clients ask: ADDRESS[:PORT], over UDP and TCP; tls://ADDRESS[:PORT], DNS over TLS; "
		"unix:PATH. Parameters: tls=terminate, passthrough or refuse; plain=accept or refuse; "
		"interface=NAME; free-bind=yes; mode=0660 of a path; enabled=no." },
	{ "allow", &kind_allow, NO_FIELD, "local, private", 0, 0,
		"Who may ask: local, private, any, an address, or a prefix such as 192.0.2.0/24." },
	{ "proxies", &kind_proxies, NO_FIELD, "[]", 0, 0,
		"Load balancers, by address or prefix, that speak for others: what they send must begin "
		"with a PROXY header, and whoever that names is the client." },
	{ "trusted-forwarders", &kind_prefixes, FIELD(written_rules.forwarders), "[]", 0, 0,
		"Forwarders, by address or prefix, that are believed for whom they ask: views and rules "
		"are chosen by the client subnet, MAC address and CPE that they send ([rules.md]"
		"(rules.md#behind-a-forwarder))." },
	{ "upstreams", &kind_upstreams, FIELD(written.upstreams),
		"tls://1.0.0.1#cloudflare-dns.com, tls://1.1.1.1#cloudflare-dns.com", 0, 0,
		"Which servers are asked: tls://HOST[:PORT][#NAME][?KEY=VALUE&...], ddr://ADDRESS, tcp:// "
		"or udp://." },
	{ "policy", &kind_policy, FIELD(written.policy), "fastest", 0, 0,
		"Which server of a group is asked: fastest; ordered, the first one that works; race, the "
		"two fastest at once; or spread, each for its share of the domains." },
	{ "groups", &kind_groups, FIELD(written.groups), "{}", 0, 0,
		"Other groups of servers by name, for zones: { NAME: [UPSTREAM, ...] } or { NAME: { "
		"upstreams: [UPSTREAM, ...], policy: WORD } }." },
	{ "zones", &kind_zones, FIELD(written.zones), "{}", 0, 0,
		"Which domains, with all below them, are asked elsewhere: { DOMAIN: GROUP } or { DOMAIN: "
		"[UPSTREAM, ...] }; the longest domain wins." },
	{ "bootstrap", &kind_bootstrap, FIELD(written.bootstrap),
		"tls://1.0.0.1#cloudflare-dns.com, tls://9.9.9.9#dns.quad9.net", 0, 0,
		"Servers given by address that are asked for the addresses of upstreams given by name." },
	{ "rules", &kind_rules, FIELD(written_rules.everybody.rules), "[]", 0, 0,
		"What is answered here, refused, or asked elsewhere, by name, type and client "
		"([rules.md](rules.md))." },
	{ "hosts", &kind_hosts, FIELD(written_rules.everybody.hosts), "{}", 0, 0,
		"Names and their addresses: { NAME: ADDRESS } or { NAME: [ADDRESS, ...] }." },
	{ "hosts-files", &kind_files, FIELD(written_rules.everybody.hosts_files), "[]", 0, 0,
		"The same from files in the form of /etc/hosts, or folders of them. Files that change "
		"are read again, as are those of zones and lists." },
	{ "zone-files", &kind_zone_files, FIELD(written_rules.everybody.zone_files), "{}", 0, 0,
		"Zones that are answered here: { ZONE: FILE }." },
	{ "leases-files", &kind_leases_files, FIELD(written_rules.everybody.leases_files), "{}", 0,
		0,
		"Names that dnsmasq has given away by DHCP: { DOMAIN: FILE }, such as lan: "
		"/var/lib/misc/dnsmasq.leases." },
	{ "synthesized", &kind_synthesized, FIELD(written_rules.everybody.synthesized), "{}", 0, 0,
		"Names that are made of addresses, both ways: { FORM: PREFIX }, such as "
		"\"host-{c}-{d}.example\": 192.0.0.0/16." },
	{ "local.ttl", &kind_duration, FIELD(written_rules.ttl_ms), "1m", 0, 7 * DAY,
		"TTL of local records that have none of their own." },
	{ "local.pointers", &kind_flag, FIELD(rules.hosts_ptr), "true", 0, 0,
		"PTR follows from `hosts` and hosts files." },
	{ "local.authoritative", &kind_flag, FIELD(rules.authoritative), "true", 0, 0,
		"AA is set in what is answered here." },
	{ "local.any", &kind_any, FIELD(rules.any), "all", 0, 0,
		"What is answered to ANY where the name is local: all; hinfo (RFC 8482); refuse." },
	{ "lists", &kind_lists, FIELD(written_rules.lists), "{}", 0, 0,
		"Lists of names that are blocked, or allowed: { NAME: FILE } or { NAME: { file: FILE, "
		"... } }." },
	{ "views", &kind_views, FIELD(written_rules.views), "{}", 0, 0,
		"Clients that are told other things than the rest: { NAME: { clients: [PREFIX, ...], "
		"... } }." },
	{ "special.names", &kind_flag, FIELD(rules.special), "true", 0, 0,
		"Names that no server outside can know, such as localhost or those of private addresses, "
		"are answered here." },
	{ "special.except", &kind_names, FIELD(written_rules.special_except), "[]", 0, 0,
		"Such names that are asked like any other." },
	{ "special.canary", &kind_flag, FIELD(rules.canary), "false", 0, 0,
		"use-application-dns.net does not exist, which has Firefox ask us." },
	{ "protect.rebinding", &kind_flag, FIELD(rules.judge.rebind), "false", 0, 0,
		"Private addresses in answers of servers outside are not passed on." },
	{ "protect.rebinding-except", &kind_names, FIELD(written_rules.rebinding_except), "[]", 0,
		0, "Domains, with all below them, whose answers may have private addresses." },
	{ "protect.block-addresses", &kind_prefixes, FIELD(written_rules.block), "[]", 0, 0,
		"An answer of a server that has one of these addresses is blocked." },
	{ "protect.bogus-addresses", &kind_prefixes, FIELD(written_rules.bogus), "[]", 0, 0,
		"Of an answer that has one of these addresses, the name does not exist." },
	{ "dns64.prefix", &kind_translation, FIELD(rules.dns64.prefix), "none", 0, 0,
		"AAAA are made of A in this prefix, such as 64:ff9b::/96, where there are none." },
	{ "dns64.clients", &kind_clients, FIELD(written_rules.dns64_clients), "[]", 0, 0,
		"For whom; [] is everybody." },
	{ "dns64.exclude", &kind_prefixes, FIELD(written_rules.dns64_exclude), "[]", 0, 0,
		"Addresses of AAAA records that do not count, besides ::ffff:0:0/96." },
	{ "lab", &kind_flag, FIELD(rules.lab), "false", 0, 0,
		"Rules may do what is for test benches only: delay, lose, fail." },
	{ "dump.file", &kind_dump, FIELD(dump.file), "none", 0, 0,
		"A file that messages of clients are written to as packets, for tcpdump or Wireshark "
		"([rules.md](rules.md#shown-to-others))." },
	{ "dump.what", &kind_what, FIELD(dump_what), "invalid, rules", 0, 0,
		"Which: all; invalid, what is no query; rules, what a rule with `dump: true` decides. "
		"With their answers." },
	{ "dump.size", &kind_size, FIELD(dump.size), "64MiB", 1 << 16, (uint64_t)1 << 40,
		"The most octets that it may have; then nothing more is written." },
	{ "events.socket", &kind_socket, FIELD(query.events.socket), "none", 0, 0,
		"A unix socket that is told, by a datagram of JSON, of each question that a rule with "
		"`event: NAME` decides." },
	{ "events.rate", &kind_count, FIELD(query.events.rate), "10", 1, 1000000,
		"How many of one name in a second; what is beyond is counted." },
	{ "certificate", &kind_certificate, NO_FIELD, "none", 0, 0,
		"What is shown to clients that come over TLS: { cert: FILE, key: FILE }, a list of "
		"such, chosen from by the name that a client looks for; or self-signed, made at start. "
		"Files that change are read again." },
	{ "clients.ca", &kind_file, FIELD(clients_ca), "none", 0, 0,
		"A PEM file with the CA of clients, who are then asked for a certificate when they come "
		"over TLS." },
	{ "clients.required", &kind_flag, FIELD(clients_required), "false", 0, 0,
		"Who comes over TLS without such a certificate is refused." },
	{ "require", &kind_require, FIELD(require), "authenticated", 0, 0,
		"What every upstream must be, or it is refused at start: authenticated; encrypted, be it "
		"by whomever; or nothing. Plain ones within this network are no matter of it." },
	{ "hedge", &kind_flag, FIELD(upstream.hedge), "true", 0, 0,
		"When a server is later than it usually is, the next one is asked as well." },
	{ "state", &kind_state, NO_FIELD, "auto", 0, 0,
		"Where to keep what should survive a restart: a directory, none, or auto: "
		"$STATE_DIRECTORY, or /var/lib/sotto if it can be written to." },
	{ "workers", &kind_workers, FIELD(workers), "auto", 1, 64,
		"Threads; auto is one for each processor that this process may use." },
	{ "tls.ca", &kind_ca, FIELD(ca), "system", 0, 0,
		"Certificates that upstreams are verified against: system, or a PEM file." },
	{ "tls.ticket-keys", &kind_file, FIELD(ticket_keys), "none", 0, 0,
		"Keys of 80 octets that clients' TLS sessions are put away under, where several hosts "
		"share them; the first one encrypts. none: made at start, and every six hours." },
	{ "tls.unsynced-clock", &kind_clock, FIELD(await_clock), "judge", 0, 0,
		"What a clock means that nobody has set yet: judge certificates by it all the same, "
		"or wait: dates that do not fit are then laid to the clock." },
	{ "cache.size", &kind_size, FIELD(cache.size), "64MiB", 0, (uint64_t)1 << 40,
		"Memory for answers, everything counted: at least 256KiB, or 0, which switches the "
		"cache off." },
	{ "cache.ttl-min", &kind_duration, FIELD(cache.ttl_min_ms), "0s", 0, HOUR,
		"No TTL is below this." },
	{ "cache.ttl-max", &kind_duration, FIELD(cache.ttl_max_ms), "1d", 1000, 7 * DAY,
		"No TTL is above this." },
	{ "cache.ttl-negative", &kind_duration, FIELD(cache.negative_max_ms), "1h", 1000, DAY,
		"What does not exist is believed not to exist for no longer than this." },
	{ "cache.stale", &kind_duration, FIELD(cache.stale_ms), "1d", 0, 7 * DAY,
		"For so long, an answer that has expired is given when there is no better one; 0s: never." },
	{ "cache.stale-after", &kind_duration, FIELD(cache.stale_after_ms), "1800ms", 0, HOUR,
		"A client that could have an expired answer waits for a fresh one for so long." },
	{ "cache.fresh-only", &kind_domains, NO_FIELD, "[]", 0, 0,
		"Domains, with all below them, whose expired answers are never given." },
	{ "cache.failure", &kind_duration, FIELD(cache.failure_ms), "5s", 1000, 5 * 60 * 1000,
		"A question that servers fail to answer is not asked again for a second at first, "
		"twice as long each time, and this at most." },
	{ "cache.prefetch", &kind_flag, FIELD(cache.prefetch), "true", 0, 0,
		"What is asked for often is asked for again before it expires." },
	{ "cache.keep", &kind_flag, FIELD(cache_keep), "true", 0, 0,
		"Answers are kept over a restart, in the folder of `state`." },
	{ "cache.save-every", &kind_duration, FIELD(cache_save_ms), "0s", 0, DAY,
		"How often they are written there while sotto runs; 0s is only at its end." },
	{ "log.level", &kind_level, FIELD(log_level), "info", 0, 0,
		"The least important lines that are written: error, warn, info or debug." },
	{ "control", &kind_control, NO_FIELD, "auto", 0, 0,
		"The unix socket where `sotto status` asks: auto, none, or its path." },
	{ "sandbox", &kind_sandbox, FIELD(sandbox), "on", 0, 0,
		"What sotto does not need once it serves is taken from it: privileges, files, ports, "
		"system calls. strict: a system call that it should not need ends it, for tests." },
	{ "udp-size", &kind_count, FIELD(query.udp_size), "1232", 512, 4096,
		"Octets that an answer over UDP may have at most; longer ones are truncated." },

	{ "timeouts.query", &kind_duration, FIELD(query.deadline_ms), "4s", 100, HOUR,
		"From a query's arrival to its answer, whatever happens." },
	{ "timeouts.attempt", &kind_duration, FIELD(upstream.attempt_ms), "800ms", 10, HOUR,
		"The most that one upstream is waited for alone: then the next one is asked as well." },
	{ "timeouts.connect", &kind_duration, FIELD(upstream.connect_ms), "2s", 10, HOUR,
		"For TCP and TLS of a connection to be set up." },
	{ "timeouts.upstream-idle", &kind_duration, FIELD(upstream.idle_ms), "9s", 0, DAY,
		"A connection to an upstream with nothing to do is closed after this." },
	{ "timeouts.upstream-silent", &kind_duration, FIELD(upstream.silent_ms), "3s", 10, HOUR,
		"A connection that owes replies and brings nothing is given up after this." },
	{ "timeouts.client-idle", &kind_duration, FIELD(listen.idle_ms), "10s", 100, DAY,
		"A client's TCP connection without a query is closed after this." },
	{ "timeouts.client-handshake", &kind_duration, FIELD(listen.handshake_ms), "5s", 100, HOUR,
		"A client's TLS handshake must be over within this." },
	{ "timeouts.client-lifetime", &kind_duration, FIELD(listen.lifetime_ms), "0s", 0, DAY,
		"A client's connection is ended in order after this, however busy it is; 0s: never." },
	{ "timeouts.message", &kind_duration, FIELD(listen.message_ms), "2s", 100, HOUR,
		"A query that has begun to arrive over TCP must be whole within this." },
	{ "timeouts.write", &kind_duration, FIELD(listen.write_ms), "5s", 100, HOUR,
		"A TCP client that does not take its answers for so long is disconnected." },

	{ "limits.queries", &kind_count, FIELD(query.queries_max), "65536", 1, 1 << 24,
		"Queries that wait at the same time." },
	{ "limits.queries-per-client", &kind_count, FIELD(query.queries_per_client), "2048", 1,
		1 << 24,
		"Of them, those of one client address; and never more than are left for others." },
	{ "limits.queries-per-second", &kind_count, FIELD(query.queries_per_second), "0", 0,
		1000000,
		"What one client, which is an IPv4 address or a /64 of IPv6, may ask, over UDP and over "
		"connections; 0: as much as it likes. Beyond, connections wait, and over UDP every other "
		"query is told to come over TCP and the rest is dropped." },
	{ "limits.connections", &kind_count, FIELD(listen.connections), "16384", 1, 1 << 20,
		"TCP connections of all clients." },
	{ "limits.connections-per-client", &kind_count, FIELD(listen.connections_per_client),
		"12288", 1, 1 << 20,
		"TCP connections of one client: of an IPv4 address, or of a /64 of IPv6." },
	{ "limits.queries-per-connection", &kind_count, FIELD(listen.pipeline), "256", 1, 65535,
		"Queries of one TCP connection that wait; further ones are read when these are "
		"answered." },
	{ "limits.queries-before-close", &kind_count, FIELD(listen.queries_before_close), "0", 0,
		1 << 30,
		"Queries that one connection may bring in all; then it is ended in order, when they are "
		"answered. 0: as many as it likes." },
	{ "limits.unsent", &kind_size, FIELD(listen.unsent), "64MiB", 1 << 20, (uint64_t)1 << 40,
		"Octets of answers that TCP clients do not take, all together; beyond, who has left "
		"most is disconnected." },
	{ "limits.queries-per-upstream", &kind_count, FIELD(upstream.in_flight), "16384", 1, 65535,
		"Queries that wait on one connection to an upstream." },
	{ 0 },
};

/* What threads, memory, files and places a process has is settled when it starts. */
static const char *const settled[] = { "workers", "cache.size", "cache.keep", "state", "control",
	"sandbox" };

static_assert(sizeof(options) / sizeof(options[0]) <= OPTIONS_MAX, "OPTIONS_MAX is too small");

const struct config_option *options_find(const char *key)
{
	for (const struct config_option *o = options; o->key; o++) {
		if (strcmp(o->key, key) == 0)
			return o;
	}
	return NULL;
}

const struct config_option *options_find_entry(const char *key, const char **entry)
{
	const struct config_option *o = options_find(key);

	*entry = NULL;
	if (o)
		return o;
	for (o = options; o->key; o++) {
		size_t len = strlen(o->key);

		if (!o->kind->take_entry || strncmp(o->key, key, len) != 0 || key[len] != '.')
			continue;
		*entry = key + len + 1;
		return o;
	}
	return NULL;
}

bool options_needs_restart(const struct config_option *o)
{
	for (size_t i = 0; i < sizeof settled / sizeof *settled; i++)
		if (strcmp(o->key, settled[i]) == 0)
			return true;
	return false;
}

size_t options_index(const struct config_option *o)
{
	return (size_t)(o - options);
}

const char *options_variable(const struct config_option *o, char name[OPTIONS_VARIABLE])
{
	snprintf(name, OPTIONS_VARIABLE, "SOTTO_%s", o->key);
	for (char *c = name; *c; c++)
		*c = (char)(*c == '.' || *c == '-' ? '_' : toupper((unsigned char)*c));
	return name;
}

void options_print(FILE *out)
{
	char variable[OPTIONS_VARIABLE];

	fputs("| key | kind | default | meaning |\n|---|---|---|---|\n", out);
	for (const struct config_option *o = options; o->key; o++) {
		fprintf(out, "| `%s` | ", o->key);
		kind_print_range(o, out);
		fprintf(out, " | `%s` | %s%s `%s` |\n", o->standard, o->help,
			options_needs_restart(o) ? " Only a restart changes it." : "",
			options_variable(o, variable));
	}
}
