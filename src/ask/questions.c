#include "ask/questions.h"

#include "config/near.h"
#include "dns/text.h"
#include "dns/types.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Octets of the hash of a local part, in the names of keys (RFC 7929 §3, RFC 8162 §3). */
#define LOCAL_PART 28

static const struct class_word {
	const char *text;
	uint16_t number;
} classes[] = { { "IN", 1 }, { "CH", 3 }, { "HS", 4 }, { "NONE", 254 }, { "ANY", 255 } };

#define CLASSES (sizeof classes / sizeof *classes)

/* Questions in the making. */
struct making {
	struct ask_words *w;
	struct ask_question *open; /* the last name; NULL: none yet */
	bool has_type, has_class; /* they were said of it */
	struct ask_question before; /* said before a name, or defaults */
	bool type_before;
};

/* ---- types and classes ---- */

static bool read_decimal(const char *text, uint32_t most, uint32_t *out)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	*out = (uint32_t)n;
	return *text >= '0' && *text <= '9' && !*end && n <= most;
}

/* A type, IXFR with its serial. */
static bool read_type(const char *text, uint16_t *type, uint32_t *serial)
{
	*serial = 0;
	if (strncasecmp(text, "IXFR=", 5) == 0) {
		*type = TYPE_IXFR;
		return read_decimal(text + 5, UINT32_MAX, serial);
	}
	return text_read_type(text, type);
}

static bool read_class(const char *text, uint16_t *class)
{
	uint32_t number;

	for (size_t i = 0; i < CLASSES; i++) {
		if (strcasecmp(classes[i].text, text) == 0) {
			*class = classes[i].number;
			return true;
		}
	}
	if (strncasecmp(text, "CLASS", 5) != 0 || !read_decimal(text + 5, UINT16_MAX, &number))
		return false;
	*class = (uint16_t)number;
	return true;
}

static bool is_type(const char *text)
{
	uint16_t type;
	uint32_t serial;

	return read_type(text, &type, &serial);
}

static bool is_class(const char *text)
{
	uint16_t class;

	return read_class(text, &class);
}

static bool unknown(struct making *m, const char *text)
{
	char upper[40];
	struct near near;
	size_t len = 0;

	for (; len < sizeof upper - 1 && text[len]; len++)
		upper[len] =
			(char)(text[len] >= 'a' && text[len] <= 'z' ? text[len] - 32 : text[len]);
	upper[len] = '\0';
	near_init(&near, upper);
#define X(name, number) near_try(&near, #name);
	DNS_TYPES(X)
#undef X
	for (size_t i = 0; i < CLASSES; i++)
		near_try(&near, classes[i].text);
	return words_mistake(m->w, "\"%s\" is neither a type nor a class%s%s%s", text,
		near.best ? "; did you mean " : "; a name has a dot, or -q before it",
		near.best ? near.best : "", near.best ? "?" : "");
}

/* ---- words ---- */

static bool open_question(struct making *m, const char *said)
{
	struct ask_plan *p = m->w->plan;

	if (p->question_count == ASK_QUESTIONS_MAX)
		return words_mistake(m->w, "more than %d questions", ASK_QUESTIONS_MAX);
	m->open = &p->questions[p->question_count++];
	*m->open = m->before;
	m->open->said = said;
	m->has_type = m->type_before;
	m->has_class = false;
	m->before = (struct ask_question){ .type = TYPE_A, .class = CLASS_IN };
	m->type_before = false;
	return true;
}

/* Another type of a name that has one is another question. */
static bool take_type(struct making *m, const char *text)
{
	struct ask_question *q = m->open ? m->open : &m->before;

	if (m->open && m->has_type) {
		const char *said = q->said;

		m->before = *q;
		if (!open_question(m, said))
			return false;
		q = m->open;
	}
	if (!read_type(text, &q->type, &q->serial))
		return unknown(m, text);
	if (m->open)
		m->has_type = true;
	else
		m->type_before = true;
	return true;
}

static bool take_class(struct making *m, const char *text)
{
	struct ask_question *q = m->open ? m->open : &m->before;

	if (!read_class(text, &q->class))
		return unknown(m, text);
	m->has_class = true;
	return true;
}

