/* tls: one TLS session fed and drained through buffers. No sockets.
 *
 * A session is made by a client (tls_client.h) or by a server (tls_server.h); from then on it does
 * not matter by which. It belongs to the thread that made it.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/buf.h"
#include "net/fault.h"

#include <stdbool.h>
#include <stdint.h>

/* Before anything else is called of OpenSSL: has it take its memory through base/lack, since it
 * goes on without what it does not get. */
void tls_watch_memory(void);

/* OpenSSL's SSL, SSL_CTX, BIO_METHOD. */
struct ssl_st;
struct ssl_ctx_st;
struct bio_method_st;

/* What was agreed on. All of it also of resumed sessions. Texts live as long as the session. */
struct tls_facts {
	const char *version, *cipher; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384" */
	const char *group; /* of the key exchange: "x25519"; NULL: it has no name */
	const char *alpn; /* the protocol that the server chose: "dot"; NULL: it chose none */
	bool resumed;
	bool verified; /* the peer has proved who it is */
	const struct fault *doubt; /* of a server: why not. NULL: it is verified */
	const char *client; /* of a client: who it is. NULL: it has not proved to be anybody */
	int64_t not_after_s; /* when the peer's certificate ends, since 1970; 0: unknown */
	const struct ssl_st *ssl; /* for tls_chain.c */
};

enum tls_status {
	TLS_OK,
	TLS_WANT, /* feed it; drain it */
	TLS_CLOSED, /* close_notify came */
	TLS_FAILED /* tls_fault() says why */
};

struct tls;
void tls_free(struct tls *);

/* Records from the peer go into tls_in(); records for the peer come out of tls_out(), also after a
 * failure (the alert). Neither keeps memory while it is empty, unless its `keep` is set. */
struct buf *tls_in(struct tls *);
struct buf *tls_out(struct tls *);

enum tls_status tls_handshake(struct tls *);
/* Decrypts what is in tls_in() and appends it to plain: WANT when there is no more. */
enum tls_status tls_read(struct tls *, struct buf *plain);
/* Encrypts all of plain, as few records as possible. OK or FAILED. Only after the handshake. */
enum tls_status tls_write(struct tls *, struct span plain);
/* Says close_notify. */
void tls_shutdown(struct tls *);

const struct fault *tls_fault(const struct tls *);
const struct tls_facts *tls_facts(const struct tls *);

/* ---- for tls_*.c ---- */

/* RFC 9325 §4.2: forward secrecy and authenticated encryption, also in TLS 1.2. */
#define TLS_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

/* Each side's session begins with a struct tls, and says by this what it does otherwise than the
 * other. */
struct tls_side {
	/* Before OpenSSL gets to see what came. False: t->fault says what is wrong with it. */
	bool (*feed)(struct tls *);
	/* OpenSSL is content. False: we are not, and t->fault says why. */
	bool (*finish)(struct tls *);
	/* Frees what the side has added; OpenSSL's part is gone. */
	void (*leave)(struct tls *);
	/* Puts the first error in OpenSSL's queue into t->fault. */
	void (*explain)(struct tls *, enum phase);
	/* The peer said goodbye before the handshake was done. */
	void (*explain_goodbye)(struct fault *);
};

struct tls {
	struct ssl_st *ssl;
	const struct tls_side *side;
	struct buf in, out;
	struct fault fault; /* why it is over */
	struct tls_facts facts;
	bool done; /* OpenSSL is through with the handshake */
	bool over; /* a fault was found */
};

/* Makes of the zeroed beginning of a side's session one of the context. False: out of memory; it is
 * to be freed by tls_free() all the same. */
bool tls_init(struct tls *, const struct tls_side *, struct ssl_ctx_st *, struct bio_method_st *);

/* How OpenSSL reads from and writes to the buffers. Owned by the caller, outlives its sessions.
 * NULL: out of memory. */
struct bio_method_st *tls_bio_method(void);

/* What OpenSSL would make ready when it is first needed, and would lack ever after if there were no
 * memory for it at that moment, is made ready now. */
void tls_make_algorithms(void);

#endif
