#include "listen/opening.h"

#include <stdbool.h>
#include <string.h>

/* Of a record of the handshake (RFC 8446 §5.1) that begins with a ClientHello (§4): type, version
 * 3.x, length, type. As a message of DNS it would be 5,635 octets long, and a query that has an
 * RCODE. */
#define RECORD_HANDSHAKE 0x16
#define VERSION_MAJOR    0x03
#define CLIENT_HELLO     0x01

/* As a length, "GE" would be 18,245 octets: no query is so long. */
static const char methods[][5] = { "GET ", "POST", "HEAD", "PUT ", "OPTI", "DELE", "PATC", "CONN",
	"TRAC", "PRI " };
enum { METHODS = sizeof methods / sizeof *methods, METHOD = 4 };

static size_t shorter(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool begins_like(struct span s, const void *what, size_t len)
{
	return memcmp(s.at, what, shorter(s.len, len)) == 0;
}

static enum opening judge_tls(struct span s)
{
	if (s.len < OPENING_MAX)
		return OPENING_UNKNOWN;
	return s.at[OPENING_MAX - 1] == CLIENT_HELLO ? OPENING_TLS : OPENING_DNS;
}

enum opening opening_of(struct span s)
{
	static const uint8_t record[] = { RECORD_HANDSHAKE, VERSION_MAJOR };

	if (s.len == 0)
		return OPENING_UNKNOWN;
	if (begins_like(s, record, sizeof record))
		return judge_tls(s);
	for (size_t i = 0; i < METHODS; i++)
		if (begins_like(s, methods[i], METHOD))
			return s.len < METHOD ? OPENING_UNKNOWN : OPENING_HTTP;
	return OPENING_DNS;
}
