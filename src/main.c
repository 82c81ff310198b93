/* main: the command line. */
#include "announce.h"
#include "ask/run.h"
#include "base/clock.h"
#include "config/near.h"
#include "config/options.h"
#include "control/asker.h"
#include "control/cache_show.h"
#include "control/cache_words.h"
#include "control/explain_show.h"
#include "control/explain_words.h"
#include "control/show.h"
#include "crew.h"
#include "fake.h"
#include "healthcheck.h"
#include "host/run.h"
#include "import/import.h"
#include "net/handed.h"
#include "net/tls.h"
#include "saved_time.h"
#include "upstream/addresses.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libfyaml.h>
#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define TEXT_OF(x) #x
#define NUMBER(x)  TEXT_OF(x)
#define UV_BUILT_WITH                                                                              \
	NUMBER(UV_VERSION_MAJOR) "." NUMBER(UV_VERSION_MINOR) "." NUMBER(UV_VERSION_PATCH)

enum { EXIT_USAGE = 64, EXIT_CONFIG = 78 };
#define ARGUMENTS_MAX 256

extern char **environ;

/* What the command line said. */
struct command {
	const struct verb *verb; /* NULL: none yet */
	bool check; /* --check was given */
	bool json; /* --json was given */
	bool lenient; /* --lenient was given */
	struct words words; /* behind a verb that takes some */
	const struct deed *deed; /* what `sotto cache` is to do; NULL: another verb */
	char line[WORDS_LINE]; /* for the control socket */
	struct config_sources sources;
	const char *listen[ARGUMENTS_MAX + 1], *upstreams[ARGUMENTS_MAX + 1];
	struct config_override overrides[ARGUMENTS_MAX];
	size_t listen_count, upstream_count;
};

static const char help[] =
	"sotto " SOTTO_VERSION ": takes plain DNS, asks upstream over TLS only\n"
	"\n"
	"  sotto [run] [OPTIONS]          the proxy, in the foreground\n"
	"  sotto check [FILE] [OPTIONS]   checks a configuration and prints the effective one\n"
	"  sotto status [OPTIONS]         what the running proxy knows of itself and its upstreams\n"
	"  sotto reload [OPTIONS]         has the running proxy read its configuration again\n"
	"  sotto cache ...                stats | lookup NAME [TYPE] | flush NAME | flush --below NAME |\n"
	"                                 flush --all: what it keeps of answers, and to forget it\n"
	"  sotto explain NAME [TYPE]      what would become of a query: --client, --at, --mac ...\n"
	"  sotto query [@SERVER] NAME ... asks a DNS server, as dig does: query -h\n"
	"  sotto healthcheck [OPTIONS]    exit 0 if the proxy of this configuration answers\n"
	"  sotto import FORMAT FILE       the configuration of another program as one of ours\n"
	"  sotto host ...                 enable | disable | status | intercept: whom this host asks\n"
	"  sotto fake [OPTIONS]           answers names for a test bench, as DNSChef does: fake --help\n"
	"  sotto options | help | version every key that can be set; this; versions\n"
	"\n"
	"  -c, --config FILE       the configuration (" CONFIG_FILE ", if there is one)\n"
	"  -l, --listen ADDRESS    listen there, UDP and TCP; may be repeated\n"
	"  -u, --upstream URI      ask there: tls://ADDRESS[:PORT]#NAME; may be repeated\n"
	"      --set KEY=VALUE     set any key, as --set timeouts.query=3s\n"
	"  -v, --verbose           log.level=debug\n"
	"  -q, --quiet             log.level=warn\n"
	"      --json              of status, reload, cache, explain: as an object, for programs\n"
	"      --lenient           of import: what is no part of the format is only said\n"
	"  -t, --check             the same as `sotto check`\n"
	"  -h, --help              this; -V, --version: versions of sotto and of what it is built with\n"
	"\n"
	"Every key can also be set by the environment: SOTTO_TIMEOUTS_QUERY=3s.\n"
	"Without any configuration it listens on 127.0.0.1 and ::1, port 53, and asks Cloudflare.\n"
	"Exit: 0, 1 (could not), 64 (wrong use), 66 (no such file), 78 (wrong configuration).\n";

