#include "query/lab.h"

#include "case.h"

#define WWW SPAN("\3www\7example")

static const struct siphash_key key = { { 1, 2 } };
static struct rand random_numbers;
static struct addr here, there;
static int configuration, another;

static struct lab *begin(void)
{
	struct lab *l = lab_new(&key);

	OK(l && addr_parse(&here, "192.0.2.1", 0) && addr_parse(&there, "192.0.2.2", 0));
	return l;
}

static struct lab_question ask(const struct rule_conf *rule)
{
	return (struct lab_question){ &configuration, rule, &here, WWW, &random_numbers };
}

static unsigned held(struct lab *l, const struct lab_question *q, unsigned times)
{
	unsigned n = 0;

	while (times-- > 0)
		n += lab_holds(l, q);
	return n;
}

CASE(only_the_first_of_all_are_told)
{
	const struct rule_conf rule = { .lab = { .first = 3 } }, other = { .lab = { .first = 1 } };
	struct lab *l = begin();
	struct lab_question q = ask(&rule), of_other = ask(&other);

	EQ(held(l, &q, 2), 2);
	q.client = &there;
	q.name = SPAN("\1x");
	EQ(held(l, &q, 5), 1);
	EQ(held(l, &of_other, 5), 1);
	lab_free(l);
}

CASE(each_client_has_its_own_first)
{
	const struct rule_conf rule = { .lab = { .first = 2, .per = PER_CLIENT } };
	struct lab *l = begin();
	struct lab_question q = ask(&rule);

	EQ(held(l, &q, 5), 2);
	q.name = SPAN("\1x");
	EQ(held(l, &q, 5), 0);
	q.client = &there;
	EQ(held(l, &q, 5), 2);
	lab_free(l);
}

CASE(each_name_has_its_own_first)
{
	const struct rule_conf rule = { .lab = { .first = 2, .per = PER_NAME } };
	struct lab *l = begin();
	struct lab_question q = ask(&rule);

	EQ(held(l, &q, 5), 2);
	q.client = &there;
	EQ(held(l, &q, 5), 0);
	q.name = SPAN("\1x");
	EQ(held(l, &q, 5), 2);
	lab_free(l);
}

CASE(another_configuration_counts_anew)
{
	const struct rule_conf rule = { .lab = { .first = 2 } };
	struct lab *l = begin();
	struct lab_question q = ask(&rule);

	EQ(held(l, &q, 5), 2);
	q.of = &another;
	EQ(held(l, &q, 5), 2);
	lab_free(l);
}

CASE(who_finds_no_room_is_none_of_the_first)
{
	const struct rule_conf rule = { .lab = { .first = 1, .per = PER_NAME } };
	struct lab *l = begin();
	struct lab_question q = ask(&rule);
	unsigned n = 0;

	for (unsigned i = 0; i < LAB_COUNTS + 10; i++) {
		q.name = (struct span){ (const uint8_t *)&i, sizeof i };
		n += lab_holds(l, &q);
	}
	EQ(n, LAB_COUNTS);
	lab_free(l);
}

/* Which of 64 questions the rule holds for, as bits. */
static uint64_t drawn(const struct rule_conf *rule)
{
	struct lab *l = begin();
	struct lab_question q = ask(rule);
	uint64_t bits = 0;

	for (unsigned i = 0; i < 64; i++)
		bits |= (uint64_t)lab_holds(l, &q) << i;
	lab_free(l);
	return bits;
}

CASE(a_seed_is_a_sequence)
{
	const struct rule_conf rule = { .lab = { .chance = 500000, .seed = 7 } };
	const struct rule_conf same = rule;
	const struct rule_conf other = { .lab = { .chance = 500000, .seed = 8 } };

	OK(drawn(&rule) == drawn(&same));
	OK(drawn(&rule) != drawn(&other));
	OK(drawn(&rule) != 0 && ~drawn(&rule) != 0);
}

CASE(a_chance_of_one_is_certain_with_a_seed_or_without)
{
	const struct rule_conf rule = { .lab = { .chance = 1000000, .seed = 7 } };
	const struct rule_conf unpredictable = { .lab = { .chance = 1000000 } };

	OK(~drawn(&rule) == 0);
	OK(~drawn(&unpredictable) == 0);
}

CASE(jitter_is_added_up_to_its_bound)
{
	const struct rule_conf rule = { .lab = { .delay_ms = 10, .jitter_ms = 3, .seed = 7 } };
	struct lab *l = begin();
	struct lab_question q = ask(&rule);
	bool seen[4] = { false };

	for (unsigned i = 0; i < 200; i++) {
		unsigned ms = lab_delay_ms(l, &q);

		OK(ms >= 10 && ms <= 13);
		seen[ms - 10] = true;
	}
	OK(seen[0] && seen[1] && seen[2] && seen[3]);
	lab_free(l);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(only_the_first_of_all_are_told),
		CLAIM(each_client_has_its_own_first),
		CLAIM(each_name_has_its_own_first),
		CLAIM(another_configuration_counts_anew),
		CLAIM(who_finds_no_room_is_none_of_the_first),
		CLAIM(a_seed_is_a_sequence),
		CLAIM(a_chance_of_one_is_certain_with_a_seed_or_without),
		CLAIM(jitter_is_added_up_to_its_bound),
	};

	return RUN(cases);
}
