#include "saved_cache.h"

#include "base/clock.h"
#include "cache/image.h"
#include "case.h"
#include "dns/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DAY_MS  INT64_C(86400000)
#define ANSWERS 300
/* Rounds of dying at a moment that nobody has chosen. */
#define DEATHS 20

static char folder[] = "/tmp/sotto-XXXXXX", file[64], fresh[64];

static struct server_conf servers[] = { { .text = "tls://192.0.2.1" },
	{ .text = "tls://192.0.2.2" }, { .text = "udp://10.0.0.53" } };
static struct group_conf groups[3];
static struct config conf = { .cache = { .size = 4 << 20,
				      .ttl_max_ms = DAY_MS,
				      .negative_max_ms = 3600000,
				      .stale_ms = DAY_MS },
	.cache_keep = true,
	.upstream = { .servers = servers, .groups = groups } };

static int make_folder(void **unused)
{
	(void)unused;
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof file, "%s/cache", folder);
	snprintf(fresh, sizeof fresh, "%s/cache.new", folder);
	return 0;
}

static int remove_folder(void **unused)
{
	(void)unused;
	return rmdir(folder);
}

/* Every case begins with no file, and the same servers. */
static int begin(void **unused)
{
	(void)unused;
	conf.upstream.state = folder;
	conf.upstream.group_count = 3;
	groups[0] = (struct group_conf){ .name = "default", .servers = { 0, 1 }, .count = 2 };
	groups[1] = (struct group_conf){ .name = "bootstrap", .servers = { 0 }, .count = 1 };
	groups[2] = (struct group_conf){ .name = "lan", .servers = { 2 }, .count = 1 };
	clock_set_floor(0);
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	unlink(file);
	unlink(fresh);
	return 0;
}

/* ---- what is in a cache ---- */

/* An address of the n-th name: for five minutes, and as often as there are generations. */
static void store(struct cache *c, uint8_t group, unsigned n, unsigned generation, int64_t age_ms)
{
	static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];
	static const struct pack_limits limits = { 0, 86400, 3600 };
	const struct key_scope scope = { .group = group };
	char name[32];
	struct wire w;
	struct reply r;
	struct packed packed;
	struct key key;
	uint8_t address[4];

	snprintf(name, sizeof name, "n%u.example", n);
	put_u32(address, generation);
	wire_begin(&w, DNS_QR | DNS_RD | DNS_RA);
	wire_question(&w, name, TYPE_A);
	wire_record(&w, SECTION_ANSWER, TO_QUESTION, TYPE_A, CLASS_IN, 300,
		(struct span){ address, sizeof address });
	OK(reply_parse(wire_span(&w), &r) && pack_reply(&packed, memory, &r, &limits));
	const struct question question = packed_question(&packed);

	key_make(&key, cache_siphash_key(c), &question, &scope);
	cache_store(c, &key, &packed, clock_since_boot_ms() - age_ms);
}

/* What a cache holds, in sum. */
struct contents {
	unsigned count, of_group[3];
	uint32_t lowest, highest; /* generation */
	int64_t oldest_ms;
};

static bool add_entry(void *arg, const struct cache_entry *e)
{
	struct contents *all = arg;
	const struct span m = e->packed.message;
	uint32_t generation = get_u32(m.at + m.len - 4);
	int64_t age_ms = clock_since_boot_ms() - e->since_ms;

	all->count++;
	all->of_group[e->key.group]++;
	all->lowest = generation < all->lowest ? generation : all->lowest;
	all->highest = generation > all->highest ? generation : all->highest;
	all->oldest_ms = age_ms > all->oldest_ms ? age_ms : all->oldest_ms;
	return true;
}

static struct contents contents_of(struct cache *c)
{
	struct contents all = { .lowest = UINT32_MAX };

	OK(cache_each(c, add_entry, &all) == 0);
	return all;
}

/* ---- runs ---- */

/* A run that ends as soon as it has begun; it puts some answers into its cache first. What the
 * cache holds at its end. */
static struct contents run(void (*fill)(struct cache *))
{
	struct loop *loop = loop_new();
	struct query_shared shared;
	struct saved_cache s;

	saved_cache_init(&s);
	for (uint32_t i = 0; i < conf.upstream.group_count; i++)
		groups[i].number = i; /* as those of a process that starts */
	OK(loop && shared_init(&shared, &conf.cache, 1));
	if (fill)
		fill(shared.cache);
	saved_cache_keep(&s, loop, &shared, &conf);
	saved_cache_end(&s);
	struct contents all = contents_of(shared.cache);

