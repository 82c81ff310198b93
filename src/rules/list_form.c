#include "rules/list_form.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Octets of a line that are shown. */
#define SHOWN 60

bool list_fault(struct list_reading *r, const char *why, const char *text)
{
	struct list_report *report = r->report;
	char shown[4 * SHOWN + 1] = "", *to = shown;
	size_t len = text ? strlen(text) : 0;

	for (size_t i = 0; i < len && i < SHOWN; i++) {
		unsigned char c = (unsigned char)text[i];

		to += snprintf(to, 5, c < ' ' || c >= 0x7f ? "\\x%02x" : "%c", c);
	}
	/* What is escaped takes four times the room; the dots must be seen all the same. */
	size_t room = sizeof report->why - strlen(why) - sizeof ": \"...\"";
	bool cut = len > SHOWN || strlen(shown) > room;

	report->line = r->line;
	if (text)
		snprintf(report->why, sizeof report->why, "%s: \"%.*s%s\"", why, (int)room, shown,
			cut ? "..." : "");
	else
		snprintf(report->why, sizeof report->why, "%s", why);
	return false;
}

bool list_ignore(struct list_reading *r, const char *why)
{
	if (r->report->ignored++ == 0) {
		r->report->ignored_line = r->line;
		r->report->ignored_why = why;
	}
	return true;
}

bool list_give(struct list_reading *r, struct list_entry *entry)
{
	entry->line = r->line;
	if (!r->take(r->arg, entry))
		return list_fault(r, "out of memory", NULL);
	r->report->entries++;
	return true;
}

bool list_is_foreign(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return *text;
}

/* Letters, digits, hyphens and underscores, and what else may be in it: an error page of HTML is no
 * list of odd names. */
static bool is_name_of(const char *text, const char *also)
{
	while (isalnum((unsigned char)*text) ||
		(*text && (strchr("-_.", *text) || strchr(also, *text))))
		text++;
	return !*text;
}

static bool is_address(const char *text)
{
	struct addr a;

	return (isdigit((unsigned char)*text) || strchr(text, ':')) && addr_parse(&a, text, 0);
}

bool list_give_name(struct list_reading *r, enum pattern_kind kind, const char *text, bool allows)
{
	uint8_t name[NAME_MAX_WIRE];
	struct list_entry entry = { .kind = kind, .allows = allows };

	if (list_is_foreign(text))
		return list_ignore(r, "a name that is not ASCII; questions have it as xn--");
	if (is_address(text))
		return list_ignore(r, "an address is no name that is asked for");
	size_t len = is_name_of(text, "") ? name_from_text(text, name) : 0;
	if (!len)
		return list_fault(r, "not a name", text);
	name_lower(name, len);
	entry.name = (struct span){ name, len };
	return list_give(r, &entry);
}

bool list_give_glob(struct list_reading *r, const char *text, bool allows)
{
	char glob[NAME_TEXT];
	size_t len = strlen(text);

	if (!strchr(text, '*'))
		return list_give_name(r, PATTERN_EXACT, text, allows);
	if (strncmp(text, "*.", 2) == 0 && !strchr(text + 1, '*'))
		return list_give_name(r, PATTERN_BELOW, text + 2, allows);
	if (list_is_foreign(text))
		return list_ignore(r, "a name that is not ASCII; questions have it as xn--");
	if (len >= sizeof glob || !is_name_of(text, "*"))
		return list_fault(r, "not a name", text);
	for (size_t i = 0; i <= len; i++)
		glob[i] = (char)tolower((unsigned char)text[i]);
	struct list_entry entry = { .kind = PATTERN_GLOB, .glob = glob, .allows = allows };

	return list_give(r, &entry);
}

void list_cut_comment(char *line)
{
	for (char *at = line; (at = strchr(at, '#')); at++) {
		if (at > line && !strchr(" \t", at[-1]))
			continue;
		while (at > line && strchr(" \t", at[-1]))
			at--;
		*at = 0;
		return;
	}
}

char *list_next_word(char *line)
{
	line += strcspn(line, " \t");
	if (*line)
		*line++ = 0;
	return line + strspn(line, " \t");
}
