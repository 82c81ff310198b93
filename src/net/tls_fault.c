#include "net/tls_fault.h"

#include "base/clock.h"
#include "net/addr.h"
#include "net/tls_cert.h"

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

	addr_from_octets(&a, ASN1_STRING_get0_data(ip), (size_t)ASN1_STRING_length(ip));
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

static void wrong_name(struct fault *f, X509 *cert, const char *expected, enum tls_proof proof)
{
	static const char *const hints[] = {
		[TLS_BY_NAME] =
			"write the server's name behind the # of the upstream, as its operator gives it",
		[TLS_BY_ADDRESS] =
			"add #NAME to the upstream, with the name the server's operator gives",
		[TLS_BY_DESIGNATION] =
			"who is designated must prove the resolver's address; or write tls://ADDRESS#NAME",
	};
	struct words have = presented(cert);

	fault_set(f, PHASE_VERIFY, "wrong-name", hints[proof],
		"the certificate is for %s, not for %s", have.text, expected);
}

/* A date that does not fit is the server's fault, unless there is a reason to doubt our own clock.
 */
static void out_of_date(struct fault *f, X509 *cert, int depth, bool expired)
{
	struct words day = date(expired ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert));
	const char *verb = expired ? "expired on" : "is not valid before";
	struct clock_doubt doubt;
	char today[CLOCK_DAY];

	if (clock_is_doubtful(&doubt))
		fault_set(f, PHASE_VERIFY, "clock", doubt.hint,
			"%s; the certificate (depth %d) %s %s", doubt.reason, depth, verb,
			day.text);
	else if (expired)
		fault_set(f, PHASE_VERIFY, "expired",
			"check this host's clock; if it is right, the server's operator must renew",
			"the certificate (depth %d) expired on %s, and here it is %s", depth,
			day.text, clock_print_day(clock_date_s(), today));
	else
		fault_set(f, PHASE_VERIFY, "not-yet-valid",
			"check this host's clock: it is probably behind",
			"the certificate (depth %d) is not valid before %s, and here it is %s",
			depth, day.text, clock_print_day(clock_date_s(), today));
}

static void unknown_issuer(struct fault *f, X509 *cert, int depth)
{
	fault_set(f, PHASE_VERIFY, "unknown-issuer",
		"name the CA in tls.ca or ?ca=FILE; or the server does not send the certificates between",
		"the certificate (depth %d) is signed by a CA that is not trusted here: %s", depth,
		issuer(cert).text);
}

static void self_signed(struct fault *f, X509 *cert)
{
	fault_set(f, PHASE_VERIFY, "self-signed",
		"pin its key with ?pin=sha256/..., or name its CA in tls.ca",
		"the certificate is self-signed (%s)", issuer(cert).text);
}

/* What else can be wrong with a certificate, and is not for whoever configures sotto to mend. */
static const struct {
	int error;
	const char *cause, *text;
} flaws[] = {
	{ X509_V_ERR_INVALID_PURPOSE, "wrong-purpose", "is not for a server, or not for a CA" },
	{ X509_V_ERR_INVALID_CA, "not-a-ca", "signs another and is not a CA's" },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, "not-a-ca",
		"is of a CA that may not have one below it" },
	{ X509_V_ERR_PERMITTED_VIOLATION, "name-constraint",
		"is for a name its CA may not vouch for" },
	{ X509_V_ERR_EXCLUDED_VIOLATION, "name-constraint",
		"is for a name its CA may not vouch for" },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, "weak-key", "has a key that is too short" },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, "weak-key", "has a key that is too short" },
	{ X509_V_ERR_CA_MD_TOO_WEAK, "weak-signature", "is signed by a hash that is broken" },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, "bad-signature", "was altered after it was signed" },
};

static void flawed(struct fault *f, X509 *cert, int depth, int error)
{
	struct words of = { "" };

	X509_NAME_oneline(X509_get_subject_name(cert), of.text, sizeof of.text);
	for (size_t i = 0; i < sizeof flaws / sizeof *flaws; i++)
		if (flaws[i].error == error) {
			fault_set(f, PHASE_VERIFY, flaws[i].cause, "ask the server's operator",
				"the certificate (depth %d) of %s %s", depth, of.text,
				flaws[i].text);
			return;
		}
	fault_set(f, PHASE_VERIFY, "bad-certificate", "ask the server's operator",
		"the certificate (depth %d) of %s is not acceptable: %s", depth, of.text,
		X509_verify_cert_error_string(error));
}

void tls_fault_verify(
	struct fault *f, X509_STORE_CTX *store, const char *expected, enum tls_proof proof)
{
	X509 *cert = X509_STORE_CTX_get_current_cert(store);
	int error = X509_STORE_CTX_get_error(store), depth = X509_STORE_CTX_get_error_depth(store);

	if (!cert)
		cert = X509_STORE_CTX_get0_cert(store);
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		wrong_name(f, X509_STORE_CTX_get0_cert(store), expected, proof);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		out_of_date(f, cert, depth, error == X509_V_ERR_CERT_HAS_EXPIRED);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		self_signed(f, cert);
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		unknown_issuer(f, cert, depth);
		break;
	default:
		flawed(f, cert, depth, error);
	}
}

void tls_fault_pin(struct fault *f, X509 *cert)
{
	char pin[TLS_PIN_TEXT]; /* as ?pin= has it, to be copied from the log when it is right */

	if (!tls_cert_print_pin(cert, pin))
		*pin = 0;
	fault_set(f, PHASE_VERIFY, "pin-mismatch",
		"the server's key has changed, or it is another server: ask its operator for the new pin",
		"the server's key is %s, which is not pinned", pin);
}

