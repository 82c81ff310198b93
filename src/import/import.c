#include "import/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"

/* Lists of names are such files, too. */
#define FILE_MAX ((size_t)64 * 1024 * 1024)

const struct import_format import_formats[] = {
	{ "dnschef", dnschef_read },
	{ "dnsmasq", dnsmasq_read },
	{ "stubby", stubby_read },
	{ "unbound", unbound_read },
	{ "resolved", resolved_read },
	{ "cloudflared", cloudflared_read },
	{ "dnsproxy", dnsproxy_read },
	{ 0 },
};

/* 0 or -errno. */
static int read_all(FILE *in, struct buf *text)
{
	size_t got;

	do {
		uint8_t *room = buf_room(text, 65536);

		if (!room)
			return -ENOMEM;
		got = fread(room, 1, 65536, in);
		buf_grow(text, got);
	} while (got && buf_len(text) <= FILE_MAX);
	return ferror(in) ? -EIO : got ? -EFBIG : 0;
}

static int read_file(const char *name, struct buf *text)
{
	bool standard = strcmp(name, "-") == 0;
	FILE *in = standard ? stdin : fopen(name, "re");
	struct stat st;

	if (!in)
		return -errno;
	int err = fstat(fileno(in), &st) == 0 && S_ISDIR(st.st_mode) ? -EISDIR : read_all(in, text);
	if (!standard)
		fclose(in);
	return err;
}

int import_into(struct recipe *p, const char *format, const char *file)
{
	const struct import_format *f = import_formats;
	struct buf text = { 0 };

	while (f->name && strcmp(f->name, format) != 0)
		f++;
	if (!f->name)
		return IMPORT_USAGE;
	int err = read_file(file, &text);

	if (err)
		fprintf(p->err, "sotto: cannot read %s: %s\n", file, strerror(-err));
	else
		f->read(p, buf_span(&text));
	buf_clear(&text);
	return err ? IMPORT_NO_FILE : 0;
}

int import_run(const struct import_job *job, FILE *out, FILE *err)
{
	struct recipe p;

	recipe_init(&p, strcmp(job->file, "-") == 0 ? "standard input" : job->file, err);
	p.lenient = job->lenient;
	int status = import_into(&p, job->format, job->file);

	if (!status && p.broken)
		status = IMPORT_BROKEN;
	if (!status) {
		recipe_print(&p, out);
		status = p.left ? IMPORT_LEFT : 0;
	}
	recipe_clear(&p);
	return status;
}
