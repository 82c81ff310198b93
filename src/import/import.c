#include "import/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "config/config.h"

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

/* ---- the whole ---- */

/* Line by line, without the name of the file that it was read from. */
static void tell(const char *told, const char *path, FILE *err)
{
	fputs("sotto: `sotto check` does not take what is printed:\n", err);
	for (size_t n; *told; told += n + (told[n] == '\n')) {
		const char *line = told;

		n = strcspn(told, "\n");
		if (strncmp(line, path, strlen(path)) == 0)
			line += strlen(path) + 1;
		fprintf(err, "  %.*s\n", (int)(n - (size_t)(line - told)), line);
	}
}

/* Values are looked at one by one (import/taken); what they are together, our own reader says of
 * the text. Where it cannot be handed to it, nobody does. */
static bool check(const char *text, size_t len, FILE *err)
{
	char path[32], *told = NULL;
	size_t told_len;
	int fd = memfd_create("printed", MFD_CLOEXEC);
	FILE *problems = open_memstream(&told, &told_len);
	struct config *c = calloc(1, sizeof *c);
	bool ok = true;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (c && problems && fd >= 0 && write(fd, text, len) == (ssize_t)len &&
		access(path, R_OK) == 0)
		ok = config_load(c, &(struct config_sources){ .file = path }, problems);
	if (c && ok)
		config_clear(c);
	free(c);
	if (problems && fclose(problems) == 0 && !ok)
		tell(told, path, err);
	free(told);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Prints it; false: it is not to be used as it is. */
static bool print(struct recipe *p, FILE *out, FILE *err)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to) {
		recipe_print(p, out);
		return true;
	}
	recipe_print(p, to);
	bool ok = fclose(to) != 0 || check(text, len, err);

	fwrite(text, 1, len, out);
	free(text);
	return ok;
}

int import_run(const struct import_job *job, FILE *out, FILE *err)
{
	struct recipe p;

	recipe_init(&p, strcmp(job->file, "-") == 0 ? "standard input" : job->file, err);
	p.lenient = job->lenient;
	int status = import_into(&p, job->format, job->file);

	if (!status && p.broken)
		status = IMPORT_BROKEN;
	if (!status)
		status = !print(&p, out, err) || p.left ? IMPORT_LEFT : 0;
	recipe_clear(&p);
	return status;
}