/* ---- wrong use ---- */

static int usage(const char *what, const char *word, const char *nearest)
{
	fprintf(stderr, "sotto: %s%s%s%s%s; see `sotto help`\n", what, word ? " " : "",
		word ? word : "", nearest ? ": did you mean " : "", nearest ? nearest : "");
	return EXIT_USAGE;
}

/* ---- commands ---- */

static void say_doubt_of_clock(void)
{
	struct clock_doubt doubt;
	struct log_line l;

	if (!clock_is_doubtful(&doubt))
		return;
	log_begin(&l, LOG_WARN, "certificates may be refused because of the clock");
	log_str(&l, "reason", doubt.reason);
	log_str(&l, "hint", doubt.hint);
	log_end(&l);
}

static void say_lost_state(const char *state)
{
	if (state && access(state, W_OK | X_OK) < 0)
		log_file(LOG_WARN,
			"nothing will be kept over a restart: the state folder cannot be written",
			state, strerror(errno));
}

static void on_ready(const struct config *c)
{
	struct log_line l;

	announce(c);
	say_doubt_of_clock();
	say_lost_state(c->upstream.state);
	for (const struct config_note *n = c->notes; n; n = n->next) {
		log_begin(&l, LOG_INFO, "spelling of another product understood");
		log_str(&l, "given", n->given);
		log_str(&l, "as", n->understood);
		log_end(&l);
	}
}

static int run(const struct command *command, struct config *c)
{
	log_open();
	log_set_level(c->log_level);
	saved_time_load(c->upstream.state);
	addresses_load(&c->upstream);
	clock_await_synchronisation(c->await_clock);
	return crew_run(c, &command->sources, on_ready);
}

/* What is printed counts when it has arrived. */
static int printed(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fprintf(stderr, "sotto: cannot write to standard output: %s\n", strerror(errno));
	return 1;
}

static int check(const struct command *command, struct config *c)
{
	(void)command;
	config_print(c, stdout);
	return printed();
}

static int health(const struct command *command, struct config *c)
{
	(void)command;
	return healthcheck_run(c);
}

static int status(const struct command *command, struct config *c)
{
	const struct asker asker = { c->control, "status", command->json, show_status };

	return asker_run(&asker) || printed();
}

static int reload(const struct command *command, struct config *c)
{
	const struct asker asker = { c->control, "reload", command->json, show_reload };
	int status = asker_run(&asker);

	return status == ASKER_CONFIG ? EXIT_CONFIG : status || printed();
}

static int print_version(void)
{
	printf("sotto " SOTTO_VERSION "\n"
	       "listens: udp tcp tls (1.2, 1.3) unix; asks: tls (1.2, 1.3) tcp udp\n"
	       "%s (built with %s)\nlibuv %s (built with %s)\nlibfyaml %s\n",
		OpenSSL_version(OPENSSL_VERSION), OPENSSL_VERSION_TEXT, uv_version_string(),
		UV_BUILT_WITH, fy_library_version());
	return printed();
}

static int print_options(void)
{
	options_print(stdout);
	return printed();
}

/* Options of the daemon before it would be of no use. */
static int query_comes_first(void)
{
	return usage("it stands before everything else:", "query", NULL);
}

static int host_comes_first(void)
{
	return usage("it stands before everything else:", "host", NULL);
}

static int print_help(void)
{
	fputs(help, stdout);
	return printed();
}

/* ---- the cache ---- */

struct deed {
	const char *name;
	/* What the words behind it mean; NULL: it takes none. */
	const char *(*read)(struct cache_words *, const struct words *);
	void (*show)(const json_t *, FILE *);
};

static const struct deed deeds[] = {
	{ "stats", NULL, cache_show_stats },
	{ "lookup", cache_words_lookup, cache_show_lookup },
	{ "flush", cache_words_flush, cache_show_flush },
};

static int cache(const struct command *command, struct config *c)
{
	const struct asker asker = { c->control, command->line, command->json,
		command->deed->show };

	return asker_run(&asker) || printed();
}

static int unknown_deed(const char *word)
{
	struct near near;

	near_init(&near, word);
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
		near_try(&near, deeds[i].name);
	return usage("unknown command: cache", word, near.best);
}

