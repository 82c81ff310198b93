#include "config/syntax.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

/* Deeper than any key; a bound against files that only nest. */
#define DEPTH_MAX 8

/* A tree in the making. Events come in the order of the text; stack[depth - 1] is the open list or
 * map.
 */
struct builder {
	const struct source *source;
	struct memory *memory;
	struct problems *problems;
	struct node *root;
	struct node *stack[DEPTH_MAX];
	struct node *last[DEPTH_MAX]; /* child of the open one */
	struct node *key[DEPTH_MAX]; /* read, its value not yet */
	unsigned depth, too_deep;
	unsigned documents;
};

const char *node_kind_name(enum node_kind kind)
{
	static const char *const names[] = {
		[NODE_NOTHING] = "nothing",
		[NODE_TEXT] = "a value",
		[NODE_LIST] = "a list",
		[NODE_MAP] = "a map of keys",
		[NODE_BAD] = "nothing",
	};

	return names[kind];
}

struct node *syntax_node(struct memory *m, enum node_kind kind, struct place place)
{
	struct node *n = memory_take(m, sizeof(*n));

	n->kind = kind;
	n->place = place;
	return n;
}

struct node *syntax_text(struct memory *m, struct place place, const char *text, size_t len)
{
	struct node *n = syntax_node(m, NODE_TEXT, place);

	n->text = memory_copy(m, text, len);
	return n;
}

static bool is_quoted(struct fy_event *event)
{
	struct fy_token *token = event->type == FYET_SCALAR ? event->scalar.value : NULL;
	enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;

	return style == FYSS_DOUBLE_QUOTED || style == FYSS_SINGLE_QUOTED;
}

/* Where an event stands. libfyaml gives none for an absent value, which stands behind its key, and
 * the first character inside the quotes for a quoted one. */
static struct place event_place(const struct builder *b, struct fy_event *event)
{
	const struct fy_mark *mark = fy_event_start_mark(event);
	const struct node *key = b->depth > 0 ? b->key[b->depth - 1] : NULL;

	if (!mark && key)
		return key->place;
	struct place place = { b->source, 1, 1 };
	if (mark) {
		place.line = (unsigned)mark->line + 1;
		place.column = (unsigned)mark->column + 1;
	}
	if (is_quoted(event) && place.column > 1)
		place.column--;
	return place;
}

static void tell_duplicate(struct builder *b, const struct node *key, const struct node *first)
{
	const char *path = "";

	for (unsigned i = 1; i < b->depth; i++) {
		if (b->stack[i]->key)
			path = memory_format(b->memory, "%s%s.", path, b->stack[i]->key->text);
	}
	path = memory_format(b->memory, "%s%s", path, key->text);
	problem(b->problems, &key->place, path, "duplicate key; first on line %u",
		first->place.line);
}

static bool is_duplicate(struct builder *b, const struct node *key)
{
	for (const struct node *child = b->stack[b->depth - 1]->first; child; child = child->next) {
		if (strcmp(child->key->text, key->text) != 0)
			continue;
		tell_duplicate(b, key, child->key);
		return true;
	}
	return false;
}

static void append(struct builder *b, struct node *n)
{
	unsigned top = b->depth - 1;

	if (b->last[top])
		b->last[top]->next = n;
	else
		b->stack[top]->first = n;
	b->last[top] = n;
}

static void take_key(struct builder *b, struct node *n)
{
	unsigned top = b->depth - 1;

	if (n->kind != NODE_TEXT) {
		if (n->kind != NODE_BAD)
			problem(b->problems, &n->place, NULL, "a key must be a word, not %s",
				node_kind_name(n->kind));
		n = syntax_text(b->memory, n->place, "", 0);
	}
	/* A map inside of a flow list starts, for libfyaml, at its first colon. */
	if (!b->last[top] && n->place.line == b->stack[top]->place.line &&
		n->place.column < b->stack[top]->place.column)
		b->stack[top]->place = n->place;
	b->key[top] = n;
}

static void take_value(struct builder *b, struct node *n)
{
	unsigned top = b->depth - 1;

	n->key = b->key[top];
	b->key[top] = NULL;
	bool keyless = n->key->text[0] == '\0';
	if (!keyless && !is_duplicate(b, n->key))
		append(b, n);
}

