#include "net/hello.h"

#include <stdbool.h>
#include <string.h>

#define RECORD_HANDSHAKE 22
#define RECORD_HEAD      5
#define RECORD_MAX       16384
#define MAJOR_VERSION    3 /* of SSL 3.0 and every TLS since */
#define CLIENT_HELLO     1
#define MESSAGE_HEAD     4
#define RANDOM_LEN       32
#define EXT_SERVER_NAME  0
#define NAME_OF_HOST     0

static size_t number(const uint8_t *at, size_t octets)
{
	size_t n = 0;

	for (; octets; octets--)
		n = n << 8 | *at++;
	return n;
}

/* A part of a message. One that is cut off has failed, with all parts of the same message, and is
 * empty from then on: so every loop over one ends. */
struct part {
	const uint8_t *at;
	size_t left;
	bool *ok;
};

static struct part take(struct part *p, size_t n)
{
	struct part taken = { p->at, n, p->ok };

	if (n > p->left) {
		*p->ok = false;
		taken.left = p->left = 0;
		return taken;
	}
	p->at += n;
	p->left -= n;
	return taken;
}

static size_t take_number(struct part *p, size_t octets)
{
	struct part n = take(p, octets);

	return number(n.at, n.left);
}

/* What has its length before it, in so many octets. */
static struct part take_vector(struct part *p, size_t octets)
{
	size_t len = take_number(p, octets);

	return take(p, len);
}

/* ---- the server name (RFC 6066 §3) ---- */

static bool is_of_a_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '-' || c == '_' || c == '.';
}

/* There is one kind of name, and no two of a kind. */
static void read_server_name(struct part extension, struct hello *h)
{
	struct part list = take_vector(&extension, 2);
	size_t kind = take_number(&list, 1);
	struct part name = take_vector(&list, 2);
	bool is_fit = kind == NAME_OF_HOST && name.left && name.left <= HELLO_NAME_MAX;

	for (size_t i = 0; is_fit && i < name.left; i++)
		is_fit = is_of_a_name(name.at[i]);
	if (!is_fit || list.left || extension.left || *h->server_name) {
		*extension.ok = false;
		return;
	}
	memcpy(h->server_name, name.at, name.left);
	h->server_name[name.left] = '\0';
}

/* ---- the message ---- */

static bool read_message(struct span message, struct hello *h)
{
	bool ok = true;
	struct part m = { message.at, message.len, &ok };

	*h->server_name = '\0';
	ok = take_number(&m, 1) == MAJOR_VERSION;
	take(&m, 1 + RANDOM_LEN);
	take_vector(&m, 1); /* session */
	const struct part suites = take_vector(&m, 2), compression = take_vector(&m, 1);
	struct part extensions = { 0 };

	ok = ok && suites.left && suites.left % 2 == 0 && compression.left;
	if (m.left) /* before TLS 1.3 there need be none */
		extensions = take_vector(&m, 2);
	while (extensions.left) {
		size_t kind = take_number(&extensions, 2);
		struct part extension = take_vector(&extensions, 2);

		if (kind == EXT_SERVER_NAME)
			read_server_name(extension, h);
	}
	return ok && !m.left;
}

/* ---- its records ---- */

/* What there is of the message. */
struct joined {
	size_t len, wanted; /* wanted: with what is not there yet */
	uint8_t octets[HELLO_MAX];
};

/* False: it is none of ours. */
static bool join(struct joined *j, struct span fragment)
{
	memcpy(j->octets + j->len, fragment.at, fragment.len);
	j->len += fragment.len;
	if (j->len >= MESSAGE_HEAD)
		j->wanted = MESSAGE_HEAD + number(j->octets + 1, 3);
	return j->octets[0] == CLIENT_HELLO && j->wanted < HELLO_MAX;
}

/* The head of a record, or its beginning, is one that may come here. */
static bool is_fit(struct span head)
{
	return (head.len < 1 || head.at[0] == RECORD_HANDSHAKE) &&
		(head.len < 2 || head.at[1] == MAJOR_VERSION);
}

/* Each record has an octet of the message at least, so that they come to an end. */
static enum hello_status join_records(struct span s, struct joined *j)
{
	while (j->len < j->wanted) {
		if (!is_fit(s))
			return HELLO_NONE;
		if (s.len <= RECORD_HEAD)
			return HELLO_PART;
		size_t len = number(s.at + 3, 2), there = s.len - RECORD_HEAD;

		if (!len || len > RECORD_MAX)
			return HELLO_NONE;
		if (len > there)
			len = there;
		if (!join(j, (struct span){ s.at + RECORD_HEAD, len }))
			return HELLO_NONE;
		s = (struct span){ s.at + RECORD_HEAD + len, there - len };
	}
	return HELLO_WHOLE;
}

enum hello_status hello_read(struct span octets, struct hello *h)
{
	struct joined j; /* its octets need not be cleared */
	bool is_full = octets.len >= HELLO_MAX;

	j.len = 0;
	j.wanted = MESSAGE_HEAD;
	if (is_full)
		octets.len = HELLO_MAX;
	enum hello_status status = join_records(octets, &j);

	if (status == HELLO_PART && is_full)
		return HELLO_NONE;
	if (status != HELLO_WHOLE)
		return status;
	struct span message = { j.octets + MESSAGE_HEAD, j.wanted - MESSAGE_HEAD };

	return read_message(message, h) ? HELLO_WHOLE : HELLO_NONE;
}
