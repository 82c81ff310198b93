#include "rules/synth.h"

#include "dns/types.h"
#include "rules/reverse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V4_LEN 4
#define V6_LEN 16
/* In a form that was read, the places of numbers are these octets, and that of an address of IPv6
 * the one behind them. */
enum { FIRST_NUMBER = 1, WHOLE_V6 = FIRST_NUMBER + V4_LEN, PLACES };

struct synth {
	const struct acl *nets;
	size_t len; /* of their addresses */
	uint8_t fixed[V4_LEN]; /* of IPv4, what all networks have in common */
	char form[NAME_TEXT]; /* in lower case, with the last dot */
	uint8_t domain[NAME_MAX_WIRE]; /* behind the last label that has a place */
	size_t domain_len;
};

static bool is_place(char c)
{
	return c >= FIRST_NUMBER && c < PLACES;
}

/* ---- a name of an address ---- */

/* As inet_ntop(3) has it, but for addresses of which that writes the end as one of IPv4. */
static void print_v6(const uint8_t octets[V6_LEN], char text[INET6_ADDRSTRLEN + 1])
{
	const uint8_t *end = octets + 12;

	inet_ntop(AF_INET6, octets, text, INET6_ADDRSTRLEN);
	if (strchr(text, '.'))
		snprintf(text, INET6_ADDRSTRLEN, "::%x:%x", end[0] << 8 | end[1],
			end[2] << 8 | end[3]);
	for (char *c = text; *c; c++)
		*c = *c == ':' ? '-' : *c;
}

/* A label may not begin with `-`. */
static size_t put_v6(const uint8_t octets[V6_LEN], bool begins, char *out, size_t room)
{
	char text[INET6_ADDRSTRLEN + 1];

	print_v6(octets, text);
	return (size_t)snprintf(out, room, "%s%s", begins && *text == '-' ? "0" : "", text);
}

static size_t name_of(const struct synth *s, const uint8_t *octets, uint8_t out[NAME_MAX_WIRE])
{
	char text[2 * NAME_TEXT];
	size_t len = 0;

	for (const char *f = s->form; *f; f++) {
		bool begins = len == 0 || text[len - 1] == '.';

		if (*f == WHOLE_V6)
			len += put_v6(octets, begins, text + len, sizeof text - len);
		else if (is_place(*f))
			len += (size_t)snprintf(
				text + len, sizeof text - len, "%u", octets[*f - FIRST_NUMBER]);
		else
			text[len++] = *f;
	}
	text[len] = 0;
	return name_from_text(text, out);
}

/* ---- the address of a name ---- */

/* A number from 0 to 255 without zeros in front; where it ends. NULL: it is none. */
static const char *read_number(const char *text, uint8_t *out)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long n = strtoul(text, NULL, 10);

	if (!digits || digits > 3 || (*text == '0' && digits > 1) || n > 255)
		return NULL;
	*out = (uint8_t)n;
	return text + digits;
}

/* However it is shortened. */
static const char *read_v6(const char *text, uint8_t out[V6_LEN])
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strspn(text, "0123456789abcdef-");

	if (len >= sizeof address)
		return NULL;
	for (size_t i = 0; i < len; i++)
		address[i] = (char)(text[i] == '-' ? ':' : text[i]);
	address[len] = 0;
	return inet_pton(AF_INET6, address, out) == 1 ? text + len : NULL;
}

static bool has(const struct synth *s, const uint8_t *octets)
{
	struct addr a;

	return addr_from_octets(&a, octets, s->len) && acl_has(s->nets, &a);
}

static bool read_name(const struct synth *s, struct span name, uint8_t octets[V6_LEN])
{
	char text[NAME_TEXT];
	const char *t = name_to_text(name.at, text);

	memcpy(octets, s->fixed, sizeof s->fixed);
	for (const char *f = s->form; t && *f; f++) {
		if (*f == WHOLE_V6)
			t = read_v6(t, octets);
		else if (is_place(*f))
			t = read_number(t, &octets[*f - FIRST_NUMBER]);
		else
			t = *f == *t ? t + 1 : NULL;
	}
	return t && !*t && has(s, octets);
}

size_t synth_find(
	const struct synth *s, struct span name, uint16_t *type, uint8_t data[NAME_MAX_WIRE])
{
	uint8_t octets[V6_LEN];

	if (reverse_address(name, octets) == s->len && has(s, octets)) {
		*type = TYPE_PTR;
		return name_of(s, octets, data);
	}
	if (!read_name(s, name, octets))
		return 0;
	*type = s->len == V4_LEN ? TYPE_A : TYPE_AAAA;
	memcpy(data, octets, s->len);
	return s->len;
}

bool synth_each_domain(
	const struct synth *s, bool (*visit)(void *arg, struct span name, bool zone), void *arg)
{
	if (!visit(arg, (struct span){ s->domain, s->domain_len }, true))
		return false;
	for (size_t i = 0; i < s->nets->count; i++) {
		const struct prefix *net = &s->nets->prefixes[i];
		uint8_t name[NAME_MAX_WIRE];
		size_t len = reverse_name(addr_octets(&net->base), net->bits, name);

		if (!visit(arg, (struct span){ name, len }, true))
			return false;
	}
	return true;
}

