#include "control/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the package, for daemons that no service manager gives a folder. */
#define FOLDER "/run/sotto"

/* Appends FOLDER/NAME, of a list of folders with colons the first (systemd.exec(5)). */
static size_t add(
	char paths[PLACES_MAX][PLACE_TEXT], size_t count, const char *folder, const char *name)
{
	size_t len = folder ? strcspn(folder, ":") : 0;

	if (len == 0 || folder[0] != '/' || len + 1 + strlen(name) >= PLACE_TEXT)
		return count;
	snprintf(paths[count], PLACE_TEXT, "%.*s/%s", (int)len, folder, name);
	return count + 1;
}

size_t place_list(const char *control, char paths[PLACES_MAX][PLACE_TEXT])
{
	size_t count = 0;

	if (strcmp(control, "none") == 0)
		return 0;
	if (strcmp(control, "auto") != 0) {
		snprintf(paths[0], PLACE_TEXT, "%s", control);
		return 1;
	}
	count = add(paths, count, getenv("RUNTIME_DIRECTORY"), "control.sock");
	count = add(paths, count, FOLDER, "control.sock");
	return add(paths, count, getenv("XDG_RUNTIME_DIR"), "sotto.sock");
}

const char *place_choose(const char *control, char path[PLACE_TEXT])
{
	char paths[PLACES_MAX][PLACE_TEXT], folder[PLACE_TEXT];
	size_t count = place_list(control, paths);

	for (size_t i = 0; i < count; i++) {
		snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(paths[i], '/') - paths[i]),
			paths[i]);
		if (strcmp(control, "auto") != 0 || access(folder, W_OK) == 0)
			return memcpy(path, paths[i], PLACE_TEXT);
	}
	return NULL;
}
