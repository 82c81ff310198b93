/* rule_words: the words of rules, and of what goes with them: patterns, records, prefixes, names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "config/parts.h"
#include "config/rules.h"
#include "config/values.h"
#include "dns/behind.h"
#include "dns/text.h"
#include "rules/rrset.h"

#define WORDS_MAX 65536
#define ACL_WORDS 4096
/* The most prefixes that one word stands for, such as private. */
#define ACL_WORD_PREFIXES 8
#define MILLION           1000000

static const char *only(size_t index, const char *text)
{
	return index == 0 ? text : NULL;
}

static const void *field_of(const void *base, const struct config_option *o)
{
	return (const char *)base + o->offset;
}

/* --- lists of words ----------------------------------------------------------------------------
 */

static void begin_anew(const struct setting *s, size_t count)
{
	struct word_list *words = s->field;

	(void)count;
	*words = (struct word_list){ 0 };
}

/* What several keys add to, each named once. */
static void begin_nothing(const struct setting *s, size_t count)
{
	(void)s;
	(void)count;
}

static void add(const struct setting *s, const char *word)
{
	words_add(&s->config->memory, s->field, word);
}

static const char *words_text(
	const struct config *base, const struct config_option *o, size_t index, struct memory *m)
{
	const struct word_list *words = field_of(base, o);

	(void)m;
	return index < words->count ? words->all[index] : NULL;
}

/* Printed under another key. */
static const char *no_text(
	const struct config *base, const struct config_option *o, size_t index, struct memory *m)
{
	(void)base;
	(void)o;
	(void)index;
	(void)m;
	return NULL;
}

static void take_word(const struct setting *s, const struct node *node)
{
	if (*node->text)
		add(s, node->text);
	else
		kind_tell_form(s, node);
}

const struct kind kind_words = { .name = "list of words",
	.form = "a word",
	.most = WORDS_MAX,
	.may_be_empty = true,
	.begin = begin_anew,
	.take = take_word,
	.text = words_text };

const struct kind kind_files = { .name = "list of files",
	.form = "the name of a file",
	.most = 256,
	.may_be_empty = true,
	.begin = begin_anew,
	.take = take_word,
	.text = words_text };

/* --- names -------------------------------------------------------------------------------------
 */

const char *rules_stray(const char *name)
{
	for (; *name; name++) {
		if (*name == '\\' && name[1])
			name++;
		else if (*name == '*')
			return "no pattern may stand here; the octet * is \\042";
		else if (*name == '?')
			return "no pattern may stand here; the octet ? is \\063";
		else if ((unsigned char)*name <= ' ' || *name == 0x7f)
			return "a blank, or what cannot be seen, is in it";
	}
	return NULL;
}

/* False: it is none, which is told. */
static bool is_name(const struct setting *s, const struct node *node)
{
	uint8_t wire[NAME_MAX_WIRE];
	const char *stray = rules_stray(node->text);

	if (!name_from_text(node->text, wire))
		kind_tell_form(s, node);
	else if (stray)
		problem(s->problems, &node->place, s->path, "\"%s\": %s", node->text, stray);
	else
		return true;
	return false;
}

static void take_name(const struct setting *s, const struct node *node)
{
	if (is_name(s, node))
		add(s, node->text);
}

const struct kind kind_names = { .name = "list of domains",
	.form = "a domain",
	.most = WORDS_MAX,
	.may_be_empty = true,
	.begin = begin_anew,
	.take = take_name,
	.text = words_text };

static void take_text(const struct setting *s, const struct node *node)
{
	if (*node->text)
		memcpy(s->field, &node->text, sizeof node->text);
	else
		kind_tell_form(s, node);
}

static const char *text_text(
	const struct config *base, const struct config_option *o, size_t index, struct memory *m)
{
	const char *text;

	(void)m;
	memcpy(&text, field_of(base, o), sizeof text);
	return only(index, text);
}

const struct kind kind_text = {
	.name = "text", .form = "a text", .take = take_text, .text = text_text
};

static void take_target(const struct setting *s, const struct node *node)
{
	if (is_name(s, node))
		take_text(s, node);
}

const struct kind kind_target = {
	.name = "domain", .form = "a name", .take = take_target, .text = text_text
};

/* --- patterns ----------------------------------------------------------------------------------
 */

