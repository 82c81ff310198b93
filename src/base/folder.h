/* folder: the files in a folder that are there to be read. */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include <stdbool.h>

/* The most that one may have. */
#define FOLDER_FILES_MAX 1024

/* Calls visit() with the path of each regular file in a folder, by name, until it returns false.
 * Those that editors and package managers leave, which begin with `.` or `#` or end in `~`, are
 * not meant. 0, or -errno: -ENOTDIR if it is no folder, -E2BIG if it has too many files. */
int folder_each(const char *path, bool (*visit)(void *arg, const char *file), void *arg);

#endif
