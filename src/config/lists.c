/* lists: the map `lists`, whose entries a later source replaces part by part. */
#include "config/lists.h"

#include <string.h>

#include "config/parts.h"
#include "config/print.h"
#include "config/views.h"

#define ROW(key, kind, member) PART(struct written_list, key, kind, member)
#define WEEK                   (7u * 24 * 3600000)

/* --- what a blocked question is answered with --------------------------------------------------
 */

static void begin_answer(const struct setting *s, size_t count)
{
	struct word_list *words = s->field;

	(void)count;
	*words = (struct word_list){ 0 };
}

bool lists_read_answer(const char *text, enum block_answer *answer)
{
	static const char *const words[] = { "nxdomain", "nodata", "zero", "refused" };

	for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(text, words[i]) == 0) {
			*answer = i;
			return true;
		}
	}
	return false;
}

static void take_answer(const struct setting *s, const struct node *node)
{
	struct word_list *words = s->field;
	enum block_answer answer;
	struct addr a;

	if (lists_read_answer(node->text, &answer) ? words->count > 0
						   : !addr_parse(&a, node->text, 0) ||
				addr_port(&a) || strchr(node->text, '['))
		kind_tell_form(s, node);
	else if (words->count && lists_read_answer(words->all[0], &answer))
		problem(s->problems, &node->place, s->path, "an address beside %s", words->all[0]);
	else
		words_add(&s->config->memory, words, node->text);
}

static const char *answer_text(
	const struct config *base, const struct config_option *o, size_t index, struct memory *m)
{
	const struct word_list *words = (const void *)((const char *)base + o->offset);

	(void)m;
	return index < words->count ? words->all[index] : NULL;
}

static const struct kind kind_answer = { .name = "word or addresses",
	.form = "nxdomain, nodata, zero or refused alone, or addresses",
	.most = 16,
	.begin = begin_answer,
	.take = take_answer,
	.text = answer_text };

/* --- one list ----------------------------------------------------------------------------------
 */

static const struct config_option parts[] = {
	{ ROW("file", kind_text, file) },
	{ ROW("format", kind_format, format), .standard = "auto" },
	{ ROW("allow", kind_flag, allows), .standard = "false" },
	{ ROW("answer", kind_answer, answer) },
	{ ROW("ttl", kind_duration, ttl_ms), .standard = "1m", .max = WEEK },
	{ ROW("ede", kind_why_blocked, ede), .standard = "blocked" },
	{ 0 },
};

/* NULL: there are too many, which is told. */
static struct written_list *find(const struct setting *s, const struct node *node)
{
	struct written_list **l = &s->config->written_rules.lists;
	size_t count = 0;

	for (; *l && strcmp((*l)->name, node->key->text) != 0; l = &(*l)->next)
		count++;
	if (!*l && count == LISTS_MAX) {
		problem(s->problems, &node->key->place, s->path, "more than %d lists", LISTS_MAX);
		return NULL;
	}
	if (!*l) {
		*l = memory_take(&s->config->memory, sizeof **l);
		(*l)->name = node->key->text;
		parts_begin(s, parts, *l);
	}
	(*l)->place = node->key->place;
	(*l)->path = s->path;
	return *l;
}

/* `NAME: FILE`, or `NAME: { file: FILE, ... }`. */
static void take_list_entry(const struct setting *s, const struct node *node)
{
	struct written_list *l = views_check_name(s, node) ? find(s, node) : NULL;

	if (!l)
		return;
	if (node->kind == NODE_TEXT && *node->text)
		l->file = node->text;
	else
		parts_take(s, parts, l, node);
}

static void print_lists(const struct config *c, FILE *out)
{
	fputs(c->written_rules.lists ? "\n" : " {}\n", out);
	for (const struct written_list *l = c->written_rules.lists; l; l = l->next) {
		fputs("  ", out);
		print_scalar(l->name, out);
		fputs(": ", out);
		parts_print(l, parts, out);
		fputc('\n', out);
	}
}

const struct kind kind_lists = { .name = "map of names to files or maps",
	.form = "the name of a file, or a map",
	.most = LISTS_MAX,
	.take_entry = take_list_entry,
	.print = print_lists };
