#include "rules/list_form.h"

#include <string.h>

/* Most of what is written in this form is about parts of pages and paths of URLs. Any text is a
 * part of a URL: so there is no line that is wrong, only such as DNS cannot do. */

static bool is_cosmetic(const char *line)
{
	static const char *const marks[] = { "##", "#@#", "#?#", "#$#", "#%#", "#@?#", "$$", "$@$",
		NULL };

	for (const char *const *mark = marks; *mark; mark++)
		if (strstr(line, *mark))
			return true;
	return false;
}

/* Cuts off modifiers. `important` is one that does not matter: DNS has no other rules that it
 * would be stronger than, but exceptions of the same list, which stay exceptions. */
static bool cut_modifiers(char *body)
{
	char *modifiers = strchr(body, '$');

	if (!modifiers)
		return true;
	*modifiers++ = 0;
	return strcmp(modifiers, "important") == 0;
}

/* NAME or NAME^ is the name and all below it. */
static bool give(struct list_reading *r, char *name, bool allows)
{
	char below[NAME_TEXT];
	uint8_t wire[NAME_MAX_WIRE];
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '|')
		name[--len] = 0;
	if (len > 0 && name[len - 1] == '^')
		name[--len] = 0;
	if (len == 0 || len > NAME_MAX_WIRE || name[len - 1] == '.' ||
		name[strspn(name,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			"-_.*")])
		return list_ignore(
			r, list_is_foreign(name) ? "a name that is not ASCII" : "a part of a URL");
	if (!strchr(name, '*'))
		return name_from_text(name, wire) ? list_give_name(r, PATTERN_SUFFIX, name, allows)
						  : list_ignore(r, "not a name");
	if (strncmp(name, "*.", 2) == 0)
		return list_give_glob(r, name, allows);
	snprintf(below, sizeof below, "*.%s", name);
	return list_give_glob(r, name, allows) && list_give_glob(r, below, allows);
}

bool list_line_adblock(struct list_reading *r, char *line)
{
	bool allows = strncmp(line, "@@", 2) == 0;
	char *body = line + (allows ? 2 : 0);
	size_t len = strlen(body);

	if (*line == '!' || *line == '[')
		return true;
	if (is_cosmetic(line))
		return list_ignore(r, "a part of a page");
	if (*line == '#')
		return true;
	if (*body == '/' && (body[len - 1] == '/' || strstr(body, "/$")))
		return list_ignore(r, "a regular expression about URLs");
	if (!cut_modifiers(body))
		return list_ignore(r, "a modifier that DNS cannot do");
	if (strncmp(body, "||", 2) != 0)
		return list_ignore(r, "a part of a URL");
	return give(r, body + 2, allows);
}
