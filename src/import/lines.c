#include "import/lines.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

char *lines_trim(char *text)
{
	size_t len;

	while (is_blank(*text))
		text++;
	for (len = strlen(text); len && is_blank(text[len - 1]); len--)
		text[len - 1] = '\0';
	return text;
}

char *lines_unquote(char *text)
{
	text = lines_trim(text);
	size_t len = strlen(text);

	if (len < 2 || (*text != '"' && *text != '\'') || text[len - 1] != *text)
		return text;
	text[len - 1] = '\0';
	return text + 1;
}

char *lines_part(char **rest, const char *separators)
{
	char *part = *rest;

	if (!part)
		return NULL;
	char *end = part + strcspn(part, separators);

	*rest = *end ? end + 1 : NULL;
	*end = '\0';
	return lines_trim(part);
}

bool lines_number(struct recipe *p, const struct said *said, const char *text, unsigned long most,
	unsigned long *value)
{
	char *end;

	*value = strtoul(text, &end, 10);
	if (isdigit((unsigned char)*text) && !*end && *value <= most)
		return true;
	recipe_leave(p, said, "\"%s\" is no number from 0 to %lu", text, most);
	return false;
}

/* Where the comment begins, outside of quotes; or the end. */
static size_t without_comment(const char *text, const char *comment)
{
	bool quoted = false;
	size_t i;

	for (i = 0; text[i]; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (comment && !quoted && i && is_blank(text[i - 1]) &&
			strchr(comment, text[i]))
			break;
	}
	return i;
}

static bool is_text(const char *text)
{
	for (; *text; text++)
		if (*text != '\t' && (*text < ' ' || *text > '~'))
			return false;
	return true;
}

/* The text of this line, cut to what it says; false: nothing, or nothing that can be read. */
static bool read_line(struct lines *l, struct span line)
{
	if (line.len >= sizeof l->text) {
		l->said.text = "";
		recipe_leave(l->recipe, &l->said, "the line is too long");
		return false;
	}
	memcpy(l->text, line.at, line.len);
	l->text[line.len] = '\0';
	char *text = lines_trim(l->text);

	if (*text && strchr(l->comment, *text))
		return false;
	text[without_comment(text, l->comment_behind)] = '\0';
	text = lines_trim(text);
	memmove(l->text, text, strlen(text) + 1);
	memcpy(l->kept, l->text, strlen(l->text) + 1);
	l->said.text = l->kept;
	if (memchr(line.at, '\0', line.len) || !is_text(l->text)) {
		recipe_leave(l->recipe, &l->said, "octets that are no ASCII text");
		return false;
	}
	return *l->text != '\0';
}

bool lines_next(struct lines *l)
{
	while (l->rest.len) {
		const uint8_t *end = memchr(l->rest.at, '\n', l->rest.len);
		struct span line = { l->rest.at, end ? (size_t)(end - l->rest.at) : l->rest.len };
		size_t used = line.len + (end ? 1 : 0);

		l->rest = (struct span){ l->rest.at + used, l->rest.len - used };
		l->said.line++;
		if (read_line(l, line))
			return true;
	}
	return false;
}

static bool is_word(const struct word *w, const char *name)
{
	size_t len = strlen(w->name);

	return w->name[len - 1] == '*' ? strncmp(w->name, name, len - 1) == 0
				       : strcmp(w->name, name) == 0;
}

void words_take(struct recipe *p, const struct word *words, const struct said *said,
	const char *name, char *value)
{
	const struct word *w = words;

	while (w->name && !is_word(w, name))
		w++;
	if (!w->name)
		recipe_leave(p, said, "not known");
	else if (w->take)
		w->take(p, said, value);
	else if (w->left)
		recipe_leave(p, said, "%s", w->left);
	else
		recipe_remark(p, said, w->moot);
}
