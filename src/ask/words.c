#include "ask/words.h"

#include "ask/key.h"
#include "ask/octets.h"
#include "config/near.h"
#include "config/problems.h"
#include "config/values.h"
#include "dns/message.h"

#include <arpa/inet.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Options of EDNS by their numbers (the IANA registry). */
enum {
	NSID = 3,
	SUBNET = 8,
	EXPIRE = 9,
	COOKIE = 10,
	KEEPALIVE = 11,
	CHAIN = 13,
	ZONEVERSION = 19
};
enum { COMPACT_OK = 0x4000, DELEG_OK = 0x2000 };

#define COOKIE_LEN  8 /* of a client's part (RFC 7873 §4) */
#define PAD_TO      128 /* RFC 8467 §4.1 */
#define WALK_MS     300
#define OPTION_WORD 24

/* ---- mistakes ---- */

bool words_mistake(struct ask_words *w, const char *format, ...)
{
	char text[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	fputs("sotto query: ", w->err);
	if (w->option) {
		problems_put(w->err, w->option, strlen(w->option));
		fputs(": ", w->err);
	}
	problems_put(w->err, text, strlen(text));
	fputc('\n', w->err);
	w->mistakes++;
	return false;
}

static bool read_number(
	struct ask_words *w, const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end;

	if (*text >= '0' && *text <= '9') {
		*out = strtoull(text, &end, strncasecmp(text, "0x", 2) == 0 ? 16 : 10);
		if (*end == '\0' && *out >= least && *out <= most)
			return true;
	}
	return words_mistake(w, "a number from %llu to %llu is wanted, not \"%s\"",
		(unsigned long long)least, (unsigned long long)most, text);
}

/* ---- options of EDNS ---- */

/* One of each, but of those that +ednsopt writes. */
static bool add_option(struct ask_words *w, uint16_t code, const void *octets, size_t len)
{
	struct ask_edns *e = &w->plan->edns;

	if (e->option_count == ASK_OPTIONS_MAX)
		return words_mistake(w, "more than %d options of EDNS", ASK_OPTIONS_MAX);
	e->on = true;
	e->options[e->option_count++] = (struct ask_option){ code, (uint16_t)len,
		len ? (uint8_t *)memory_copy(&w->plan->memory, octets, len) : NULL };
	return true;
}

static void drop_option(struct ask_words *w, uint16_t code)
{
	struct ask_edns *e = &w->plan->edns;
	size_t kept = 0;

	for (size_t i = 0; i < e->option_count; i++)
		if (e->options[i].code != code)
			e->options[kept++] = e->options[i];
	e->option_count = kept;
}

static bool set_option(struct ask_words *w, bool on, uint16_t code, const void *octets, size_t len)
{
	drop_option(w, code);
	return !on || add_option(w, code, octets, len);
}

static bool take_nsid(struct ask_words *w, bool on, const char *value)
{
	(void)value;
	return set_option(w, on, NSID, NULL, 0);
}

static bool take_expire(struct ask_words *w, bool on, const char *value)
{
	(void)value;
	return set_option(w, on, EXPIRE, NULL, 0);
}

static bool take_keepalive(struct ask_words *w, bool on, const char *value)
{
	(void)value;
	return set_option(w, on, KEEPALIVE, NULL, 0);
}

static bool take_zoneversion(struct ask_words *w, bool on, const char *value)
{
	(void)value;
	return set_option(w, on, ZONEVERSION, NULL, 0);
}

static bool read_hex(struct ask_words *w, const char *text, uint8_t **out, size_t *len)
{
	return octets_from_hex(&w->plan->memory, text, out, len) ||
		words_mistake(w, "octets in hexadecimal are wanted, not \"%s\"", text);
}

static bool take_cookie(struct ask_words *w, bool on, const char *value)
{
	uint8_t chance[COOKIE_LEN], *octets = chance;
	size_t len = sizeof chance;

	if (value && !read_hex(w, value, &octets, &len))
		return false;
	if (!value && RAND_bytes(chance, sizeof chance) != 1)
		return words_mistake(w, "there are no random numbers");
	return set_option(w, on, COOKIE, octets, len);
}

/* RFC 7871 §6: no more octets, and no more bits, than are meant. */
static size_t cut(uint8_t *octets, uint64_t bits)
{
	if (bits % 8)
		octets[bits / 8] &= (uint8_t)(0xff00u >> bits % 8);
	return (size_t)(bits + 7) / 8;
}

static bool take_subnet(struct ask_words *w, bool on, const char *value)
{
	uint8_t octets[4 + 16] = { 0 };
	struct addr a;

	if (!on)
		return set_option(w, false, SUBNET, NULL, 0);
	value = strcmp(value, "0") == 0 ? "0.0.0.0/0" : value;
	size_t host_len = strcspn(value, "/");
	const char *host = memory_copy(&w->plan->memory, value, host_len);

	if (!addr_parse(&a, host, 0) || addr_port(&a))
		return words_mistake(w, "a network as 192.0.2.0/24 is wanted, not \"%s\"", value);
	struct span address = addr_octets(&a);
	uint64_t bits = address.len * 8;

	if (value[host_len] && !read_number(w, value + host_len + 1, 0, bits, &bits))
		return false;
	memcpy(octets + 4, address.at, address.len);
	octets[1] = address.len == 4 ? 1 : 2;
	octets[2] = (uint8_t)bits;
	return set_option(w, true, SUBNET, octets, 4 + cut(octets + 4, bits));
}

static bool take_chain(struct ask_words *w, bool on, const char *value)
{
	uint8_t name[NAME_MAX_WIRE];
	size_t len = on ? name_from_text(value ? value : ".", name) : 0;

	if (on && !len)
		return words_mistake(w, "\"%s\" is not a name", value);
	return set_option(w, on, CHAIN, name, len);
}

static bool take_padding(struct ask_words *w, bool on, const char *value)
{
	uint64_t to = PAD_TO;

	if (value && !read_number(w, value, 0, 4096, &to))
		return false;
	w->plan->edns.on |= on;
	w->plan->edns.pad = on;
	w->plan->edns.pad_to = (uint16_t)to;
	return true;
}

static bool take_any_option(struct ask_words *w, bool on, const char *value)
{
	const char *colon = value ? strchr(value, ':') : NULL;
	uint8_t *octets = NULL;
	size_t len = 0;
	uint64_t code;

	if (!on) {
		w->plan->edns.option_count = 0;
		return true;
	}
	const char *number = memory_copy(
		&w->plan->memory, value, colon ? (size_t)(colon - value) : strlen(value));

	return read_number(w, number, 0, UINT16_MAX, &code) &&
		(!colon || read_hex(w, colon + 1, &octets, &len)) &&
		add_option(w, (uint16_t)code, octets, len);
}

/* ---- EDNS itself ---- */

static bool take_edns(struct ask_words *w, bool on, const char *value)
{
	uint64_t version = 0;

	if (value && !read_number(w, value, 0, UINT8_MAX, &version))
		return false;
	w->plan->edns.on = on;
	w->plan->edns.version = (uint8_t)version;
	return true;
}

static bool take_edns_flags(struct ask_words *w, bool on, const char *value)
{
	uint64_t flags = 0;

	if (on && value && !read_number(w, value, 0, UINT16_MAX, &flags))
		return false;
	w->has_edns_flags = on;
	w->edns_flags = (uint16_t)flags;
	w->plan->edns.on |= on;
	return true;
}

static bool take_size(struct ask_words *w, bool on, const char *value)
{
	uint64_t size = 0;

	if (!on)
		return words_mistake(w, "it has no +no");
	if (!read_number(w, value, 0, UINT16_MAX, &size))
		return false;
	w->plan->edns.on = true;
	w->plan->edns.size = (uint16_t)size;
	return true;
}

/* ---- how it is asked ---- */

static bool take_tcp(struct ask_words *w, bool on, const char *value)
{
	(void)value;
	w->tcp = on;
	return true;
}

static bool take_tls(struct ask_words *w, bool on, const char *value)
{
	if (value && strcmp(value, "auth") != 0 && strcmp(value, "noauth") != 0)
		return words_mistake(w, "there are +tls, +tls=auth and +tls=noauth");
	w->tls = on;
	w->unverified = value && strcmp(value, "noauth") == 0;
	return true;
}

static bool take_pin(struct ask_words *w, bool on, const char *value)
{
	if (on && w->pin_count == TLS_PINS_MAX)
		return words_mistake(w, "more than %d pins", TLS_PINS_MAX);
	if (on)
		w->pins[w->pin_count++] = value;
	else
		w->pin_count = 0;
	w->tls |= on;
	return true;
}

static bool take_walk(struct ask_words *w, bool on, const char *value)
{
	uint64_t ms = WALK_MS;

	if (value && !read_number(w, value, 0, 60000, &ms))
		return false;
	w->plan->walk = on;
	w->plan->walk_ms = (unsigned)ms;
	return true;
}

static bool take_time(struct ask_words *w, bool on, const char *value)
{
	uint64_t ms;

	if (!on)
		return words_mistake(w, "it has no +no");
	if (value[strspn(value, "0123456789")] == '\0')
		value = memory_format(&w->plan->memory, "%ss", value);
	if (!value_read_duration(value, &ms) || ms == 0 || ms > 3600000)
		return words_mistake(w, "seconds are wanted, or 800ms, up to an hour");
	w->plan->time_ms = (unsigned)ms;
	return true;
}

/* dig's: those behind the first. */
static bool take_retry(struct ask_words *w, bool on, const char *value)
{
	uint64_t more;

	if (!on)
		return words_mistake(w, "it has no +no");
	if (!read_number(w, value, 0, 98, &more))
		return false;
	w->plan->tries = (unsigned)more + 1;
	return true;
}

static bool take_id(struct ask_words *w, bool on, const char *value)
{
	uint64_t id;

	if (on && !read_number(w, value, 0, UINT16_MAX, &id))
		return false;
	w->plan->has_id = on;
	w->plan->id = on ? (uint16_t)id : 0;
	return true;
}

static bool take_all(struct ask_words *w, bool on, const char *value)
{
	struct ask_show *s = &w->plan->show;

	(void)value;
	s->comments = s->question = s->answer = s->authority = s->additional = s->stats = on;
	return true;
}

static bool take_nothing(struct ask_words *w, bool on, const char *value)
{
	(void)w, (void)on, (void)value;
	return true;
}

/* ---- the table ---- */

/* What an option does: sets a bool of the plan, a flag of the header or of EDNS, a number of the
 * plan, a text of the words; or something that takes a function. */
enum kind { IS, HEADER, EDNS, COUNT, TEXT, CALL };
/* Its value: none, wanted, or as one likes; a heading is none at all. */
enum wants { NONE, WANTED, MAYBE };

struct row {
	const char *name, *value, *help;
	enum kind kind;
	enum wants wants;
	size_t at; /* of IS and COUNT in the plan, of TEXT in the words */
	uint32_t number; /* the flag; of COUNT the most */
	bool (*take)(struct ask_words *, bool on, const char *value);
};

#define PLAN(member)  offsetof(struct ask_plan, member)
#define WORDS(member) offsetof(struct ask_words, member)
#define HIDDEN        NULL /* in the help: a dig's word for what stands above */

/* clang-format off */
static const struct row rows[] = {
	{ "tcp", NULL, "over TCP", CALL, NONE, .take = take_tcp },
	{ "vc", NULL, HIDDEN, CALL, NONE, .take = take_tcp },
	{ "ignore", NULL, "TC is no reason to come again over TCP", IS, NONE, .at = PLAN(ignore_tc) },
	{ "tls", "auth|noauth", "over TLS; noauth: whoever it is", CALL, MAYBE, .take = take_tls },
	{ "tls_port", "N", "its port (853)", TEXT, WANTED, .at = WORDS(tls_port) },
	{ "tls_hostname", "NAME", "the name in its certificate", TEXT, WANTED, .at = WORDS(tls_name) },
	{ "tls_ca", "FILE", "whom to trust, in PEM (the system's)", TEXT, WANTED, .at = WORDS(ca) },
	{ "tls_pin", "sha256/BASE64", "the key that it must have", CALL, WANTED, .take = take_pin },
	{ "tls_cert", "FILE", "what we show if it asks who we are", TEXT, WANTED, .at = WORDS(cert) },
	{ "tls_certfile", "FILE", HIDDEN, TEXT, WANTED, .at = WORDS(cert) },
	{ "tls_key", "FILE", "the key of that", TEXT, WANTED, .at = WORDS(key) },
	{ "tls_keyfile", "FILE", HIDDEN, TEXT, WANTED, .at = WORDS(key) },
	{ "tls_fallback", NULL, "if TLS fails, in clear over TCP", IS, NONE, .at = PLAN(tls_fallback) },
	{ "config", "FILE", "of @sotto: its configuration", TEXT, WANTED, .at = WORDS(config) },
	{ "resume", NULL, "a second connection, which has to be resumed", IS, NONE, .at = PLAN(resume) },
	{ "keepopen", NULL, "all names over one connection", IS, NONE, .at = PLAN(keep_open) },
	{ "count", "N", "N times; percentiles", COUNT, WANTED, .at = PLAN(count), .number = 1000000 },
	{ "rate", "R", "R of them a second", COUNT, WANTED, .at = PLAN(rate), .number = 100000 },
	{ "connections", "N", "over so many (1)", COUNT, WANTED, .at = PLAN(connections), .number = 64 },
	{ "time", "S", "when the whole question ends", CALL, WANTED, .take = take_time },
	{ "timeout", "S", HIDDEN, CALL, WANTED, .take = take_time },
	{ "tries", "N", "over UDP (3)", COUNT, WANTED, .at = PLAN(tries), .number = 99 },
	{ "retry", "N", HIDDEN, CALL, WANTED, .take = take_retry },

	{ "aaonly", NULL, "AA in the header", HEADER, NONE, .number = DNS_AA },
	{ "aaflag", NULL, HIDDEN, HEADER, NONE, .number = DNS_AA },
	{ "adflag", NULL, "AD", HEADER, NONE, .number = DNS_AD },
	{ "cdflag", NULL, "CD", HEADER, NONE, .number = DNS_CD },
	{ "recurse", NULL, "RD; is set unless +norecurse", HEADER, NONE, .number = DNS_RD },
	{ "rdflag", NULL, HIDDEN, HEADER, NONE, .number = DNS_RD },
	{ "tcflag", NULL, "TC", HEADER, NONE, .number = DNS_TC },
	{ "raflag", NULL, "RA", HEADER, NONE, .number = DNS_RA },
	{ "zflag", NULL, "Z", HEADER, NONE, .number = DNS_Z },
	{ "opcode", "N", "the opcode", COUNT, WANTED, .at = PLAN(opcode), .number = 15 },
	{ "qid", "ID", "the message's ID; -i is the same", CALL, WANTED, .take = take_id },
	{ "0x20", NULL, "letters in random case, checked in the reply", IS, NONE, .at = PLAN(mixed_case) },
	{ "emptyquestion", NULL, "no question", IS, NONE, .at = PLAN(no_question) },
	{ "header_only", NULL, "nothing but a header", IS, NONE, .at = PLAN(header_only) },

	{ "edns", "VERSION", "EDNS; is on unless +noedns", CALL, MAYBE, .take = take_edns },
	{ "bufsize", "N", "octets that we take over UDP (1232)", CALL, WANTED, .take = take_size },
	{ "ednsflags", "N", "its flags, in place of those below", CALL, MAYBE, .take = take_edns_flags },
	{ "dnssec", NULL, "DO: signatures, too", EDNS, NONE, .number = EDNS_DO },
	{ "do", NULL, HIDDEN, EDNS, NONE, .number = EDNS_DO },
	{ "compactok", NULL, "CO: compact denial is understood", EDNS, NONE, .number = COMPACT_OK },
	{ "coflag", NULL, HIDDEN, EDNS, NONE, .number = COMPACT_OK },
	{ "delegok", NULL, "DE: DELEG is understood", EDNS, NONE, .number = DELEG_OK },
	{ "ednsopt", "CODE[:HEX]", "any option", CALL, WANTED, .take = take_any_option },
	{ "nsid", NULL, "which server is it?", CALL, NONE, .take = take_nsid },
	{ "expire", NULL, "when will a secondary give the zone up?", CALL, NONE, .take = take_expire },
	{ "cookie", "HEX", "a cookie, of 8 random octets", CALL, MAYBE, .take = take_cookie },
	{ "subnet", "ADDRESS/N", "for a client there", CALL, WANTED, .take = take_subnet },
	{ "chainquery", "NAME", "the chain of trust from there (.)", CALL, MAYBE, .take = take_chain },
	{ "padding", "N", "the message to a multiple of N (128)", CALL, MAYBE, .take = take_padding },
	{ "keepalive", NULL, "how long may the connection idle?", CALL, NONE, .take = take_keepalive },
	{ "zoneversion", NULL, "which version of the zone?", CALL, NONE, .take = take_zoneversion },

	{ "walk", "MS", "the zone's names by NSEC, MS apart (300)", CALL, MAYBE, .take = take_walk },
	{ "short", NULL, "only the data of answers", IS, NONE, .at = PLAN(show.is_short) },
	{ "json", NULL, "an object for each reply", IS, NONE, .at = PLAN(show.json) },
	{ "generic", NULL, "types, classes and data as of RFC 3597", IS, NONE, .at = PLAN(show.generic) },
	{ "unknownformat", NULL, HIDDEN, IS, NONE, .at = PLAN(show.generic) },
	{ "hex", NULL, "data in hexadecimal", IS, NONE, .at = PLAN(show.hex) },
	{ "comments", NULL, "the lines of the header and of EDNS", IS, NONE, .at = PLAN(show.comments) },
	{ "question", NULL, "each section can be left out", IS, NONE, .at = PLAN(show.question) },
	{ "answer", NULL, HIDDEN, IS, NONE, .at = PLAN(show.answer) },
	{ "authority", NULL, HIDDEN, IS, NONE, .at = PLAN(show.authority) },
	{ "additional", NULL, HIDDEN, IS, NONE, .at = PLAN(show.additional) },
	{ "stats", NULL, "who replied, how many octets, how soon", IS, NONE, .at = PLAN(show.stats) },
	{ "all", NULL, "all of these, or with +noall none", CALL, NONE, .take = take_all },
	{ "cmd", NULL, HIDDEN, CALL, NONE, .take = take_nothing },
	{ "color", NULL, "colours, also where there is no terminal", IS, NONE, .at = PLAN(show.colour) },
	{ "exit_zero", NULL, "no RCODE as exit status", IS, NONE, .at = PLAN(exit_zero) },
};
/* clang-format on */

#define ROWS (sizeof rows / sizeof *rows)

/* ---- +options ---- */

static bool same_word(const char *name, const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((word[i] == '-' ? '_' : word[i]) != name[i])
			return false;
	return name[len] == '\0';
}

static const struct row *find_row(const char *word, size_t len)
{
	for (size_t i = 0; i < ROWS; i++)
		if (same_word(rows[i].name, word, len))
			return &rows[i];
	return NULL;
}

static bool unknown_option(struct ask_words *w, const char *word, size_t len)
{
	const char *said = memory_copy(&w->plan->memory, word, len);
	struct near near;

	near_init(&near, said);
	for (size_t i = 0; i < ROWS; i++)
		near_try(&near, rows[i].name);
	if (!near.best && strncmp(said, "no", 2) == 0)
		return unknown_option(w, word + 2, len - 2);
	return words_mistake(w, "unknown option%s%s%s", near.best ? "; did you mean +" : "",
		near.best ? near.best : "", near.best ? "?" : "; see `sotto query -h`");
}

static void set_flag(uint16_t *flags, uint32_t flag, bool on)
{
	*flags = (uint16_t)(on ? *flags | flag : *flags & ~flag);
}

static bool take_number(struct ask_words *w, const struct row *r, const char *value)
{
	char *member = (char *)w->plan + r->at;
	uint64_t n;

	if (!read_number(w, value, r->number == 15 ? 0 : 1, r->number, &n))
		return false;
	if (r->at == PLAN(opcode))
		*(uint8_t *)member = (uint8_t)n;
	else
		*(unsigned *)member = (unsigned)n;
	return true;
}

static bool take_row(struct ask_words *w, const struct row *r, bool on, const char *value)
{
	switch (r->kind) {
	case IS:
		*((bool *)((char *)w->plan + r->at)) = on;
		return true;
	case HEADER:
		set_flag(&w->plan->flags, r->number, on);
		return true;
	case EDNS:
		set_flag(&w->plan->edns.flags, r->number, on);
		w->plan->edns.on |= on;
		return true;
	case COUNT:
		return on ? take_number(w, r, value) : words_mistake(w, "it has no +no");
	case TEXT:
		*(const char **)((char *)w + r->at) = on ? value : NULL;
		w->tls |= on && strncmp(r->name, "tls", 3) == 0;
		return true;
	case CALL:
	default:
		return r->take(w, on, value);
	}
}

/* +NAME, +noNAME, +NAME=VALUE. */
static void take_plus(struct ask_words *w, const char *word)
{
	size_t len = strcspn(word, "=");
	const char *value = word[len] ? word + len + 1 : NULL;
	const struct row *r = find_row(word, len);
	bool on = r;

	if (!r && strncmp(word, "no", 2) == 0)
		r = find_row(word + 2, len - 2);
	if (!r)
		unknown_option(w, word, len);
	else if (value && (!on || r->wants == NONE))
		words_mistake(w, "no value is wanted by it");
	else if (on && r->wants == WANTED && (!value || !*value))
		words_mistake(w, "a value is missing: +%s=%s", r->name, r->value);
	else
		take_row(w, r, on, value);
}

/* ---- -options ---- */

static bool add_plain(struct ask_words *w, enum plain_kind kind, const char *text)
{
	if (w->plain_count == WORDS_PLAIN_MAX)
		return words_mistake(w, "too many words");
	w->plain[w->plain_count++] = (struct plain_word){ .kind = kind, .text = text };
	return true;
}

/* -k and -y. */
static void take_key(struct ask_words *w, const char *value,
	bool (*read)(struct ask_key *, struct memory *, const char *, char[WHY_MAX]))
{
	char why[WHY_MAX] = "";

	if (!read(&w->plan->key, &w->plan->memory, value, why))
		words_mistake(w, "%s", why);
}

static void take_letter_value(struct ask_words *w, char letter, const char *value)
{
	static const char *const kinds = "?qtcx";

	switch (letter) {
	case 'p':
		w->port = value;
		break;
	case 'b':
		w->source = value;
		break;
	case 'i':
		take_id(w, true, value);
		break;
	case 'k':
		take_key(w, value, key_read_file);
		break;
	case 'y':
		take_key(w, value, key_read_words);
		break;
	default:
		add_plain(w, (enum plain_kind)(strchr(kinds, letter) - kinds), value);
	}
}

static bool take_letter(struct ask_words *w, const char *word)
{
	switch (word[1]) {
	case '4':
		w->plan->family = AF_INET;
		break;
	case '6':
		w->plan->family = AF_INET6;
		break;
	case 'd':
		w->plan->show.debug = true;
		break;
	case 'h':
		w->helped = true;
		break;
	default:
		return false;
	}
	return word[2] == '\0' || !words_mistake(w, "no value is wanted by it");
}

/* -L, -LVALUE or -L VALUE; how many words of those at `words` it was. */
static size_t take_dash(struct ask_words *w, const char *const *words)
{
	const char *word = *words;

	if (strcmp(word, "--help") == 0) {
		w->helped = true;
		return 1;
	}
	if (!word[1] || !strchr("pbxikyqtc", word[1])) {
		if (!take_letter(w, word))
			words_mistake(w, "unknown option; see `sotto query -h`");
		return 1;
	}
	const char *value = word[2] ? word + 2 : words[1];

	if (value)
		take_letter_value(w, word[1], value);
	else
		words_mistake(w, "a value is missing behind it");
	return word[2] || !words[1] ? 1 : 2;
}

/* ---- all of them ---- */

void words_read(struct ask_words *w, const char *const *words)
{
	while (*words) {
		size_t taken = 1;

		w->option = *words;
		if (**words == '+')
			take_plus(w, *words + 1);
		else if (**words == '-' && (*words)[1])
			taken = take_dash(w, words);
		else if (**words == '@')
			w->server = *words + 1;
		else
			add_plain(w, PLAIN_ANY, *words);
		words += taken;
	}
	w->option = NULL;
}

static void print_row(FILE *out, const struct row *r)
{
	char word[64];

	snprintf(word, sizeof word,
		r->wants == MAYBE  ? "+%s[=%s]"
			: r->value ? "+%s=%s"
				   : "+%s",
		r->name, r->value ? r->value : "");
	for (char *c = word; *c; c++)
		*c = *c == '_' ? '-' : *c;
	fprintf(out, "  %-*s %s\n", OPTION_WORD, word, r->help);
}

void words_help(FILE *out)
{
	fputs("sotto query [@SERVER] [OPTIONS] [NAME [TYPE [CLASS]]]... [OPTIONS]\n"
	      "\n"
	      "  @ADDRESS, @NAME           whom to ask, in clear unless +tls (the first of resolv.conf)\n"
	      "  @tls://1.0.0.1#NAME       as the configuration spells it; @sotto: the running proxy\n"
	      "  -p PORT  -b ADDRESS       its port; where to ask from\n"
	      "  -4  -6                    only over IPv4, only over IPv6\n"
	      "  -x ADDRESS                the name of an address\n"
	      "  -q NAME  -t TYPE  -c CLASS   what the word behind it is\n"
	      "  -k FILE  -y [ALG:]NAME:KEY   signs with TSIG\n"
	      "  -i ID  -d  -h             the message's ID; step by step; this\n"
	      "\n",
		out);
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].help)
			print_row(out, &rows[i]);
	fputs("\nAll of them can be switched off: +noNAME. TYPE may be TYPE65280, IXFR=SERIAL; CLASS\n"
	      "CLASS4. Exit: the RCODE; 64 wrong use, 65 no reply, 66 malformed, 67 not connected, 68\n"
	      "TLS failed, 69 TSIG failed, 70 no such server, 71 this host, 72 it did not hold.\n",
		out);
}
