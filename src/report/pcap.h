/* pcap: DNS messages as packets of a capture file, for tcpdump, Wireshark and their like.
 *
 * The classic format, of LINKTYPE_RAW: packets begin with their IP header. Headers are made up:
 * whatever a message came over, it is shown as UDP between its client and port 53 of ours, since
 * that is where those programs look for DNS. Checksums are right.
 */
#ifndef REPORT_PCAP_H
#define REPORT_PCAP_H

#include "base/span.h"
#include "net/addr.h"

#include <stdbool.h>
#include <time.h>

/* What a file begins with. */
#define PCAP_HEADER 24

void pcap_put_header(uint8_t out[PCAP_HEADER]);

struct packet {
	const struct addr *client;
	const struct addr *server; /* ours, that was asked; AF_UNSPEC: not known */
	bool answer; /* to the client, not from it */
	struct span message; /* what is longer than UDP can carry is cut */
};

/* Octets that it takes in a file, its record's header among them. */
size_t pcap_size(const struct packet *);
/* Writes it into out, where pcap_size() octets must fit. */
void pcap_put(uint8_t *out, const struct packet *, const struct timespec *at);

#endif