/* Puts a node where the events are. */
static void place_node(struct builder *b, struct node *n)
{
	if (b->depth == 0) {
		if (b->documents == 1)
			b->root = n;
	} else if (b->stack[b->depth - 1]->kind == NODE_LIST) {
		append(b, n);
	} else if (!b->key[b->depth - 1]) {
		take_key(b, n);
	} else {
		/* libfyaml's releases differ in where a value is that is not there. */
		if (n->kind == NODE_NOTHING && n->place.line == 0)
			n->place = b->key[b->depth - 1]->place;
		take_value(b, n);
	}
}

static void open_node(struct builder *b, struct node *n)
{
	if (b->too_deep > 0 || b->depth == DEPTH_MAX) {
		if (b->too_deep++ == 0) {
			problem(b->problems, &n->place, NULL, "nested too deep");
			place_node(b, syntax_node(b->memory, NODE_BAD, n->place));
		}
		return;
	}
	/* A list or map as a key is told when it opens; what it holds goes nowhere. */
	place_node(b, n);
	b->stack[b->depth] = n;
	b->last[b->depth] = b->key[b->depth] = NULL;
	b->depth++;
}

static void close_node(struct builder *b)
{
	if (b->too_deep > 0)
		b->too_deep--;
	else
		b->depth--;
}

static bool is_null(struct fy_event *event, const char *text, size_t len)
{
	if (is_quoted(event))
		return false;
	return len == 0 || (len == 1 && text[0] == '~') ||
		(len == 4 && memcmp(text, "null", 4) == 0);
}

/* A plain value of some length, whatever libfyaml says that it reads: it says nothing of memory. */
static bool is_written(struct fy_event *event)
{
	struct fy_token *token = event->scalar.value;
	const struct fy_mark *start = fy_event_start_mark(event), *end = fy_event_end_mark(event);

	return token && fy_token_scalar_style(token) == FYSS_PLAIN && start && end &&
		start->input_pos < end->input_pos;
}

static struct node *read_scalar(struct builder *b, struct fy_event *event, struct place place)
{
	size_t len = 0;
	struct fy_token *token = event->scalar.value;
	const char *text = token ? fy_token_get_text(token, &len) : "";

	if (!text || (len == 0 && is_written(event))) {
		problem(b->problems, &place, NULL, "cannot be read; is there no memory?");
		return syntax_node(b->memory, NODE_BAD, place);
	}
	if (b->depth && b->key[b->depth - 1] && len == 0 && !is_quoted(event))
		place.line = 0; /* nowhere */
	if (is_null(event, text, len))
		return syntax_node(b->memory, NODE_NOTHING, place);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= ' ' && c != 0x7f)
			continue;
		problem(b->problems, &place, NULL,
			"a value must be one line without control characters");
		return syntax_node(b->memory, NODE_BAD, place);
	}
	return syntax_text(b->memory, place, text, len);
}

/* What YAML has and this configuration does not. */
static bool is_refused(struct builder *b, struct fy_event *event, struct place place)
{
	struct fy_token *anchor = fy_event_get_anchor_token(event);
	struct fy_token *tag = fy_event_get_tag_token(event);

	if (event->type == FYET_ALIAS)
		problem(b->problems, &place, NULL,
			"aliases (*name) are not used here; repeat the value");
	else if (anchor)
		problem(b->problems, &place, NULL, "anchors (&name) are not used here");
	else if (tag)
		problem(b->problems, &place, NULL, "tags (!name) are not used here");
	return event->type == FYET_ALIAS || anchor || tag;
}

static void take_document(struct builder *b, struct place place)
{
	if (++b->documents == 2)
		problem(b->problems, &place, NULL,
			"a second document; a configuration is one document");
}

