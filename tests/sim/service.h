/* service: the RDATA of an SVCB record, made from words: `1 dns.example alpn=dot,h2 port=853`. */
#ifndef SIM_SERVICE_H
#define SIM_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#define SERVICE_MAX 1024

/* The length; 0: it cannot be understood. */
size_t service_make(const char *words, uint8_t rdata[SERVICE_MAX]);

#endif
