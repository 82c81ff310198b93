/* The first octets of a connection: a ClientHello names the server that OpenSSL reads in it, is
 * whole from its last octet on and a part of one before, and what OpenSSL takes is one. */
#include "net/hello.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

/* What OpenSSL sees. */
struct seen {
	bool hello;
	struct span name; /* the extension */
	uint8_t octets[HELLO_MAX];
};

static int on_hello(SSL *ssl, int *alert, void *arg)
{
	struct seen *seen = SSL_get_app_data(ssl);
	const unsigned char *at;
	size_t len;

	(void)alert, (void)arg;
	seen->hello = true;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &at, &len)) {
		memcpy(seen->octets, at, len);
		seen->name = (struct span){ seen->octets, len };
	}
	return SSL_CLIENT_HELLO_ERROR;
}

static SSL_CTX *server(void)
{
	static SSL_CTX *ctx;

	if (!ctx) {
		ctx = SSL_CTX_new(TLS_server_method());
		SSL_CTX_set_client_hello_cb(ctx, on_hello, NULL);
	}
	return ctx;
}

static void look(struct span octets, struct seen *seen)
{
	SSL *ssl = SSL_new(server());

	memset(seen, 0, sizeof *seen);
	SSL_set_app_data(ssl, seen);
	SSL_set_bio(ssl, BIO_new_mem_buf(octets.at, (int)octets.len), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(ssl);
	SSL_do_handshake(ssl);
	SSL_free(ssl);
}

/* The extension holds a list of one name of a host. */
static bool is_name(struct span extension, const char *name)
{
	size_t len = strlen(name);

	return len ? extension.len == 5 + len && memcmp(extension.at + 5, name, len) == 0
		   : extension.len == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct seen seen;
	struct hello h, again;
	enum hello_status status = hello_read((struct span){ data, len }, &h);

	look((struct span){ data, len }, &seen);
	if (status == HELLO_WHOLE && seen.hello)
		HOLDS(is_name(seen.name, h.server_name));
	HOLDS(status != HELLO_PART || !seen.hello);
	if (status != HELLO_WHOLE)
		return 0;
	bool whole = true;

	for (size_t n = len; n-- > 0;) {
		enum hello_status part = hello_read((struct span){ data, n }, &again);

		HOLDS(part == HELLO_PART || (whole && part == HELLO_WHOLE));
		HOLDS(part == HELLO_PART || strcmp(h.server_name, again.server_name) == 0);
		whole = part == HELLO_WHOLE;
	}
	return 0;
}
