#include "host/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *object_of(const struct plan *p)
{
	json_t *changes = json_array();

	for (size_t i = 0; i < p->count; i++) {
		const struct edit *c = &p->edits[i];

		json_array_append_new(changes,
			json_pack("{s:s, s:s, s:I, s:b, s:b}", "folder", c->folder, "name", c->name,
				"sum", (json_int_t)c->sum, "had", c->had, "made", c->made));
	}
	return json_pack("{s:s, s:s, s:o}", "at", p->at, "unit", p->unit, "changes", changes);
}

int saved_write(const struct root *r, const struct plan *p)
{
	json_t *object = object_of(p);
	char *text = json_dumps(object, JSON_INDENT(1));
	int err, folder = -1;

	json_decref(object);
	if (!text)
		return -ENOMEM;
	err = root_make_folder(r, SAVED_FOLDER);
	if (!err)
		err = folder = root_at(r, SAVED_FOLDER, O_RDONLY | O_DIRECTORY);
	if (folder >= 0) {
		err = root_replace(folder, SAVED_NAME, text);
		close(folder);
	}
	free(text);
	return err;
}

static bool copy(char *to, size_t room, const char *from)
{
	return snprintf(to, room, "%s", from) < (int)room;
}

static bool read_edit(struct edit *c, json_t *object)
{
	const char *folder, *name;
	json_int_t sum;
	int had, made;

	if (json_unpack(object, "{s:s, s:s, s:I, s:b, s:b}", "folder", &folder, "name", &name,
		    "sum", &sum, "had", &had, "made", &made) < 0)
		return false;
	c->sum = (uint64_t)sum;
	c->had = had;
	c->made = made;
	return *folder == '/' && !strchr(name, '/') && copy(c->folder, sizeof c->folder, folder) &&
		copy(c->name, sizeof c->name, name);
}

static bool read_plan(struct plan *p, json_t *object)
{
	const char *at, *unit;
	json_t *changes, *one;
	size_t i;

	if (json_unpack(object, "{s:s, s:s, s:o}", "at", &at, "unit", &unit, "changes", &changes) <
		0)
		return false;
	p->count = json_array_size(changes);
	if (!p->count || p->count > PLAN_EDITS)
		return false;
	json_array_foreach (changes, i, one)
		if (!read_edit(&p->edits[i], one))
			return false;
	return copy(p->at, sizeof p->at, at) && copy(p->unit, sizeof p->unit, unit);
}

int saved_read(const struct root *r, struct plan *p)
{
	char text[ROOT_TEXT];
	int err = root_read(r, SAVED_FILE, text);

	memset(p, 0, sizeof *p);
	if (err)
		return err;
	json_t *object = json_loads(text, 0, NULL);

	if (!read_plan(p, object))
		err = -EBADMSG;
	json_decref(object);
	return err;
}

int saved_remove(const struct root *r)
{
	int err = 0, folder = root_at(r, SAVED_FOLDER, O_RDONLY | O_DIRECTORY);

	if (folder < 0)
		return folder == -ENOENT ? 0 : folder;
	unlinkat(folder, SAVED_NAME ROOT_FRESH, 0);
	if ((unlinkat(folder, SAVED_NAME, 0) < 0 && errno != ENOENT) || fsync(folder) < 0)
		err = -errno;
	close(folder);
	if (!err)
		root_remove_folder(r, SAVED_FOLDER); /* unless somebody has put something there */
	return err;
}
