#include "config/parts.h"

#include <string.h>

#include "config/near.h"
#include "config/print.h"

struct setting parts_setting(
	const struct setting *s, const struct kind *kind, const char *path, void *field)
{
	struct setting inner = *s;

	inner.kind = kind;
	inner.path = path;
	inner.field = field;
	return inner;
}

static struct setting setting_of(
	const struct setting *s, const struct config_option *row, const char *path, void *base)
{
	struct setting inner = parts_setting(s, row->kind, path, (char *)base + row->offset);

	inner.option = row;
	return inner;
}

void parts_begin(const struct setting *s, const struct config_option *table, void *base)
{
	const struct place nowhere = { 0 };

	for (const struct config_option *row = table; row->key; row++) {
		const char *text = row->standard;
		struct setting inner = setting_of(s, row, row->key, base);

		if (text)
			kind_take(&inner,
				syntax_text(&s->config->memory, nowhere, text, strlen(text)));
	}
}

static void tell_unknown(const struct setting *s, const struct config_option *table,
	const char *path, const struct node *key)
{
	struct near near;

	near_init(&near, key->text);
	for (const struct config_option *row = table; row->key; row++)
		near_try(&near, row->key);
	problem(s->problems, &key->place, path,
		near.best ? "unknown key; did you mean \"%s\"?" : "unknown key%s",
		near.best ? near.best : "");
}

void parts_take(const struct setting *s, const struct config_option *table, void *base,
	const struct node *map)
{
	if (map->kind == NODE_BAD)
		return;
	if (map->kind != NODE_MAP) {
		problem(s->problems, &map->place, s->path, "%s stands where a map is expected",
			node_kind_name(map->kind));
		return;
	}
	for (const struct node *n = map->first; n; n = n->next) {
		const char *key = n->key->text;
		const char *path = memory_format(&s->config->memory, "%s.%s", s->path, key);
		const struct config_option *row = table;

		while (row->key && strcmp(row->key, key) != 0)
			row++;
		if (!row->key) {
			tell_unknown(s, table, path, n->key);
			continue;
		}
		struct setting inner = setting_of(s, row, path, base);

		kind_take(&inner, n);
	}
}

static bool is_standard(const struct config_option *row, const char *first)
{
	return !first || (row->standard && strcmp(first, row->standard) == 0);
}

void parts_print(const void *base, const struct config_option *table, FILE *out)
{
	const char *before = "{ ";
	struct memory m = { NULL };

	for (const struct config_option *row = table; row->key; row++) {
		const char *text = row->kind->text(base, row, 0, &m);

		if (is_standard(row, text))
			continue;
		fprintf(out, "%s%s: %s", before, row->key, row->kind->most > 0 ? "[" : "");
		before = ", ";
		print_scalar(text, out);
		for (size_t i = 1;
			row->kind->most > 0 && (text = row->kind->text(base, row, i, &m)); i++) {
			fputs(", ", out);
			print_scalar(text, out);
		}
		fputs(row->kind->most > 0 ? "]" : "", out);
	}
	fputs(" }", out);
	memory_clear(&m);
}

const struct node *parts_find(const struct node *map, const char *key)
{
	for (const struct node *n = map->first; n; n = n->next)
		if (strcmp(n->key->text, key) == 0)
			return n;
	return NULL;
}

/* Room doubles: it is full where the count is a power of two. */
void words_add(struct memory *m, struct word_list *words, const char *word)
{
	size_t n = words->count;

	if ((n & (n - 1)) == 0) {
		const char **more = memory_take(m, (n ? 2 * n : 1) * sizeof *more);

		if (n)
			memcpy(more, words->all, n * sizeof *more);
		words->all = more;
	}
	words->all[words->count++] = word;
}

bool words_have(const struct word_list *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->all[i], word) == 0)
			return true;
	return false;
}

void words_print(const struct word_list *words, FILE *out)
{
	fputc('[', out);
	for (size_t i = 0; i < words->count; i++) {
		fputs(i ? ", " : "", out);
		print_scalar(words->all[i], out);
	}
	fputc(']', out);
}
