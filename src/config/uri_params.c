#include "config/uri_params.h"

#include <net/if.h>
#include <openssl/evp.h>
#include <string.h>

#include "config/near.h"
#include "config/values.h"

#define PIN_PREFIX "sha256/"
/* 32 octets in Base64, with one `=`. */
#define PIN_TEXT   44
#define HINTS_MAX  8
#define WEIGHT_MAX 1000

/* --- one parameter -----------------------------------------------------------------------------
 */

static bool take_pin(struct uri_parts *p, char *value)
{
	struct server_conf *s = p->server;
	unsigned char octets[TLS_PIN_LEN + 1], again[PIN_TEXT + 1];
	const char *text = value + strlen(PIN_PREFIX);

	if (s->pin_count == TLS_PINS_MAX)
		return uri_parts_fail(p->reading, "more than %d pins", TLS_PINS_MAX);
	/* EVP_DecodeBlock() lets some bad Base64 pass; encoding it again does not. */
	bool ok = strncmp(value, PIN_PREFIX, strlen(PIN_PREFIX)) == 0 && strlen(text) == PIN_TEXT &&
		EVP_DecodeBlock(octets, (const unsigned char *)text, PIN_TEXT) == TLS_PIN_LEN + 1 &&
		EVP_EncodeBlock(again, octets, TLS_PIN_LEN) == PIN_TEXT &&
		memcmp(again, text, PIN_TEXT) == 0;
	if (!ok)
		return uri_parts_fail(p->reading,
			"pin \"%s\" is not sha256/ and the Base64 of 32 octets (44 characters)",
			value);
	memcpy(s->pins[s->pin_count++], octets, TLS_PIN_LEN);
	return true;
}

static bool take_once(struct uri_parts *p, const char **field, const char *name, char *value)
{
	if (*field)
		return uri_parts_fail(p->reading, "%s is given twice", name);
	*field = value;
	return true;
}

static bool take_ca(struct uri_parts *p, char *value)
{
	return take_once(p, &p->server->ca, "ca", value);
}

static bool take_cert(struct uri_parts *p, char *value)
{
	return take_once(p, &p->server->cert, "cert", value);
}

static bool take_key(struct uri_parts *p, char *value)
{
	return take_once(p, &p->server->key, "key", value);
}

static bool take_tls(struct uri_parts *p, char *value)
{
	if (strcmp(value, "1.3") != 0)
		return uri_parts_fail(p->reading,
			"tls=%s: only tls=1.3 can be asked for; without it 1.2 and 1.3 are spoken, and "
			"nothing older ever",
			value);
	p->server->tls13 = true;
	return true;
}

static bool take_verify(struct uri_parts *p, char *value)
{
	if (strcmp(value, "no") != 0)
		return uri_parts_fail(p->reading,
			"verify=%s: only verify=no can be asked for; without it every server is "
			"verified",
			value);
	p->server->opportunistic = true;
	return true;
}

/* An address alone; those of IPv6 with or without brackets. */
static bool read_host_address(
	struct uri_parts *p, const char *name, const char *text, struct addr *a)
{
	if (!addr_parse(a, text, 0) || addr_port(a) != 0 || addr_is_no_host(a))
		return uri_parts_fail(p->reading, "%s=%s: \"%s\" is not the IP address of a host",
			name, text, text);
	return true;
}

