#include "net/tls_cert.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool tls_cert_pin(X509 *cert, uint8_t pin[TLS_PIN_LEN])
{
	uint8_t *key = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &key);
	bool ok = len > 0 && EVP_Digest(key, (size_t)len, pin, NULL, EVP_sha256(), NULL);

	OPENSSL_free(key);
	return ok;
}

bool tls_cert_print_pin(X509 *cert, char text[TLS_PIN_TEXT])
{
	static const char kind[] = "sha256/";
	uint8_t pin[TLS_PIN_LEN];

	if (!tls_cert_pin(cert, pin))
		return false;
	memcpy(text, kind, sizeof kind);
	EVP_EncodeBlock((uint8_t *)text + sizeof kind - 1, pin, sizeof pin);
	return true;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) ? timegm(&tm) : 0;
}

int64_t tls_cert_end(const X509 *cert)
{
	return cert ? seconds_of(X509_get0_notAfter(cert)) : 0;
}

int64_t tls_cert_begin(const X509 *cert)
{
	return cert ? seconds_of(X509_get0_notBefore(cert)) : 0;
}

/* Logs and rules take it for a word: nothing in it that is none. */
static char *word_of(const ASN1_STRING *s)
{
	size_t len = (size_t)ASN1_STRING_length(s), n = 0;
	const uint8_t *from = ASN1_STRING_get0_data(s);
	char *word = len ? malloc(len + 1) : NULL;

	if (!word)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (from[i] > ' ' && from[i] != 0x7f)
			word[n++] = (char)from[i];
	word[n] = 0;
	return word;
}

static const ASN1_STRING *first_of(const GENERAL_NAMES *names, int type)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

		if (n->type == type)
			return n->d.ia5; /* what all three types are */
	}
	return NULL;
}

static const ASN1_STRING *common_name(X509 *cert)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	return at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
}

char *tls_cert_who(X509 *cert)
{
	static const int types[] = { GEN_URI, GEN_DNS, GEN_EMAIL };
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const ASN1_STRING *who = NULL;

	for (size_t i = 0; !who && i < sizeof types / sizeof *types; i++)
		who = first_of(names, types[i]);
	if (!who)
		who = common_name(cert);
	char *word = who ? word_of(who) : NULL;

	GENERAL_NAMES_free(names);
	return word;
}
