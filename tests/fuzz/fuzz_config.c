/* A configuration file of arbitrary octets: either it is refused, and each error has its place in
 * the file; or it is taken, and what `sotto check` prints of it reads back to the same. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "fuzz.h"

struct text {
	char *at;
	size_t len;
};

/* The one file, always the same one, so that its name is too. */
static int file(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("sotto.yaml", MFD_CLOEXEC);
	HOLDS(fd >= 0);
	return fd;
}

static const char *file_name(void)
{
	static char name[64];

	snprintf(name, sizeof name, "/proc/self/fd/%d", file());
	return name;
}

/* False: it is refused, for these reasons. */
static bool load(struct config *c, struct span yaml, struct text *errors)
{
	FILE *err = open_memstream(&errors->at, &errors->len);
	const struct config_sources sources = { .file = file_name() };

	HOLDS(err && ftruncate(file(), 0) == 0);
	HOLDS(pwrite(file(), yaml.at, yaml.len, 0) == (ssize_t)yaml.len);
	bool ok = config_load(c, &sources, err);

	fclose(err);
	return ok;
}

/* ---- errors ---- */

/* The line of that number; a line ends with a line feed, a carriage return, or both, and behind the
 * last end there is one more. */
static bool find_line(struct span yaml, unsigned number, struct span *line)
{
	size_t at = 0, len;

	for (;; at += len + 1) {
		for (len = 0; at + len < yaml.len; len++)
			if (yaml.at[at + len] == '\n' || yaml.at[at + len] == '\r')
				break;
		*line = (struct span){ yaml.at + at, len };
		if (--number == 0)
			return true;
		if (at + len == yaml.len)
			return false;
		if (yaml.len - at - len > 1 && memcmp(yaml.at + at + len, "\r\n", 2) == 0)
			at++;
	}
}

static bool is_inside(struct span yaml, unsigned number, unsigned column)
{
	struct span line;
	size_t characters = 0;

	if (number == 0 || column == 0 || !find_line(yaml, number, &line))
		return false;
	for (size_t i = 0; i < line.len; i++)
		characters += (line.at[i] & 0xc0) != 0x80;
	return column <= characters + 1;
}

/* `FILE:LINE:COLUMN: ...` each, excerpts between them, `N errors` at the end. */
static void check_errors(struct span yaml, const struct text *errors)
{
	size_t name_len = strlen(file_name());
	unsigned places = 0, line, column, count;
	char *rest = NULL, *last = NULL;

	for (char *row = strtok_r(errors->at, "\n", &rest); row;
		row = strtok_r(NULL, "\n", &rest)) {
		last = row;
		/* What the file says may be too much beside what is so by default. */
		places += strncmp(row, "default: ", 9) == 0;
		if (strncmp(row, file_name(), name_len) != 0)
			continue;
		HOLDS(sscanf(row + name_len, ":%u:%u: ", &line, &column) == 2);
		HOLDS(is_inside(yaml, line, column));
		places++;
	}
	HOLDS(last && sscanf(last, "%u error", &count) == 1 && count > 0);
	HOLDS(places == count || (places == 100 && count > 100));
}

/* ---- what is taken ---- */

static struct text print(const struct config *c)
{
	struct text text;
	FILE *out = open_memstream(&text.at, &text.len);

	HOLDS(out);
	config_print(c, out);
	fclose(out);
	return text;
}

static void check_print(struct config *c)
{
	struct text first = print(c), second, errors;

	config_clear(c);
	HOLDS(load(c, (struct span){ (const uint8_t *)first.at, first.len }, &errors));
	second = print(c);
	HOLDS(first.len == second.len && memcmp(first.at, second.at, first.len) == 0);
	free(errors.at);
	free(first.at);
	free(second.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct config c;
	struct text errors;

	if (load(&c, (struct span){ data, len }, &errors)) {
		check_print(&c);
		config_clear(&c);
	} else {
		check_errors((struct span){ data, len }, &errors);
	}
	free(errors.at);
	return 0;
}