	loop_free(loop);
	shared_clear(&shared);
	return all;
}

static void of_all_groups(struct cache *c)
{
	for (uint8_t group = 0; group < 3; group++)
		for (unsigned n = 0; n <= group; n++)
			store(c, group, n, 1, 0);
}

static void of_different_ages(struct cache *c)
{
	store(c, 0, 0, 1, 0);
	store(c, 0, 1, 1, 200000);
	store(c, 0, 2, 1, 400000);
}

static unsigned generation;

static void one_generation(struct cache *c)
{
	for (unsigned n = 0; n < ANSWERS; n++)
		store(c, 0, n, generation, 0);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- the file ---- */

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* The file's head, with times and boot as if it had been written some other time. */
static void rewrite(void (*change)(struct image_head *))
{
	static struct image_reader reader;
	static struct image_writer writer;
	struct image_head head;
	struct image_entry e;
	FILE *in = fopen(file, "r"), *out = fopen(fresh, "w");

	OK(in && out && image_read_head(&reader, in, &head));
	change(&head);
	OK(image_write_head(&writer, out, &head));
	while (image_read_entry(&reader, &e)) {
		struct cache_entry entry = { .key = { .group = e.group },
			.packed = { .message = e.message, .rcode = e.message.at[3] & 15 },
			.since_ms = -e.age_ms };

		OK(image_write_entry(&writer, &entry, 0));
	}
	OK(!reader.fault && image_write_end(&writer));
	fclose(in);
	fclose(out);
	OK(rename(fresh, file) == 0);
}

CASE(answers_are_back_after_a_restart)
{
	EQ(run(of_all_groups).count, 6);
	struct contents back = run(NULL);

	EQ(back.count, 6);
	EQ(back.of_group[0], 1);
	EQ(back.of_group[1], 2);
	EQ(back.of_group[2], 3);
	OK(!is_there(fresh));
}

CASE(only_we_may_read_it)
{
	struct stat st;
	mode_t before = umask(0);
	FILE *f = fopen(fresh, "w"); /* a left-over that everybody may write */

	OK(f && fclose(f) == 0);
	run(of_all_groups);
	umask(before);
	OK(stat(file, &st) == 0);
	EQ(st.st_mode & 07777, 0600);
}

CASE(answers_age_by_the_time_between)
{
	run(of_different_ages);
	struct contents back = run(NULL);

	EQ(back.count, 3);
	OK(back.oldest_ms >= 400000 && back.oldest_ms < 460000);
}

static int64_t some_time_ms;

static void some_time_ago(struct image_head *h)
{
	h->since_boot_ms -= some_time_ms;
	h->date_ms -= 7 * DAY_MS; /* of no matter, in one start of the host */
}

CASE(within_one_start_of_the_host_the_wall_clock_is_of_no_matter)
{
	some_time_ms = clock_since_boot_ms() / 2;
	if (some_time_ms > 3600000)
		some_time_ms = 3600000;
	run(of_different_ages);
	rewrite(some_time_ago);
	struct contents back = run(NULL);
	int64_t oldest_ms = 400000 + some_time_ms;

	EQ(back.count, 3);
	OK(back.oldest_ms >= oldest_ms && back.oldest_ms < oldest_ms + 60000);
}

static void to_be_written(struct image_head *h)
{
	h->since_boot_ms += 600000;
}

CASE(what_will_be_written_is_refused)
{
	run(of_all_groups);
	rewrite(to_be_written);
	EQ(run(NULL).count, 0);
}

static void an_hour_ago_before_the_start(struct image_head *h)
{
	h->boot[0] ^= 1;
	h->date_ms -= 3600000;
	h->since_boot_ms = 7; /* of no matter */
}

CASE(over_a_start_of_the_host_the_wall_clock_counts)
{
	run(of_different_ages);
	rewrite(an_hour_ago_before_the_start);
	struct contents back = run(NULL);

	EQ(back.count, 3);
	OK(back.oldest_ms >= 4000000 && back.oldest_ms < 4060000);
}

static void tomorrow(struct image_head *h)
{
	h->boot[0] ^= 1;
	h->date_ms += DAY_MS;
}

CASE(a_wall_clock_that_went_back_is_not_believed)
{
	run(of_all_groups);
	rewrite(tomorrow);
	EQ(run(NULL).count, 0);
}

static void before_the_start(struct image_head *h)
{
	h->boot[0] ^= 1;
}

CASE(over_a_start_of_the_host_a_doubtful_clock_does_not_count)
{
	run(of_all_groups);
	rewrite(before_the_start);
	clock_set_floor(time(NULL) + 7 * 86400);
	EQ(run(NULL).count, 0);
}

CASE(over_a_start_of_the_host_a_clock_that_was_in_doubt_does_not_count)
{
	clock_set_floor(time(NULL) + 7 * 86400);
	run(of_all_groups);
	EQ(run(NULL).count, 6); /* in the same start, it is of no matter */
	clock_set_floor(0);
	rewrite(before_the_start);
	EQ(run(NULL).count, 0);
}

static void no_boot(struct image_head *h)
{
	memset(h->boot, 0, sizeof h->boot);
	h->date_ms += DAY_MS;
}

CASE(a_start_without_a_name_is_not_the_same_as_another_one)
{
	run(of_all_groups);
	rewrite(no_boot);
	EQ(run(NULL).count, 0);
}

static void a_day_ago(struct image_head *h)
{
	h->boot[0] ^= 1;
	h->date_ms -= DAY_MS;
}

CASE(what_is_of_no_use_even_as_stale_stays_behind)
{
	run(of_different_ages); /* for 300 s, and a day as stale */
	rewrite(a_day_ago);
	struct contents back = run(NULL);

	EQ(back.count, 2);
	OK(back.oldest_ms < DAY_MS + 300000);
}

CASE(answers_are_of_servers_not_of_places_in_the_configuration)
{
	run(of_all_groups);
	struct group_conf was = groups[1];

	groups[1] = groups[2];
	groups[2] = was;
	struct contents back = run(NULL);

	EQ(back.of_group[0], 1);
	EQ(back.of_group[2], 2);
	EQ(back.of_group[1], 3);
}

CASE(answers_of_other_servers_stay_behind)
{
	run(of_all_groups);
	groups[2].servers[0] = 1;
	struct contents back = run(NULL);

	EQ(back.count, 3);
	EQ(back.of_group[2], 0);
}

CASE(a_group_is_its_name_and_its_servers_in_their_order)
{
	run(of_all_groups);
	groups[0].servers[0] = 1;
	groups[0].servers[1] = 0;
	groups[1].count = 2;
	groups[1].servers[1] = 1;
	groups[2].name = "wan";
	EQ(run(NULL).count, 0);
}

static void one_newer(struct cache *c)
{
	store(c, 0, 0, 2, 0);
}

CASE(what_came_meanwhile_is_better)
{
	run(of_different_ages);
	struct contents both = run(one_newer);

	EQ(both.count, 3);
	EQ(both.highest, 2);
	both = run(NULL);
	EQ(both.count, 3);
	EQ(both.highest, 2);
}

CASE(without_a_folder_or_when_it_is_not_wanted_nothing_is_written)
{
	conf.upstream.state = NULL;
	run(of_all_groups);
	conf.upstream.state = folder;
	conf.cache_keep = false;
	run(of_all_groups);
	conf.cache_keep = true;
	OK(!is_there(file) && !is_there(fresh));
}

CASE(what_is_no_file_is_refused_and_does_no_harm)
{
	OK(mkfifo(file, 0600) == 0);
	EQ(run(of_all_groups).count, 6); /* and is replaced */
	EQ(run(NULL).count, 6);
	unlink(file);
	OK(mkdir(file, 0700) == 0);
	EQ(run(of_all_groups).count, 6);
	OK(!is_there(fresh));
	OK(rmdir(file) == 0);
}

CASE(a_broken_file_is_refused_whole)
{
	run(of_all_groups);
	OK(truncate(file, size_of(file) - 1) == 0);
	EQ(run(NULL).count, 0);
	EQ(run(of_all_groups).count, 6); /* and is replaced by a good one */
	EQ(run(NULL).count, 6);
}

/* ---- dying while it writes ---- */

/* This program once more, to be killed: it writes generation after generation. */
static pid_t start_writer(rlim_t size_max)
{
	char first[16], size[32];
	pid_t child = fork();

	if (child != 0)
		return child;
	/* Its log, were it a file, would count. */
	if (!freopen("/dev/null", "w", stderr))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* it shall not survive a case that fails */
	snprintf(first, sizeof first, "%u", generation);
	snprintf(size, sizeof size, "%" PRIu64, (uint64_t)size_max);
	execl("/proc/self/exe", "saved_cache_test", folder, first, size, (char *)NULL);
	_exit(1);
}

/* The limits begin here and not before the exec, at which a coverage build writes its counts. */
static _Noreturn void write_for_ever(const char *state, const char *first, const char *size_max)
{
	const rlim_t most = strtoull(size_max, NULL, 10);
	const struct rlimit size = { most, most }, none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_FSIZE, &size);
	begin(NULL);
	conf.upstream.state = state;
	for (generation = (unsigned)strtoul(first, NULL, 10);; generation++)
		run(one_generation);
}

