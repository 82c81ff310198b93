#include "fake.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "import/lines.h"
#include "report/chef.h"

enum { FAKE_USAGE = 64, FAKE_CONFIG = 78 };
#define LIST_MAX 64

static const char help[] =
	"sotto fake [OPTIONS]: answers some names by itself, and asks upstream for the rest\n"
	"\n"
	"  --ip A            of every name, or of those below; also --fakeip\n"
	"  --ipv6 A          likewise AAAA; also --fakeipv6\n"
	"  --mail NAME       MX; also --fakemail\n"
	"  --alias NAME      CNAME, for questions of that type; also --fakealias\n"
	"  --ns NAME         NS; also --fakens\n"
	"  --domains A,B     only these, `*` is a label; also --fakedomains\n"
	"  --except A,B      all but these; also --truedomains\n"
	"  --file INI        records of each pattern, as DNSChef has them\n"
	"  --nameservers IP[#PORT[#PROTO]],...   who is asked for the rest: udp, tcp or tls\n"
	"  --listen ADDRESS  may be repeated; or -i, --interface ADDRESS and -p, --port PORT\n"
	"  -6                listens on ::1\n"
	"  -t, --tcp         nothing: UDP and TCP come together\n"
	"  --log FILE        lines are added there, too; also --logfile\n"
	"  -q, --quiet       only warnings, and a line for each query\n"
	"  --print           only prints the configuration that this is\n"
	"\n"
	"Exit: 0, 1 (could not run), 64 (wrong use), 66 (no such file), 78 (cannot be done).\n";

/* What the command line said. */
struct words_said {
	const char *values[5]; /* of kinds[] */
	char *domains, *except, *servers;
	const char *file, *log, *interface, *port;
	const char *listen[LIST_MAX];
	size_t listen_count;
	bool six, quiet, print;
};

/* What can be faked by an option, and what it is. */
static const struct kind {
	const char *type, *option;
} kinds[] = {
	{ "A", "--ip" },
	{ "AAAA", "--ipv6" },
	{ "MX", "--mail" },
	{ "CNAME", "--alias" },
	{ "NS", "--ns" },
};

/* Those of kinds[] come first, in that order. */
enum { IP, IPV6, MAIL, ALIAS, NS, DOMAINS, EXCEPT, SERVERS, INI, LISTEN, LOG, PRINT };

static const struct option options[] = {
	{ "ip", required_argument, NULL, IP },
	{ "fakeip", required_argument, NULL, IP },
	/* DNSChef's own --ipv6 has no value, and is -6 here. */
	{ "ipv6", optional_argument, NULL, IPV6 },
	{ "fakeipv6", required_argument, NULL, IPV6 },
	{ "mail", required_argument, NULL, MAIL },
	{ "fakemail", required_argument, NULL, MAIL },
	{ "alias", required_argument, NULL, ALIAS },
	{ "fakealias", required_argument, NULL, ALIAS },
	{ "ns", required_argument, NULL, NS },
	{ "fakens", required_argument, NULL, NS },
	{ "domains", required_argument, NULL, DOMAINS },
	{ "fakedomains", required_argument, NULL, DOMAINS },
	{ "except", required_argument, NULL, EXCEPT },
	{ "truedomains", required_argument, NULL, EXCEPT },
	{ "nameservers", required_argument, NULL, SERVERS },
	{ "file", required_argument, NULL, INI },
	{ "listen", required_argument, NULL, LISTEN },
	{ "log", required_argument, NULL, LOG },
	{ "logfile", required_argument, NULL, LOG },
	{ "print", no_argument, NULL, PRINT },
	{ "interface", required_argument, NULL, 'i' },
	{ "port", required_argument, NULL, 'p' },
	{ "tcp", no_argument, NULL, 't' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "sotto: %s%s%s; see `sotto fake --help`\n", what, *word ? " " : "", word);
	return FAKE_USAGE;
}

static int refuse(const char *what)
{
	fprintf(stderr, "sotto: %s\n", what);
	return FAKE_CONFIG;
}

/* ---- the command line ---- */

static int take_letter(struct words_said *w, int option)
{
	switch (option) {
	case 'i':
		w->interface = optarg;
		return -1;
	case 'p':
		w->port = optarg;
		return -1;
	case '6':
		w->six = true;
		return -1;
	case 'q':
		w->quiet = true;
		return -1;
	case 't':
		return -1;
	case 'h':
		fputs(help, stdout);
		return 0;
	case ':':
		return usage("a value is missing behind", "an option");
	default:
		return usage("unknown option", "");
	}
}

static int take_listen(struct words_said *w)
{
	if (w->listen_count == LIST_MAX)
		return usage("too many of", "--listen");
	w->listen[w->listen_count++] = optarg;
	return -1;
}

/* -1: go on; else the exit status. */
static int take_option(struct words_said *w, int option)
{
	switch (option) {
	case IP:
	case IPV6:
	case MAIL:
	case ALIAS:
	case NS:
		w->values[option] = optarg;
		return -1;
	case DOMAINS:
		w->domains = optarg;
		return -1;
	case EXCEPT:
		w->except = optarg;
		return -1;
	case SERVERS:
		w->servers = optarg;
		return -1;
	case INI:
		w->file = optarg;
		return -1;
	case LOG:
		w->log = optarg;
		return -1;
	case PRINT:
		w->print = true;
		return -1;
	case LISTEN:
		return take_listen(w);
	default:
		return take_letter(w, option);
	}
}

