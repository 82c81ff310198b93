/* tls_front: see tls_front.h. Names and addresses are read out of the certificates once, so that a
 * handshake only compares. */
#include "net/tls_front.h"

#include "base/lack.h"
#include "net/tls_cert.h"
#include "net/tls_files.h"
#include "net/tls_throwaway.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A certificate that is shown. */
struct shown {
	struct tls_credentials *credentials;
	struct tls_shown facts;
	char **names; /* all that are in it */
	size_t name_count;
	struct addr *addresses;
};

struct tls_front {
	atomic_uint references;
	struct shown *shown;
	size_t count;
	struct tls_clients clients;
};

/* ---- what a certificate says ---- */

static bool add_name(struct shown *s, const ASN1_IA5STRING *name)
{
	const char *text = (const char *)ASN1_STRING_get0_data(name);
	size_t len = (size_t)ASN1_STRING_length(name);
	char *copy;

	if (!len || memchr(text, 0, len))
		return true;
	copy = s->names[s->name_count] = strndup(text, len);
	if (!copy)
		return false;
	s->name_count++;
	if (!s->facts.name && *copy != '*')
		s->facts.name = copy;
	return true;
}

static void add_address(struct shown *s, const ASN1_OCTET_STRING *ip)
{
	struct addr *a = &s->addresses[s->facts.address_count];

	if (ASN1_STRING_length(ip) == 4) {
		a->any.sa_family = AF_INET;
		memcpy(&a->v4.sin_addr, ASN1_STRING_get0_data(ip), 4);
	} else if (ASN1_STRING_length(ip) == 16) {
		a->any.sa_family = AF_INET6;
		memcpy(&a->v6.sin6_addr, ASN1_STRING_get0_data(ip), 16);
	} else {
		return;
	}
	s->facts.address_count++;
}

static bool read_names(struct shown *s, X509 *cert)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	size_t count = all ? (size_t)sk_GENERAL_NAME_num(all) : 0;
	bool ok = true;

	s->names = calloc(count + 1, sizeof *s->names);
	s->addresses = calloc(count + 1, sizeof *s->addresses);
	s->facts.addresses = s->addresses;
	ok = s->names && s->addresses;
	for (size_t i = 0; ok && i < count; i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(all, (int)i);

		if (n->type == GEN_DNS)
			ok = add_name(s, n->d.dNSName);
		else if (n->type == GEN_IPADD)
			add_address(s, n->d.iPAddress);
	}
	GENERAL_NAMES_free(all);
	return ok;
}

/* False: out of memory. */
static bool read_facts(struct shown *s)
{
	X509 *cert = tls_credentials_cert(s->credentials);

	s->facts.not_after_s = tls_cert_end(cert);
	return tls_cert_print_pin(cert, s->facts.pin) && read_names(s, cert);
}

static void shown_clear(struct shown *s)
{
	for (size_t i = 0; i < s->name_count; i++)
		free(s->names[i]);
	free(s->names);
	free(s->addresses);
	tls_credentials_free(s->credentials);
}

/* ---- life ---- */

static bool add(struct tls_front *f, struct tls_credentials *c, bool self_signed)
{
	struct shown *s = &f->shown[f->count];

	if (!c)
		return false;
	s->credentials = c;
	s->facts.self_signed = self_signed;
	f->count++;
	return read_facts(s);
}

static bool load_pairs(struct tls_front *f, const struct tls_front_conf *conf, struct fault *fault)
{
	for (size_t i = 0; i < conf->count; i++) {
		const struct tls_pair *p = &conf->pairs[i];

		if (!add(f, tls_credentials_load(p->cert, p->key, fault), false))
			return false;
	}
	return true;
}

/* The one that is shown already, or a new one. */
static struct tls_credentials *throwaway(const struct tls_front *before)
{
	for (size_t i = 0; before && i < before->count; i++)
		if (before->shown[i].facts.self_signed)
			return tls_credentials_share(before->shown[i].credentials);
	return tls_throwaway_new();
}

/* What must be the same for a session to be resumed that was begun with another front: a client
 * that was judged by other CAs, or not at all, begins anew. */
static bool make_digest(struct tls_clients *c)
{
	EVP_MD_CTX *sum = EVP_MD_CTX_new();
	bool ok = sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) &&
		EVP_DigestUpdate(sum, "sotto", 5) &&
		(!c->ca || EVP_DigestUpdate(sum, tls_trust_digest(c->ca), TLS_TRUST_DIGEST)) &&
		EVP_DigestUpdate(sum, &c->required, sizeof c->required) &&
		EVP_DigestFinal_ex(sum, c->digest, NULL);

	EVP_MD_CTX_free(sum);
	return ok;
}

