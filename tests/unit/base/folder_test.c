#include "base/folder.h"

#include "base/file_state.h"
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], seen[256], first[] = "a", other[] = "1";

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	OK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static int make_folder(void **unused)
{
	(void)unused;
	snprintf(folder, sizeof folder, "/tmp/sotto-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
	static const char *const names[] = { "a", "b", ".b", "#c#", "d~", "pipe", "link", "left" };

	(void)unused;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(path_of(names[i]));
	rmdir(path_of("sub"));
	return rmdir(folder);
}

/* Up to a file whose name is `stop`. */
static bool note(void *stop, const char *file)
{
	const char *name = file + strlen(folder) + 1;

	strcat(strcat(seen, name), " ");
	return !stop || strcmp(name, stop) != 0;
}

CASE(files_come_by_name_and_what_is_left_over_is_not_meant)
{
	put("b", ""), put("a", ""), put(".b", ""), put("#c#", ""), put("d~", "");
	OK(mkdir(path_of("sub"), 0700) == 0 && mkfifo(path_of("pipe"), 0600) == 0);
	OK(symlink("a", path_of("link")) == 0 && symlink("nothing", path_of("left")) == 0);
	*seen = 0;
	EQ(folder_each(folder, note, NULL), 0);
	STR(seen, "a b link ");
	*seen = 0;
	EQ(folder_each(folder, note, first), 0);
	STR(seen, "a ");
}

CASE(what_is_no_folder_is_said)
{
	put("a", "");
	EQ(folder_each(path_of("a"), note, NULL), -ENOTDIR);
	EQ(folder_each(path_of("missing"), note, NULL), -ENOENT);
}

CASE(more_files_than_one_may_have_are_not_read)
{
	char name[32];

	*seen = 0;
	for (int i = 0; i <= FOLDER_FILES_MAX; i++) {
		snprintf(name, sizeof name, "%d", i);
		put(name, "");
	}
	EQ(folder_each(folder, note, NULL), -E2BIG);
	STR(seen, "");
	unlink(path_of("0"));
	EQ(folder_each(folder, note, other), 0);
	STR(seen, "1 ");
	for (int i = 1; i <= FOLDER_FILES_MAX; i++) {
		snprintf(name, sizeof name, "%d", i);
		unlink(path_of(name));
	}
}

static uint64_t state(void)
{
	uint64_t sum = 1;

	file_state_add(&sum, folder);
	return sum;
}

CASE(a_folder_has_another_state_when_a_file_in_it_has)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	uint64_t empty = state(), before;

	EQ(state(), empty);
	put("a", "1");
	before = state();
	OK(before != empty);
	EQ(state(), before);
	put("a", "2 and more");
	OK(state() != before);
	before = state();
	OK(utimensat(AT_FDCWD, path_of("a"), times, 0) == 0);
	OK(state() != before);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test_setup_teardown(
			files_come_by_name_and_what_is_left_over_is_not_meant, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(
			what_is_no_folder_is_said, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			more_files_than_one_may_have_are_not_read, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_folder_has_another_state_when_a_file_in_it_has,
			make_folder, remove_folder),
	};

	return RUN(cases);
}