/* ---- forms ---- */

struct reading {
	struct synth *s;
	char *why;
};

static bool refuse(const struct reading *r, const char *what)
{
	snprintf(r->why, RRSET_WHY, "%s", what);
	return false;
}

/* Puts what `{...}` stands for; where it ends. NULL: it stands for nothing. */
static const char *put_place(const struct synth *s, const char *form, char **to)
{
	static const char address[] = "{address}", v4[] = "\1-\2-\3-\4";

	if (strncasecmp(form, address, strlen(address)) == 0) {
		if (s->len == V6_LEN)
			*(*to)++ = WHOLE_V6;
		else
			*to = stpcpy(*to, v4);
		return form + strlen(address);
	}
	char letter = (char)tolower((unsigned char)form[1]);

	if (s->len != V4_LEN || letter < 'a' || letter > 'd' || form[2] != '}')
		return NULL;
	*(*to)++ = (char)(letter - 'a' + FIRST_NUMBER);
	return form + 3;
}

/* The form in lower case, with places for what is in braces, and the last dot. */
static bool read_form(const struct reading *r, const char *form)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	char *to = r->s->form, *end = to + sizeof r->s->form - sizeof "1-2-3-4.";

	while (*form) {
		char c = (char)tolower((unsigned char)*form);

		if (to >= end)
			return refuse(r, "the form is too long for a name");
		if (c == '{') {
			form = put_place(r->s, form, &to);
			if (!form)
				return refuse(r,
					r->s->len == V4_LEN
						? "in braces there is a, b, c, d or address"
						: "in braces there is address, for IPv6");
		} else if (strchr(plain, c)) {
			*to++ = c;
			form++;
		} else {
			return refuse(r, "the form has letters, digits, - and _, and braces");
		}
	}
	if (to == r->s->form || to[-1] != '.')
		*to++ = '.';
	*to = 0;
	return true;
}

/* Does each name have one address? A number must end where another sign is, that of IPv6 with its
 * label. */
static bool has_ends(const struct reading *r)
{
	bool any = false;

	for (const char *f = r->s->form; *f; f++) {
		if (!is_place(*f))
			continue;
		any = true;
		if (strchr(f + 1, *f))
			return refuse(r, "what is in braces stands there once");
		if (is_place(f[1]) || isdigit((unsigned char)f[1]) ||
			(*f == WHOLE_V6 && f[1] != '.'))
			return refuse(r,
				"behind what is in braces there is a sign that cannot be part of "
				"it; behind an address of IPv6, a dot");
	}
	return any || refuse(r, "nothing of the address is in the form");
}

/* Every number is in the form, or fixed, the same in all networks. */
static bool is_unique(const struct reading *r)
{
	const struct acl *nets = r->s->nets;

	for (unsigned i = 0; r->s->len == V4_LEN && i < V4_LEN; i++) {
		if (strchr(r->s->form, (char)(FIRST_NUMBER + (int)i)))
			continue;
		r->s->fixed[i] = addr_octets(&nets->prefixes[0].base).at[i];
		for (size_t n = 0; n < nets->count; n++)
			if (nets->prefixes[n].bits < 8 * (i + 1) ||
				addr_octets(&nets->prefixes[n].base).at[i] != r->s->fixed[i])
				return refuse(r,
					"a name would be that of several addresses: what the form "
					"leaves out of them must be the same in all of the network");
	}
	return true;
}

static bool read_domain(const struct reading *r)
{
	struct synth *s = r->s;
	const char *behind = s->form;

	for (const char *f = s->form; *f; f++)
		if (is_place(*f))
			behind = strchr(f, '.') + 1;
	s->domain_len = name_from_text(behind, s->domain);
	return (*behind && s->domain_len > 1) || refuse(r, "a domain is missing at its end");
}

/* The longest of all. */
static bool is_name(const struct reading *r)
{
	uint8_t octets[V6_LEN], name[NAME_MAX_WIRE];

	memset(octets, 0xff, sizeof octets);
	return name_of(r->s, octets, name) || refuse(r, "the form makes no name, or too long ones");
}

static bool read_all(const struct reading *r, const char *form)
{
	const struct acl *nets = r->s->nets;

	for (size_t i = 0; i < nets->count; i++)
		if (addr_octets(&nets->prefixes[i].base).len != r->s->len)
			return refuse(r, "networks of IPv4 and of IPv6 have forms of their own");
	return read_form(r, form) && has_ends(r) && is_unique(r) && read_domain(r) && is_name(r);
}

struct synth *synth_new(const char *form, const struct acl *nets, char why[RRSET_WHY])
{
	struct reading r = { calloc(1, sizeof *r.s), why };

	if (!r.s || !nets->count) {
		refuse(&r, r.s ? "a network is missing" : "no memory");
		synth_free(r.s);
		return NULL;
	}
	r.s->nets = nets;
	r.s->len = addr_octets(&nets->prefixes[0].base).len;
	if (read_all(&r, form))
		return r.s;
	synth_free(r.s);
	return NULL;
}

void synth_free(struct synth *s)
{
	free(s);
}