static bool take_reverse(struct making *m, const char *text)
{
	struct memory *memory = &m->w->plan->memory;
	const char *name = "";
	struct addr a;

	if (!addr_parse(&a, text, 0) || addr_port(&a))
		return words_mistake(m->w, "-x wants an address, not \"%s\"", text);
	/* Not addr_octets(): an IPv4-mapped address has a name of its own under ip6.arpa. */
	if (a.any.sa_family == AF_INET6) {
		for (int i = 15; i >= 0; i--)
			name = memory_format(memory, "%s%x.%x.", name,
				a.v6.sin6_addr.s6_addr[i] & 15, a.v6.sin6_addr.s6_addr[i] >> 4);
		name = memory_format(memory, "%sip6.arpa.", name);
	} else {
		struct span o = addr_octets(&a);

		name = memory_format(
			memory, "%u.%u.%u.%u.in-addr.arpa.", o.at[3], o.at[2], o.at[1], o.at[0]);
	}
	if (!open_question(m, name))
		return false;
	if (!m->has_type)
		m->open->type = TYPE_PTR;
	m->has_type = true;
	return true;
}

static bool take_any(struct making *m, const char *text, const char *next)
{
	bool type = is_type(text), class = is_class(text);

	if (!m->open) {
		if (type && !m->type_before && next && !is_type(next) && !is_class(next))
			return take_type(m, text);
		return open_question(m, text);
	}
	if (class && !m->has_class && (!type || m->has_type))
		return take_class(m, text);
	if (type)
		return take_type(m, text);
	return strpbrk(text, ".@") ? open_question(m, text) : unknown(m, text);
}

static bool take_word(struct making *m, size_t i)
{
	const struct plain_word *word = &m->w->plain[i];
	bool more = i + 1 < m->w->plain_count && word[1].kind == PLAIN_ANY;

	switch (word->kind) {
	case PLAIN_NAME:
		return open_question(m, word->text);
	case PLAIN_TYPE:
		return take_type(m, word->text);
	case PLAIN_CLASS:
		return take_class(m, word->text);
	case PLAIN_REVERSE:
		return take_reverse(m, word->text);
	case PLAIN_ANY:
	default:
		return take_any(m, word->text, more ? word[1].text : NULL);
	}
}

/* ---- names ---- */

/* The name under which the key of an e-mail address is. NULL: it is none. */
static const char *key_name(struct making *m, const struct ask_question *q)
{
	const char *at = strrchr(q->said, '@');
	uint8_t hash[EVP_MAX_MD_SIZE];
	const char *text = "";

	if (!at || (q->type != TYPE_OPENPGPKEY && q->type != TYPE_SMIMEA))
		return q->said;
	if (EVP_Digest(q->said, (size_t)(at - q->said), hash, NULL, EVP_sha256(), NULL) != 1)
		return NULL;
	for (size_t i = 0; i < LOCAL_PART; i++)
		text = memory_format(&m->w->plan->memory, "%s%02x", text, hash[i]);
	return memory_format(&m->w->plan->memory, "%s.%s.%s", text,
		q->type == TYPE_SMIMEA ? "_smimecert" : "_openpgpkey", at + 1);
}

static bool write_name(struct making *m, struct ask_question *q)
{
	const char *text = key_name(m, q);

	q->name_len = text ? name_from_text(text, q->name) : 0;
	return q->name_len || words_mistake(m->w, "\"%s\" is not a domain name", q->said);
}

bool questions_read(struct ask_words *w)
{
	struct making m = { .w = w, .before = { .type = TYPE_A, .class = CLASS_IN } };
	struct ask_plan *p = w->plan;
	bool ok = true;

	for (size_t i = 0; i < w->plain_count && ok; i++)
		ok = take_word(&m, i);
	if (ok && !p->question_count) {
		if (!m.type_before)
			m.before.type = TYPE_NS;
		ok = open_question(&m, ".");
	}
	for (size_t i = 0; i < p->question_count && ok; i++)
		ok = write_name(&m, &p->questions[i]);
	return ok;
}
