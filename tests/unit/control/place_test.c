#include "control/place.h"

#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void environment(const char *runtime, const char *session)
{
	setenv("RUNTIME_DIRECTORY", runtime ? runtime : "", 1);
	setenv("XDG_RUNTIME_DIR", session ? session : "", 1);
}

CASE(a_path_is_the_only_place)
{
	char paths[PLACES_MAX][PLACE_TEXT], path[PLACE_TEXT];

	environment("/tmp", "/tmp");
	EQ(place_list("/nowhere/of/mine.sock", paths), 1);
	STR(paths[0], "/nowhere/of/mine.sock");
	STR(place_choose("/nowhere/of/mine.sock", path), "/nowhere/of/mine.sock");
}

CASE(none_is_no_place)
{
	char paths[PLACES_MAX][PLACE_TEXT], path[PLACE_TEXT];

	environment("/tmp", "/tmp");
	EQ(place_list("none", paths), 0);
	OK(!place_choose("none", path));
}

CASE(auto_asks_the_service_manager_first_and_the_session_last)
{
	char paths[PLACES_MAX][PLACE_TEXT];

	environment("/run/one:/run/two", "/run/user/7");
	EQ(place_list("auto", paths), 3);
	STR(paths[0], "/run/one/control.sock");
	STR(paths[1], "/run/sotto/control.sock");
	STR(paths[2], "/run/user/7/sotto.sock");
}

CASE(what_is_not_set_or_no_path_or_too_long_is_passed_over)
{
	char paths[PLACES_MAX][PLACE_TEXT], folder[200];

	environment(NULL, "relative");
	EQ(place_list("auto", paths), 1);
	STR(paths[0], "/run/sotto/control.sock");

	memset(folder, 'a', sizeof folder);
	folder[0] = '/';
	folder[107 - strlen("/control.sock")] = '\0'; /* fits just so */
	environment(folder, NULL);
	EQ(place_list("auto", paths), 2);
	EQ(strlen(paths[0]), 107);
	strcat(folder, "a");
	environment(folder, NULL);
	EQ(place_list("auto", paths), 1);
}

CASE(a_daemon_takes_the_first_folder_that_it_may_write_to)
{
	char folder[] = "/tmp/place-XXXXXX", path[PLACE_TEXT], expected[PLACE_TEXT];

	OK(mkdtemp(folder));
	environment("/nowhere", folder);
	snprintf(expected, sizeof expected, "%s/sotto.sock", folder);
	const char *chosen = place_choose("auto", path);

	OK(chosen);
	if (access("/run/sotto", W_OK) < 0)
		STR(chosen, expected);
	environment(folder, NULL);
	snprintf(expected, sizeof expected, "%s/control.sock", folder);
	STR(place_choose("auto", path), expected);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_path_is_the_only_place),
		CLAIM(none_is_no_place),
		CLAIM(auto_asks_the_service_manager_first_and_the_session_last),
		CLAIM(what_is_not_set_or_no_path_or_too_long_is_passed_over),
		CLAIM(a_daemon_takes_the_first_folder_that_it_may_write_to),
	};

	return RUN(cases);
}