/* What `cache` and the words behind it mean, as a line for the control socket. -1: go on; else the
 * exit status. */
static int read_deed(struct command *c)
{
	struct words *w = &c->words;
	struct cache_words meant;
	char text[CACHE_WORDS_TEXT] = "";
	const char *why = NULL;

	if (!w->count)
		return usage("say what: cache stats, cache lookup, or cache flush", NULL, NULL);
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
		if (strcmp(w->at[0], deeds[i].name) == 0)
			c->deed = &deeds[i];
	if (!c->deed)
		return unknown_deed(w->at[0]);
	w->count--;
	memmove(w->at, w->at + 1, w->count * sizeof *w->at);
	if (c->deed->read)
		why = c->deed->read(&meant, w);
	else if (w->count)
		why = "too many words: cache stats takes none";
	if (why)
		return usage(why, NULL, NULL);
	if (c->deed->read)
		cache_words_print(&meant, text);
	snprintf(c->line, sizeof c->line, "cache %s%s%s", c->deed->name, *text ? " " : "", text);
	return -1;
}

/* ---- coming from other programs ---- */

static int unknown_format(const char *word)
{
	struct near near;

	near_init(&near, word);
	for (const struct import_format *f = import_formats; f->name; f++)
		near_try(&near, f->name);
	return usage("unknown format:", word, near.best);
}

/* Needs no configuration: it makes one. */
static int import(struct command *c)
{
	const struct words *w = &c->words;
	struct import_job job = { .lenient = c->lenient };

	if (w->count != 2)
		return usage(
			"say what: import dnschef | dnsmasq | stubby | unbound | resolved | cloudflared | "
			"dnsproxy FILE",
			NULL, NULL);
	job.format = w->at[0];
	job.file = w->at[1];
	int status = import_run(&job, stdout, stderr);

	if (status == IMPORT_USAGE)
		return unknown_format(job.format);
	return printed() ? 1 : status;
}

/* ---- a query explained ---- */

static int explain(const struct command *command, struct config *c)
{
	const struct asker asker = { c->control, command->line, command->json, explain_show };

	return asker_run(&asker) || printed();
}

/* Passes the words on as they are. -1: go on; else the exit status. */
static int read_explained(struct command *c)
{
	const struct words *w = &c->words;
	struct explain_words meant;
	const char *why = explain_words_read(&meant, w);
	size_t len = (size_t)snprintf(c->line, sizeof c->line, "explain");

	if (why)
		return usage(why, NULL, NULL);
	for (size_t i = 0; i < w->count; i++) {
		if (strpbrk(w->at[i], " \n") || len + 1 + strlen(w->at[i]) >= sizeof c->line)
			return usage("it cannot be said in a line:", w->at[i], NULL);
		len += (size_t)snprintf(c->line + len, sizeof c->line - len, " %s", w->at[i]);
	}
	return -1;
}

/* ---- the command line ---- */

struct verb {
	const char *name;
	int (*run)(const struct command *, struct config *);
	int (*print)(void); /* instead: it needs no configuration */
	bool json; /* it knows --json */
	int (*words)(struct command *); /* reads the words behind it; NULL: it takes none */
};

static const struct verb verbs[] = {
	{ "run", .run = run },
	{ "check", .run = check },
	{ "status", .run = status, .json = true },
	{ "reload", .run = reload, .json = true },
	{ "cache", .run = cache, .json = true, .words = read_deed },
	{ "explain", .run = explain, .json = true, .words = read_explained },
	{ "query", .print = query_comes_first },
	{ "host", .print = host_comes_first },
	{ "healthcheck", .run = health },
	{ "import", .words = import },
	{ "options", .print = print_options },
	{ "help", .print = print_help },
	{ "version", .print = print_version },
};

/* Words come in their place among the options, as options of their own (getopt(3)). */
#define LETTERS "c:l:u:vqthV"
enum { WORD = 1, OPTION_SET = 256, OPTION_JSON, OPTION_LENIENT, FIRST_CHOICE };

