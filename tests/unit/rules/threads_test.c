/* Rules that are looked up by several threads at once while others take their place, with data of
 * every kind in them. What is claimed here is little; a sanitizer for threads sees the rest. */
#include "rules/ruled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "dns/types.h"

#define WORKERS 2
#define SETS    60
#define TURNS   200

static const char *const names[] = { "www.rule.test", "abc.regex.test", "a1z.glob.test", "nas.lan",
	"listed.test", "deep.below.listed.test", "other.test", "localhost" };
#define NAMES (sizeof names / sizeof *names)

static char list_file[] = "/tmp/sotto-list-XXXXXX", hosts_file[] = "/tmp/sotto-hosts-XXXXXX";
static struct ruled ruled;
static atomic_uint wrong, seen[2];
static atomic_bool over;

static void write_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	OK(fd >= 0);
	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Of two configurations, what the rules do tells which one it is. */
static struct rules_conf conf[2];

static void configure(void)
{
	static struct pattern_conf patterns[] = { { PATTERN_SUFFIX, "rule.test" },
		{ PATTERN_REGEX, "^[a-c]+\\.regex" }, { PATTERN_GLOB, "a*z.glob.test" } };
	static struct rule_conf rules[2][3];
	static struct view_conf everybody = { .name = "everybody" };
	static struct local_file_conf hosts = { .file = hosts_file };
	static struct list_conf list = { .name = "list",
		.file = list_file,
		.format = LIST_DOMAINS,
		.ttl_s = 60,
		.ede = EDE_BLOCKED,
		.views = UINT64_MAX };

	for (size_t c = 0; c < 2; c++) {
		for (size_t i = 0; i < 3; i++)
			rules[c][i] = (struct rule_conf){ .patterns = &patterns[i],
				.pattern_count = 1,
				.act = c ? ACT_NXDOMAIN : ACT_NODATA,
				.ttl_s = 60 };
		conf[c] = (struct rules_conf){ .rules = rules[c],
			.rule_count = 3,
			.views = &everybody,
			.view_count = 1,
			.lists = &list,
			.list_count = 1,
			.files = &hosts,
			.file_count = 1,
			.hosts_ptr = true,
			.special = true,
			.ttl_s = 60 };
	}
}

static struct ruleset *set_new(bool second)
{
	struct ruleset_fault fault;
	struct ruleset *set = ruleset_new(&conf[second], &fault);

	OK(set);
	return set;
}

/* All rules of a set say the same; what is not about them is in both. */
static void look_up(const struct ruleset *set, const struct asker_facts *asker)
{
	struct decision d[NAMES];

	for (size_t i = 0; i < NAMES; i++) {
		uint8_t wire[NAME_MAX_WIRE];
		struct span name = { wire, name_from_text(names[i], wire) };

		ruleset_decide(set, name, TYPE_A, asker, &d[i], NULL);
	}
	wrong += d[0].act != d[1].act || d[0].act != d[2].act;
	wrong += d[3].tier != TIER_LOCAL || d[3].act != ACT_ANSWER;
	wrong += d[4].act != ACT_NXDOMAIN || d[5].act != ACT_NXDOMAIN || d[6].decided;
	wrong += d[7].tier != TIER_SPECIAL;
	seen[d[0].act == ACT_NXDOMAIN]++;
}

static void *work(void *arg)
{
	struct ruled_here here = { NULL };
	struct who who = { .mac = NULL };
	struct asker_facts asker = { .who = &who };

	(void)arg;
	wrong += !prefix_parse(&who.client, "192.0.2.1");
	while (!over)
		look_up(ruled_get(&ruled, &here), &asker);
	ruled_here_clear(&here);
	return NULL;
}

/* Waits for both to have been looked up since, however slow the machine is. */
static void wait_for_looks(bool second)
{
	unsigned before = seen[second];

	while (seen[second] < before + TURNS / SETS)
		usleep(100);
}

CASE(threads_look_up_while_another_one_replaces_the_rules)
{
	static struct ruleset *old[SETS];
	pthread_t threads[WORKERS];

	write_file(list_file, "listed.test\n");
	write_file(hosts_file, "192.0.2.9 nas.lan\n");
	configure();
	ruled_init(&ruled, set_new(true));
	for (unsigned i = 0; i < WORKERS; i++)
		EQ(pthread_create(&threads[i], NULL, work, NULL), 0);
	for (unsigned i = 0; i < SETS; i++) {
		old[i] = ruled_replace(&ruled, set_new(i % 2));
		wait_for_looks(i % 2);
		if (!ruleset_is_shared(old[i])) {
			ruleset_free(old[i]);
			old[i] = NULL;
		}
	}
	over = true;
	for (unsigned i = 0; i < WORKERS; i++)
		EQ(pthread_join(threads[i], NULL), 0);
	for (unsigned i = 0; i < SETS; i++)
		ruleset_free(old[i]);
	EQ(wrong, 0);
	OK(seen[0] && seen[1]);
	ruled_clear(&ruled);
	unlink(list_file);
	unlink(hosts_file);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(threads_look_up_while_another_one_replaces_the_rules),
	};

	return RUN(cases);
}
