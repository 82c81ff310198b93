#include "host/edit.h"

#include "base/siphash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands beside a file. */
static const char *beside(const struct edit *c, const char *ending, char name[NAME_MAX + 1])
{
	snprintf(name, NAME_MAX + 1, "%s%s", c->name, ending);
	return name;
}

static int folder_of(const struct root *r, const struct edit *c)
{
	return root_at(r, c->folder, O_RDONLY | O_DIRECTORY);
}

static bool is_there(int folder, const char *name, struct stat *is)
{
	return fstatat(folder, name, is, AT_SYMLINK_NOFOLLOW) == 0;
}

int edit_prepare(const struct root *r, struct edit *c)
{
	char saved[NAME_MAX + 1];
	struct stat is;
	int err = 0, folder = folder_of(r, c);

	c->had = false;
	c->made = folder == -ENOENT;
	if (folder < 0)
		return c->made ? 0 : folder;
	if (is_there(folder, c->name, &is)) {
		c->had = true;
		err = S_ISREG(is.st_mode) || S_ISLNK(is.st_mode) ? 0 : -EINVAL;
	} else if (errno != ENOENT) {
		err = -errno;
	}
	if (is_there(folder, beside(c, EDIT_SAVED, saved), &is))
		err = -EEXIST;
	close(folder);
	return err;
}

uint64_t edit_sum(const char *text)
{
	static const struct siphash_key known; /* nobody is to be kept from guessing the sum */

	return siphash(&known, text, strlen(text));
}

int edit_make(const struct root *r, const struct edit *c)
{
	char saved[NAME_MAX + 1];
	int err = c->made ? root_make_folder(r, c->folder) : 0;

	if (err)
		return err;
	int folder = folder_of(r, c);

	if (folder < 0)
		return folder;
	if (c->had &&
		(linkat(folder, c->name, folder, beside(c, EDIT_SAVED, saved), 0) < 0 ||
			fsync(folder) < 0))
		err = -errno;
	if (!err)
		err = root_replace(folder, c->name, c->text);
	close(folder);
	return err;
}

/* Does the file say what was written? */
static bool is_ours(const struct root *r, const struct edit *c)
{
	char path[2 * EDIT_NAME], text[ROOT_TEXT];

	snprintf(path, sizeof path, "%s/%s", c->folder, c->name);
	return root_read(r, path, text) == 0 && edit_sum(text) == c->sum;
}

static enum edit_found look(const struct root *r, const struct edit *c, int folder)
{
	char name[NAME_MAX + 1];
	struct stat now, saved;
	bool has_now = is_there(folder, c->name, &now);
	bool has_saved = c->had && is_there(folder, beside(c, EDIT_SAVED, name), &saved);

	if (has_now && has_saved && now.st_ino == saved.st_ino && now.st_dev == saved.st_dev)
		return EDIT_UNDONE;
	if (!has_now)
		return has_saved ? EDIT_REMOVED : EDIT_UNDONE;
	if (S_ISREG(now.st_mode) && is_ours(r, c))
		return c->had && !has_saved ? EDIT_LOST : EDIT_IN_FORCE;
	return c->had && !has_saved ? EDIT_UNDONE : EDIT_ALTERED;
}

enum edit_found edit_look(const struct root *r, const struct edit *c)
{
	int folder = folder_of(r, c);

	if (folder < 0)
		return folder == -ENOENT ? EDIT_UNDONE : EDIT_ALTERED;
	enum edit_found found = look(r, c, folder);

	close(folder);
	return found;
}

static int put_back(int folder, const struct edit *c, enum edit_found found)
{
	char name[NAME_MAX + 1];
	struct stat is;
	int err = 0;

	beside(c, EDIT_SAVED, name);
	if (found == EDIT_UNDONE && c->had && is_there(folder, name, &is))
		err = unlinkat(folder, name, 0); /* another name of what is there */
	else if (found != EDIT_UNDONE && found != EDIT_LOST)
		err = c->had ? renameat(folder, name, folder, c->name)
			     : unlinkat(folder, c->name, 0);
	if (err < 0 && errno != ENOENT)
		return -errno;
	unlinkat(folder, beside(c, ROOT_FRESH, name), 0);
	return fsync(folder) < 0 ? -errno : 0;
}

int edit_undo(const struct root *r, const struct edit *c)
{
	enum edit_found found = edit_look(r, c);
	int folder = folder_of(r, c);

	if (folder < 0)
		return folder == -ENOENT ? 0 : folder;
	int err = put_back(folder, c, found);

	close(folder);
	if (!err && c->made)
		root_remove_folder(r, c->folder); /* unless somebody else has put something there */
	return err;
}
