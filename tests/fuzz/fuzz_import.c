/* A file of another program, read as each format: what is printed is YAML as we read it, the same
 * whenever the same is read; what is left is told, and nothing else is. */
#include <stdlib.h>
#include <string.h>

#include "config/syntax.h"
#include "fuzz.h"
#include "import/import.h"

struct made {
	char *out, *err;
	size_t out_len, err_len;
};

static bool make(const struct import_format *format, struct span text, struct made *m)
{
	FILE *out = open_memstream(&m->out, &m->out_len);
	FILE *err = open_memstream(&m->err, &m->err_len);
	struct recipe p;

	HOLDS(out && err);
	recipe_init(&p, "file", err);
	format->read(&p, text);
	recipe_print(&p, out);
	bool broken = p.broken;

	HOLDS(fflush(err) == 0);
	HOLDS((p.left || broken) == (m->err_len > 0));
	recipe_clear(&p);
	fclose(out);
	fclose(err);
	return !broken;
}

static void check(const struct import_format *format, struct span text)
{
	struct made first, second;
	struct memory memory = { NULL };
	struct source source = { .name = "made" };

	if (make(format, text, &first)) {
		struct problems problems = { .out = stderr };

		source.text = first.out;
		source.len = first.out_len;
		HOLDS(syntax_read(&source, first.out, first.out_len, &memory, &problems));
		HOLDS(!problems.count);
	}
	make(format, text, &second);
	HOLDS(first.out_len == second.out_len && !memcmp(first.out, second.out, first.out_len));
	memory_clear(&memory);
	free(first.out);
	free(first.err);
	free(second.out);
	free(second.err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	for (const struct import_format *f = import_formats; f->name; f++)
		check(f, (struct span){ data, len });
	return 0;
}
