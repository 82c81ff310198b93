/* import: what other programs were told, as a configuration of ours. */
#ifndef IMPORT_IMPORT_H
#define IMPORT_IMPORT_H

#include "base/span.h"
#include "import/recipe.h"

/* A program whose configuration can be read. */
struct import_format {
	const char *name;
	/* Puts all that the text says into the recipe, or leaves it. */
	void (*read)(struct recipe *, struct span text);
};

extern const struct import_format import_formats[]; /* ends with no name */

void dnschef_read(struct recipe *, struct span);
void dnsmasq_read(struct recipe *, struct span);
void stubby_read(struct recipe *, struct span);
void unbound_read(struct recipe *, struct span);
void resolved_read(struct recipe *, struct span);
void cloudflared_read(struct recipe *, struct span);
void dnsproxy_read(struct recipe *, struct span);

/* A fake of dnschef: names that match the pattern have this, for questions of this type. except are
 * patterns where it does not hold, ending with NULL; may be NULL. */
struct dnschef_fake {
	const char *type, *value;
	const char *pattern; /* NULL: every name */
	const char *const *except;
};
void dnschef_add(struct recipe *, const struct said *, const struct dnschef_fake *);
/* `ip[#port[#proto]],...`, as dnschef has them. */
void dnschef_add_servers(struct recipe *, const struct said *, char *servers);

/* Reads such a file into a recipe: 0, or the exit status of import_run() if there is no such format
 * or file. */
int import_into(struct recipe *, const char *format, const char *file);

/* What there is to be known of a format, and a file; "-" is standard input. */
struct import_job {
	const char *format, *file;
	bool lenient;
};

/* Writes YAML to out, and what is not carried to err. The exit status: 0, or 1: something was not;
 * 64: there is no such format, which has not been told; 66: no such file; 78: it is not of that
 * format, and nothing is written. */
enum { IMPORT_LEFT = 1, IMPORT_USAGE = 64, IMPORT_NO_FILE = 66, IMPORT_BROKEN = 78 };
int import_run(const struct import_job *, FILE *out, FILE *err);

#endif
