#include "net/tls_fault.h"

#include "net/addr.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* Printed text of the library, cut to what a log line has room for. */
struct words {
	char text[128];
};

/* ---- certificates ---- */

static void append(struct words *w, const char *separator, const char *word, int len)
{
	size_t have = strlen(w->text);

	snprintf(w->text + have, sizeof w->text - have, "%s%.*s", have ? separator : "", len, word);
}

static void append_ip(struct words *w, const ASN1_OCTET_STRING *ip)
{
	char text[ADDR_TEXT];
	struct addr a = { .any.sa_family = AF_UNSPEC };

	if (ASN1_STRING_length(ip) == 4) {
		a.any.sa_family = AF_INET;
		memcpy(&a.v4.sin_addr, ASN1_STRING_get0_data(ip), 4);
	} else if (ASN1_STRING_length(ip) == 16) {
		a.any.sa_family = AF_INET6;
		memcpy(&a.v6.sin6_addr, ASN1_STRING_get0_data(ip), 16);
	}
	append(w, ", ", addr_print_host(&a, text), ADDR_TEXT);
}

/* The names a certificate is for. */
static struct words presented(X509 *cert)
{
	struct words w = { "" };
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

		if (n->type == GEN_DNS)
			append(&w, ", ", (const char *)ASN1_STRING_get0_data(n->d.dNSName),
				ASN1_STRING_length(n->d.dNSName));
		else if (n->type == GEN_IPADD)
			append_ip(&w, n->d.iPAddress);
	}
	GENERAL_NAMES_free(names);
	if (!*w.text)
		append(&w, "", "no name at all", 20);
	return w;
}

static struct words date(const ASN1_TIME *time)
{
	struct words w = { "an unknown date" };
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm))
		strftime(w.text, sizeof w.text, "%Y-%m-%d %H:%M UTC", &tm);
	return w;
}

static struct words issuer(X509 *cert)
{
	struct words w = { "" };

	X509_NAME_oneline(X509_get_issuer_name(cert), w.text, sizeof w.text);
	return w;
}

static void wrong_name(struct fault *f, X509 *cert, const char *expected, bool by_address)
{
	struct words have = presented(cert);

	fault_set(f, PHASE_VERIFY, "wrong-name",
		by_address
			? "add #NAME to the upstream, with the name the server's operator gives"
			: "write the server's name behind the # of the upstream, as its operator gives it",
		"the certificate is for %s, not for %s", have.text, expected);
}

void tls_fault_verify(struct fault *f, X509_STORE_CTX *store, const char *expected, bool by_address)
{
	X509 *cert = X509_STORE_CTX_get_current_cert(store);
	int error = X509_STORE_CTX_get_error(store), depth = X509_STORE_CTX_get_error_depth(store);

	if (!cert)
		cert = X509_STORE_CTX_get0_cert(store);
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		wrong_name(f, X509_STORE_CTX_get0_cert(store), expected, by_address);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		fault_set(f, PHASE_VERIFY, "expired",
			"check this host's clock; if it is right, the server's operator must renew",
			"the certificate (depth %d) expired on %s", depth,
			date(X509_get0_notAfter(cert)).text);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		fault_set(f, PHASE_VERIFY, "not-yet-valid",
			"check this host's clock: it is probably behind",
			"the certificate (depth %d) is not valid before %s", depth,
			date(X509_get0_notBefore(cert)).text);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		fault_set(f, PHASE_VERIFY, "self-signed",
			"pin its key with ?pin=sha256/..., or name its CA in tls.ca",
			"the certificate is self-signed (%s)", issuer(cert).text);
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		fault_set(f, PHASE_VERIFY, "unknown-issuer",
			"name the CA that signed it in tls.ca or ?ca=FILE, or update ca-certificates",
			"the certificate (depth %d) is signed by a CA that is not trusted here: %s",
			depth, issuer(cert).text);
		break;
	default:
		fault_set(f, PHASE_VERIFY, "bad-certificate", "ask the server's operator",
			"the certificate (depth %d) is not acceptable: %s", depth,
			X509_verify_cert_error_string(error));
	}
}

void tls_fault_pin(struct fault *f)
{
	fault_set(f, PHASE_VERIFY, "pin-mismatch",
		"the server's key has changed, or it is another server: ask its operator for the new pin",
		"the server's key is none of the pinned ones");
}

void tls_fault_resumed(struct fault *f)
{
	fault_set(f, PHASE_VERIFY, "resumed-untrusted",
		"none: the next connection starts from the beginning",
		"the certificate of the resumed session is not acceptable any more");
}

/* ---- the handshake ---- */

void tls_fault_not_tls(struct fault *f)
{
	fault_set(f, PHASE_HANDSHAKE, "not-tls",
		"use the server's port for DNS over TLS, usually 853, not 53",
		"the server does not speak TLS on this port");
}

struct reason_words {
	int reason;
	const char *cause, *text, *hint;
};

static const struct reason_words reasons[] = {
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "tls-version", "the server refuses TLS 1.2 and 1.3",
		"the server must be updated" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "tls-version", "the server speaks no TLS newer than 1.1",
		"the server must be updated" },
	{ SSL_R_WRONG_SSL_VERSION, "tls-version", "the server speaks no TLS newer than 1.1",
		"the server must be updated" },
	{ SSL_R_NO_APPLICATION_PROTOCOL, "alpn-refused", "the server refuses the protocol \"dot\"",
		"it is probably no DNS server: check address and port" },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "alert",
		"the server found nothing in common with us",
		"it may want a client certificate, or have only outdated ciphers" },
	{ SSL_R_WRONG_VERSION_NUMBER, "not-tls", "the server does not speak TLS on this port",
		"use the server's port for DNS over TLS, usually 853, not 53" },
};

#ifndef SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL
#define SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL                                                  \
	(SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL)
#endif

void tls_fault_library(struct fault *f, enum phase phase)
{
	unsigned long error = ERR_get_error();
	int reason = ERR_GET_REASON(error);
	const char *text = ERR_reason_error_string(error);

	if (reason == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL)
		reason = SSL_R_NO_APPLICATION_PROTOCOL;
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		const struct reason_words *w = &reasons[i];

		if (w->reason == reason) {
			fault_set(f, phase, w->cause, w->hint, "%s", w->text);
			return;
		}
	}
	fault_set(f, phase, reason > SSL_AD_REASON_OFFSET ? "alert" : "tls",
		"ask the server's operator; another upstream may do meanwhile", "TLS failed: %s",
		text ? text : "unknown error");
}
