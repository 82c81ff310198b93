#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int is_meant(const struct dirent *e)
{
	return !strchr(".#", e->d_name[0]) && e->d_name[strlen(e->d_name) - 1] != '~';
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int folder_each(const char *path, bool (*visit)(void *arg, const char *file), void *arg)
{
	struct dirent **found;
	int count = scandir(path, &found, is_meant, alphasort);
	bool goes_on = count <= FOLDER_FILES_MAX;

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		char file[PATH_MAX];
		int len = snprintf(file, sizeof file, "%s/%s", path, found[i]->d_name);

		if (goes_on && len < PATH_MAX && is_file(file))
			goes_on = visit(arg, file);
		free(found[i]);
	}
	free(found);
	return count > FOLDER_FILES_MAX ? -E2BIG : 0;
}