static bool take_bootstrap(struct uri_parts *p, char *value)
{
	struct server_conf *s = p->server;
	char *rest = NULL;

	if (!s->hints)
		s->hints = memory_take(p->memory, HINTS_MAX * sizeof(*s->hints));
	for (char *one = strtok_r(value, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
		if (s->hint_count == HINTS_MAX)
			return uri_parts_fail(
				p->reading, "more than %d addresses in bootstrap", HINTS_MAX);
		if (!read_host_address(p, "bootstrap", one, &s->hints[s->hint_count]))
			return false;
		s->hint_count++;
	}
	return true;
}

static bool take_source(struct uri_parts *p, char *value)
{
	if (p->server->source.any.sa_family != AF_UNSPEC)
		return uri_parts_fail(p->reading, "source is given twice");
	return read_host_address(p, "source", value, &p->server->source);
}

static bool take_interface(struct uri_parts *p, char *value)
{
	if (strlen(value) >= IF_NAMESIZE || strpbrk(value, "/ "))
		return uri_parts_fail(p->reading,
			"interface=%s: the name of an interface has at most %d characters, and no / or "
			"blank among them",
			value, IF_NAMESIZE - 1);
	return take_once(p, &p->server->interface, "interface", value);
}

static bool take_weight(struct uri_parts *p, char *value)
{
	uint64_t weight = 0;

	if (!value_read_count(value, &weight) || weight < 1 || weight > WEIGHT_MAX)
		return uri_parts_fail(p->reading,
			"weight=%s: a weight is a whole number from 1 to %d", value, WEIGHT_MAX);
	p->server->weight = (unsigned)weight;
	return true;
}

/* --- all of them -------------------------------------------------------------------------------
 */

static const struct parameter {
	const char *name, *example;
	bool tls_only;
	bool (*take)(struct uri_parts *, char *value);
} parameters[] = {
	{ "pin", "sha256/BASE64", true, take_pin },
	{ "ca", "FILE", true, take_ca },
	{ "cert", "FILE", true, take_cert },
	{ "key", "FILE", true, take_key },
	{ "tls", "1.3", true, take_tls },
	{ "verify", "no", true, take_verify },
	{ "bootstrap", "ADDRESS", false, take_bootstrap },
	{ "source", "ADDRESS", false, take_source },
	{ "interface", "NAME", false, take_interface },
	{ "weight", "50", false, take_weight },
	{ 0 },
};

static bool fail_unknown(struct uri_parts *p, const char *name)
{
	struct near near;

	near_init(&near, name);
	for (const struct parameter *q = parameters; q->name; q++)
		near_try(&near, q->name);
	if (near.best)
		return uri_parts_fail(p->reading, "unknown parameter \"%s\"; did you mean \"%s\"?",
			name, near.best);
	return uri_parts_fail(p->reading,
		"unknown parameter \"%s\"; there are pin, ca, cert, key, tls, verify, bootstrap, "
		"source, interface and weight",
		name);
}

static bool take_parameter(struct uri_parts *p, char *text)
{
	const struct parameter *q = parameters;
	char *value = strchr(text, '=');

	if (value)
		*value++ = '\0';
	while (q->name && strcmp(q->name, text) != 0)
		q++;
	if (!q->name)
		return fail_unknown(p, text);
	if (!value || !*value)
		return uri_parts_fail(
			p->reading, "%s needs a value, as in ?%s=%s", text, text, q->example);
	if (q->tls_only && p->server->scheme != SCHEME_TLS)
		return uri_parts_fail(p->reading,
			"%s= is for tls:// only: %s:// is neither encrypted nor verified", text,
			uri_parts_scheme(p->server));
	return q->take(p, value);
}

bool uri_params_read(struct uri_parts *p, char *text)
{
	char *rest = NULL;

	if (*text == '\0')
		return uri_parts_fail(p->reading,
			"nothing behind the ?; a parameter is written as in ?weight=50");
	for (char *one = strtok_r(text, "&", &rest); one; one = strtok_r(NULL, "&", &rest)) {
		if (!take_parameter(p, one))
			return false;
	}
	return true;
}

/* What verify=no would make void, with the right words for it. */
static bool check_verify(struct uri_parts *p)
{
	const struct server_conf *s = p->server;
	const char *void_part = p->name ? "a name behind the #"
		: s->pin_count          ? "pin="
		: s->ca                 ? "ca="
					: NULL;

	if (s->opportunistic && s->designated)
		return uri_parts_fail(p->reading,
			"verify=no does not go with ddr://: a resolver is asked in clear whom it "
			"designates, so that only its address in the certificate tells who that is");
	if (!s->opportunistic || !void_part)
		return true;
	return uri_parts_fail(p->reading,
		"verify=no takes whoever answers, and %s says who it must be; leave out one of them",
		void_part);
}

static bool check_link(struct uri_parts *p, const struct addr *a)
{
	char host[ADDR_TEXT];

	if (p->server->interface || !addr_lacks_link(a))
		return true;
	return uri_parts_fail(p->reading,
		"%s is a link-local address and needs its interface, as in [fe80::1%%eth0]",
		addr_print_host(a, host));
}

bool uri_params_check(struct uri_parts *p)
{
	struct server_conf *s = p->server;

	if (!s->cert != !s->key)
		return uri_parts_fail(p->reading,
			"%s= is of use only with %s=: a certificate has a key",
			s->cert ? "cert" : "key", s->cert ? "key" : "cert");
	if (s->hint_count > 0 && !s->host)
		return uri_parts_fail(p->reading,
			"bootstrap= is for host names; this upstream is an address already");
	if (!s->host && s->source.any.sa_family != AF_UNSPEC &&
		s->source.any.sa_family != s->addr.any.sa_family)
		return uri_parts_fail(p->reading,
			"the source is an address of IPv%c, and the upstream one of IPv%c",
			s->source.any.sa_family == AF_INET ? '4' : '6',
			s->addr.any.sa_family == AF_INET ? '4' : '6');
	for (size_t i = 0; i < s->hint_count; i++) {
		addr_set_port(&s->hints[i], addr_port(&s->addr));
		if (!check_link(p, &s->hints[i]))
			return false;
	}
	return check_link(p, &s->addr) && check_link(p, &s->source) && check_verify(p);
}

/* --- back to text ------------------------------------------------------------------------------
 */

static const char *add(const char *text, const char *name, const char *value, struct memory *m)
{
	return memory_format(m, "%s%c%s=%s", text, strchr(text, '?') ? '&' : '?', name, value);
}

static const char *add_hints(const struct server_conf *s, const char *text, struct memory *m)
{
	char host[ADDR_TEXT];
	const char *list = "";

	for (size_t i = 0; i < s->hint_count; i++)
		list = memory_format(
			m, "%s%s%s", list, i ? "," : "", addr_print_host(&s->hints[i], host));
	return s->hint_count > 0 ? add(text, "bootstrap", list, m) : text;
}

const char *uri_params_add_identity(const struct server_conf *s, const char *text, struct memory *m)
{
	char host[ADDR_TEXT];

	if (s->opportunistic)
		text = add(text, "verify", "no", m);
	if (s->source.any.sa_family != AF_UNSPEC)
		text = add(text, "source", addr_print_host(&s->source, host), m);
	if (s->interface)
		text = add(text, "interface", s->interface, m);
	return text;
}

const char *uri_params_add_others(const struct server_conf *s, const char *text, struct memory *m)
{
	char weight[VALUE_TEXT];

	for (unsigned i = 0; i < s->pin_count; i++) {
		unsigned char pin[PIN_TEXT + 1];

		EVP_EncodeBlock(pin, s->pins[i], TLS_PIN_LEN);
		text = add(text, "pin", memory_format(m, PIN_PREFIX "%s", (const char *)pin), m);
	}
	if (s->ca)
		text = add(text, "ca", s->ca, m);
	if (s->cert)
		text = add(add(text, "cert", s->cert, m), "key", s->key, m);
	if (s->tls13)
		text = add(text, "tls", "1.3", m);
	text = add_hints(s, text, m);
	if (s->weight != URI_WEIGHT)
		text = add(text, "weight", value_print_count(s->weight, weight), m);
	return text;
}
