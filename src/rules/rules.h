/* rules: what is to be answered here, as the configuration says it. Plain data; ruleset.h makes of
 * it what questions are decided by.
 */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "dns/edns.h"
#include "net/addr.h"
#include "rules/pattern.h"

#include <stdint.h>

/* Views, that of everybody (0) included; lists. */
#define VIEWS_MAX 64
#define LISTS_MAX 64

/* What is done with a question. */
enum act {
	ACT_PASS, /* asked upstream, as if no other rule were there */
	ACT_ANSWER, /* with records of ours, or, for other types, that there are none */
	ACT_NODATA, /* there is no record of this type */
	ACT_NXDOMAIN, /* there is no such name */
	ACT_REFUSE, /* REFUSED */
	ACT_SERVFAIL, /* lab */
	ACT_DROP, /* silence */
	ACT_TRUNCATE, /* TC over datagrams; over streams as if the rule were not there */
	ACT_CNAME, /* its name is an alias of the target, which is looked up */
	ACT_REWRITE, /* the target is asked instead, and the answer told under the name asked for */
	ACT_ROUTE /* asked of a group of servers */
};

/* Where it is written. file NULL: it is built in, or from the command line or the environment. */
struct rules_place {
	const char *file;
	unsigned line;
};

enum lab_per { PER_ALL, PER_CLIENT, PER_NAME };

/* For test benches, where the configuration says `lab: true`. */
struct lab_conf {
	unsigned delay_ms, jitter_ms; /* before what is done; jitter: up to so much more */
	unsigned first; /* only the first so many questions; 0: all ... */
	enum lab_per per; /* ... of everybody, of each client, or of each name */
	unsigned chance; /* of a million; 0: always */
	uint64_t seed; /* of jitter and chance; 0: unpredictable */
};

struct rule_conf {
	struct rules_place place;
	unsigned view; /* by index; 0: of everybody */
	struct pattern_conf *patterns; /* any of them; none: every name */
	size_t pattern_count;
	struct pattern_conf *except; /* none of them */
	size_t except_count;
	uint16_t *types; /* any of them; none: every type */
	size_t type_count;
	struct acl clients; /* in any of them; none: everybody */
	const char **identities; /* of a client's certificate, exact or `*.SUFFIX` */
	size_t identity_count;
	const char **listeners; /* endpoints as `listen` spells them */
	size_t listener_count;
	int priority; /* -1000 to 1000 */
	enum act act;
	const char **records; /* of ANSWER: zone-file syntax without owner and class: [TTL] TYPE
				 RDATA; addresses may be macros */
	size_t record_count;
	uint32_t ttl_s; /* of records that have none of their own, of CNAME, and of negations */
	const char *target; /* of CNAME and REWRITE: a name; of REWRITE by suffix or below, the
			       labels before what is fixed stay in front of it */
	size_t group; /* of ROUTE: index of upstream_conf.groups */
	const char *group_name; /* for people */
	enum ede ede; /* EDE_NONE: none */
	const char *ede_text;
	struct lab_conf lab;
	bool dump; /* what it decides is written to the dump */
	const char *event; /* under which others are told of it; NULL: they are not ... */
	unsigned event_number; /* ... the same for all rules of that name, counted from 0 */
};

/* Forms of list files. */
enum list_format {
	LIST_AUTO, /* told by its first lines */
	LIST_HOSTS, /* ADDRESS NAME...; the addresses do not matter: exact */
	LIST_DOMAINS, /* NAME: it and below; `*.NAME`: below */
	LIST_ADBLOCK, /* ||NAME^, @@||NAME^ */
	LIST_DNSMASQ, /* address=/NAME/, server=/NAME/, local=/NAME/ */
	LIST_RPZ /* a zone file (response policy zone): QNAME, IP, actions */
};

/* What a blocked question is answered with. */
enum block_answer { BLOCK_NXDOMAIN, BLOCK_NODATA, BLOCK_ZERO, BLOCK_REFUSED, BLOCK_ADDRESSES };

struct list_conf {
	const char *name;
	const char *file;
	enum list_format format;
	bool allows; /* what it names passes, whatever lists block */
	enum block_answer answer;
	const char **addresses; /* of BLOCK_ADDRESSES: text of IPv4 and IPv6 addresses */
	size_t address_count;
	uint32_t ttl_s;
	enum ede ede; /* EDE_BLOCKED, EDE_CENSORED or EDE_FILTERED */
	uint64_t views; /* bit i: it holds in view i; bit 0: for clients of no view */
};

/* A file of records. origin NULL: a hosts file; else a zone file of that zone, or leases of DHCP
 * whose names are in that domain. */
struct local_file_conf {
	unsigned view;
	const char *file;
	const char *origin;
	bool leases;
};

/* `hosts:`, one name. */
struct host_conf {
	struct rules_place place;
	unsigned view;
	const char *name;
	const char **addresses; /* IPv4, IPv6, macros */
	size_t address_count;
};

/* `synthesized:`, one form of names (synth.h). */
struct synth_conf {
	struct rules_place place;
	unsigned view;
	const char *form;
	struct acl nets;
};

/* Clients that are told other things than the rest. A MAC address decides, then a CPE, then the
 * longest prefix that holds. */
struct view_conf {
	const char *name;
	struct acl clients; /* who is in it; or by what forwarders say of their clients, ... */
	const char **macs, **cpe_ids; /* ... as dns/behind.h writes it */
	size_t mac_count, cpe_id_count;
	size_t group; /* that is asked instead of that of `upstreams:`; GROUP_DEFAULT: none */
	const char *group_name;
};

/* Answers of servers that are not let through. */
struct judge_conf {
	bool rebind; /* private addresses, in A, AAAA and hints of SVCB and HTTPS ... */
	const char **rebind_allow; /* ... but of these domains, with all below */
	size_t rebind_allow_count;
	struct acl block; /* addresses: such answers are blocked */
	struct acl bogus; /* addresses: the name does not exist (bogus-nxdomain) */
};

struct dns64_conf {
	struct prefix prefix; /* of 32, 40, 48, 56, 64 or 96 bits; bits 0: off */
	struct acl clients; /* none: everybody */
	struct acl exclude; /* addresses of AAAA records that do not count */
};

/* What is answered to ANY where it is ours. */
enum any_answer { ANY_ALL, ANY_HINFO, ANY_REFUSE };

struct rules_conf {
	struct rule_conf *rules;
	size_t rule_count;
	struct view_conf *views; /* [0] is everybody's, without clients */
	size_t view_count; /* at least 1 */
	struct list_conf *lists;
	size_t list_count;
	struct local_file_conf *files;
	size_t file_count;
	struct host_conf *hosts;
	size_t host_count;
	struct synth_conf *synthesized;
	size_t synthesized_count;
	const char **routed; /* domains of `zones:`, which are asked as they say */
	size_t routed_count;
	const char **special_off; /* special names that are asked upstream like others */
	size_t special_off_count;
	bool special; /* names that no server outside may be asked (special.h) */
	bool canary; /* use-application-dns.net does not exist */
	bool hosts_ptr; /* names of addresses follow from those of hosts */
	struct judge_conf judge;
	struct dns64_conf dns64;
	enum any_answer any;
	bool authoritative; /* AA in what is answered here */
	bool lab;
	uint32_t ttl_s; /* of local data that has none of its own */
};

#endif
