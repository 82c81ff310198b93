#include "dns/svcb.h"

#include "dns/reader.h"

#include <string.h>

#define IPV4_LEN 4
#define IPV6_LEN 16

/* Those with a meaning here (RFC 9460 §14.3.2). */
enum key {
	KEY_MANDATORY = 0,
	KEY_ALPN = 1,
	KEY_NO_DEFAULT_ALPN = 2, /* DNS has no default (RFC 9461 §4.1): it changes nothing */
	KEY_PORT = 3,
	KEY_IPV4HINT = 4,
	KEY_IPV6HINT = 6
};

static bool is_known(uint16_t key)
{
	return key == KEY_ALPN || key == KEY_NO_DEFAULT_ALPN || key == KEY_PORT ||
		key == KEY_IPV4HINT || key == KEY_IPV6HINT;
}

/* One that is there, and is not empty. */
static bool read_part(struct reader *r, size_t len, struct span *part)
{
	part->len = len;
	part->at = read_bytes(r, len);
	return r->ok && len > 0;
}

/* ---- values ---- */

/* No protocol has an empty name. */
static bool is_list_of_protocols(struct span value)
{
	struct reader r = { value, 0, true };
	struct span one;

	while (r.at < value.len)
		if (!read_part(&r, read_u8(&r), &one))
			return false;
	return value.len > 0;
}

static bool is_list_of_addresses(struct span value, size_t len)
{
	return value.len > 0 && value.len % len == 0;
}

static bool take_value(struct svcb *s, uint16_t key, struct span value)
{
	switch (key) {
	case KEY_ALPN:
		s->alpn = value;
		return is_list_of_protocols(value);
	case KEY_NO_DEFAULT_ALPN:
		return value.len == 0 && s->alpn.len > 0; /* whose key is lower */
	case KEY_PORT:
		s->has_port = value.len == 2;
		s->port = s->has_port ? get_u16(value.at) : 0;
		return s->has_port;
	case KEY_IPV4HINT:
		s->ipv4hint = value;
		return is_list_of_addresses(value, IPV4_LEN);
	case KEY_IPV6HINT:
		s->ipv6hint = value;
		return is_list_of_addresses(value, IPV6_LEN);
	default:
		return true;
	}
}

/* ---- parameters ---- */

/* The keys that must be understood, while the parameters go by: both are in strictly rising order,
 * and each of these is there. */
struct mandatory {
	struct span keys; /* that are still to come */
	bool all_known;
};

static bool begin_mandatory(struct mandatory *m, struct span value)
{
	m->keys = value;
	return value.len > 0 && value.len % 2 == 0 && get_u16(value.at) != KEY_MANDATORY;
}

static void pass(struct mandatory *m, uint16_t key)
{
	if (!m->keys.len || get_u16(m->keys.at) != key)
		return;
	m->all_known &= is_known(key);
	m->keys = (struct span){ m->keys.at + 2, m->keys.len - 2 };
}

static bool read_parameters(struct reader *r, struct svcb *s)
{
	struct mandatory m = { .all_known = true };
	int32_t before = -1;

	while (r->at < r->m.len) {
		uint16_t key = read_u16(r);
		struct span value;

		read_part(r, read_u16(r), &value);
		if (!r->ok || key <= before)
			return false;
		if (key == KEY_MANDATORY ? !begin_mandatory(&m, value) : !take_value(s, key, value))
			return false;
		pass(&m, key);
		before = key;
	}
	s->is_understood = m.all_known;
	return !m.keys.len;
}

/* ---- the record ---- */

bool svcb_parse(struct span rdata, struct svcb *s)
{
	struct reader r = { rdata, 0, true };

	*s = (struct svcb){ .priority = read_u16(&r) };
	if (!r.ok || !read_part(&r, name_len(rdata, r.at), &s->target))
		return false;
	if (s->priority == 0) {
		s->is_understood = true;
		return true; /* parameters of an alias are ignored (RFC 9460 §2.4.2) */
	}
	return read_parameters(&r, s);
}

bool svcb_speaks(const struct svcb *s, const char *protocol)
{
	struct reader r = { s->alpn, 0, true };
	size_t len = strlen(protocol);
	struct span one;

	while (r.at < s->alpn.len && read_part(&r, read_u8(&r), &one))
		if (one.len == len && memcmp(one.at, protocol, len) == 0)
			return true;
	return false;
}
