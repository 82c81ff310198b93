#include "host/words.h"

#include "config/near.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"sotto host enable | disable | status | intercept [OPTIONS]: this host's own questions\n"
	"\n"
	"  enable             its programs ask sotto: resolv.conf, systemd-resolved, NetworkManager\n"
	"  disable            puts back exactly what was there\n"
	"  status             who is asked; exit 0 if it is enabled, and nothing was changed since\n"
	"  intercept          prints rules of nftables by which sotto answers what this host, and\n"
	"                     clients that it routes for, ask of any server on port 53\n"
	"\n"
	"  --dry-run          of enable, disable: only says what would be done\n"
	"  --force            of enable: sotto need not answer yet; of disable: puts back what was\n"
	"                     there, even if somebody has changed it since\n"
	"  --root DIR         of all but intercept: in this tree, an image, in place of /\n"
	"  --apply            of intercept: hands the rules to nft, in one step\n"
	"  --remove           of intercept: takes them away\n"
	"  --exempt-uid UID   whose questions are left alone: sotto's own (the user sotto)\n"
	"  --exempt-mark N    the same by the mark of packets, in the place of the user\n"
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
	[DEED_INTERCEPT] = { "intercept", "adumcl" },
};

static const struct option options[] = {
	{ "dry-run", no_argument, NULL, 'n' },
	{ "force", no_argument, NULL, 'f' },
	{ "root", required_argument, NULL, 'r' },
	{ "apply", no_argument, NULL, 'a' },
	{ "remove", no_argument, NULL, 'd' },
	{ "exempt-uid", required_argument, NULL, 'u' },
	{ "exempt-mark", required_argument, NULL, 'm' },
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
	char nearest[NEAR_OPTION];

	return usage("unknown option", word, near_option(word, options, nearest));
}

/* A user's number, or a mark, which may be hexadecimal. */
static int take_exempt(struct host_words *w, enum intercept_exempt exempt)
{
	char *end;

	errno = 0;
	unsigned long n = strtoul(optarg, &end, 0);

	if (w->exempts)
		return usage("one of --exempt-uid and --exempt-mark, once", NULL, NULL);
	if (optarg[0] < '0' || optarg[0] > '9' || *end || errno || n > UINT32_MAX)
		return usage("this is no number of 32 bits:", optarg, NULL);
	if (exempt == EXEMPT_MARK && n == 0)
		return usage("all that has no mark has 0", NULL, NULL);
	w->intercept.exempt = exempt;
	w->intercept.id = (uint32_t)n;
	w->exempts = true;
	return -1;
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
	case 'a':
		w->intercept.apply = true;
		return -1;
	case 'd':
		w->remove = true;
		return -1;
	case 'u':
		return take_exempt(w, EXEMPT_USER);
	case 'm':
		return take_exempt(w, EXEMPT_MARK);
	case 'c':
		w->file = optarg;
		return -1;
	default:
		return take_listen(w);
	}
}

/* Without a word it is the package's user, which is there while the unit of systemd runs. */
static int exempt_user(struct host_words *w)
{
	const struct passwd *user = w->exempts ? NULL : getpwnam("sotto");

	if (w->deed != DEED_INTERCEPT || w->remove || w->exempts)
		return -1;
	if (!user)
		return usage("say whose questions are left alone, as there is no user sotto: "
			     "--exempt-uid UID or --exempt-mark N",
			NULL, NULL);
	w->intercept.exempt = EXEMPT_USER;
	w->intercept.id = user->pw_uid;
	return -1;
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
		return usage("say what: host enable, disable, status or intercept", NULL, NULL);
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
	if (status < 0 && w->remove && (w->intercept.apply || w->exempts))
		status = usage("--remove stands alone", NULL, NULL);
	return status < 0 ? exempt_user(w) : status;
}
