#include "net/tls_throwaway.h"

#include "base/clock.h"
#include "net/tls_files.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

/* Whoever pins its key does not look at dates, and a process that runs this long is rare; but some
 * clients refuse what is valid for longer than 398 days, as browsers' rules have it. */
#define LIFE_S (365 * 24 * 3600L)
/* Clients' clocks may be behind ours. */
#define EARLIER_S (24 * 3600L)

static bool add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e && X509_add_ext(cert, e, -1);

	X509_EXTENSION_free(e);
	return ok;
}

/* A host's name that OpenSSL would read as more than a name is left out. */
static bool is_plain(const char *name)
{
	if (!*name)
		return false;
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			    (*c >= '0' && *c <= '9') || *c == '-' || *c == '.'))
			return false;
	return true;
}

static bool add_names(X509 *cert)
{
	char host[256] = "", names[384];

	if (gethostname(host, sizeof host - 1) < 0 || !is_plain(host))
		*host = 0;
	snprintf(names, sizeof names, "DNS:localhost,%s%s%sIP:127.0.0.1,IP:::1",
		*host ? "DNS:" : "", host, *host ? "," : "");
	return add_extension(cert, NID_subject_alt_name, names);
}

/* Clients that trust it by name must find in it that it vouches for itself. */
static bool fill(X509 *cert, EVP_PKEY *key)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	int64_t now = clock_date_s();
	uint64_t serial;

	return RAND_bytes((uint8_t *)&serial, sizeof serial) == 1 && X509_set_version(cert, 2) &&
		ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) &&
		ASN1_TIME_set(X509_getm_notBefore(cert), now - EARLIER_S) &&
		ASN1_TIME_set(X509_getm_notAfter(cert), now + LIFE_S) &&
		X509_set_pubkey(cert, key) &&
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
			(const unsigned char *)"sotto, self-signed", -1, -1, 0) &&
		X509_set_issuer_name(cert, subject) && add_names(cert) &&
		add_extension(cert, NID_ext_key_usage, "serverAuth") &&
		X509_sign(cert, key, EVP_sha256());
}

struct tls_credentials *tls_throwaway_new(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	struct tls_credentials *c = NULL;

	if (key && cert && fill(cert, key))
		c = tls_credentials_of(cert, key);
	X509_free(cert);
	EVP_PKEY_free(key);
	return c;
}
