/* visit: a client of OpenSSL's comes to our server, wired together in memory. */
#ifndef NET_VISIT_H
#define NET_VISIT_H

#include "net/party.h"
#include "net/tls_server.h"

#include "case.h"

#include <openssl/err.h>

#define NAME "dns.example"

/* What a worker needs to serve, and who can be met there. */
struct house {
	struct party party;
	struct tls_front *front;
	struct tls_tickets *tickets;
	struct tls_server *server;
};

static inline struct tls_front *front_of(const struct tls_front_conf *conf)
{
	struct fault f = { 0 };
	struct tls_front *front = tls_front_load(conf, &f);

	if (!front)
		fail_msg("%s: %s", f.cause, f.reason);
	return front;
}

/* clients: of whom they must be, or NULL. */
static inline struct house house_of(const struct party *clients, bool required)
{
	struct fault f;
	struct house h = { .party = party_of(NULL, NAME, "DNS:" NAME, -60, 3600) };
	const struct tls_pair pair = { h.party.file, h.party.key_file };

	h.front = front_of(&(struct tls_front_conf){ .pairs = &pair,
		.count = 1,
		.clients_ca = clients ? clients->file : NULL,
		.clients_required = required });
	h.tickets = tls_tickets_new(NULL, &f);
	h.server = tls_server_new(h.front, h.tickets);
	OK(h.server);
	return h;
}

static inline struct house house_new(void)
{
	return house_of(NULL, false);
}

static inline void house_free(struct house *h)
{
	tls_server_free(h->server);
	tls_tickets_free(h->tickets);
	tls_front_free(h->front);
	party_free(&h->party);
}

struct visitor {
	SSL_CTX *ctx;
	SSL_SESSION *session; /* from one visit to the next */
	const char *name; /* whom it asks for; NULL: nobody */
	const struct addr *at; /* where, if that is known */
};

/* version: 0: any. */
static inline struct visitor visitor_of(int version)
{
	struct visitor v = { .ctx = SSL_CTX_new(TLS_client_method()), .name = NAME };

	SSL_CTX_set_min_proto_version(v.ctx, version);
	SSL_CTX_set_max_proto_version(v.ctx, version);
	return v;
}

static inline void visitor_show(struct visitor *v, const struct party *p)
{
	SSL_CTX_use_certificate(v->ctx, p->cert);
	SSL_CTX_use_PrivateKey(v->ctx, p->key);
}

static inline void visitor_free(struct visitor *v)
{
	SSL_SESSION_free(v->session);
	SSL_CTX_free(v->ctx);
}

/* Both ends of a connection. */
struct wire {
	SSL *client;
	struct tls *server;
	enum tls_status status; /* of the server's handshake */
	int alert; /* that the client was sent; 0: none */
};

static inline struct wire wire_of(struct tls_server *server, const struct visitor *v)
{
	struct wire w = { SSL_new(v->ctx), tls_server_session(server, v->at), TLS_WANT, 0 };

	SSL_set_bio(w.client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(w.client);
	if (v->name)
		SSL_set_tlsext_host_name(w.client, v->name);
	if (v->session)
		SSL_set_session(w.client, v->session);
	return w;
}

static inline void wire_free(struct wire *w)
{
	SSL_free(w->client);
	tls_free(w->server);
	ERR_clear_error();
}

/* What the client has to say reaches the server ... */
static inline void carry_in(struct wire *w)
{
	uint8_t bytes[4096];
	int n;

	while ((n = BIO_read(SSL_get_wbio(w->client), bytes, sizeof bytes)) > 0)
		buf_append(tls_in(w->server), (struct span){ bytes, (size_t)n });
}

/* ... and the other way round. */
static inline void carry_out(struct wire *w)
{
	struct buf *out = tls_out(w->server);
	struct span s = buf_span(out);

	if (s.len)
		BIO_write(SSL_get_rbio(w->client), s.at, (int)s.len);
	buf_drop(out, s.len);
}

static inline void note_alert(struct wire *w)
{
	int reason = ERR_GET_REASON(ERR_peek_last_error());

	if (reason > SSL_AD_REASON_OFFSET)
		w->alert = reason - SSL_AD_REASON_OFFSET;
	ERR_clear_error();
}

static inline void shake_hands(struct wire *w)
{
	for (int i = 0; i < 5; i++) {
		if (SSL_do_handshake(w->client) <= 0)
			note_alert(w);
		carry_in(w);
		if (w->status == TLS_WANT)
			w->status = tls_handshake(w->server);
		carry_out(w);
	}
	/* In TLS 1.3, the client may think that all is well. */
	uint8_t octet;

	if (w->status == TLS_FAILED && SSL_read(w->client, &octet, 1) <= 0)
		note_alert(w);
}

static inline void expect_heard(struct wire *w, const char *text)
{
	struct buf plain = { 0 };

	OK(SSL_write(w->client, text, (int)strlen(text)) > 0);
	carry_in(w);
	EQ(tls_read(w->server, &plain), TLS_WANT);
	EQ(buf_len(&plain), strlen(text));
	MEM(buf_span(&plain).at, text, strlen(text));
	buf_clear(&plain);
}

static inline void expect_told(struct wire *w, const char *text)
{
	char heard[64];
	int n;

	EQ(tls_write(w->server, (struct span){ (const uint8_t *)text, strlen(text) }), TLS_OK);
	carry_out(w);
	n = SSL_read(w->client, heard, sizeof heard);
	EQ(n, strlen(text));
	MEM(heard, text, strlen(text));
}

/* What a visit came to. */
struct visit {
	bool ok, resumed, verified;
	int alert;
	char cause[32], client[64], version[16], cipher[40], group[32];
	char shown[64]; /* the common name in the server's certificate */
};

static inline void note_visit(struct visit *r, struct wire *w)
{
	const struct tls_facts *f = tls_facts(w->server);
	X509 *cert = SSL_get0_peer_certificate(w->client);

	r->resumed = f->resumed;
	r->verified = f->verified;
	snprintf(r->client, sizeof r->client, "%s", f->client ? f->client : "");
	snprintf(r->version, sizeof r->version, "%s", f->version);
	snprintf(r->cipher, sizeof r->cipher, "%s", f->cipher);
	snprintf(r->group, sizeof r->group, "%s", f->group);
	X509_NAME_get_text_by_NID(
		X509_get_subject_name(cert), NID_commonName, r->shown, sizeof r->shown);
}

/* Shakes hands, asks, is answered, and keeps the ticket that it was given. */
static inline struct visit visit(struct tls_server *server, struct visitor *v)
{
	struct wire w = wire_of(server, v);
	struct visit r = { 0 };

	shake_hands(&w);
	r.ok = w.status == TLS_OK;
	if (r.ok) {
		note_visit(&r, &w);
		expect_heard(&w, "query");
		expect_told(&w, "answer");
		SSL_SESSION_free(v->session);
		v->session = SSL_get1_session(w.client);
		SSL_set_shutdown(w.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	} else if (w.status == TLS_FAILED) {
		snprintf(r.cause, sizeof r.cause, "%s", tls_fault(w.server)->cause);
		EQ(tls_fault(w.server)->phase, PHASE_HANDSHAKE);
		r.alert = w.alert;
	}
	wire_free(&w);
	return r;
}

#endif