static void must_have_died(pid_t child, int of)
{
	int status;

	EQ(waitpid(child, &status, 0), child);
	OK(WIFSIGNALED(status));
	EQ(WTERMSIG(status), of);
}

/* Whatever happened, the file is whole: all answers are there, and of one generation. */
static void must_be_whole(void)
{
	struct contents back = run(NULL);

	EQ(back.count, ANSWERS);
	EQ(back.lowest, back.highest);
}

CASE(a_writer_that_dies_after_any_octet_leaves_the_old_file)
{
	generation = 1;
	run(one_generation);
	off_t size = size_of(file);

	generation = 2;
	for (off_t at = size / 8; at < size; at += size / 8) {
		must_have_died(start_writer((rlim_t)at), SIGXFSZ);
		EQ(size_of(fresh), at);
		EQ(size_of(file), size);
		must_be_whole();
		OK(!is_there(fresh));
	}
	EQ(run(NULL).highest, 1);
}

static ino_t file_number(void)
{
	struct stat st;

	OK(stat(file, &st) == 0);
	return st.st_ino;
}

static void wait_until_replaced(ino_t was)
{
	const struct timespec turn = { 0, 1000000 };

	for (int i = 0; i < 30000 && file_number() == was; i++)
		nanosleep(&turn, NULL);
	OK(file_number() != was);
}