/* `--ipv6 ADDRESS` in two words has a value; alone, or before another option, it is DNSChef's. */
static void take_ipv6(struct words_said *w, int argc, char **argv)
{
	if (optarg)
		w->values[IPV6] = optarg;
	else if (optind < argc && argv[optind][0] != '-')
		w->values[IPV6] = argv[optind++];
	else
		w->six = true;
}

static int read_words(struct words_said *w, int argc, char **argv)
{
	int option, status = -1;

	opterr = 0;
	optind = 1;
	while (status < 0 && (option = getopt_long(argc, argv, ":i:p:t6qh", options, NULL)) != -1) {
		if (option == '?')
			status = usage("unknown option", argv[optind - 1]);
		else if (option == IPV6)
			take_ipv6(w, argc, argv);
		else
			status = take_option(w, option);
	}
	if (status < 0 && optind < argc)
		return usage("what is this:", argv[optind]);
	return status;
}

/* ---- what it means ---- */

/* The words of a list between commas. */
static const char **list(struct recipe *p, char *text)
{
	size_t count = 0;
	const char **words = memory_take(&p->memory, (strlen(text) / 2 + 2) * sizeof *words);

	for (char *word; (word = lines_part(&text, ","));)
		if (*word)
			words[count++] = word;
	return words;
}

static void add_fake(struct recipe *p, const struct words_said *w, size_t kind)
{
	struct said said = { 0, kinds[kind].option };
	struct dnschef_fake fake = { .type = kinds[kind].type, .value = w->values[kind] };
	const char **names = w->domains
		? list(p, memory_copy(&p->memory, w->domains, strlen(w->domains)))
		: NULL;

	if (w->except)
		fake.except = list(p, memory_copy(&p->memory, w->except, strlen(w->except)));
	if (!names) {
		dnschef_add(p, &said, &fake);
		return;
	}
	for (; *names; names++) {
		fake.pattern = *names;
		dnschef_add(p, &said, &fake);
	}
}

static void add_listen(struct recipe *p, const struct words_said *w)
{
	struct said said = { 0, "--listen" };
	const char *host = w->interface ? w->interface : w->six ? "::1" : "127.0.0.1";

	for (size_t i = 0; i < w->listen_count; i++)
		recipe_add(p, &said, "listen", w->listen[i]);
	if (w->interface || w->port || !w->listen_count)
		recipe_add(p, &said, "listen",
			memory_format(&p->memory, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
				w->port ? w->port : "53"));
}

/* The options win over the file, and come behind it for that. */
static int make_plan(struct recipe *p, struct words_said *w)
{
	struct said said = { 0, "sotto fake" };
	int status = w->file ? import_into(p, "dnschef", w->file) : 0;

	if (status)
		return status;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (w->values[i])
			add_fake(p, w, i);
	if (w->servers) {
		said.text = "--nameservers";
		dnschef_add_servers(p, &said, w->servers);
		said.text = "sotto fake";
	}
	add_listen(p, w);
	recipe_set(p, &said, "control", "none");
	recipe_set(p, &said, "state", "none");
	if (w->quiet)
		recipe_set(p, &said, "log.level", "warn");
	return p->broken || p->left ? FAKE_CONFIG : -1;
}

/* A list of names, or two, that cannot be meant. */
static int check_lists(const struct words_said *w)
{
	bool fakes = false;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		fakes |= w->values[i] != NULL;
	if (w->domains && w->except)
		return refuse("--domains and --except: name what is faked, or what is not");
	if ((w->domains || w->except) && !fakes)
		return refuse("--domains and --except say of which names, and nothing says what is "
			      "faked: --ip, --ipv6, --mail, --alias or --ns");
	return -1;
}

/* The configuration as a file that is nowhere. */
static int write_config(struct recipe *p, const char **file)
{
	static char name[64];
	FILE *out = tmpfile(); /* of memory alone, the sandbox could not let it be read again */

	if (!out)
		return refuse(strerror(errno));
	recipe_print(p, out);
	if (fflush(out) != 0)
		return refuse(strerror(errno));
	snprintf(name, sizeof name, "/proc/self/fd/%d", fileno(out));
	*file = name; /* out stays open: it is the file */
	return -1;
}

int fake_read(int argc, char **argv, const char **file)
{
	static struct words_said w;
	struct recipe p;
	int status = read_words(&w, argc, argv);

	if (status < 0)
		status = check_lists(&w);
	if (status >= 0)
		return status;
	recipe_init(&p, w.file ? w.file : "the command line", stderr);
	status = make_plan(&p, &w);
	if (status < 0 && w.print) {
		recipe_print(&p, stdout);
		status = fflush(stdout) != 0;
	} else if (status < 0) {
		int err = chef_open(w.log);

		if (err)
			fprintf(stderr, "sotto: cannot write %s: %s\n", w.log, strerror(-err));
		status = err ? 1 : write_config(&p, file);
	}
	recipe_clear(&p);
	return status;
}