bool rules_is_pattern(const struct pattern_conf *conf, char why[PATTERN_WHY])
{
	const char *stray = conf->kind <= PATTERN_BELOW ? rules_stray(conf->text) : NULL;
	struct pattern p;

	if (stray) {
		snprintf(why, PATTERN_WHY, "%s", stray);
		return false;
	}
	if (!pattern_read(&p, conf, why))
		return false;
	pattern_clear(&p);
	return true;
}

static bool is_pattern(
	const struct setting *s, const struct node *node, const struct pattern_conf *conf)
{
	char why[PATTERN_WHY];
	bool ok = rules_is_pattern(conf, why);

	if (!ok)
		problem(s->problems, &node->place, s->path, "\"%s\": %s", node->text, why);
	return ok;
}

/* Rewriting keeps what is in front of a suffix. */
bool rules_leads_to_itself(const struct pattern_conf *conf, enum act act, const char *target)
{
	enum pattern_kind last = act == ACT_REWRITE ? PATTERN_BELOW : PATTERN_EXACT;
	uint8_t from[NAME_MAX_WIRE], to[NAME_MAX_WIRE];
	size_t len;

	if (conf->kind > last)
		return false;
	len = name_from_text(conf->text, from);
	return len && len == name_from_text(target, to) && name_equals(from, to, len);
}

static void take_pattern(const struct setting *s, const struct node *node)
{
	struct pattern_conf conf = { .text = node->text };

	MUST(pattern_read_kind(s->option->key, &conf.kind));
	if (is_pattern(s, node, &conf))
		add(s, node->text);
}

const struct kind kind_pattern = { .name = "list of patterns",
	.form = "a pattern",
	.most = WORDS_MAX,
	.begin = begin_nothing,
	.take = take_pattern,
	.text = words_text };

/* The field is the first of all lists of patterns. */
static void take_name_pattern(const struct setting *s, const struct node *node)
{
	struct word_list *lists = s->field;
	struct pattern_conf conf = { strpbrk(node->text, "*?") ? PATTERN_GLOB : PATTERN_EXACT,
		node->text };

	if (is_pattern(s, node, &conf))
		words_add(&s->config->memory, &lists[conf.kind], node->text);
}

const struct kind kind_name = { .name = "list of names",
	.form = "a name, which may have * and ? in it",
	.most = WORDS_MAX,
	.begin = begin_nothing,
	.take = take_name_pattern,
	.text = no_text };

static void take_except(const struct setting *s, const struct node *node)
{
	const struct pattern_conf conf = rules_exception(node->text, &s->config->memory);

	if (is_pattern(s, node, &conf))
		add(s, node->text);
}

const struct kind kind_except = { .name = "list of patterns",
	.form = "a domain, or KIND:PATTERN",
	.most = WORDS_MAX,
	.begin = begin_nothing,
	.take = take_except,
	.text = words_text };

static void take_type(const struct setting *s, const struct node *node)
{
	char text[TEXT_MAX];
	uint16_t type;

	if (!text_read_type(node->text, &type))
		kind_tell_form(s, node);
	else
		add(s, memory_format(&s->config->memory, "%s", text_type(type, text)));
}

const struct kind kind_types = { .name = "list of types",
	.form = "a type of records, such as A or TYPE65280",
	.most = 256,
	.begin = begin_nothing,
	.take = take_type,
	.text = words_text };

/* --- prefixes ----------------------------------------------------------------------------------
 */

static void begin_clients(const struct setting *s, size_t count)
{
	struct written_clients *c = s->field;

	*c = (struct written_clients){ 0 };
	c->acl.prefixes = memory_take(
		&s->config->memory, count * ACL_WORD_PREFIXES * sizeof *c->acl.prefixes);
}

typedef bool acl_adder(struct acl *, const char *word);

static void take_acl(const struct setting *s, const struct node *node, acl_adder *add_to)
{
	struct written_clients *c = s->field;
	struct acl one = { 0 };

	errno = 0;
	if (add_to(&one, node->text)) {
		MUST(one.count <= ACL_WORD_PREFIXES);
		memcpy(c->acl.prefixes + c->acl.count, one.prefixes,
			one.count * sizeof *one.prefixes);
		c->acl.count += one.count;
		words_add(&s->config->memory, &c->words, node->text);
	} else if (errno == ENOMEM) {
		memory_out();
	} else {
		kind_tell_form(s, node);
	}
	acl_clear(&one);
}

static void take_client(const struct setting *s, const struct node *node)
{
	take_acl(s, node, acl_add);
}

