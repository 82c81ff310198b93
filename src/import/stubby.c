/* stubby: its YAML. Transports and the kind of authentication, wherever they stand, say what
 * servers are. What stubby asks without authentication is authenticated here. */
#include <string.h>

#include "import/import.h"
#include "import/lines.h"
#include "import/servers.h"
#include "import/tree.h"
#include "net/addr.h"

struct held {
	struct held *next;
	struct said said;
	const struct node *server;
};

struct stubby {
	bool tls, clear, tls13;
	struct held *servers, **end;
};

static void take_transport(struct recipe *p, const struct said *said, char *value)
{
	struct stubby *s = p->state;

	if (strcmp(value, "GETDNS_TRANSPORT_TLS") == 0)
		s->tls = true;
	else if (strcmp(value, "GETDNS_TRANSPORT_UDP") == 0 ||
		strcmp(value, "GETDNS_TRANSPORT_TCP") == 0)
		s->clear = true;
	else
		recipe_leave(p, said, "no transport that is known");
	if (s->tls && s->clear)
		recipe_leave(p, said, "from TLS there is no way back to clear text");
}

static void take_authentication(struct recipe *p, const struct said *said, char *value)
{
	if (strcmp(value, "GETDNS_AUTHENTICATION_REQUIRED") != 0)
		recipe_leave(p, said, "every server must prove who it is here");
}

static void take_server(struct recipe *p, const struct said *said, const struct node *server)
{
	struct stubby *s = p->state;
	struct held *h = memory_take(&p->memory, sizeof *h);

	h->said = *said;
	h->server = server;
	*s->end = h;
	s->end = &h->next;
}

static void take_listen(struct recipe *p, const struct said *said, char *value)
{
	struct server_said s = { .port = NULL };
	struct addr a;

	server_cut(&s, value, '@');
	if (addr_parse(&a, s.host, PORT_DNS))
		recipe_add(p, said, "listen",
			memory_format(&p->memory, a.any.sa_family == AF_INET ? "%s:%s" : "[%s]:%s",
				s.host, s.port ? s.port : "53"));
	else
		recipe_leave(p, said, "\"%s\" is no address", s.host);
}

static void take_robin(struct recipe *p, const struct said *said, char *value)
{
	recipe_set(p, said, "policy", strcmp(value, "1") == 0 ? "spread" : "ordered");
}

static void take_ms(struct recipe *p, const struct said *said, const char *key, char *value)
{
	unsigned long ms;

	if (lines_number(p, said, value, 3600000, &ms))
		recipe_set(p, said, key, memory_format(&p->memory, "%lums", ms));
}

static void take_idle(struct recipe *p, const struct said *said, char *value)
{
	take_ms(p, said, "timeouts.upstream-idle", value);
}

static void take_ca(struct recipe *p, const struct said *said, char *value)
{
	recipe_set(p, said, "tls.ca", value);
}

static void take_version(struct recipe *p, const struct said *said, char *value)
{
	struct stubby *s = p->state;

	s->tls13 = strcmp(value, "GETDNS_TLS1_3") == 0;
	if (!s->tls13)
		recipe_remark(p, said, "nothing older than TLS 1.2 is spoken");
}

static void take_tries(struct recipe *p, const struct said *said, char *value)
{
	(void)value;
	recipe_remark(p, said, "servers that fail are found back by themselves");
}