/* ---- the handshake ---- */

void tls_fault_not_tls(struct fault *f)
{
	fault_set(f, PHASE_HANDSHAKE, "not-tls",
		"use the server's port for DNS over TLS, usually 853, not 53",
		"the server does not speak TLS on this port");
}

void tls_fault_closed(struct fault *f)
{
	fault_set(f, PHASE_HANDSHAKE, "closed",
		"check that the port is the one for DNS over TLS; the server may be overloaded",
		"the server said goodbye during the TLS handshake");
}

struct reason_words {
	int reason;
	const char *cause, *text, *hint;
};

#define TOO_OLD "the server speaks no version of TLS that is new enough"
#define TOO_OLD_HINT                                                                               \
	"the server must be updated: TLS 1.2 is the least, or 1.3 where that is asked for"

static const struct reason_words reasons[] = {
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "tls-version", TOO_OLD, TOO_OLD_HINT },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "tls-version", TOO_OLD, TOO_OLD_HINT },
	{ SSL_R_WRONG_SSL_VERSION, "tls-version", TOO_OLD, TOO_OLD_HINT },
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

/* An alert about a certificate: the one that the peer was shown is ours. */
static bool is_about_ours(int reason)
{
	switch (reason - SSL_AD_REASON_OFFSET) {
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_CERTIFICATE_REQUIRED:
		return true;
	default:
		return false;
	}
}

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
	if (!text)
		text = "unknown error";
	if (is_about_ours(reason)) {
		fault_set(f, phase, "client-certificate",
			"name a certificate that the server accepts by ?cert=FILE&key=FILE",
			"the server wants another certificate of ours, or one at all: %s", text);
		return;
	}
	fault_set(f, phase, reason > SSL_AD_REASON_OFFSET ? "alert" : "tls",
		"ask the server's operator; another upstream may do meanwhile", "TLS failed: %s",
		text);
}

/* ---- what clients do ---- */

#define CLIENT_TOO_OLD "the client speaks no version of TLS that is new enough"
#define CLIENT_NOT_TLS "what the client sends is not TLS"
#define NEEDS_UPDATE   "the client must be updated: TLS 1.2 is the least"
#define NEEDS_TLS      "have the client speak DNS over TLS to this port"

static const struct reason_words client_reasons[] = {
	{ SSL_R_UNSUPPORTED_PROTOCOL, "tls-version", CLIENT_TOO_OLD, NEEDS_UPDATE },
	{ SSL_R_VERSION_TOO_LOW, "tls-version", CLIENT_TOO_OLD, NEEDS_UPDATE },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "tls-version",
		"the client wants another version of TLS", "the client must speak TLS 1.2 or 1.3" },
	{ SSL_R_NO_SHARED_CIPHER, "no-cipher", "the client has no cipher in common with us",
		NEEDS_UPDATE ", with forward secrecy and AEAD ciphers" },
	{ SSL_R_NO_SUITABLE_KEY_SHARE, "no-group",
		"the client has no group for the key exchange in common with us", NEEDS_UPDATE },
	{ SSL_R_NO_SHARED_GROUPS, "no-group",
		"the client has no group for the key exchange in common with us", NEEDS_UPDATE },
	{ SSL_R_NO_APPLICATION_PROTOCOL, "alpn", "the client wants another protocol than \"dot\"",
		"it is probably no DNS client: check its address and port" },
	{ SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "no-certificate",
		"the client shows no certificate",
		"configure it with one of the CA that clients must be of" },
	{ SSL_R_HTTP_REQUEST, "not-tls", CLIENT_NOT_TLS, NEEDS_TLS },
	{ SSL_R_HTTPS_PROXY_REQUEST, "not-tls", CLIENT_NOT_TLS, NEEDS_TLS },
	{ SSL_R_WRONG_VERSION_NUMBER, "not-tls", CLIENT_NOT_TLS, NEEDS_TLS },
	{ SSL_R_UNEXPECTED_EOF_WHILE_READING, "closed",
		"the client went away during the TLS handshake", "none needed if it is rare" },
};

void tls_fault_client(struct fault *f, enum phase phase, long verified)
{
	unsigned long error = ERR_get_error();
	int reason = ERR_GET_REASON(error);
	const char *text = ERR_reason_error_string(error);

	if (verified != X509_V_OK) {
		fault_set(f, phase, "client-certificate",
			"configure the client with a certificate of the CA that clients must be of",
			"the client's certificate is not accepted: %s",
			X509_verify_cert_error_string(verified));
		return;
	}
	for (size_t i = 0; i < sizeof client_reasons / sizeof *client_reasons; i++) {
		const struct reason_words *w = &client_reasons[i];

		if (w->reason == reason) {
			fault_set(f, phase, w->cause, w->hint, "%s", w->text);
			return;
		}
	}
	if (!text)
		text = "unknown error";
	if (is_about_ours(reason))
		fault_set(f, phase, "not-trusted",
			"have the client trust the CA of our certificate, or pin its key",
			"the client does not trust our certificate: %s", text);
	else
		fault_set(f, phase, reason > SSL_AD_REASON_OFFSET ? "alert" : "tls",
			"check the client", "TLS failed: %s", text);
}

void tls_fault_client_closed(struct fault *f)
{
	fault_set(f, PHASE_HANDSHAKE, "closed", "none needed if it is rare",
		"the client said goodbye during the TLS handshake");
}

void tls_fault_client_too_long(struct fault *f)
{
	fault_set(f, PHASE_HANDSHAKE, "too-long", "check the client: it may be an attack",
		"what the client says in the TLS handshake is too long");
}