static void take_prefix(const struct setting *s, const struct node *node)
{
	take_acl(s, node, acl_add_prefix);
}

static const char *clients_text(
	const struct config *base, const struct config_option *o, size_t index, struct memory *m)
{
	const struct written_clients *c = field_of(base, o);

	(void)m;
	return index < c->words.count ? c->words.all[index] : NULL;
}

const struct kind kind_clients = { .name = "list of words and prefixes",
	.form = "local, private, an address, or a prefix whose bits behind its length are zero",
	.most = ACL_WORDS,
	.may_be_empty = true,
	.begin = begin_clients,
	.take = take_client,
	.text = clients_text };

const struct kind kind_prefixes = { .name = "list of prefixes",
	.form = "an address, or a prefix whose bits behind its length are zero",
	.most = ACL_WORDS,
	.may_be_empty = true,
	.begin = begin_clients,
	.take = take_prefix,
	.text = clients_text };

/* What forwarders say of clients, in the spelling that it is compared in. */
static void take_mac(const struct setting *s, const struct node *node)
{
	char mac[BEHIND_MAC];

	if (behind_read_mac(mac, (struct span){ (const uint8_t *)node->text, strlen(node->text) }))
		add(s, memory_format(&s->config->memory, "%s", mac));
	else
		kind_tell_form(s, node);
}

const struct kind kind_macs = { .name = "list of MAC addresses",
	.form = "a MAC address, such as 00:11:22:aa:bb:cc",
	.most = ACL_WORDS,
	.may_be_empty = true,
	.begin = begin_anew,
	.take = take_mac,
	.text = words_text };

static void take_cpe_id(const struct setting *s, const struct node *node)
{
	if (*node->text && strlen(node->text) < BEHIND_CPE)
		add(s, node->text);
	else
		kind_tell_form(s, node);
}

const struct kind kind_cpe_ids = { .name = "list of words",
	.form = "the name of a CPE, of at most 64 octets",
	.most = ACL_WORDS,
	.may_be_empty = true,
	.begin = begin_anew,
	.take = take_cpe_id,
	.text = words_text };

/* RFC 6052 §2.2. */
static bool is_translation(const struct prefix *p)
{
	return p->base.any.sa_family == AF_INET6 &&
		(p->bits == 96 || (p->bits >= 32 && p->bits <= 64 && p->bits % 8 == 0)) &&
		p->base.v6.sin6_addr.s6_addr[8] == 0;
}

static void take_translation(const struct setting *s, const struct node *node)
{
	struct prefix *p = s->field;

	*p = (struct prefix){ 0 };
	if (strcmp(node->text, "none") == 0)
		return;
	if (!prefix_parse(p, node->text) || !is_translation(p))
		kind_tell_form(s, node);
}

static const char *translation_text(
	const struct config *base, const struct config_option *o, size_t index, struct memory *m)
{
	const struct prefix *p = field_of(base, o);
	char text[ADDR_TEXT];

	if (!p->bits)
		return only(index, "none");
	return only(index, memory_format(m, "%s/%u", addr_print_host(&p->base, text), p->bits));
}

const struct kind kind_translation = { .name = "none or prefix",
	.form = "none, or a prefix of IPv6 of 32, 40, 48, 56, 64 or 96 bits, whose bits 64 to 71 "
		"are zero",
	.take = take_translation,
	.text = translation_text };

/* --- records -----------------------------------------------------------------------------------
 */

static bool is_address(const char *text, char why[RRSET_WHY])
{
	struct rrset *sets = NULL;
	bool ok = rrset_add_address(&sets, text, 1, why);

	rrset_free(sets);
	return ok;
}

/* `A @self`: what a macro stands for is known later. */
bool rules_is_record(const char *text, char why[RRSET_WHY])
{
	struct rrset *sets = NULL;
	const char *macro = strstr(text, " @");

	if (macro)
		return is_address(macro + 1, why);
	bool ok = rrset_read(&sets, text, 1, why);

	rrset_free(sets);
	return ok;
}

static void take_record(const struct setting *s, const struct node *node)
{
	char why[RRSET_WHY];

	if (rules_is_record(node->text, why))
		add(s, node->text);
	else
		problem(s->problems, &node->place, s->path, "\"%s\": %s", node->text, why);
}

const struct kind kind_records = { .name = "list of records",
	.form = "a record: [TTL] TYPE RDATA",
	.most = WORDS_MAX,
	.begin = begin_nothing,
	.take = take_record,
	.text = words_text };

