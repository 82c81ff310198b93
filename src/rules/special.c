#include "rules/special.h"

#include <stddef.h>

/* Of 172.16.0.0/12 and 100.64.0.0/10, which DNS can only delegate by the octet. */
#define OF_172(n) { #n ".172.in-addr.arpa", SPECIAL_ZONE }
#define OF_100(n) { #n ".100.in-addr.arpa", SPECIAL_ZONE }

/* clang-format off */
#define ZEROS_31 \
	"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."

/* Not here: test. (RFC 6761 §6.2), which nobody outside has, but people do, in the network that they
 * develop in: what their own servers say of it must be asked. ipv4only.arpa (RFC 8880), which tells
 * what this network's servers make of it. resolver.arpa (RFC 9462), which has answers of its own. */
const struct special special_names[] = {
	{ "localhost", SPECIAL_LOOPBACK },              /* RFC 6761 §6.3 */
	{ "invalid", SPECIAL_NXDOMAIN },                /* RFC 6761 §6.4 */
	{ "local", SPECIAL_NXDOMAIN },                  /* RFC 6762 §22.1: multicast has them */
	{ "onion", SPECIAL_NXDOMAIN },                  /* RFC 7686 §2 */
	{ "alt", SPECIAL_NXDOMAIN },                    /* RFC 9476 §2 */
	{ "home.arpa", SPECIAL_HOME },                  /* RFC 8375 */
	{ "use-application-dns.net", SPECIAL_CANARY },  /* what Firefox asks before it uses DoH */

	/* RFC 6303 §4.1: addresses of RFC 1918. */
	{ "10.in-addr.arpa", SPECIAL_ZONE },
	OF_172(16), OF_172(17), OF_172(18), OF_172(19), OF_172(20), OF_172(21), OF_172(22), OF_172(23),
	OF_172(24), OF_172(25), OF_172(26), OF_172(27), OF_172(28), OF_172(29), OF_172(30), OF_172(31),
	{ "168.192.in-addr.arpa", SPECIAL_ZONE },

	/* RFC 6303 §4.2: this network, loopback, link-local, documentation, broadcast. */
	{ "0.in-addr.arpa", SPECIAL_ZONE },
	{ "127.in-addr.arpa", SPECIAL_ZONE },
	{ "254.169.in-addr.arpa", SPECIAL_ZONE },
	{ "2.0.192.in-addr.arpa", SPECIAL_ZONE },
	{ "100.51.198.in-addr.arpa", SPECIAL_ZONE },
	{ "113.0.203.in-addr.arpa", SPECIAL_ZONE },
	{ "255.255.255.255.in-addr.arpa", SPECIAL_ZONE },

	/* RFC 6303 §4.3: :: and ::1. */
	{ "0." ZEROS_31 "ip6.arpa", SPECIAL_ZONE },
	{ "1." ZEROS_31 "ip6.arpa", SPECIAL_ZONE },

	/* RFC 6303 §4.4 to 4.6: unique local, link-local, documentation. */
	{ "d.f.ip6.arpa", SPECIAL_ZONE },
	{ "8.e.f.ip6.arpa", SPECIAL_ZONE },
	{ "9.e.f.ip6.arpa", SPECIAL_ZONE },
	{ "a.e.f.ip6.arpa", SPECIAL_ZONE },
	{ "b.e.f.ip6.arpa", SPECIAL_ZONE },
	{ "8.b.d.0.1.0.0.2.ip6.arpa", SPECIAL_ZONE },

	/* RFC 7793: addresses that providers share among their customers (RFC 6598). */
	OF_100(64), OF_100(65), OF_100(66), OF_100(67), OF_100(68), OF_100(69), OF_100(70), OF_100(71),
	OF_100(72), OF_100(73), OF_100(74), OF_100(75), OF_100(76), OF_100(77), OF_100(78), OF_100(79),
	OF_100(80), OF_100(81), OF_100(82), OF_100(83), OF_100(84), OF_100(85), OF_100(86), OF_100(87),
	OF_100(88), OF_100(89), OF_100(90), OF_100(91), OF_100(92), OF_100(93), OF_100(94), OF_100(95),
	OF_100(96), OF_100(97), OF_100(98), OF_100(99), OF_100(100), OF_100(101),
	OF_100(102), OF_100(103),
	OF_100(104), OF_100(105), OF_100(106), OF_100(107), OF_100(108), OF_100(109),
	OF_100(110), OF_100(111), OF_100(112), OF_100(113), OF_100(114), OF_100(115),
	OF_100(116), OF_100(117), OF_100(118), OF_100(119), OF_100(120), OF_100(121),
	OF_100(122), OF_100(123), OF_100(124), OF_100(125), OF_100(126), OF_100(127),

	{ NULL, SPECIAL_NXDOMAIN },
};
/* clang-format on */
