/* worlds: random worlds, one for each seed, each in a process of its own.
 *
 * A seed that fails says what was broken, what had happened, and the command that shows it again.
 */
#include "drama.h"

#include "base/bug.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MOST 64
/* A world that takes longer than this is one that never ends. */
#define SEED_S 120
/* Of failing seeds, so many are told in full. */
#define TOLD_MOST   3
#define REPLAY_TEXT 150

struct command {
	const char *program;
	uint64_t first, last, until;
	unsigned jobs;
	bool complete, twice;
	bool without[FAULT_KINDS];
	char replay[REPLAY_TEXT]; /* what else was asked for */
};

/* What a child leaves. */
struct job {
	pid_t pid; /* 0: free */
	uint64_t seed;
	struct tally tally;
	uint64_t hash;
};

struct run {
	const struct command *command;
	struct job *jobs; /* shared with the children */
	struct tally sum;
	uint64_t hash;
	uint64_t next; /* seed */
	unsigned running, failed;
};

/* ---- one world ---- */

static void play(const struct command *c, struct job *j, bool quiet)
{
	static struct drama d;

	alarm(SEED_S);
	if (quiet && !freopen("/dev/null", "w", stderr))
		_exit(1);
	d.seed = j->seed;
	d.stop_at = c->until;
	memcpy(d.without, c->without, sizeof d.without);
	snprintf(d.chronicle.where, sizeof d.chronicle.where, "%s --seed %" PRIu64 "%s", c->program,
		j->seed, c->replay);
	drama_run(&d);
	j->tally = d.tally;
	j->hash = d.chronicle.hash ^ d.tally.events;
	drama_clear(&d);
}

/* ---- all of them ---- */

static void start(struct run *r, struct job *j)
{
	j->seed = r->next++;
	memset(&j->tally, 0, sizeof j->tally);
	fflush(NULL);
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid == 0) {
		play(r->command, j, r->failed >= TOLD_MOST);
		fflush(NULL);
		_exit(0);
	}
	j->pid = pid;
	r->running++;
}

static void reap(struct run *r)
{
	int status;
	pid_t pid = wait(&status);

	for (unsigned i = 0; i < r->command->jobs; i++) {
		struct job *j = &r->jobs[i];

		if (j->pid != pid)
			continue;
		j->pid = 0;
		r->running--;
		if (status) {
			r->failed++;
			fprintf(stderr, "seed %" PRIu64 " failed%s\n", j->seed,
				WIFSIGNALED(status) ? ", ended by a signal" : "");
			return;
		}
		tally_add(&r->sum, &j->tally);
		r->hash += j->hash; /* in whatever order they end */
	}
}

static void run_all(struct run *r)
{
	while (r->next <= r->command->last || r->running) {
		for (unsigned i = 0; i < r->command->jobs && r->next <= r->command->last; i++)
			if (!r->jobs[i].pid)
				start(r, &r->jobs[i]);
		reap(r);
	}
}

/* Of processors, by the children that have ended. */
static double seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int run(const struct command *c)
{
	size_t size = c->jobs * sizeof(struct job);
	struct run r = { .command = c,
		.next = c->first,
		.jobs = mmap(
			NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) };

	MUST(r.jobs != MAP_FAILED);
	run_all(&r);
	uint64_t hash = r.hash;

	if (c->twice) {
		r = (struct run){ .command = c, .next = c->first, .jobs = r.jobs };
		run_all(&r);
	}
	tally_print(&r.sum);
	printf("hash %016" PRIx64 "; %.1f s of one core, %.2f million events a minute\n", r.hash,
		seconds(), (double)r.sum.events / seconds() * 60 / 1e6);
	printf("%" PRIu64 " of %" PRIu64 " seeds failed\n", (uint64_t)r.failed,
		c->last - c->first + 1);
	munmap(r.jobs, size);
	if (hash != r.hash)
		fprintf(stderr, "the same seeds went another way the second time\n");
	return r.failed || hash != r.hash || (c->complete && !tally_is_complete(&r.sum));
}

/* ---- the command line ---- */

static int usage(void)
{
	fprintf(stderr,
		"usage: worlds [--seed N | --seeds FIRST-LAST] [--jobs N] "
		"[--without FAULT,...] [--until EVENT] [--complete] [--twice]\n"
		"faults:");
	for (int i = 0; i < FAULT_KINDS; i++)
		fprintf(stderr, " %s", fault_name((enum fault_kind)i));
	fprintf(stderr, "\n");
	return 64;
}

static bool take_without(struct command *c, const char *list)
{
	for (size_t len; *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		int kind = fault_by_name(list, len);

		if (kind < 0)
			return false;
		c->without[kind] = true;
	}
	return true;
}

static bool take_range(struct command *c, const char *text, bool one)
{
	char *end;

	c->first = c->last = strtoull(text, &end, 10);
	if (*end == '-' && !one)
		c->last = strtoull(end + 1, &end, 10);
	return !*end && c->first <= c->last;
}

static bool take_option(struct command *c, int option)
{
	size_t len = strlen(c->replay);

	switch (option) {
	case 's':
	case 'r':
		return take_range(c, optarg, option == 's');
	case 'j':
		c->jobs = (unsigned)strtoul(optarg, NULL, 10);
		return c->jobs >= 1 && c->jobs <= JOBS_MOST;
	case 'w':
		snprintf(c->replay + len, sizeof c->replay - len, " --without %s", optarg);
		return take_without(c, optarg);
	case 'u':
		c->until = strtoull(optarg, NULL, 10);
		return true;
	case 'c':
		return c->complete = true;
	case 't':
		return c->twice = true;
	default:
		return false;
	}
}

int main(int count, char **words)
{
	static const struct option options[] = { { "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'r' }, { "jobs", required_argument, NULL, 'j' },
		{ "without", required_argument, NULL, 'w' },
		{ "until", required_argument, NULL, 'u' }, { "complete", no_argument, NULL, 'c' },
		{ "twice", no_argument, NULL, 't' }, { 0 } };
	struct command c = {
		.program = words[0], .first = 1, .last = 100, .jobs = 1, .until = UINT64_MAX
	};

	for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;)
		if (!take_option(&c, option))
			return usage();
	return optind < count ? usage() : run(&c);
}
