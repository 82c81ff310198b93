/* types: the numbers of the DNS that have names, each listed once (the IANA registries). */
#ifndef DNS_TYPES_H
#define DNS_TYPES_H

#define DNS_TYPES(X)                                                                               \
	X(A, 1)                                                                                    \
	X(NS, 2)                                                                                   \
	X(MD, 3)                                                                                   \
	X(MF, 4)                                                                                   \
	X(CNAME, 5)                                                                                \
	X(SOA, 6)                                                                                  \
	X(MB, 7)                                                                                   \
	X(MG, 8)                                                                                   \
	X(MR, 9)                                                                                   \
	X(NULL, 10)                                                                                \
	X(WKS, 11)                                                                                 \
	X(PTR, 12)                                                                                 \
	X(HINFO, 13)                                                                               \
	X(MINFO, 14)                                                                               \
	X(MX, 15)                                                                                  \
	X(TXT, 16)                                                                                 \
	X(RP, 17)                                                                                  \
	X(AFSDB, 18)                                                                               \
	X(X25, 19)                                                                                 \
	X(ISDN, 20)                                                                                \
	X(RT, 21)                                                                                  \
	X(NSAP, 22)                                                                                \
	X(SIG, 24)                                                                                 \
	X(KEY, 25)                                                                                 \
	X(PX, 26)                                                                                  \
	X(GPOS, 27)                                                                                \
	X(AAAA, 28)                                                                                \
	X(LOC, 29)                                                                                 \
	X(NXT, 30)                                                                                 \
	X(EID, 31)                                                                                 \
	X(NIMLOC, 32)                                                                              \
	X(SRV, 33)                                                                                 \
	X(ATMA, 34)                                                                                \
	X(NAPTR, 35)                                                                               \
	X(KX, 36)                                                                                  \
	X(CERT, 37)                                                                                \
	X(A6, 38)                                                                                  \
	X(DNAME, 39)                                                                               \
	X(SINK, 40)                                                                                \
	X(OPT, 41)                                                                                 \
	X(APL, 42)                                                                                 \
	X(DS, 43)                                                                                  \
	X(SSHFP, 44)                                                                               \
	X(IPSECKEY, 45)                                                                            \
	X(RRSIG, 46)                                                                               \
	X(NSEC, 47)                                                                                \
	X(DNSKEY, 48)                                                                              \
	X(DHCID, 49)                                                                               \
	X(NSEC3, 50)                                                                               \
	X(NSEC3PARAM, 51)                                                                          \
	X(TLSA, 52)                                                                                \
	X(SMIMEA, 53)                                                                              \
	X(HIP, 55)                                                                                 \
	X(NINFO, 56)                                                                               \
	X(RKEY, 57)                                                                                \
	X(TALINK, 58)                                                                              \
	X(CDS, 59)                                                                                 \
	X(CDNSKEY, 60)                                                                             \
	X(OPENPGPKEY, 61)                                                                          \
	X(CSYNC, 62)                                                                               \
	X(ZONEMD, 63)                                                                              \
	X(SVCB, 64)                                                                                \
	X(HTTPS, 65)                                                                               \
	X(DSYNC, 66)                                                                               \
	X(HHIT, 67)                                                                                \
	X(BRID, 68)                                                                                \
	X(SPF, 99)                                                                                 \
	X(NID, 104)                                                                                \
	X(L32, 105)                                                                                \
	X(L64, 106)                                                                                \
	X(LP, 107)                                                                                 \
	X(EUI48, 108)                                                                              \
	X(EUI64, 109)                                                                              \
	X(NXNAME, 128)                                                                             \
	X(TKEY, 249)                                                                               \
	X(TSIG, 250)                                                                               \
	X(IXFR, 251)                                                                               \
	X(AXFR, 252)                                                                               \
	X(MAILB, 253)                                                                              \
	X(MAILA, 254)                                                                              \
	X(ANY, 255)                                                                                \
	X(URI, 256)                                                                                \
	X(CAA, 257)                                                                                \
	X(AVC, 258)                                                                                \
	X(DOA, 259)                                                                                \
	X(AMTRELAY, 260)                                                                           \
	X(RESINFO, 261)                                                                            \
	X(WALLET, 262)                                                                             \
	X(TA, 32768)                                                                               \
	X(DLV, 32769)                                                                              \
	X(DELEG, 65287)

enum {
#define X(name, number) TYPE_##name = number,
	DNS_TYPES(X)
#undef X
};

/* Those above 15 need OPT to be said. */
#define DNS_RCODES(X)                                                                              \
	X(NOERROR, 0)                                                                              \
	X(FORMERR, 1)                                                                              \
	X(SERVFAIL, 2)                                                                             \
	X(NXDOMAIN, 3)                                                                             \
	X(NOTIMP, 4)                                                                               \
	X(REFUSED, 5)                                                                              \
	X(YXDOMAIN, 6)                                                                             \
	X(YXRRSET, 7)                                                                              \
	X(NXRRSET, 8)                                                                              \
	X(NOTAUTH, 9)                                                                              \
	X(NOTZONE, 10)                                                                             \
	X(DSOTYPENI, 11)                                                                           \
	X(BADVERS, 16)                                                                             \
	X(BADKEY, 17)                                                                              \
	X(BADTIME, 18)                                                                             \
	X(BADMODE, 19)                                                                             \
	X(BADNAME, 20)                                                                             \
	X(BADALG, 21)                                                                              \
	X(BADTRUNC, 22)                                                                            \
	X(BADCOOKIE, 23)

enum rcode {
#define X(name, number) RCODE_##name = number,
	DNS_RCODES(X)
#undef X
};

enum { CLASS_IN = 1 };

#endif
