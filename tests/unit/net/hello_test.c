/* ClientHellos as OpenSSL writes them, whole and in pieces, and what is not one. */
#include "net/hello.h"

#include "case.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME "dns.example"
#define HEAD 5 /* of a record */

/* The first octets of a connection. */
struct octets {
	uint8_t at[2 * HELLO_MAX];
	size_t len;
};

static struct span all(const struct octets *o)
{
	return (struct span){ o->at, o->len };
}

static SSL_CTX *client_of_version(int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	OK(ctx);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	return ctx;
}

/* name NULL: it sends none. Frees the context. */
static struct octets hello_of(SSL_CTX *ctx, const char *name)
{
	SSL *client = SSL_new(ctx);
	struct octets o;

	SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(client);
	if (name)
		SSL_set_tlsext_host_name(client, name);
	SSL_do_handshake(client);
	int len = BIO_read(SSL_get_wbio(client), o.at, sizeof o.at);

	OK(len > HEAD);
	o.len = (size_t)len;
	SSL_free(client);
	SSL_CTX_free(ctx);
	return o;
}

static struct octets hello_with(const char *name)
{
	return hello_of(client_of_version(TLS1_3_VERSION), name);
}

/* The same message in records that hold so many octets of it each. */
static struct octets cut_into(const struct octets *whole, size_t size)
{
	struct octets o = { .len = 0 };

	for (size_t at = HEAD; at < whole->len; at += size) {
		size_t n = whole->len - at < size ? whole->len - at : size;
		const uint8_t head[HEAD] = { 22, 3, 1, (uint8_t)(n >> 8), (uint8_t)n };

		OK(o.len + HEAD + n <= sizeof o.at);
		memcpy(o.at + o.len, head, HEAD);
		memcpy(o.at + o.len + HEAD, whole->at + at, n);
		o.len += HEAD + n;
	}
	return o;
}

/* Each on memory of its own, so that a look beyond the end is seen. */
static enum hello_status read_copy(struct span s, struct hello *h)
{
	uint8_t *copy = malloc(s.len ? s.len : 1);

	OK(copy);
	if (s.len)
		memcpy(copy, s.at, s.len);
	enum hello_status status = hello_read((struct span){ copy, s.len }, h);

	free(copy);
	return status;
}

static void names(struct span s, const char *name)
{
	struct hello h;

	EQ(read_copy(s, &h), HELLO_WHOLE);
	STR(h.server_name, name);
}

static void is_none(struct span s)
{
	struct hello h;

	EQ(read_copy(s, &h), HELLO_NONE);
}

/* Before its last octet it is a part, with it and what may follow it is whole. */
static void is_whole_only_at_its_end(const struct octets *o, const char *name)
{
	struct octets more = *o;
	struct hello h;

	for (size_t len = 0; len < o->len; len++)
		EQ(read_copy((struct span){ o->at, len }, &h), HELLO_PART);
	names(all(o), name);
	memcpy(more.at + more.len, "rest", 4);
	more.len += 4;
	names(all(&more), name);
}

/* ---- what is one ---- */

CASE(each_version_names_its_server)
{
	const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (size_t i = 0; i < 2; i++) {
		struct octets o = hello_of(client_of_version(versions[i]), NAME);

		is_whole_only_at_its_end(&o, NAME);
	}
}

CASE(it_may_name_none)
{
	struct octets o = hello_with(NULL);

	is_whole_only_at_its_end(&o, "");
}

CASE(it_may_have_no_extensions_at_all)
{
	const uint8_t old[] = { 22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3, [43] = 0, 0, 2, 0, 47, 1, 0 };
	struct octets o = { .len = HEAD + 45 };

	memcpy(o.at, old, sizeof old);
	is_whole_only_at_its_end(&o, "");
}

/* What a library does not know is sent as it is said here. */
static int add_some(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
	size_t *len, X509 *x, size_t chain, int *alert, void *arg)
{
	(void)ssl, (void)type, (void)context, (void)x, (void)chain, (void)alert;
	static const unsigned char some[600];

	*out = some;
	*len = *(const size_t *)arg;
	return 1;
}

CASE(there_may_be_many_extensions_and_long_ones)
{
	SSL_CTX *ctx = client_of_version(TLS1_3_VERSION);
	static size_t len = 600;

	for (unsigned i = 0; i < 20; i++)
		EQ(SSL_CTX_add_custom_ext(
			   ctx, 60000 + i, SSL_EXT_CLIENT_HELLO, add_some, NULL, &len, NULL, NULL),
			1);
	EQ(SSL_CTX_set_alpn_protos(ctx, (const uint8_t *)"\3dot", 4), 0);
	struct octets o = hello_of(ctx, NAME);

	OK(o.len > 12000);
	names(all(&o), NAME);
	for (size_t len_there = 0; len_there < o.len; len_there += 97) {
		struct hello h;

		EQ(read_copy((struct span){ o.at, len_there }, &h), HELLO_PART);
	}
}

CASE(it_may_come_in_records_of_any_size)
{
	const struct octets whole = hello_with(NAME);

	for (size_t size = 1; size < whole.len; size += size < 9 ? 1 : 50) {
		struct octets o = cut_into(&whole, size);

		is_whole_only_at_its_end(&o, NAME);
	}
}

CASE(a_name_may_be_as_long_as_they_get)
{
	char name[HELLO_NAME_MAX + 1];

	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	struct octets o = hello_with(name);

	names(all(&o), name);
}