static bool load_clients(
	struct tls_front *f, const struct tls_front_conf *conf, struct fault *fault)
{
	struct tls_clients *c = &f->clients;

	c->required = conf->clients_required;
	if (conf->clients_ca) {
		c->ca = tls_trust_load(conf->clients_ca, fault);
		if (!c->ca)
			return false;
		c->names = tls_trust_names(c->ca);
		if (!c->names)
			return false;
	}
	return make_digest(c);
}

struct tls_front *tls_front_load(const struct tls_front_conf *conf, struct fault *fault)
{
	struct tls_front *f = calloc(1, sizeof *f);

	/* Whoever knows better replaces it. */
	fault_from_errno(fault, PHASE_HANDSHAKE, ENOMEM);
	if (!f)
		return NULL;
	atomic_init(&f->references, 1);
	f->shown = calloc(conf->count + 1, sizeof *f->shown);
	lack_seen(); /* before */
	if (f->shown && load_pairs(f, conf, fault) &&
		(!conf->self_signed || add(f, throwaway(conf->before), true)) &&
		load_clients(f, conf, fault) && !lack_seen())
		return f;
	ERR_clear_error();
	tls_front_free(f);
	return NULL;
}

struct tls_front *tls_front_share(struct tls_front *f)
{
	atomic_fetch_add_explicit(&f->references, 1, memory_order_relaxed);
	return f;
}

void tls_front_free(struct tls_front *f)
{
	if (!f || atomic_fetch_sub_explicit(&f->references, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < f->count; i++)
		shown_clear(&f->shown[i]);
	free(f->shown);
	sk_X509_NAME_pop_free(f->clients.names, X509_NAME_free);
	tls_trust_free(f->clients.ca);
	free(f);
}

bool tls_front_same(const struct tls_front *a, const struct tls_front *b)
{
	if (!a || !b)
		return a == b;
	bool same = a->count == b->count &&
		memcmp(a->clients.digest, b->clients.digest, sizeof a->clients.digest) == 0;

	for (size_t i = 0; same && i < a->count; i++)
		same = tls_credentials_same(a->shown[i].credentials, b->shown[i].credentials);
	return same;
}

/* ---- asking ---- */

size_t tls_front_count(const struct tls_front *f)
{
	return f->count;
}

const struct tls_shown *tls_front_shown(const struct tls_front *f, size_t which)
{
	return &f->shown[which].facts;
}

static bool is_for(const struct tls_shown *s, const struct addr *a)
{
	for (size_t i = 0; i < s->address_count; i++) {
		bool v4 = s->addresses[i].any.sa_family == AF_INET;
		const struct prefix own = { s->addresses[i], v4 ? 32 : 128 };

		if (prefix_matches(&own, a))
			return true;
	}
	return false;
}

const struct tls_shown *tls_front_proof(const struct tls_front *f, const struct addr *a)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct tls_shown *s = &f->shown[i].facts;

		if (!s->self_signed && s->name && is_for(s, a) && tls_front_choose(f, s->name) == i)
			return s;
	}
	return NULL;
}

const struct tls_credentials *tls_front_credentials(const struct tls_front *f, size_t which)
{
	return f->shown[which].credentials;
}

const struct tls_clients *tls_front_clients(const struct tls_front *f)
{
	return &f->clients;
}

bool tls_front_covers(const struct tls_front *f, const struct addr *a, size_t *which)
{
	for (size_t i = 0; i < f->count; i++)
		if (!f->shown[i].facts.self_signed && is_for(&f->shown[i].facts, a)) {
			*which = i;
			return true;
		}
	return false;
}

/* True: *which has the name. */
static bool find_name(const struct tls_front *f, const char *name, size_t *which)
{
	for (size_t i = 0; i < f->count; i++)
		for (size_t j = 0; j < f->shown[i].name_count; j++)
			if (strcasecmp(f->shown[i].names[j], name) == 0) {
				*which = i;
				return true;
			}
	return false;
}

size_t tls_front_choose(const struct tls_front *f, const char *name)
{
	const char *rest = strchr(name, '.');
	char wildcard[256]; /* which stands for one label (RFC 9525 §6.3) */
	size_t which = 0;

	if (find_name(f, name, &which) || !rest || strlen(rest) > sizeof wildcard - 2)
		return which;
	snprintf(wildcard, sizeof wildcard, "*%s", rest);
	find_name(f, wildcard, &which);
	return which;
}
