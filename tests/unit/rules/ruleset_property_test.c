/* The compiled set and a loop over everything that computes ranks from their definition say the
 * same of random questions to random sets. */
#include "rules/ruleset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "dns/types.h"
#include "naive.h"

#define SETS      400
#define QUESTIONS 250

enum { RULES = 14, LISTS = 3, LINES = 12, HOSTS = 3, ROUTED = 2, TEXTS = 4096 };

/* ---- chance, the same in every run ---- */

static uint64_t chance;

static unsigned below(unsigned n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (unsigned)(chance >> 33) % n;
}

static bool one_in(unsigned n)
{
	return below(n) == 0;
}

/* ---- what is made up ---- */

static char texts[TEXTS][32];
static unsigned text_count;

/* Of so many labels at most, without a last dot. */
static const char *a_name(unsigned least, unsigned most)
{
	char *text = texts[text_count++];
	unsigned labels = least + below(most - least + 1);

	OK(text_count < TEXTS);
	text[0] = '\0';
	for (unsigned i = 0; i < labels; i++)
		strcat(strcat(text, i ? "." : ""), (const char *[]){ "a", "b", "ab" }[below(3)]);
	return text;
}

static const char *with_stars(void)
{
	char *text = texts[text_count++];
	static const char *const labels[] = { "*", "a", "b", "*" };
	unsigned count = 1 + below(3);

	OK(text_count < TEXTS);
	text[0] = '\0';
	for (unsigned i = 0; i < count; i++)
		strcat(strcat(text, i ? "." : ""), labels[below(4)]);
	return text;
}

static const char *const regexes[] = { "^a", "b$", "^ab?$" };

static bool naive_regex(const char *text, const char *name)
{
	size_t len = strlen(name);

	if (text == regexes[0])
		return name[0] == 'a';
	if (text == regexes[1])
		return len && name[len - 1] == 'b';
	return strcmp(name, "a") == 0 || strcmp(name, "ab") == 0;
}

static struct pattern_conf a_pattern(void)
{
	enum pattern_kind kind = (enum pattern_kind)below(6);

	if (kind == PATTERN_REGEX)
		return (struct pattern_conf){ kind, regexes[below(3)] };
	if (kind == PATTERN_GLOB || kind == PATTERN_DNSCHEF)
		return (struct pattern_conf){ kind, with_stars() };
	return (struct pattern_conf){ kind, a_name(1, 3) };
}

/* ---- a set ---- */

static const char *const identities[] = { "*.example", "one.example", "two.example" };
static const char *const listeners[] = { "127.0.0.1:53", "[::1]:53" };
static const char *const clients[] = { "192.0.2.1", "192.0.2.77", "198.51.100.1", "2001:db8::1",
	"192.0.2.0/25", "192.0.2.64/27", "192.0.0.0/16", "2001::/16", "2001:db8::/56" };

static struct rule_conf rules[RULES];
static struct pattern_conf patterns[RULES][2], excepts[RULES][2];
static uint16_t types[RULES][1];
static struct prefix prefixes[RULES][1];
static const char *rule_identities[RULES][1], *rule_listeners[RULES][1];
static struct view_conf views[3];
static struct list_conf lists[LISTS];
static char files[LISTS][32];
static struct {
	char name[32];
	bool below, exact, allows;
} lines[LISTS][LINES];
static struct host_conf hosts[HOSTS];
static const char *addresses[] = { "192.0.2.9" };
static const char *routed[ROUTED];
static struct rules_conf conf;
static bool distinct; /* all rules differ in priority */

