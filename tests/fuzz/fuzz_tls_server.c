/* What a client says in place of a TLS handshake: whatever it is, nobody gets through without
 * having taken part in it, and what is wrong is told in words. The first octet says in how large
 * pieces it comes. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "net/tls_server.h"

/* Keys that are known, so that a ticket of the corpus can be read. */
static struct tls_tickets *known_tickets(void)
{
	char path[] = "/tmp/sotto-fuzz-XXXXXX";
	int fd = mkstemp(path);
	uint8_t keys[80];
	struct fault f;

	memset(keys, 'k', sizeof keys);
	HOLDS(fd >= 0 && write(fd, keys, sizeof keys) == sizeof keys);
	close(fd);
	struct tls_tickets *t = tls_tickets_new(path, &f);

	unlink(path);
	return t;
}

static struct tls_server *make_server(void)
{
	struct fault f;
	struct tls_front *front =
		tls_front_load(&(struct tls_front_conf){ .self_signed = true }, &f);
	struct tls_tickets *tickets = known_tickets();
	struct tls_server *server = front && tickets ? tls_server_new(front, tickets) : NULL;

	HOLDS(server);
	tls_tickets_free(tickets);
	tls_front_free(front);
	return server;
}

static void look_at(const struct fault *f)
{
	HOLDS(f->phase == PHASE_HANDSHAKE && f->cause && *f->cause && *f->reason && f->hint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct tls_server *server;
	enum tls_status s = TLS_WANT;

	if (!server)
		server = make_server();
	if (!len)
		return 0;
	struct tls *t = tls_server_session(server, NULL);
	size_t piece = data[0] ? data[0] * 4U : len;

	HOLDS(t);
	for (size_t at = 1; at < len && s == TLS_WANT; at += piece) {
		if (piece > len - at)
			piece = len - at;
		HOLDS(buf_append(tls_in(t), (struct span){ data + at, piece }));
		s = tls_handshake(t);
		HOLDS(buf_len(tls_out(t)) < 65536);
	}
	HOLDS(s == TLS_WANT || s == TLS_FAILED);
	if (s == TLS_FAILED) {
		look_at(tls_fault(t));
		HOLDS(tls_handshake(t) == TLS_FAILED);
	}
	tls_free(t);
	return 0;
}
