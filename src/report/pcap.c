#include "report/pcap.h"

#include "dns/octets.h"

#include <string.h>

#define MAGIC        0xa1b2c3d4 /* microseconds; the order of its octets is that of all numbers */
#define LINKTYPE_RAW 101
#define SNAPLEN      262144 /* libpcap takes no longer packets */

#define RECORD_HEADER 16
#define UDP_HEADER    8
#define IP4_HEADER    20
#define IP6_HEADER    40
#define PAYLOAD_MAX   (UINT16_MAX - IP4_HEADER - UDP_HEADER)

#define HOPS          64
#define DONT_FRAGMENT 0x4000

/* ---- addresses ---- */

/* 4 or 16. Who comes over a unix socket is this host, and shown as 127.0.0.1. */
static size_t octets_of_host(const struct packet *p)
{
	return addr_octets(p->client).len == 16 ? 16 : 4;
}

static void put_host(uint8_t *out, const struct addr *a, const struct packet *p)
{
	static const uint8_t loopback[] = { 127, 0, 0, 1 };
	size_t len = octets_of_host(p);
	struct span octets = addr_octets(a);

	memset(out, 0, len);
	if (p->client->any.sa_family == AF_UNIX)
		memcpy(out, loopback, sizeof loopback);
	else if (octets.len == len)
		memcpy(out, octets.at, len);
}

static void put_hosts(uint8_t *out, const struct packet *p)
{
	put_host(out, p->answer ? p->server : p->client, p);
	put_host(out + octets_of_host(p), p->answer ? p->client : p->server, p);
}

/* ---- checksums (RFC 1071) ---- */

static uint32_t add(uint32_t sum, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += get_u16(at + i);
	return len % 2 ? sum + ((uint32_t)at[len - 1] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)~sum;
}

/* ---- headers ---- */

static size_t payload(const struct packet *p)
{
	return p->message.len < PAYLOAD_MAX ? p->message.len : PAYLOAD_MAX;
}

static size_t ip_header(const struct packet *p)
{
	return octets_of_host(p) == 16 ? IP6_HEADER : IP4_HEADER;
}

/* Returns where its addresses are. */
static uint8_t *put_ip4(uint8_t *out, const struct packet *p, size_t len)
{
	memset(out, 0, IP4_HEADER);
	out[0] = 0x45; /* version 4, a header of five words */
	put_u16(out + 2, (uint16_t)(IP4_HEADER + len));
	put_u16(out + 6, DONT_FRAGMENT);
	out[8] = HOPS;
	out[9] = IPPROTO_UDP;
	put_hosts(out + 12, p);
	put_u16(out + 10, fold(add(0, out, IP4_HEADER)));
	return out + 12;
}

static uint8_t *put_ip6(uint8_t *out, const struct packet *p, size_t len)
{
	memset(out, 0, IP6_HEADER);
	out[0] = 0x60;
	put_u16(out + 4, (uint16_t)len);
	out[6] = IPPROTO_UDP;
	out[7] = HOPS;
	put_hosts(out + 8, p);
	return out + 8;
}

static void put_ports(uint8_t *udp, const struct packet *p)
{
	bool has_port = p->client->any.sa_family != AF_UNIX;
	uint16_t client = has_port ? addr_port(p->client) : 0;

	put_u16(udp, p->answer ? PORT_DNS : client);
	put_u16(udp + 2, p->answer ? client : PORT_DNS);
}

/* Zero is no checksum: all ones mean the same (RFC 768). */
static uint16_t udp_checksum(const uint8_t *hosts, size_t hosts_len, const uint8_t *udp, size_t len)
{
	uint16_t sum = fold(add(add(IPPROTO_UDP + (uint32_t)len, hosts, hosts_len), udp, len));

	return sum ? sum : UINT16_MAX;
}

/* ---- the whole ---- */

void pcap_put_header(uint8_t out[PCAP_HEADER])
{
	memset(out, 0, PCAP_HEADER);
	put_u32(out, MAGIC);
	put_u16(out + 4, 2); /* version 2.4 */
	put_u16(out + 6, 4);
	put_u32(out + 16, SNAPLEN);
	put_u32(out + 20, LINKTYPE_RAW);
}

size_t pcap_size(const struct packet *p)
{
	return RECORD_HEADER + ip_header(p) + UDP_HEADER + payload(p);
}

void pcap_put(uint8_t *out, const struct packet *p, const struct timespec *at)
{
	uint8_t *ip = out + RECORD_HEADER, *udp = ip + ip_header(p);
	size_t len = UDP_HEADER + payload(p), cut = p->message.len - payload(p);
	uint32_t whole = (uint32_t)(ip_header(p) + len);

	put_u32(out, (uint32_t)at->tv_sec);
	put_u32(out + 4, (uint32_t)(at->tv_nsec / 1000));
	put_u32(out + 8, whole);
	put_u32(out + 12, whole + (uint32_t)cut);
	put_ports(udp, p);
	put_u16(udp + 4, (uint16_t)len);
	put_u16(udp + 6, 0);
	if (p->message.len)
		memcpy(udp + UDP_HEADER, p->message.at, payload(p));
	uint8_t *hosts = ip_header(p) == IP6_HEADER ? put_ip6(ip, p, len) : put_ip4(ip, p, len);

	put_u16(udp + 6, udp_checksum(hosts, 2 * octets_of_host(p), udp, len));
}
