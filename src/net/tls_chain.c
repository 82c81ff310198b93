#include "net/tls_chain.h"

#include "net/tls_cert.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static bool print_name(const X509_NAME *name, char text[TLS_LINK_NAME])
{
	BIO *out = BIO_new(BIO_s_mem());
	bool ok = out && X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253) >= 0;
	int n = ok ? BIO_read(out, text, TLS_LINK_NAME - 1) : 0;

	text[n > 0 ? n : 0] = '\0';
	BIO_free(out);
	return ok;
}

static bool describe(X509 *cert, struct tls_link *l)
{
	l->not_before_s = tls_cert_begin(cert);
	l->not_after_s = tls_cert_end(cert);
	return print_name(X509_get_subject_name(cert), l->subject) &&
		print_name(X509_get_issuer_name(cert), l->issuer) &&
		tls_cert_print_pin(cert, l->pin);
}

size_t tls_chain(const struct tls_facts *facts, struct tls_link *links, size_t most)
{
	STACK_OF(X509) *chain = facts->ssl ? SSL_get_peer_cert_chain(facts->ssl) : NULL;
	size_t n = 0;

	for (int i = 0; n < most && i < sk_X509_num(chain); i++, n++)
		if (!describe(sk_X509_value(chain, i), &links[n]))
			break;
	ERR_clear_error();
	return n;
}