static const struct tree_word words[] = {
	{ .name = "resolution_type", .moot = "so it is" },
	{ .name = "dns_transport_list", .take = take_transport },
	{ .name = "tls_authentication", .take = take_authentication },
	{ .name = "tls_query_padding_blocksize", .moot = "questions over TLS are padded" },
	{ .name = "edns_client_subnet_private", .moot = "no client's address is told" },
	{ .name = "round_robin_upstreams", .take = take_robin },
	{ .name = "idle_timeout", .take = take_idle },
	{ .name = "tls_connection_retries", .take = take_tries },
	{ .name = "tls_backoff_time", .take = take_tries },
	{ .name = "limit_outstanding_queries", .moot = "see limits" },
	{ .name = "timeout", .moot = "see timeouts.query" },
	{ .name = "listen_addresses", .take = take_listen },
	{ .name = "upstream_recursive_servers", .take_map = take_server },
	{ .name = "tls_ca_file", .take = take_ca },
	{ .name = "tls_ca_path", .left = "a folder; tls.ca is a file" },
	{ .name = "tls_min_version", .take = take_version },
	{ .name = "tls_max_version", .left = "the best version is spoken that both know" },
	{ .name = "tls_cipher_list", .left = "ciphers are not chosen" },
	{ .name = "tls_ciphersuites", .left = "ciphers are not chosen" },
	{ .name = "dnssec", .left = "sotto does not validate; it asks servers that do" },
	{ .name = "dnssec_return_status",
		.left = "sotto does not validate; it asks servers that do" },
	{ .name = "trust_anchors_backoff_time", .moot = "about validation" },
	{ .name = "appdata_dir", .moot = "see state" },
	{ .name = "log_level", .moot = "see log.level" },
	{ 0 },
};

/* `pin=sha256/...&...` of all pins; NULL: one of them cannot be carried. */
static const char *pins(struct recipe *p, const struct said *said, const struct node *server)
{
	const char *text = "";

	for (const struct node *n = server->first; n; n = n->next) {
		if (strcmp(n->key->text, "tls_pubkey_pinset") != 0)
			continue;
		for (const struct node *pin = n->first; pin; pin = pin->next) {
			const char *digest = tree_text(pin, "digest");
			const char *value = tree_text(pin, "value");

			if (!digest || strcmp(digest, "sha256") != 0 || !value) {
				recipe_leave(p, said,
					"a pin that is no sha256; without it the "
					"server would prove less");
				return NULL;
			}
			text = memory_format(
				&p->memory, "%s%spin=sha256/%s", text, *text ? "&" : "", value);
		}
	}
	return text;
}

static void leave_unknown(struct recipe *p, const struct node *server)
{
	static const char *const known[] = { "address_data", "tls_auth_name", "tls_port",
		"tls_pubkey_pinset", "port" };
	size_t count = sizeof known / sizeof *known, i;

	for (const struct node *n = server->first; n; n = n->next) {
		for (i = 0; i < count && strcmp(known[i], n->key->text) != 0; i++)
			;
		if (i == count)
			recipe_leave(
				p, &(struct said){ n->key->place.line, n->key->text }, "not known");
	}
}

static void add_server(struct recipe *p, const struct held *h)
{
	const struct stubby *s = p->state;
	const char *address = tree_text(h->server, "address_data");
	const char *name = tree_text(h->server, "tls_auth_name");
	struct said said = { h->said.line,
		memory_format(&p->memory, "%s%s%s", address ? address : "a server", name ? " " : "",
			name ? name : "") };
	const char *pin = address ? pins(p, &said, h->server) : NULL;

	if (!address)
		recipe_leave(p, &said, "without an address");
	if (!pin)
		return;
	leave_unknown(p, h->server);
	if (s->clear && !s->tls) {
		server_add(p, &said,
			&(struct server_said){
				"udp", address, tree_text(h->server, "port"), NULL, NULL },
			NULL);
		return;
	}
	const char *parameters = memory_format(
		&p->memory, "%s%s%s", pin, *pin && s->tls13 ? "&" : "", s->tls13 ? "tls=1.3" : "");

	server_add(p, &said,
		&(struct server_said){ "tls", address, tree_text(h->server, "tls_port"), name,
			*parameters ? parameters : NULL },
		NULL);
}

void stubby_read(struct recipe *p, struct span text)
{
	struct stubby s = { .tls = false };

	s.end = &s.servers;
	p->state = &s;
	tree_read(p, text, words);
	for (const struct held *h = s.servers; h; h = h->next)
		add_server(p, h);
	servers_end(p);
	p->state = NULL;
}
