/* root: the tree whose resolver is looked at and changed: that of this host, or an image of another
 * one. No link in an image leads out of it. */
#ifndef HOST_ROOT_H
#define HOST_ROOT_H

#include <stdbool.h>
#include <stddef.h>

struct root {
	const char *path; /* borrowed */
	int fd;
};

/* Room for all of a file that is read or written here. */
#define ROOT_TEXT 8192

/* Opens the folder; 0 or -errno. root_close() in any case. */
int root_open(struct root *, const char *path);
void root_close(struct root *);
/* Is it this host, and no image? */
bool root_is_host(const struct root *);

/* Opens what is at the absolute path in it, as open(2) does. A descriptor or -errno. */
int root_at(const struct root *, const char *path, int flags);
/* Makes a folder in one that is there; that it is there already is no failure. 0 or -errno. */
int root_make_folder(const struct root *, const char *path);
/* Removes it, if it is empty. 0 or -errno. */
int root_remove_folder(const struct root *, const char *path);

/* Reads a file, through links. 0 or -errno; -EFBIG: there is no room. */
int root_read(const struct root *, const char *path, char text[ROOT_TEXT]);

/* What a file is called while it is written. */
#define ROOT_FRESH ".sotto-new"
/* Writes a file of the folder, which may be a link before, anew in one step that outlives a loss of
 * power. 0 or -errno: the file is as before. */
int root_replace(int folder, const char *name, const char *text);

#endif