static void take_of_family(
	const struct setting *s, const struct node *node, sa_family_t family, const char *type)
{
	char why[RRSET_WHY];
	struct addr a;

	if (*node->text == '@' ? !is_address(node->text, why)
			       : !addr_parse(&a, node->text, 0) || addr_port(&a) ||
				a.any.sa_family != family || strchr(node->text, '['))
		kind_tell_form(s, node);
	else
		add(s, memory_format(&s->config->memory, "%s %s", type, node->text));
}

static void take_a(const struct setting *s, const struct node *node)
{
	take_of_family(s, node, AF_INET, "A");
}

static void take_aaaa(const struct setting *s, const struct node *node)
{
	take_of_family(s, node, AF_INET6, "AAAA");
}

#define MACROS "@self, @iface:NAME, @hostname or @first-nonloopback"

const struct kind kind_a = { .name = "list of addresses",
	.form = "an IPv4 address, " MACROS,
	.most = WORDS_MAX,
	.begin = begin_nothing,
	.take = take_a,
	.text = no_text };

const struct kind kind_aaaa = { .name = "list of addresses",
	.form = "an IPv6 address, " MACROS,
	.most = WORDS_MAX,
	.begin = begin_nothing,
	.take = take_aaaa,
	.text = no_text };

static void take_address(const struct setting *s, const struct node *node)
{
	char why[RRSET_WHY];

	if (is_address(node->text, why))
		add(s, node->text);
	else
		kind_tell_form(s, node);
}

const struct kind kind_addresses = { .name = "list of addresses",
	.form = "an address, " MACROS,
	.most = 256,
	.begin = begin_anew,
	.take = take_address,
	.text = words_text };

/* --- numbers and choices -----------------------------------------------------------------------
 */

static void take_priority(const struct setting *s, const struct node *node)
{
	int *priority = s->field;
	char *end;
	long value = strtol(node->text, &end, 10);

	if (!*node->text || *end || value < -1000 || value > 1000)
		kind_tell_form(s, node);
	else
		*priority = (int)value;
}

static const char *priority_text(
	const struct config *base, const struct config_option *o, size_t index, struct memory *m)
{
	const int *priority = field_of(base, o);

	return only(index, memory_format(m, "%d", *priority));
}

const struct kind kind_priority = { .name = "number",
	.form = "a whole number from -1000 to 1000",
	.take = take_priority,
	.text = priority_text };

static const struct {
	const char *word;
	enum ede ede;
} errors[] = { { "none", EDE_NONE }, { "forged", EDE_FORGED }, { "blocked", EDE_BLOCKED },
	{ "censored", EDE_CENSORED }, { "filtered", EDE_FILTERED },
	{ "prohibited", EDE_PROHIBITED } };

static void take_ede(const struct setting *s, const struct node *node)
{
	int *ede = s->field;
	uint64_t number;

	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		if (strcmp(node->text, errors[i].word) == 0) {
			*ede = errors[i].ede;
			return;
		}
	}
	if (!value_read_count(node->text, &number) || number > UINT16_MAX)
		kind_tell_form(s, node);
	else
		*ede = (int)number;
}

static const char *ede_text(
	const struct config *base, const struct config_option *o, size_t index, struct memory *m)
{
	const int *ede = field_of(base, o);

	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (*ede == (int)errors[i].ede)
			return only(index, errors[i].word);
	return only(index, memory_format(m, "%d", *ede));
}

const struct kind kind_ede = { .name = "extended error",
	.form = "none, forged, blocked, censored, filtered, prohibited or a number up to 65535",
	.take = take_ede,
	.text = ede_text };

/* `0.25`, as parts of a million. */
static void take_chance(const struct setting *s, const struct node *node)
{
	unsigned *chance = s->field;
	char *end;
	double value = strtod(node->text, &end);

	if (!*node->text || *end || !(value * MILLION >= 1 && value <= 1))
		kind_tell_form(s, node);
	else
		*chance = (unsigned)(value * MILLION + 0.5);
}

static const char *chance_text(
	const struct config *base, const struct config_option *o, size_t index, struct memory *m)
{
	const unsigned *chance = field_of(base, o);

	if (!*chance)
		return NULL;
	return only(index, memory_format(m, "%g", (double)*chance / MILLION));
}

const struct kind kind_chance = { .name = "number",
	.form = "a number above 0 and up to 1, such as 0.25",
	.take = take_chance,
	.text = chance_text };