CASE(a_writer_that_dies_at_any_moment_leaves_a_whole_file)
{
	generation = 1;
	run(one_generation);
	for (unsigned i = 0; i < DEATHS; i++) {
		const struct timespec some = { 0, i * 7919 % 40 * 250000 };
		pid_t child = start_writer(RLIM_INFINITY);

		wait_until_replaced(file_number());
		nanosleep(&some, NULL);
		OK(kill(child, SIGKILL) == 0);
		must_have_died(child, SIGKILL);
		must_be_whole();
	}
}

CASE(what_cannot_be_written_leaves_the_old_file)
{
	struct rlimit before, small = { 1000, 0 };

	generation = 1;
	run(one_generation);
	OK(getrlimit(RLIMIT_FSIZE, &before) == 0);
	small.rlim_max = before.rlim_max;
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

	OK(setrlimit(RLIMIT_FSIZE, &small) == 0);
	generation = 2;
	run(one_generation);
	OK(setrlimit(RLIMIT_FSIZE, &before) == 0);
	signal(SIGXFSZ, handler);
	OK(!is_there(fresh));
	must_be_whole();
	EQ(run(NULL).highest, 1);
}

#define ANEW(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		ANEW(answers_are_back_after_a_restart),
		ANEW(only_we_may_read_it),
		ANEW(answers_age_by_the_time_between),
		ANEW(within_one_start_of_the_host_the_wall_clock_is_of_no_matter),
		ANEW(what_will_be_written_is_refused),
		ANEW(over_a_start_of_the_host_the_wall_clock_counts),
		ANEW(a_wall_clock_that_went_back_is_not_believed),
		ANEW(over_a_start_of_the_host_a_doubtful_clock_does_not_count),
		ANEW(over_a_start_of_the_host_a_clock_that_was_in_doubt_does_not_count),
		ANEW(a_start_without_a_name_is_not_the_same_as_another_one),
		ANEW(what_is_of_no_use_even_as_stale_stays_behind),
		ANEW(answers_are_of_servers_not_of_places_in_the_configuration),
		ANEW(answers_of_other_servers_stay_behind),
		ANEW(a_group_is_its_name_and_its_servers_in_their_order),
		ANEW(what_came_meanwhile_is_better),
		ANEW(without_a_folder_or_when_it_is_not_wanted_nothing_is_written),
		ANEW(what_is_no_file_is_refused_and_does_no_harm),
		ANEW(a_broken_file_is_refused_whole),
		ANEW(a_writer_that_dies_after_any_octet_leaves_the_old_file),
		ANEW(a_writer_that_dies_at_any_moment_leaves_a_whole_file),
		ANEW(what_cannot_be_written_leaves_the_old_file),
	};

	if (argc == 4)
		write_for_ever(argv[1], argv[2], argv[3]);
	return cmocka_run_group_tests(cases, make_folder, remove_folder);
}
