/* addr: an IP address with a port; prefixes and lists of them. */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include "base/span.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a unix socket's peer (AF_UNIX) nothing but the family is looked at: it is this host, and what
 * it calls itself are octets of its choice. */
struct addr {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/* Where DNS is, plain and over TLS, unless another port is given (RFC 1035 §4.2, RFC 7858 §3.1). */
enum { PORT_DNS = 53, PORT_TLS = 853 };

/* Room for the text of any address with brackets, scope and port. */
#define ADDR_TEXT 80

/* Reads `192.0.2.1`, `192.0.2.1:53`, `::1`, `[::1]`, `[fe80::1%eth0]:53`; without a port,
 * default_port is used. Numbers only: no name is looked up. */
bool addr_parse(struct addr *, const char *text, uint16_t default_port);
/* Writes the address with its port into text, which it returns; "unix" of a unix socket, "none" if
 * it has no family. */
const char *addr_print(const struct addr *, char text[ADDR_TEXT]);
/* The same without port and brackets. */
const char *addr_print_host(const struct addr *, char text[ADDR_TEXT]);

/* The address of these octets, 4 or 16 of them, without a port; false: it is another number. */
bool addr_from_octets(struct addr *, const uint8_t *octets, size_t len);

uint16_t addr_port(const struct addr *);
void addr_set_port(struct addr *, uint16_t);
socklen_t addr_size(const struct addr *);
bool addr_equal(const struct addr *, const struct addr *); /* port and all */
bool addr_same_host(const struct addr *, const struct addr *);
bool addr_is_any(const struct addr *); /* 0.0.0.0 or :: */
/* The octets of the address; of an IPv4-mapped one, of the IPv4 address that it carries; of a unix
 * socket none. */
struct span addr_octets(const struct addr *);
/* Of them, those of the network that a host has all addresses of to choose from: of IPv6 the /64,
 * of IPv4 its one address. Who counts clients counts these. */
struct span addr_network(const struct addr *);
bool addr_same_network(const struct addr *, const struct addr *);
/* Who is bound to the first is in the way of the second: 0.0.0.0 and :: take what is sent to any
 * address of their family at their port. */
bool addr_covers(const struct addr *, const struct addr *);
/* fe80::/10 without a scope: it may be there on every link, and none is named. */
bool addr_lacks_link(const struct addr *);
/* No single host has it: 0.0.0.0, 224.0.0.0/4 and above, ::, ff00::/8. */
bool addr_is_no_host(const struct addr *);
/* Would what is sent there come to somebody on this host who listens at these? Who listens at all
 * addresses of a family has those of loopback for certain. */
bool addr_is_heard(const struct addr *to, const struct addr *listen, size_t count);

struct prefix {
	struct addr base;
	unsigned bits;
};

/* Reads `10.0.0.0/8`, `fd00::/8`, or a single address. Bits beyond the length must be zero. */
bool prefix_parse(struct prefix *, const char *text);
/* IPv4-mapped IPv6 addresses are treated as the IPv4 address they carry. */
bool prefix_matches(const struct prefix *, const struct addr *);
/* That address alone. */
struct prefix prefix_of_host(const struct addr *);
/* The network of these octets, 4 or 16 of them, that begins with so many bits. False: it is another
 * number of octets, there are not so many bits, or bits beyond are not zero. */
bool prefix_from_octets(struct prefix *, const uint8_t *octets, size_t len, unsigned bits);
/* Are all addresses of the first in the second? */
bool prefix_is_within(const struct prefix *, const struct prefix *outer);

/* Does what is sent there stay in this host or network: is it `local` or `private`, as below? */
bool addr_is_inside(const struct addr *);

/* Who may do something. Owned by the configuration. */
struct acl {
	struct prefix *prefixes;
	size_t count;
};

/* Appends what word names: `local` (loopback), `private` (RFC 1918, RFC 6598, RFC 4193 and
 * link-local addresses), `any`, or a prefix. Returns false if it names nothing; errno is ENOMEM if
 * memory was out. */
bool acl_add(struct acl *, const char *word);
/* The same, but for words: a prefix. */
bool acl_add_prefix(struct acl *, const char *text);
/* Is it in one of the prefixes? No unix socket is. */
bool acl_has(const struct acl *, const struct addr *);
/* Is all of that network in one of the prefixes? */
bool acl_has_all(const struct acl *, const struct prefix *);
/* The same, but who comes by a unix socket may: its mode is what says so. */
bool acl_allows(const struct acl *, const struct addr *);
void acl_clear(struct acl *);

#endif
