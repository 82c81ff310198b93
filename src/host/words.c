#include "host/words.h"

#include "config/near.h"

#include <getopt.h>
#include <string.h>

static const char help[] =
	"sotto host enable | disable | status [OPTIONS]: this host's own questions\n"
	"\n"
	"  enable             its programs ask sotto: resolv.conf, systemd-resolved, NetworkManager\n"
	"  disable            puts back exactly what was there\n"
	"  status             who is asked; exit 0 if it is enabled, and nothing was changed since\n"
	"\n"
	"  --dry-run          of enable, disable: only says what would be done\n"
	"  --force            of enable: sotto need not answer yet; of disable: puts back what was\n"
	"                     there, even if somebody has changed it since\n"
	"  --root DIR         in this tree, an image, in place of /\n"
	"  -c, --config FILE  the configuration of the running sotto (" CONFIG_FILE ")\n"
	"  -l, --listen ADDRESS  where it listens, if it was started so; may be repeated\n"
	"\n"
	"Exit: 0, 1 (could not, or not enabled), 64 (wrong use), 78 (wrong configuration).\n";

static const struct deed {
	const char *name;
	const char *options; /* that it knows, by their value below */
} deeds[] = {
	[DEED_ENABLE] = { "enable", "nfrcl" },
	[DEED_DISABLE] = { "disable", "nfr" },
	[DEED_STATUS] = { "status", "r" },
};

static const struct option options[] = {
	{ "dry-run", no_argument, NULL, 'n' },
	{ "force", no_argument, NULL, 'f' },
	{ "root", required_argument, NULL, 'r' },
	{ "config", required_argument, NULL, 'c' },
	{ "listen", required_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int usage(const char *what, const char *word, const char *nearest)
{
	fprintf(stderr, "sotto: %s%s%s%s%s; see `sotto host --help`\n", what, word ? " " : "",
		word ? word : "", nearest ? ": did you mean " : "", nearest ? nearest : "");
	return WORDS_USAGE;
}

static int read_deed(struct host_words *w, const char *word)
{
	struct near near;

	near_init(&near, word);
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
		if (strcmp(word, deeds[i].name) == 0) {
			w->deed = (enum host_deed)i;
			return -1;
		}
		near_try(&near, deeds[i].name);
	}
	return usage("unknown command: host", word, near.best);
}

static int unknown_option(const char *word)
{
	struct near near;
	char nearest[32];

	near_init(&near, word + strspn(word, "-"));
	for (const struct option *o = options; o->name; o++)
		near_try(&near, o->name);
	snprintf(nearest, sizeof nearest, "--%s", near.best ? near.best : "");
	return usage("unknown option", word, near.best ? nearest : NULL);
}

static int take_listen(struct host_words *w)
{
	if (w->listen_count == WORDS_LISTEN)
		return usage("too many of", "--listen", NULL);
	w->listen[w->listen_count++] = optarg;
	return -1;
}

/* -1: go on; else the exit status. */
static int take_option(struct host_words *w, int option)
{
	switch (option) {
	case 'n':
		w->dry_run = true;
		return -1;
	case 'f':
		w->force = true;
		return -1;
	case 'r':
		w->root = optarg;
		return -1;
	case 'c':
		w->file = optarg;
		return -1;
	default:
		return take_listen(w);
	}
}

static int print_help(void)
{
	fputs(help, stdout);
	return fflush(stdout) != 0;
}

int host_words_read(struct host_words *w, int argc, char **argv)
{
	int option, status = -1;

	*w = (struct host_words){ .root = "/" };
	if (argc < 2)
		return usage("say what: host enable, host disable or host status", NULL, NULL);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return print_help();
	status = read_deed(w, argv[1]);
	opterr = 0;
	optind = 2;
	while (status < 0 && (option = getopt_long(argc, argv, ":c:l:h", options, NULL)) != -1) {
		if (option == 'h')
			return print_help();
		if (option == ':')
			status = usage("a value is missing behind", argv[optind - 1], NULL);
		else if (option == '?')
			status = unknown_option(argv[optind - 1]);
		else if (!strchr(deeds[w->deed].options, option))
			status = usage("this is no option of", deeds[w->deed].name, NULL);
		else
			status = take_option(w, option);
	}
	if (status < 0 && optind < argc)
		status = usage("what is this:", argv[optind], NULL);
	return status;
}
