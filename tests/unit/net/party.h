/* party: who has a key and a certificate, in files as well. */
#ifndef NET_PARTY_H
#define NET_PARTY_H

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct party {
	EVP_PKEY *key;
	X509 *cert;
	char file[32], key_file[32];
};

static inline void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
}

static inline FILE *open_new(char name[32])
{
	strcpy(name, "/tmp/sotto-XXXXXX");
	return fdopen(mkstemp(name), "w");
}

static inline void write_files(struct party *p)
{
	FILE *f = open_new(p->file);

	PEM_write_X509(f, p->cert);
	fclose(f);
	f = open_new(p->key_file);
	PEM_write_PrivateKey(f, p->key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}

static inline void rewrite_files(struct party *p)
{
	unlink(p->file);
	unlink(p->key_file);
	write_files(p);
}

/* issuer: NULL: it signed itself, and serves as its own CA. */
static inline struct party party_of(
	const struct party *issuer, const char *cn, const char *names, long from_s, long to_s)
{
	struct party p = { .key = EVP_EC_gen("P-256"), .cert = X509_new() };

	X509_set_version(p.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(p.cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(p.cert), from_s);
	X509_gmtime_adj(X509_getm_notAfter(p.cert), to_s);
	X509_set_pubkey(p.cert, p.key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(p.cert), "CN", MBSTRING_ASC,
		(const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(p.cert, X509_get_subject_name(issuer ? issuer->cert : p.cert));
	if (names)
		add_extension(p.cert, NID_subject_alt_name, names);
	else if (!issuer)
		add_extension(p.cert, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(p.cert, issuer ? issuer->key : p.key, EVP_sha256());
	write_files(&p);
	return p;
}

static inline void party_free(struct party *p)
{
	unlink(p->file);
	unlink(p->key_file);
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
}

#endif