static void make_rule(unsigned i)
{
	static const enum act acts[] = { ACT_PASS, ACT_NODATA, ACT_NXDOMAIN, ACT_REFUSE, ACT_DROP,
		ACT_TRUNCATE };
	struct rule_conf *r = &rules[i];

	*r = (struct rule_conf){ .place = { "rules", i + 1 },
		.view = below(3),
		.patterns = patterns[i],
		.pattern_count = below(3),
		.except = excepts[i],
		.except_count = one_in(3) ? 1 + below(2) : 0,
		.types = types[i],
		.type_count = one_in(3),
		.clients = { prefixes[i], one_in(4) },
		.identities = rule_identities[i],
		.identity_count = one_in(5),
		.listeners = rule_listeners[i],
		.listener_count = one_in(5),
		.priority = distinct ? (int)(i * 5 % RULES) : (int)below(3) - 1,
		.act = acts[below(6)],
		.ede = EDE_NONE };
	for (unsigned k = 0; k < 2; k++) {
		patterns[i][k] = a_pattern();
		excepts[i][k] = a_pattern();
	}
	types[i][0] = one_in(2) ? TYPE_A : TYPE_AAAA;
	OK(prefix_parse(&prefixes[i][0],
		one_in(2)           ? "192.0.2.0/24"
			: one_in(2) ? "192.0.2.77"
				    : "2001:db8::/32"));
	rule_identities[i][0] = identities[below(3)];
	rule_listeners[i][0] = listeners[below(2)];
}

static void make_list(unsigned i)
{
	bool is_hosts = one_in(3);
	FILE *f = fopen(files[i], "w");

	OK(f);
	lists[i] = (struct list_conf){ .name = "list",
		.file = files[i],
		.format = is_hosts ? LIST_HOSTS : LIST_DOMAINS,
		.allows = one_in(3),
		.answer = BLOCK_NODATA,
		.ttl_s = 60,
		.ede = EDE_BLOCKED,
		.views = 1 + below(7) };
	for (unsigned k = 0; k < LINES; k++) {
		snprintf(lines[i][k].name, sizeof lines[i][k].name, "%s", a_name(1, 3));
		lines[i][k].exact = is_hosts;
		lines[i][k].below = !is_hosts && one_in(3);
		fprintf(f, "%s%s\n",
			is_hosts                    ? "0.0.0.0 "
				: lines[i][k].below ? "*."
						    : "",
			lines[i][k].name);
	}
	OK(fclose(f) == 0);
}

static struct ruleset *make_set(void)
{
	struct ruleset_fault fault;

	text_count = 0;
	for (unsigned i = 0; i < RULES; i++)
		make_rule(i);
	for (unsigned i = 0; i < LISTS; i++)
		make_list(i);
	for (unsigned i = 0; i < HOSTS; i++)
		hosts[i] =
			(struct host_conf){ { "hosts", i }, below(3), a_name(1, 3), addresses, 1 };
	for (unsigned i = 0; i < ROUTED; i++)
		routed[i] = a_name(1, 2);
	conf = (struct rules_conf){ .rules = rules,
		.rule_count = RULES,
		.views = views,
		.view_count = 3,
		.lists = lists,
		.list_count = LISTS,
		.hosts = hosts,
		.host_count = HOSTS,
		.routed = routed,
		.routed_count = ROUTED,
		.ttl_s = 60 };
	struct ruleset *set = ruleset_new(&conf, &fault);

	if (!set)
		print_message("%s:%u: %s\n", fault.file, fault.line, fault.why);
	OK(set);
	return set;
}

/* ---- a question ---- */

static const char *name;
static uint16_t type;
static struct who client;
static struct asker_facts asker;

static void make_question(const struct ruleset *set)
{
	name = a_name(0, 4);
	text_count--; /* it is read before another one is made */
	type = one_in(2) ? TYPE_A : TYPE_AAAA;
	OK(prefix_parse(&client.client, clients[below(sizeof clients / sizeof *clients)]));
	asker = (struct asker_facts){ .who = &client,
		.view = ruleset_view(set, &client),
		.stream = one_in(2),
		.identity = one_in(2) ? NULL : identities[1 + below(2)],
		.listener = one_in(2) ? NULL : listeners[below(2)] };
}

static struct decision decide(const struct ruleset *set)
{
	uint8_t wire[NAME_MAX_WIRE];
	size_t len = name_from_text(*name ? name : ".", wire);
	struct decision d;

	OK(len);
	ruleset_decide(set, (struct span){ wire, len }, type, &asker, &d, NULL);
	return d;
}

