/* certificates: what is shown to clients that come over TLS, as it is written.
 *
 *	none
 *	self-signed
 *	{ cert: FILE, key: FILE }
 *	[ one of the above, ... ]
 */
#include <string.h>

#include "config/kinds.h"
#include "config/near.h"
#include "config/print.h"

#define PAIRS_MAX 32

/* Room for all of them is taken with the first. */
static struct tls_pair *pair(const struct setting *s, size_t i)
{
	struct config *c = s->config;

	if (!c->certificates)
		c->certificates = memory_take(&c->memory, PAIRS_MAX * sizeof(*c->certificates));
	return &c->certificates[i];
}

static void take_file(const struct setting *s, struct tls_pair *p, const struct node *node)
{
	const char *key = node->key->text;
	struct near near;

	if (node->kind != NODE_TEXT || !*node->text) {
		problem(s->problems, &node->place, s->path, "the name of a PEM file is expected");
	} else if (strcmp(key, "cert") == 0) {
		p->cert = node->text;
	} else if (strcmp(key, "key") == 0) {
		p->key = node->text;
	} else {
		near_init(&near, key);
		near_try(&near, "cert");
		near_try(&near, "key");
		problem(s->problems, &node->key->place, s->path,
			near.best ? "unknown key; did you mean \"%s\"?"
				  : "unknown key; a certificate has %s and key",
			near.best ? near.best : "cert");
	}
}

/* `certificate.cert` and `certificate.key` are of the first one. */
static void take_certificate_entry(const struct setting *s, const struct node *node)
{
	struct config *c = s->config;

	take_file(s, pair(s, 0), node);
	if (c->certificate_count == 0)
		c->certificate_count = 1;
}

static void take_one(const struct setting *s, const struct node *node)
{
	struct config *c = s->config;

	if (node->kind == NODE_TEXT && strcmp(node->text, "self-signed") == 0) {
		c->self_signed = true;
		return;
	}
	if (node->kind != NODE_MAP) {
		problem(s->problems, &node->place, s->path, "%s is not %s",
			node->kind == NODE_TEXT ? node->text : node_kind_name(node->kind),
			s->kind->form);
		return;
	}
	struct tls_pair *p = pair(s, c->certificate_count++);

	*p = (struct tls_pair){ 0 };
	for (const struct node *e = node->first; e; e = e->next)
		take_file(s, p, e);
	if (!p->cert)
		problem(s->problems, &node->place, s->path, "cert is missing");
}

static void take_certificates(const struct setting *s, const struct node *node)
{
	struct setting element = *s;
	size_t count = 0;

	if (node->kind == NODE_BAD)
		return;
	s->config->certificate_count = 0;
	s->config->self_signed = false;
	if (node->kind == NODE_TEXT && strcmp(node->text, "none") == 0)
		return;
	if (node->kind != NODE_LIST) {
		take_one(s, node);
		return;
	}
	for (const struct node *e = node->first; e; e = e->next, count++) {
		element.path = memory_format(&s->config->memory, "%s[%zu]", s->path, count);
		if (count < PAIRS_MAX)
			take_one(&element, e);
	}
	if (count == 0 || count > PAIRS_MAX)
		problem(s->problems, &node->place, s->path, "needs at least one and at most %d",
			PAIRS_MAX);
}

static void print_pair(const struct tls_pair *p, FILE *out)
{
	fputs("{ cert: ", out);
	print_scalar(p->cert ? p->cert : "", out);
	if (p->key) {
		fputs(", key: ", out);
		print_scalar(p->key, out);
	}
	fputs(" }", out);
}

static void print_certificates(const struct config *c, FILE *out)
{
	size_t count = c->certificate_count + c->self_signed;

	fputs(count > 1 ? " [" : " ", out);
	for (size_t i = 0; i < c->certificate_count; i++) {
		fputs(i ? ", " : "", out);
		print_pair(&c->certificates[i], out);
	}
	if (c->self_signed)
		fputs(c->certificate_count ? ", self-signed" : "self-signed", out);
	fputs(count == 0 ? "none\n" : count > 1 ? "]\n" : "\n", out);
}

const struct kind kind_certificate = { .name = "none, self-signed, map or list of maps",
	.form = "none, self-signed or { cert: FILE, key: FILE }",
	.take_entry = take_certificate_entry,
	.take_whole = take_certificates,
	.print = print_certificates };