static void take_event(struct builder *b, struct fy_event *event)
{
	struct place place = event_place(b, event);

	switch (event->type) {
	case FYET_DOCUMENT_START:
		take_document(b, place);
		break;
	case FYET_MAPPING_START:
	case FYET_SEQUENCE_START:
		is_refused(b, event, place);
		open_node(b,
			syntax_node(b->memory,
				event->type == FYET_MAPPING_START ? NODE_MAP : NODE_LIST, place));
		break;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		close_node(b);
		break;
	case FYET_SCALAR:
	case FYET_ALIAS:
		if (b->too_deep > 0)
			break;
		place_node(b,
			is_refused(b, event, place) ? syntax_node(b->memory, NODE_BAD, place)
						    : read_scalar(b, event, place));
		break;
	default:
		break;
	}
}

/* The first byte that is not part of text in UTF-8; len if all is well. libfyaml would read UTF-16
 * too, and stop silently at some control characters. */
static size_t first_bad_byte(const char *text, size_t len)
{
	const unsigned char *t = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		unsigned char c = t[i];
		bool control = (c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f;
		size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

		if (control || (c >= 0x80 && c < 0xc2) || c > 0xf4 || more >= len - i)
			return i;
		for (size_t k = 1; k <= more; k++) {
			if ((t[i + k] & 0xc0) != 0x80)
				return i;
		}
		i += more + 1;
	}
	return len;
}

/* Where the byte behind that many stands. */
static struct place place_behind(const struct source *source, const char *text, size_t len)
{
	struct place place = { source, 1, 1 };

	for (size_t i = 0; i < len; i++) {
		bool half = text[i] == '\r' && i + 1 < len && text[i + 1] == '\n';

		if (text[i] == '\n' || (text[i] == '\r' && !half)) {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

static bool is_text(
	const struct source *source, const char *text, size_t len, struct problems *problems)
{
	size_t bad = first_bad_byte(text, len);

	if (bad == len)
		return true;
	struct place place = place_behind(source, text, bad);

	problem(problems, &place, NULL, "byte 0x%02x is not text in UTF-8",
		(unsigned char)text[bad]);
	return false;
}

/* libfyaml's first error is the cause, later ones follow from it; without memory it tells of none.
 * What is missing at the end of a text without a last line feed is missed, for it, in the line
 * below. */
static void tell_syntax_error(struct builder *b, struct fy_diag *diag, const char *text, size_t len)
{
	void *iterator = NULL;
	const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &iterator);
	struct place place = { b->source, 1, 1 }, end = place_behind(b->source, text, len);

	if (error && error->line > 0 && error->column > 0) {
		place.line = (unsigned)error->line;
		place.column = (unsigned)error->column;
	}
	if (place.line > end.line)
		place = end;
	problem(b->problems, &place, NULL, "not YAML: %s",
		error ? error->msg : "cannot be read; is there no memory?");
}

static bool read_events(struct builder *b, struct fy_diag *diag, const char *text, size_t len)
{
	struct fy_parse_cfg cfg = { .flags = FYPCF_DEFAULT_VERSION_1_2, .diag = diag };
	struct fy_parser *parser = fy_parser_create(&cfg);
	struct fy_event *event;
	bool ended = false;

	if (!parser || fy_parser_set_string(parser, text, len) < 0)
		memory_out();
	while ((event = fy_parser_parse(parser))) {
		ended = event->type == FYET_STREAM_END;
		take_event(b, event);
		fy_parser_event_free(parser, event);
	}
	bool failed = fy_parser_get_stream_error(parser);
	if (failed || !ended)
		tell_syntax_error(b, diag, text, len);
	fy_parser_destroy(parser);
	return !failed && ended;
}

struct node *syntax_read(const struct source *source, const char *text, size_t len,
	struct memory *memory, struct problems *problems)
{
	struct builder b = { .source = source, .memory = memory, .problems = problems };

	if (!is_text(source, text, len, problems))
		return NULL;
	b.root = syntax_node(memory, NODE_NOTHING, (struct place){ source, 1, 1 });
	if (len == 0)
		return b.root;

	struct fy_diag_cfg cfg;
	fy_diag_cfg_default(&cfg);
	cfg.fp = NULL;
	struct fy_diag *diag = fy_diag_create(&cfg);
	if (!diag)
		memory_out();
	fy_diag_set_collect_errors(diag, true);
	bool ok = read_events(&b, diag, text, len);
	fy_diag_destroy(diag);
	return ok ? b.root : NULL;
}
