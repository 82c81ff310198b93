#include "rules/lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/replace.h"
#include "rules/list_form.h"

/* Octets of a line. */
#define LINE_MAX_LEN 65536
/* Lines by which a form is told. */
#define TELLING_LINES 100

struct line {
	size_t len;
	char text[LINE_MAX_LEN + 1];
};

/* ---- lines ---- */

static bool has_control(const struct line *l)
{
	for (size_t i = 0; i < l->len; i++) {
		unsigned char c = (unsigned char)l->text[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static void trim(struct line *l)
{
	size_t start = 0;

	while (l->len > 0 && memchr(" \t\r", l->text[l->len - 1], 3))
		l->len--;
	while (start < l->len && memchr(" \t", l->text[start], 2))
		start++;
	l->len -= start;
	memmove(l->text, l->text + start, l->len);
	l->text[l->len] = 0;
}

/* The next line, without its end. False: there is none, or it is too long, which is a fault. */
static bool next_line(struct list_reading *r, struct line *l)
{
	int c;

	r->line++;
	l->len = 0;
	while ((c = getc_unlocked(r->file)) != EOF && c != '\n') {
		if (l->len == LINE_MAX_LEN)
			return list_fault(r, "a line longer than 64 KiB", NULL);
		l->text[l->len++] = (char)c;
	}
	bool is = c != EOF || l->len > 0;
	trim(l);
	return is;
}

/* Back to the first line, behind a byte order mark. */
static void begin(struct list_reading *r)
{
	static const char mark[] = "\xef\xbb\xbf";
	char found[3];

	rewind(r->file);
	if (fread(found, 1, sizeof found, r->file) != sizeof found || memcmp(found, mark, 3) != 0)
		rewind(r->file);
	r->line = 0;
}

/* ---- which form ---- */

static unsigned count_words(char *line, char *words[], unsigned most)
{
	unsigned n = 0;

	while (*line && n < most) {
		words[n++] = line;
		line = list_next_word(line);
	}
	return n;
}

static bool is_of_zone(char *words[], unsigned count)
{
	static const char *const types[] = { "IN", "SOA", "NS", "CNAME", NULL };

	if (strcmp(words[0], "$TTL") == 0 || strcmp(words[0], "$ORIGIN") == 0)
		return true;
	for (unsigned i = 0; i + 1 < count; i++)
		for (const char *const *type = types; *type; type++)
			if (strcasecmp(words[i], *type) == 0)
				return true;
	return false;
}

static bool is_one_of(const char *line, const char *const starts[])
{
	while (*starts && strncmp(line, *starts, strlen(*starts)) != 0)
		starts++;
	return *starts;
}

/* What a line looks like. LIST_AUTO: nothing. */
static enum list_format looks_like(char *line)
{
	static const char *const adblock[] = { "||", "@@", "##", "[Adblock", "|http", NULL };
	static const char *const dnsmasq[] = { "address=/", "server=/", "local=/", NULL };
	char *words[5];
	struct addr a;

	if (is_one_of(line, adblock))
		return LIST_ADBLOCK;
	if (is_one_of(line, dnsmasq))
		return LIST_DNSMASQ;
	list_cut_comment(line);
	unsigned count = count_words(line, words, 5);
	if (count > 1 && addr_parse(&a, words[0], 0))
		return LIST_HOSTS;
	if (count > 0 && is_of_zone(words, count))
		return LIST_RPZ;
	if (count == 1 && strchr(words[0], '.') &&
		!words[0][strcspn(words[0], "/:=<>(){}|^$@\\\"'")])
		return LIST_DOMAINS;
	return LIST_AUTO;
}

static bool is_comment(const char *line)
{
	return strchr(";!", *line) || (*line == '#' && line[1] != '#');
}

/* Sets the form in the report. Filters of browsers may have lines of names and of hosts as well: a
 * line that only one form has says more than these. */
static bool tell(struct list_reading *r, struct line *l)
{
	enum list_format weak = LIST_AUTO;
	unsigned first = 0;
	char *unknown = NULL;

	for (unsigned n = 0; n < TELLING_LINES && next_line(r, l);) {
		if (l->len == 0 || is_comment(l->text))
			continue;
		if (n++ == 0) {
			first = r->line;
			unknown = strndup(l->text, RRSET_WHY);
		}
		enum list_format like = has_control(l) ? LIST_AUTO : looks_like(l->text);

		if (like == LIST_HOSTS || like == LIST_DOMAINS)
			weak = weak == LIST_AUTO ? like : weak;
		else if (like != LIST_AUTO) {
			weak = like;
			break;
		}
	}
	if (*r->report->why)
		return free(unknown), false;
	r->report->format = weak == LIST_AUTO && !first ? LIST_DOMAINS : weak;
	if (r->report->format == LIST_AUTO) {
		r->line = first;
		list_fault(r, "in none of the forms of lists", unknown);
	}
	free(unknown);
	return r->report->format != LIST_AUTO;
}

/* ---- all of it ---- */

static bool take_line(struct list_reading *r, struct line *l)
{
	switch (r->report->format) {
	case LIST_HOSTS:
		return list_line_hosts(r, l->text);
	case LIST_DOMAINS:
		return list_line_domains(r, l->text);
	case LIST_ADBLOCK:
		return list_line_adblock(r, l->text);
	default:
		return list_line_dnsmasq(r, l->text);
	}
}

static bool read_lines(struct list_reading *r, struct line *l)
{
	while (next_line(r, l)) {
		if (has_control(l))
			return list_fault(r, "control characters", l->text);
		if (l->len > 0 && !take_line(r, l))
			return false;
	}
	return !*r->report->why;
}

/* What is wrong in a zone, as it is written. */
static bool show_fault(struct list_reading *r, struct line *l)
{
	char why[RRSET_WHY];
	unsigned line = r->line;

	memcpy(why, r->report->why, sizeof why);
	begin(r);
	while (r->line < line && next_line(r, l))
		;
	r->line = line;
	return list_fault(r, why, l->text);
}

static bool read_all(struct list_reading *r, struct line *l)
{
	struct list_report *report = r->report;

	begin(r);
	if (report->format == LIST_AUTO) {
		if (!tell(r, l))
			return false;
		begin(r);
	}
	if (report->format == LIST_RPZ) {
		if (!list_read_rpz(r))
			return show_fault(r, l);
	} else if (!read_lines(r, l)) {
		return false;
	}
	if (ferror(r->file)) {
		r->line = 0;
		return list_fault(r, "cannot be read to its end", NULL);
	}
	if (report->entries == 0 && report->ignored > 0) {
		r->line = report->ignored_line;
		return list_fault(r, "nothing in it is for DNS", report->ignored_why);
	}
	return true;
}

/* Takes the file, NULL with errno. */
static bool read_file(struct list_reading *r, FILE *file)
{
	char reason[RRSET_WHY];
	struct line *l = file ? malloc(sizeof *l) : NULL;
	bool ok;

	r->file = file;
	if (l) {
		ok = read_all(r, l);
	} else {
		snprintf(reason, sizeof reason, "cannot be read: %s",
			replace_why_not(file ? ENOMEM : errno));
		ok = list_fault(r, reason, NULL);
	}
	free(l);
	if (file)
		fclose(file);
	return ok;
}

bool list_read(const char *file, enum list_format format,
	bool (*take)(void *arg, const struct list_entry *), void *arg, struct list_report *report)
{
	struct list_reading r = { .take = take, .arg = arg, .report = report };

	*report = (struct list_report){ .format = format };
	return read_file(&r, replace_read(file));
}

bool list_read_text(struct span text, enum list_format format,
	bool (*take)(void *arg, const struct list_entry *), void *arg, struct list_report *report)
{
	struct list_reading r = { .take = take, .arg = arg, .report = report };
	/* It is only read. */
	union {
		const uint8_t *from;
		void *to;
	} at = { text.at };

	*report = (struct list_report){ .format = format };
	return read_file(&r, fmemopen(at.to, text.len, "r"));
}

const char *list_format_name(enum list_format format)
{
	static const char *const names[] = { [LIST_AUTO] = "auto",
		[LIST_HOSTS] = "hosts",
		[LIST_DOMAINS] = "domains",
		[LIST_ADBLOCK] = "adblock",
		[LIST_DNSMASQ] = "dnsmasq",
		[LIST_RPZ] = "rpz" };

	return names[format];
}
