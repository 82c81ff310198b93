#include "saved_time.h"

#include "base/clock.h"
#include "case.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TOMORROW (time(NULL) + 86400)

static char folder[] = "/tmp/sotto-XXXXXX", file[64];

static int make_folder(void **unused)
{
	(void)unused;
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof file, "%s/clock", folder);
	return 0;
}

static int remove_folder(void **unused)
{
	(void)unused;
	unlink(file);
	return rmdir(folder);
}

static void put(const char *text)
{
	FILE *f = fopen(file, "w");

	OK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* Is the date now as an earlier run has saved it, and not what the system says? */
static bool is_known(int64_t date_s)
{
	int64_t now = clock_date_s();

	return now >= date_s && now < date_s + 60;
}

/* The date in the file; 0: there is none. */
static int64_t written(void)
{
	FILE *f = fopen(file, "r");
	char text[32] = "";

	if (!f)
		return 0;
	OK(fgets(text, sizeof text, f));
	fclose(f);
	return strtoll(text, NULL, 10);
}

static void run_for_a_while(void (*meanwhile)(struct saved_time *))
{
	struct loop *loop = loop_new();
	struct saved_time s = { 0 };

	saved_time_keep(&s, loop, folder);
	if (meanwhile)
		meanwhile(&s);
	saved_time_end(&s);
	loop_free(loop);
}

static void let_an_hour_pass(struct saved_time *s)
{
	timer_stop(s->loop, &s->timer);
	s->timer.fire(&s->timer);
	OK(is_known(written()));
	OK(s->timer.running);
	unlink(file);
}

CASE(what_nothing_has_confirmed_is_not_written)
{
	saved_time_load(folder);
	run_for_a_while(NULL);
	OK(access(file, F_OK) != 0);
}

CASE(a_file_that_is_not_there_is_nothing)
{
	saved_time_load(folder);
	OK(is_known(time(NULL)));
	saved_time_load(NULL);
	OK(is_known(time(NULL)));
}

CASE(a_date_that_was_saved_is_known)
{
	int64_t tomorrow = TOMORROW;
	char text[32];

	snprintf(text, sizeof text, "%lld\n", (long long)tomorrow);
	put(text);
	saved_time_load(folder);
	OK(is_known(tomorrow));
}

CASE(what_is_no_date_is_ignored)
{
	static const char *const garbage[] = { "", "\n", "9999999999", "9999999999 \n",
		"-9999999999\n", "99999999999999999999\n", "0x7fffffff\n", "9999999999\n\n",
		"999999999999\n", "tomorrow\n" };

	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		put(garbage[i]);
		saved_time_load(folder);
		OK(is_known(time(NULL)));
	}
	unlink(file);
	OK(mkdir(file, 0700) == 0); /* can be opened, not read */
	saved_time_load(folder);
	OK(is_known(time(NULL)));
	rmdir(file);
}

CASE(a_confirmed_date_is_written_every_hour_and_at_the_end)
{
	saved_time_load(NULL);
	clock_confirm();
	run_for_a_while(let_an_hour_pass);
	OK(is_known(written()));
}

CASE(a_folder_that_takes_no_file_does_no_harm)
{
	unlink(file);
	OK(mkdir(file, 0700) == 0); /* in the way */
	run_for_a_while(NULL);
	OK(rmdir(file) == 0);
	char fresh[80];

	snprintf(fresh, sizeof fresh, "%s.new", file);
	unlink(fresh);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(what_nothing_has_confirmed_is_not_written),
		CLAIM(a_file_that_is_not_there_is_nothing),
		CLAIM(a_date_that_was_saved_is_known),
		CLAIM(what_is_no_date_is_ignored),
		CLAIM(a_confirmed_date_is_written_every_hour_and_at_the_end),
		CLAIM(a_folder_that_takes_no_file_does_no_harm),
	};

	return cmocka_run_group_tests(cases, make_folder, remove_folder);
}