/* ---- the loop over everything ---- */

/* In the order in which it counts; the lower decides. */
struct naive_rank {
	int tier, priority, exact, labels;
	unsigned order, line;
};

static struct naive_rank best;

static int compare(const struct naive_rank *a, const struct naive_rank *b)
{
	if (a->tier != b->tier)
		return a->tier - b->tier;
	if (a->priority != b->priority)
		return b->priority - a->priority;
	if (a->exact != b->exact)
		return b->exact - a->exact;
	if (a->labels != b->labels)
		return b->labels - a->labels;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

static void consider(struct naive_rank r)
{
	if (compare(&r, &best) < 0)
		best = r;
}

/* Whole labels without `*`, from the end. */
static int labels_fixed(const struct pattern_conf *p)
{
	size_t left = strlen(p->text), len;
	const char *label;
	int count = 0;

	if (p->kind == PATTERN_REGEX)
		return 0;
	while ((label = naive_last(p->text, &left, &len)) && !memchr(label, '*', len))
		count++;
	return count;
}

static bool pattern_holds(const struct pattern_conf *p)
{
	if (p->kind == PATTERN_REGEX)
		return naive_regex(p->text, name);
	return naive_matches(p->kind, p->text, name);
}

static bool identity_holds(const char *want)
{
	if (want == identities[0])
		return asker.identity;
	return asker.identity && strcmp(asker.identity, want) == 0;
}

/* Its first and its last address are. */
static bool naive_is_within(const struct prefix *p, const struct prefix *outer)
{
	struct addr last = p->base;
	uint8_t *octets = last.any.sa_family == AF_INET ? (uint8_t *)&last.v4.sin_addr
							: last.v6.sin6_addr.s6_addr;

	for (unsigned n = p->bits; n < 8 * addr_octets(&last).len; n++)
		octets[n / 8] |= (uint8_t)(0x80 >> n % 8);
	return prefix_matches(outer, &p->base) && prefix_matches(outer, &last);
}

static bool conditions_hold(const struct rule_conf *r)
{
	for (size_t i = 0; i < r->except_count; i++)
		if (pattern_holds(&r->except[i]))
			return false;
	return (!r->view || r->view == asker.view) && (!r->type_count || r->types[0] == type) &&
		(!r->clients.count ||
			naive_is_within(&client.client, &r->clients.prefixes[0])) &&
		(!r->identity_count || identity_holds(r->identities[0])) &&
		(!r->listener_count ||
			(asker.listener && strcmp(asker.listener, r->listeners[0]) == 0)) &&
		!(r->act == ACT_TRUNCATE && asker.stream);
}

static void consider_rules(void)
{
	for (unsigned i = 0; i < RULES; i++) {
		const struct rule_conf *r = &rules[i];
		int tier = r->view ? TIER_VIEW : TIER_RULE;

		if (!conditions_hold(r))
			continue;
		if (!r->pattern_count)
			consider((struct naive_rank){ tier, r->priority, 0, 0, i, r->place.line });
		for (size_t k = 0; k < r->pattern_count; k++)
			if (pattern_holds(&r->patterns[k]))
				consider((struct naive_rank){ tier, r->priority,
					r->patterns[k].kind == PATTERN_EXACT,
					labels_fixed(&r->patterns[k]), i, r->place.line });
	}
}

static void consider_lists(void)
{
	for (unsigned i = 0; i < LISTS; i++)
		for (unsigned k = 0; k < LINES && lists[i].views >> asker.view & 1; k++) {
			const struct pattern_conf p = { lines[i][k].exact ? PATTERN_EXACT
					: lines[i][k].below               ? PATTERN_BELOW
									  : PATTERN_SUFFIX,
				lines[i][k].name };

			if (pattern_holds(&p))
				consider((struct naive_rank){
					lists[i].allows ? TIER_ALLOW : TIER_BLOCK, 0,
					lines[i][k].exact, labels_fixed(&p), i, k + 1 });
		}
}

static void consider_others(void)
{
	for (unsigned i = 0; i < HOSTS; i++)
		if ((!hosts[i].view || hosts[i].view == asker.view) &&
			strcmp(hosts[i].name, name) == 0)
			consider((struct naive_rank){
				TIER_LOCAL, hosts[i].view > 0, 1, 9, 0, hosts[i].place.line });
	for (unsigned i = 0; i < ROUTED; i++) {
		const struct pattern_conf p = { PATTERN_SUFFIX, routed[i] };

		if (pattern_holds(&p))
			consider((struct naive_rank){ TIER_ROUTED, 0, 0, 1, 0, 0 });
	}
}

static void check(const struct ruleset *set)
{
	struct decision d = decide(set);

	best = (struct naive_rank){ .tier = 99 };
	consider_rules();
	consider_lists();
	consider_others();
	EQ(d.decided, best.tier != 99);
	if (!d.decided)
		return;
	EQ(d.tier, best.tier);
	EQ(d.place.line, best.line);
	if (d.rule)
		OK(d.rule == &rules[best.order]);
	if (d.list)
		OK(d.list == &lists[best.order]);
}

/* ---- claims ---- */

static void begin(void)
{
	chance = 88172645463325252u;
	for (unsigned i = 0; i < LISTS; i++) {
		snprintf(files[i], sizeof files[i], "/tmp/sotto-list-XXXXXX");
		int fd = mkstemp(files[i]);

		OK(fd >= 0);
		close(fd);
	}
	memset(views, 0, sizeof views);
	for (unsigned i = 1; i < 3; i++)
		OK(acl_add(&views[i].clients, i == 1 ? "192.0.2.0/24" : "192.0.2.64/26"));
	OK(acl_add(&views[1].clients, "2001:db8::/32"));
}

static void end(void)
{
	for (unsigned i = 0; i < LISTS; i++)
		unlink(files[i]);
	for (unsigned i = 0; i < 3; i++)
		acl_clear(&views[i].clients);
}

CASE(a_set_decides_as_a_loop_over_everything_does)
{
	unsigned decided[TIER_SPECIAL + 1] = { 0 };

	begin();
	distinct = false;
	for (unsigned i = 0; i < SETS; i++) {
		struct ruleset *set = make_set();

		for (unsigned k = 0; k < QUESTIONS; k++) {
			make_question(set);
			check(set);
			if (best.tier != 99)
				decided[best.tier]++;
		}
		ruleset_free(set);
	}
	for (int tier = TIER_VIEW; tier < TIER_SPECIAL; tier++)
		OK(decided[tier] > 100); /* or it would claim nothing */
	end();
}

static void shuffle(struct rule_conf *r)
{
	for (unsigned i = RULES - 1; i > 0; i--) {
		unsigned k = below(i + 1);
		struct rule_conf other = r[i];

		r[i] = r[k];
		r[k] = other;
	}
}

CASE(the_order_of_rules_of_different_ranks_does_not_matter)
{
	struct ruleset_fault fault;
	unsigned decided = 0;

	begin();
	distinct = true;
	for (unsigned i = 0; i < SETS / 4; i++) {
		struct ruleset *set = make_set();
		struct rule_conf shuffled[RULES];
		struct rules_conf other_conf = conf;

		memcpy(shuffled, rules, sizeof rules);
		shuffle(shuffled);
		other_conf.rules = shuffled;
		struct ruleset *other = ruleset_new(&other_conf, &fault);

		OK(other);
		for (unsigned k = 0; k < QUESTIONS; k++) {
			make_question(set);
			struct decision a = decide(set), b = decide(other);

			EQ(a.decided, b.decided);
			if (!a.decided)
				continue;
			EQ(a.tier, b.tier);
			EQ(a.place.line, b.place.line);
			decided += a.rule != NULL;
		}
		ruleset_free(set);
		ruleset_free(other);
	}
	OK(decided > 1000);
	end();
}

int main(void)
{
	const struct CMUnitTest cases[] = { CLAIM(a_set_decides_as_a_loop_over_everything_does),
		CLAIM(the_order_of_rules_of_different_ranks_does_not_matter) };

	return RUN(cases);
}