/* Options that are words of a verb, as it is told of them; from FIRST_CHOICE on. */
enum {
	OPTION_BELOW = FIRST_CHOICE,
	OPTION_ALL,
	OPTION_CLIENT,
	OPTION_AT,
	OPTION_IDENTITY,
	OPTION_FOR_SUBNET,
	OPTION_FOR_MAC,
	OPTION_FOR_CPE
};
static const char *const choices[] = { "--below", "--all", "--client", "--at", "--identity",
	"--subnet", "--mac", "--cpe-id" };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "listen", required_argument, NULL, 'l' },
	{ "upstream", required_argument, NULL, 'u' },
	{ "set", required_argument, NULL, OPTION_SET },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "below", no_argument, NULL, OPTION_BELOW },
	{ "all", no_argument, NULL, OPTION_ALL },
	{ "lenient", no_argument, NULL, OPTION_LENIENT },
	{ "client", required_argument, NULL, OPTION_CLIENT },
	{ "at", required_argument, NULL, OPTION_AT },
	{ "identity", required_argument, NULL, OPTION_IDENTITY },
	{ "subnet", required_argument, NULL, OPTION_FOR_SUBNET },
	{ "mac", required_argument, NULL, OPTION_FOR_MAC },
	{ "cpe-id", required_argument, NULL, OPTION_FOR_CPE },
	{ "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "check", no_argument, NULL, 't' },
	{ "check-config", no_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static int unknown_option(const char *word)
{
	char nearest[NEAR_OPTION];

	return usage("unknown option", word, near_option(word, long_options, nearest));
}

static int unknown_verb(const char *word)
{
	struct near near;

	near_init(&near, word);
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		near_try(&near, verbs[i].name);
	return usage("unknown command", word, near.best);
}

static bool add_override(struct command *c, const char *key, const char *value, const char *said)
{
	if (c->sources.override_count == ARGUMENTS_MAX)
		return false;
	c->overrides[c->sources.override_count++] = (struct config_override){ key, value, said };
	return true;
}

/* KEY=VALUE, cut in two where it stands. */
static bool add_set(struct command *c, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals)
		return false;
	*equals = '\0';
	return add_override(c, text, equals + 1, NULL);
}

static bool add_word(const char **list, size_t *count, const char *word)
{
	if (*count == ARGUMENTS_MAX)
		return false;
	list[(*count)++] = word;
	return true;
}

/* One option. False: it cannot be taken. */
static bool take_option(struct command *c, int option)
{
	switch (option) {
	case 'c':
		c->sources.file = optarg;
		return true;
	case 'l':
		return add_word(c->listen, &c->listen_count, optarg);
	case 'u':
		return add_word(c->upstreams, &c->upstream_count, optarg);
	case OPTION_SET:
		return add_set(c, optarg);
	case OPTION_JSON:
		c->json = true;
		return true;
	case OPTION_LENIENT:
		c->lenient = true;
		return true;
	case 'v':
		return add_override(c, "log.level", "debug", "-v");
	case 'q':
		return add_override(c, "log.level", "warn", "-q");
	default:
		c->check = true;
		return true;
	}
}

static const struct verb *find_verb(const char *word)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(word, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

static bool checks(const struct command *c)
{
	return c->check || (c->verb && c->verb->run == check);
}

static int take_verbs_word(struct command *c, const char *word)
{
	if (c->words.count == WORDS_MAX)
		return usage("too many words:", word, NULL);
	c->words.at[c->words.count++] = word;
	return -1;
}

/* What is no option: the command, or the file to check. -1: go on; else the exit status. */
static int take_word(struct command *c, const char *word)
{
	const struct verb *verb = c->verb ? NULL : find_verb(word);

	if (c->verb && c->verb->words)
		return take_verbs_word(c, word);
	if (verb && verb->print)
		return verb->print();
	if (verb)
		c->verb = verb;
	else if (checks(c) && !c->sources.file)
		c->sources.file = word;
	else if (checks(c) || c->verb)
		return usage("what is this:", word, NULL);
	else
		return unknown_verb(word);
	return -1;
}

/* An option that is a word of `cache flush`, or, with its value, two words of `explain`. */
static int take_choice(struct command *c, const char *word, int option)
{
	const char *choice = choices[option - FIRST_CHOICE], *value = optarg;
	bool takes_words =
		c->verb && (c->verb->words == read_deed || c->verb->words == read_explained);
	int status;

	if (!value && strcmp(word, choice) != 0)
		return unknown_option(word); /* nobody forgets everything by a slip */
	if (!takes_words && value)
		return usage("only `sotto explain` knows", choice, NULL);
	if (!takes_words)
		return usage("only `sotto cache flush` knows", choice, NULL);
	status = take_word(c, choice);
	return status < 0 && value ? take_word(c, value) : status;
}

/* getopt_long() says which letter it does not know; of a long option it leaves only the word. */
static int refuse_option(const char *word)
{
	char letter[] = { '-', (char)optopt, '\0' };

	if (!optopt)
		return unknown_option(word);
	if (optopt != ':' && strchr(LETTERS, optopt))
		return usage("no value is wanted by", word, NULL);
	return unknown_option(letter);
}

/* Fills in c; returns -1 to go on, or the exit status. */
static int read_arguments(struct command *c, int argc, char **argv)
{
	int option, status = -1;

	opterr = 0;
	while (status < 0 &&
		(option = getopt_long(argc, argv, "-:" LETTERS, long_options, NULL)) != -1) {
		const char *word = argv[optind - 1];

		if (option == WORD)
			status = take_word(c, optarg);
		else if (option >= FIRST_CHOICE)
			status = take_choice(c, word, option);
		else if (option == '?')
			status = refuse_option(word);
		else if (option == ':')
			status = usage("a value is missing behind", word, NULL);
		else if (option == 'h')
			status = print_help();
		else if (option == 'V')
			status = print_version();
		else if (!take_option(c, option))
			status = usage("cannot be understood (--set wants KEY=VALUE):", word, NULL);
	}
	while (status < 0 && optind < argc) /* behind `--` */
		status = take_word(c, argv[optind++]);
	if (status < 0 && c->verb && c->verb->words)
		status = c->verb->words(c);
	return status;
}

/* ---- the process ---- */

/* A descriptor below 3 that is not open would become one of ours, and take what is meant for
 * standard error. */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void leave(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

/* Told to end before it serves anybody, sotto has nothing to bring to an end. Left to the kernel,
 * the signal would kill, or, in the first process of a container, be ignored. */
static void end_when_told(void)
{
	struct sigaction action = { .sa_handler = leave };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

int main(int argc, char **argv)
{
	static struct command c;

	open_standard_files();
	tls_watch_memory();
	if (argc > 1 && strcmp(argv[1], "query") == 0) /* what stands behind it is its own */
		return ask_run((const char *const *)argv + 2);
	if (argc > 1 && strcmp(argv[1], "host") == 0)
		return host_run(argc - 1, argv + 1, healthcheck_is_alive);
	bool fake = argc > 1 && strcmp(argv[1], "fake") == 0; /* whose words are DNSChef's */
	int status = fake ? fake_read(argc - 1, argv + 1, &c.sources.file)
			  : read_arguments(&c, argc, argv);

	if (status >= 0)
		return status;
	int (*run_it)(const struct command *, struct config *) = c.check ? check
		: c.verb                                                 ? c.verb->run
									 : run;

	if (c.json && (c.check || !c.verb || !c.verb->json))
		return usage("only `sotto status`, `reload`, `cache` and `explain` know", "--json",
			NULL);
	if (c.lenient)
		return usage("only `sotto import` knows", "--lenient", NULL);
	if (run_it == run) {
		end_when_told();
		if (!handed_take(stderr))
			return EXIT_CONFIG;
	}
	c.sources.handed = handed_addresses();
	c.sources.environment = environ;
	c.sources.listen = c.listen;
	c.sources.upstreams = c.upstreams;
	c.sources.overrides = c.overrides;
	c.sources.certificates = run_it == run || run_it == check;
	c.sources.serves = run_it == run;
	struct config *config = config_new(&c.sources, stderr);

	if (!config && run_it == reload)
		fputs("sotto: the running sotto was not asked, and goes on as before\n", stderr);
	if (!config)
		return EXIT_CONFIG;
	status = run_it(&c, config);
	config_free(config);
	return status;
}