/* ---- what is none ---- */

CASE(other_protocols_are_told_by_their_first_octets)
{
	is_none(SPAN("GET / HTTP/1.1\r\n"));
	is_none(SPAN("\x00\x1d\x12\x34\x01\x00"));
	is_none(SPAN("\x17"));
	is_none(SPAN("\x16\x02"));
	is_none(SPAN("\x16\x03\x01\x00\x05\x02"));
	is_none(SPAN("\x16\xfe\xfd\x00\x00\x00"));
}

CASE(a_record_is_neither_empty_nor_too_long)
{
	is_none(SPAN("\x16\x03\x01\x00\x00\x16"));
	is_none(SPAN("\x16\x03\x01\x40\x01\x01"));
}

CASE(every_octet_of_a_length_that_is_wrong_makes_it_none)
{
	/* Random octets and those of keys may be anything; so does the test change only lengths: of
	 * the session, of the suites, of compression, of the extensions. */
	const struct octets whole = hello_with(NAME);
	size_t at = HEAD + 4 + 2 + 32, next = at + 1 + whole.at[at];
	const size_t suites = (size_t)(whole.at[next] << 8 | whole.at[next + 1]);
	const size_t lengths[] = { at, next + 1, next + 2 + suites, next + 2 + suites + 3 };

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		for (int by = -1; by < 2; by += 2) {
			struct octets o = whole;

			o.at[lengths[i]] = (uint8_t)(o.at[lengths[i]] + by);
			is_none(all(&o));
		}
	}
}

CASE(one_longer_than_any_is_none_before_it_is_there)
{
	struct octets o = { .at = { 22, 3, 1, 0x40, 0, 1, 0, 0x40, 0 }, .len = 9 };

	is_none(all(&o));

	/* Of small records: their heads count. */
	struct octets whole = { .at = { 22, 3, 1, 0, 0, 1, 0, 0x20, 0 }, .len = HEAD + 4000 };
	struct hello h;

	o = cut_into(&whole, 1);
	EQ(read_copy((struct span){ o.at, HELLO_MAX - 1 }, &h), HELLO_PART);
	is_none((struct span){ o.at, HELLO_MAX });
	is_none(all(&o));
}

/* Where the name stands. */
static uint8_t *name_in(struct octets *o)
{
	for (size_t at = 0; at + strlen(NAME) <= o->len; at++)
		if (memcmp(o->at + at, NAME, strlen(NAME)) == 0)
			return o->at + at;
	fail();
	return NULL;
}

CASE(a_name_has_letters_of_a_name)
{
	const uint8_t not [] = { '\0', ' ', '"', '\n', '/', ':', '@', 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < sizeof not ; i++) {
		struct octets o = hello_with(NAME);

		name_in(&o)[3] = not [i];
		is_none(all(&o));
	}
}

CASE(a_name_is_that_of_a_host_and_has_its_length)
{
	/* Before it: the kind of the extension, its length, that of the list, the kind of the name,
	 * its length. */
	const struct octets good = hello_with(NAME);
	const int at[] = { -6, -5, -4, -3, -2, -1 };

	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		struct octets o = good;

		name_in(&o)[at[i]]++;
		is_none(all(&o));
	}
}

CASE(an_empty_name_is_none)
{
	struct octets o = hello_with(NAME);
	uint8_t *name = name_in(&o);
	size_t rest = (size_t)(o.at + o.len - name);

	/* The list holds a name of no octets, and the extension as many as before of another kind.
	 */
	OK(rest > strlen(NAME));
	memcpy(name - 9, "\0\0\0\5\0\3\0\0\0\xff\1\0\7", 13);
	memset(name + 4, 0, 7);
	is_none(all(&o));
	memcpy(name - 9, "\0\0\0\6\0\4\0\0\1a\xff\1\0\6", 14); /* that it is nothing else */
	names(all(&o), "a");
}

CASE(there_are_no_two_of_them)
{
	SSL_CTX *ctx = client_of_version(TLS1_3_VERSION);
	static size_t len = 16;

	EQ(SSL_CTX_add_custom_ext(
		   ctx, 60000, SSL_EXT_CLIENT_HELLO, add_some, NULL, &len, NULL, NULL),
		1);
	struct octets o = hello_of(ctx, NAME);

	names(all(&o), NAME);
	for (size_t at = 0; at + 4 + len <= o.len; at++) {
		if (memcmp(o.at + at, "\xea\x60\0\x10", 4) == 0)
			memcpy(o.at + at, "\0\0\0\x10\0\x0e\0\0\x0b" NAME, 4 + len);
	}
	is_none(all(&o));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(each_version_names_its_server),
		CLAIM(it_may_name_none),
		CLAIM(it_may_have_no_extensions_at_all),
		CLAIM(there_may_be_many_extensions_and_long_ones),
		CLAIM(it_may_come_in_records_of_any_size),
		CLAIM(a_name_may_be_as_long_as_they_get),
		CLAIM(other_protocols_are_told_by_their_first_octets),
		CLAIM(a_record_is_neither_empty_nor_too_long),
		CLAIM(every_octet_of_a_length_that_is_wrong_makes_it_none),
		CLAIM(one_longer_than_any_is_none_before_it_is_there),
		CLAIM(a_name_has_letters_of_a_name),
		CLAIM(a_name_is_that_of_a_host_and_has_its_length),
		CLAIM(an_empty_name_is_none),
		CLAIM(there_are_no_two_of_them),
	};

	return RUN(cases);
}
