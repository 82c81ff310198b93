#include "verbs.h"

#include "base/bug.h"
#include "base/metrics.h"
#include "dns/types.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_TEXT_MAX 300

static _Noreturn void misread(struct show *s, const char *word)
{
	broken(&s->chronicle, "cannot be understood%s%s: it is %s%s%s %s",
		word ? " from here: " : "", word ? word : "",
		s->verb->subject ? s->verb->subject : "", s->verb->subject ? " " : "",
		s->verb->word, s->verb->words);
}

static bool is(const char *word, const char *expected)
{
	return word && strcmp(word, expected) == 0;
}

/* Of an action that nobody was there for. */
static void need(struct show *s, bool done)
{
	if (!done)
		broken(&s->chronicle, "instead: there is no connection for that");
}

static size_t take_number(struct show *s, const char *word)
{
	char *end;

	if (!word || !isdigit((unsigned char)*word))
		misread(s, word);
	size_t n = strtoul(word, &end, 10);

	if (*end)
		misread(s, word);
	return n;
}

static struct form take_form(struct show *s, char **words)
{
	struct form f = { 0 };

	for (; *words; words++)
		if (!form_word(&f, *words))
			misread(s, *words);
	return f;
}

/* ---- names: one; `N names SUFFIX`: 0.SUFFIX, 1.SUFFIX, ...; or `N times NAME` ---- */

struct names {
	size_t count;
	const char *text;
	bool differ;
};

static struct names take_names(struct show *s, char ***words)
{
	char **w = *words;

	if (!w[0])
		misread(s, NULL);
	if (!is(w[1], "names") && !is(w[1], "times")) {
		*words = w + 1;
		return (struct names){ 1, w[0], false };
	}
	if (!w[2])
		misread(s, w[1]);
	*words = w + 3;
	return (struct names){ take_number(s, w[0]), w[2], is(w[1], "names") };
}

static const char *name_at(const struct names *n, size_t i, char text[NAME_TEXT_MAX])
{
	if (n->differ)
		snprintf(text, NAME_TEXT_MAX, "%zu.%s", i, n->text);
	else
		snprintf(text, NAME_TEXT_MAX, "%s", n->text);
	return text;
}

/* ---- before it begins ---- */

static bool do_set(struct show *s, struct actor *a, char **words, bool last)
{
	char *equals = words[0] ? strchr(words[0], '=') : NULL;

	(void)a, (void)last;
	if (!equals || s->override_count == SHOW_OVERRIDES)
		misread(s, words[0]);
	*equals = '\0';
	s->overrides[s->override_count++] = (struct config_override){ words[0], equals + 1, NULL };
	return true;
}

static void need_new_name(struct show *s, const char *name)
{
	if (!name)
		misread(s, NULL);
	if (cast_find(&s->cast, name))
		broken(&s->chronicle, "there is another %s", name);
}

static bool do_upstream(struct show *s, struct actor *a, char **words, bool last)
{
	const char *name = words[0], *scheme = "tls", *host = NULL;
	uint64_t delay_ms = 0;
	bool apart = false;

	(void)a, (void)last;
	need_new_name(s, name);
	words++;
	if (is(words[0], "udp") || is(words[0], "tcp") || is(words[0], "ddr"))
		scheme = *words++;
	if (is(words[0], "named") && words[1]) {
		host = words[1];
		words += 2;
	}
	if (is(words[0], "apart")) {
		apart = true;
		words++;
	}
	if (words[0] &&
		(!is(words[0], "delay") || !words[1] || !play_duration(words[1], &delay_ms)))
		misread(s, words[0]);
	struct actor *server = upstream_new(&s->cast, name, scheme, (unsigned)delay_ms);

	server->host = host;
	server->is_apart = apart;
	return true;
}

static bool do_bootstrap(struct show *s, struct actor *a, char **words, bool last)
{
	(void)a, (void)last;
	need_new_name(s, words[0]);
	upstream_new(&s->cast, words[0], "tls", 0)->is_bootstrap = true;
	return true;
}

static bool do_saved(struct show *s, struct actor *a, char **words, bool last)
{
	FILE *f = show_state(s, "a");

	(void)a, (void)last;
	if (!words[0])
		misread(s, NULL);
	MUST(f && fprintf(f, "%s\n", words[0]) > 0 && fclose(f) == 0);
	return true;
}

/* ---- the world ---- */

static bool do_client(struct show *s, struct actor *a, char **words, bool last)
{
	(void)a, (void)last;
	size_t port = DAEMON_PORT;

	need_new_name(s, words[0]);
	if (!is(words[1], "udp") && !is(words[1], "tcp"))
		misread(s, words[1]);
	if (is(words[2], "port"))
		port = take_number(s, words[3]);
	else if (words[2])
		misread(s, words[2]);
	client_new(&s->cast, words[0], is(words[1], "tcp"), (uint16_t)port);
	return true;
}

static bool do_segments(struct show *s, struct actor *a, char **words, bool last)
{
	(void)a, (void)last;
	loop_world(s->daemon.loop)->segment = take_number(s, words[0]);
	return true;
}

static bool do_wait(struct show *s, struct actor *a, char **words, bool last)
{
	(void)a, (void)words;
	if (s->statement->for_ms == NO_TIME && s->statement->at_ms == NO_TIME)
		misread(s, words[0]);
	return last;
}

static bool do_network(struct show *s, struct actor *a, char **words, bool last)
{
	(void)a, (void)last;
	if (!is(words[0], "changes"))
		misread(s, words[0]);
	happened(&s->chronicle, "the network changes");
	world_changes(s->daemon.loop);
	return true;
}

static bool do_our(struct show *s, struct actor *a, char **words, bool last)
{
	(void)a, (void)last;
	if (!is(words[0], "address") || !is(words[1], "changes"))
		misread(s, words[0]);
	happened(&s->chronicle, "our address changes");
	cast_move(&s->cast);
	return true;
}

static bool do_clock(struct show *s, struct actor *a, char **words, bool last)
{
	(void)a, (void)last;
	if (!is(words[0], "jumps"))
		misread(s, words[0]);
	happened(&s->chronicle, "the wall clock jumps");
	world_jumps(s->daemon.loop, false);
	return true;
}

static bool do_host(struct show *s, struct actor *a, char **words, bool last)
{
	(void)a, (void)last;
	if (!is(words[0], "sleeps"))
		misread(s, words[0]);
	happened(&s->chronicle, "the host sleeps, and wakes up");
	world_jumps(s->daemon.loop, true);
	return true;
}

static bool do_reload(struct show *s, struct actor *a, char **words, bool last)
{
	struct config_override overrides[PLAY_WORDS];
	size_t count = 0;

	(void)a, (void)last;
	happened(&s->chronicle, "sotto is told to reload");
	for (; words[count]; count++) {
		char *equals = strchr(words[count], '=');

		if (!equals)
			misread(s, words[count]);
		*equals = '\0';
		overrides[count] =
			(struct config_override){ words[count], show_spelled(s, equals + 1), NULL };
	}
	if (!daemon_reload(&s->daemon, overrides, count))
		broken(&s->chronicle, "there is no room for so many settings");
	return true;
}

static bool do_drain(struct show *s, struct actor *a, char **words, bool last)
{
	(void)a, (void)words, (void)last;
	happened(&s->chronicle, "sotto is told to end");
	daemon_drain(&s->daemon);
	return true;
}

/* ---- what both kinds of peers do ---- */

static bool do_closes(struct show *s, struct actor *a, char **words, bool last)
{
	(void)words, (void)last;
	need(s, actor_close(a));
	return true;
}

static bool do_resets(struct show *s, struct actor *a, char **words, bool last)
{
	(void)words, (void)last;
	need(s, actor_reset(a));
	return true;
}

static bool do_half_closes(struct show *s, struct actor *a, char **words, bool last)
{
	(void)words, (void)last;
	need(s, actor_half_close(a));
	return true;
}

static bool do_stops(struct show *s, struct actor *a, char **words, bool last)
{
	(void)last;
	if (!is(words[0], "reading"))
		misread(s, words[0]);
	need(s, actor_take(a, false));
	return true;
}

static bool do_reads(struct show *s, struct actor *a, char **words, bool last)
{
	(void)last;
	if (!is(words[0], "again"))
		misread(s, words[0]);
	need(s, actor_take(a, true));
	return true;
}

/* Appends the octets that the word spells. */
static void append_hex(struct show *s, struct buf *out, const char *word)
{
	for (const char *c = word; *c; c += 2) {
		char digits[3] = { c[0], c[1], '\0' };

		if (!isxdigit((unsigned char)c[0]) || !isxdigit((unsigned char)c[1]))
			misread(s, word);
		uint8_t octet = (uint8_t)strtoul(digits, NULL, 16);

		MUST(buf_append(out, (struct span){ &octet, 1 }));
	}
}

static bool do_sends(struct show *s, struct actor *a, char **words, bool last)
{
	struct buf out = { 0 };
	bool frame = is(words[0], "frame");

	(void)last;
	words += frame;
	if (!words[0])
		misread(s, NULL);
	if (is(words[1], "octets"))
		for (size_t n = take_number(s, words[0]); n > 0; n--)
			append_hex(s, &out, "ff");
	else
		for (; *words; words++)
			append_hex(s, &out, *words);
	if (frame) {
		uint8_t head[2] = { (uint8_t)(buf_len(&out) >> 8), (uint8_t)buf_len(&out) };

		need(s, actor_send(a, (struct span){ head, sizeof head }));
	}
	need(s, actor_send(a, buf_span(&out)));
	buf_clear(&out);
	return true;
}

/* ---- what clients do ---- */

static bool do_connects(struct show *s, struct actor *a, char **words, bool last)
{
	(void)words, (void)last;
	if (a->role == TCP_CLIENT)
		client_connect(a);
	else if (a->role == UPSTREAM && s->statement->after_ms != NO_TIME)
		a->open_ms = (unsigned)s->statement->after_ms;
	else
		misread(s, words[0]);
	return true;
}

static bool do_asks(struct show *s, struct actor *a, char **words, bool last)
{
	struct names names = take_names(s, &words);
	uint16_t type = TYPE_A;
	char name[NAME_TEXT_MAX];

	(void)last;
	words += *words && message_type(*words, &type);
	struct form form = take_form(s, words);

	for (size_t i = 0; i < names.count; i++)
		need(s, client_ask(a, name_at(&names, i, name), type, &form));
	return true;
}

/* ---- what servers do ---- */

static void answer(struct show *s, struct actor *a, char **words, bool again)
{
	struct names names = take_names(s, &words);
	struct form form = take_form(s, words);
	char name[NAME_TEXT_MAX];

	for (size_t i = 0; i < names.count; i++) {
		struct letter *l = actor_question(a, name_at(&names, i, name), again);

		if (!l)
			broken(&s->chronicle, "instead: no such question of %s waits for %s", name,
				a->name);
		upstream_answer(l, a, &form);
	}
}

static bool do_answers(struct show *s, struct actor *a, char **words, bool last)
{
	(void)last;
	answer(s, a, words, false);
	return true;
}

static bool do_repeats(struct show *s, struct actor *a, char **words, bool last)
{
	(void)last;
	answer(s, a, words, true);
	return true;
}

static bool do_always(struct show *s, struct actor *a, char **words, bool last)
{
	(void)last;
	if (!is(words[0], "answers"))
		misread(s, words[0]);
	a->form = take_form(s, words + 1);
	a->answers = true;
	a->silent = false;
	return true;
}

static bool do_goes(struct show *s, struct actor *a, char **words, bool last)
{
	(void)last;
	if (!is(words[0], "silent"))
		misread(s, words[0]);
	happened(&s->chronicle, "%s goes silent", a->name);
	a->answers = false;
	a->silent = true;
	return true;
}

static bool do_loops(struct show *s, struct actor *a, char **words, bool last)
{
	(void)words, (void)last;
	happened(&s->chronicle, "%s asks sotto what it is asked", a->name);
	a->loops = true;
	return true;
}

static bool do_refuses(struct show *s, struct actor *a, char **words, bool last)
{
	(void)last;
	if (!is(words[0], "connections"))
		misread(s, words[0]);
	happened(&s->chronicle, "%s refuses connections", a->name);
	if (is(words[1], "over-tcp"))
		a->no_tcp = true;
	else
		a->dial = DIAL_REFUSED;
	return true;
}

static bool do_hangs(struct show *s, struct actor *a, char **words, bool last)
{
	(void)words, (void)last;
	need(s, upstream_hang(a));
	return true;
}

static bool do_vanishes(struct show *s, struct actor *a, char **words, bool last)
{
	(void)s, (void)words, (void)last;
	upstream_vanish(a);
	return true;
}

static bool do_is(struct show *s, struct actor *a, char **words, bool last)
{
	(void)last;
	if (is(words[0], "back"))
		upstream_return(a);
	else if (is(words[0], "unreachable"))
		upstream_cut(a);
	else if (is(words[0], "somebody") && is(words[1], "else"))
		a->is_another = true;
	else
		misread(s, words[0]);
	return true;
}

/* ---- checks ---- */

/* Holds it now? Not before its time. */
static bool holds(struct show *s, bool now)
{
	const struct statement *st = s->statement;
	uint64_t at = chronicle_now(&s->chronicle);
	bool early = (st->after_ms != NO_TIME && at < s->began_ms + st->after_ms) ||
		(st->at_ms != NO_TIME && at < st->at_ms);

	if (now && early)
		broken(&s->chronicle, "instead: it is so already");
	return now;
}

static void check_time(struct show *s, const struct letter *l)
{
	const struct statement *st = s->statement;

	if (st->after_ms != NO_TIME && l->at_ms < s->began_ms + st->after_ms)
		broken(&s->chronicle, "instead: it came %.3f s too early",
			(double)(s->began_ms + st->after_ms - l->at_ms) / 1000);
	if (st->at_ms != NO_TIME && l->at_ms != st->at_ms)
		broken(&s->chronicle, "instead: it came at %.3f s", (double)l->at_ms / 1000);
}

static void check_words(
	struct show *s, const struct actor *a, const char *heard, const char *name, char **words)
{
	size_t len = strlen(name);

	if (strncmp(heard, name, len) != 0 || heard[len] != ' ')
		broken(&s->chronicle, "instead: %s hears %s", a->name, heard);
	for (; *words; words++)
		if (!message_holds(heard, *words))
			broken(&s->chronicle, "instead: %s hears %s\n  which lacks: %s", a->name,
				heard, *words);
}

static bool hears_nothing(struct show *s, struct actor *a, bool last)
{
	struct list *first = list_first(&a->inbox);
	char text[MESSAGE_TEXT];

	if (first)
		broken(&s->chronicle, "instead: %s hears %s", a->name,
			message_words(container_of(first, struct letter, node)->message, text));
	return last;
}

/* What was heard, and how it came if there is more than one way. */
static const char *heard_words(
	const struct actor *a, const struct letter *l, char text[MESSAGE_TEXT])
{
	size_t len = strlen(message_words(l->message, text));

	if (a->role == UPSTREAM)
		snprintf(text + len, MESSAGE_TEXT - len, " over-%s",
			!l->line                     ? "udp"
				: l->line->wire->tls ? "tls"
						     : "tcp");
	return text;
}

static bool do_hears(struct show *s, struct actor *a, char **words, bool last)
{
	char text[MESSAGE_TEXT], name[NAME_TEXT_MAX];

	if (is(words[0], "nothing"))
		return hears_nothing(s, a, last);
	struct names names = take_names(s, &words);

	while (s->progress < names.count) {
		struct list *first = list_first(&a->inbox);

		name_at(&names, s->progress, name);
		if (!first) {
			snprintf(s->instead, sizeof s->instead, "%s hears nothing", a->name);
			if (names.count > 1)
				snprintf(s->instead, sizeof s->instead, "%s hears only %zu",
					a->name, s->progress);
			return false;
		}
		struct letter *l = container_of(first, struct letter, node);

		check_words(s, a, heard_words(a, l, text), name, words);
		check_time(s, l);
		letter_free(l);
		s->progress++;
	}
	return true;
}

static bool do_gets(struct show *s, struct actor *a, char **words, bool last)
{
	char name[NAME_TEXT_MAX];

	if (!is(words[0], "!answer"))
		misread(s, words[0]);
	words++;
	struct names names = take_names(s, &words);

	for (size_t i = 0; i < names.count; i++) {
		struct letter *l = actor_question(a, name_at(&names, i, name), false);

		if (!l)
			broken(&s->chronicle, "instead: %s was answered, or never asked", name);
		l->answered = last; /* so that an answer would be one too many */
	}
	return last;
}

static bool do_sees(struct show *s, struct actor *a, char **words, bool last)
{
	(void)last;
	if (!is(words[0], "end"))
		misread(s, words[0]);
	snprintf(s->instead, sizeof s->instead, "the connection stands");
	return holds(s, actor_connections(a) == 0);
}

static bool do_has(struct show *s, struct actor *a, char **words, bool last)
{
	size_t expected = is(words[0], "!connection") ? 0 : take_number(s, words[0]);
	size_t n = actor_connections(a);

	(void)last;
	snprintf(s->instead, sizeof s->instead, "%s has %zu", a->name, n);
	return holds(s, n == expected);
}

static bool do_was(struct show *s, struct actor *a, char **words, bool last)
{
	(void)last;
	if (!is(words[0], "asked"))
		misread(s, words[0]);
	snprintf(s->instead, sizeof s->instead, "it was asked %zu times", a->asked);
	return holds(s, a->asked == take_number(s, words[1]));
}

/* ---- checks of the daemon ---- */

struct counter {
	const char *name;
	uint64_t value;
	bool found;
};

static void find_counter(void *arg, const char *name, const char *help, uint64_t value)
{
	struct counter *c = arg;

	(void)help;
	if (strcmp(name, c->name) != 0)
		return;
	c->value = value;
	c->found = true;
}

static bool do_counter(struct show *s, struct actor *a, char **words, bool last)
{
	struct counter c = { .name = words[0] };

	(void)a, (void)last;
	if (!words[0])
		misread(s, NULL);
	metrics_each(worker_metrics(s->daemon.worker), find_counter, &c);
	if (!c.found)
		broken(&s->chronicle, "there is no counter %s", words[0]);
	snprintf(s->instead, sizeof s->instead, "it is %llu", (unsigned long long)c.value);
	return holds(s, c.value == take_number(s, words[1]));
}

/* The first unread line of the log that has the text, or is above a level; NULL if none. */
static const char *log_find(struct show *s, const char *text)
{
	struct span log = buf_span(&s->log);

	while (s->log_read < log.len) {
		const char *line = (const char *)log.at + s->log_read;

		s->log_read += strlen(line) + 1;
		if (text ? strstr(line, text) != NULL
			 : strncmp(line, "level=warn", 10) == 0 ||
					strncmp(line, "level=error", 11) == 0)
			return line;
	}
	return NULL;
}

static bool do_log(struct show *s, struct actor *a, char **words, bool last)
{
	const char *line;

	(void)a, (void)last;
	if (is(words[0], "has") && words[1]) {
		snprintf(s->instead, sizeof s->instead,
			"no line since the last one asked for has it");
		return log_find(s, words[1]) != NULL;
	}
	if (!is(words[0], "is") || !is(words[1], "silent"))
		misread(s, words[0]);
	line = log_find(s, NULL);
	if (line)
		broken(&s->chronicle, "instead: %s", line);
	return true;
}

static bool do_saves(struct show *s, struct actor *a, char **words, bool last)
{
	FILE *f = show_state(s, "r");
	bool found = false;

	(void)a, (void)last;
	snprintf(s->instead, sizeof s->instead, "the file is not there");
	while (f && !found && fgets(s->instead, sizeof s->instead, f)) {
		s->instead[strcspn(s->instead, "\n")] = '\0';
		found = is(words[0], s->instead);
	}
	if (f)
		fclose(f);
	return holds(s, found);
}

static bool do_ended(struct show *s, struct actor *a, char **words, bool last)
{
	(void)a, (void)words, (void)last;
	snprintf(s->instead, sizeof s->instead, "sotto still runs");
	return holds(s, loop_world(s->daemon.loop)->stops > 0);
}

/* ---- the table ---- */

static const struct verb verbs[] = {
	{ NULL, "set", EARLY, do_set, "KEY=VALUE",
		"a setting, as of `--set`; @SERVER in it is its address as it is configured" },
	{ NULL, "upstream", EARLY, do_upstream,
		"NAME [udp, tcp or ddr] [named HOST] [apart] [delay D]",
		"a server, by TLS if nothing is said, in the order they are configured, the nth at "
		"192.0.2.n and 2001:db8::n; D is each way; those of one HOST are one to the "
		"configuration; apart: it is not among `upstreams`" },
	{ NULL, "bootstrap", EARLY, do_bootstrap, "NAME",
		"a server that is asked for the addresses of hosts" },
	{ NULL, "saved", EARLY, do_saved, "\"LINE\"", "what an earlier run has kept of addresses" },

	{ NULL, "client", ACTION, do_client, "NAME udp or tcp [port N]",
		"a client; over TCP, it connects; it asks at port 53 if nothing is said" },
	{ NULL, "segments", ACTION, do_segments, "of N octets",
		"streams reach the daemon in pieces of N from now on" },
	{ NULL, "wait", CHECK, do_wait, "for D", "time passes" },
	{ NULL, "network", ACTION, do_network, "changes", "a link or a route of our host" },
	{ NULL, "our", ACTION, do_our, "address changes",
		"and what was connected from the old one is dead" },
	{ NULL, "clock", ACTION, do_clock, "jumps", "the wall clock is set" },
	{ NULL, "host", ACTION, do_host, "sleeps",
		"and wakes up an hour later; our clock stands still meanwhile, what peers do is up to them" },
	{ NULL, "reload", ACTION, do_reload, "[with KEY=VALUE...]",
		"what SIGHUP does, when these settings are others" },
	{ NULL, "drain", ACTION, do_drain, "", "what SIGTERM does" },

	{ "CLIENT", "asks", ACTION, do_asks, "NAMES [TYPE] [WORDS]", "sends a query" },
	{ "CLIENT", "half-closes", ACTION, do_half_closes, "",
		"sends its end, and goes on reading" },
	{ "NAME", "connects", ACTION, do_connects, "[after D]",
		"a client: once more; a server: connections take D to be set up" },
	{ "NAME", "closes", ACTION, do_closes, "", "each of its connections, in the orderly way" },
	{ "NAME", "resets", ACTION, do_resets, "", "each of its connections" },
	{ "NAME", "stops", ACTION, do_stops, "reading", "its windows are full" },
	{ "NAME", "reads", ACTION, do_reads, "again", "its windows are open" },
	{ "NAME", "sends", ACTION, do_sends, "[frame] HEX... or N octets",
		"octets as they are, or behind their length" },

	{ "SERVER", "answers", ACTION, do_answers, "NAMES [WORDS]",
		"its oldest question of that name, on a connection that stands" },
	{ "SERVER", "repeats", ACTION, do_repeats, "NAMES [WORDS]", "a question it has answered" },
	{ "SERVER", "always", ACTION, do_always, "answers [WORDS]",
		"by itself, all that comes from now on" },
	{ "SERVER", "goes", ACTION, do_goes, "silent",
		"answers nothing, and the play need not tell what it hears" },
	{ "SERVER", "refuses", ACTION, do_refuses, "connections [over tcp]",
		"those to come; datagrams likewise, by ICMP, but for `over tcp`" },
	{ "SERVER", "loops", ACTION, do_loops, "",
		"asks sotto what it is asked, and answers what it hears" },
	{ "SERVER", "hangs", ACTION, do_hangs, "",
		"its connections take all and bring nothing; new ones are as before" },
	{ "SERVER", "vanishes", ACTION, do_vanishes, "", "no packet reaches it any more" },
	{ "SERVER", "is", ACTION, do_is, "back, unreachable or somebody else",
		"takes connections as it did at first; has vanished, and our host knows it; has no "
		"certificate that fits" },

	{ "NAME", "hears", CHECK, do_hears, "NAMES [WORDS], or nothing",
		"its next message, with all these words; every one must be told" },
	{ "CLIENT", "gets", CHECK, do_gets, "no answer to NAMES", "not now, and not later" },
	{ "CLIENT", "sees", CHECK, do_sees, "the end", "the daemon has closed the connection" },
	{ "NAME", "has", CHECK, do_has, "N connections, or no connection", "that stand" },
	{ "SERVER", "was", CHECK, do_was, "asked N times", "since the beginning" },
	{ NULL, "counter", CHECK, do_counter, "NAME N", "a metric of the daemon" },
	{ NULL, "log", CHECK, do_log, "has \"TEXT\", or is silent",
		"a line behind the last one asked for; silent: no warning, no error" },
	{ NULL, "saves", CHECK, do_saves, "\"LINE\"", "of addresses, for the next run" },
	{ NULL, "ended", CHECK, do_ended, "", "the daemon has ended" },
};

#define VERBS (sizeof verbs / sizeof *verbs)

static bool may_be_subject(const struct verb *v, const struct actor *a)
{
	if (strcmp(v->subject, "SERVER") == 0)
		return a->role == UPSTREAM;
	return a->role != UPSTREAM || strcmp(v->subject, "CLIENT") != 0;
}

const struct verb *verb_of(struct show *s)
{
	char *const *words = s->statement->words;
	struct actor *a = cast_find(&s->cast, words[0]);
	const char *word = a ? words[1] : words[0];

	for (const struct verb *v = verbs; v < verbs + VERBS; v++) {
		if (!is(word, v->word) || !a != !v->subject)
			continue;
		if (a && !may_be_subject(v, a))
			broken(&s->chronicle, "%s is not a %s", a->name, v->subject);
		return v;
	}
	broken(&s->chronicle, "no statement begins so: see the table in README.md");
}

bool verb_run(struct show *s, bool last)
{
	struct actor *a = s->verb->subject ? cast_find(&s->cast, s->statement->words[0]) : NULL;

	if (s->verb->kind == EARLY && s->daemon.worker)
		broken(&s->chronicle, "this must stand before everything that happens");
	return s->verb->run(s, a, (char **)s->statement->words + (a ? 2 : 1), last);
}

static void print_row(const struct verb *v, char row[MESSAGE_TEXT])
{
	snprintf(row, MESSAGE_TEXT, "| `%s%s%s%s%s` | %s |\n", v->subject ? v->subject : "",
		v->subject ? " " : "", v->word, *v->words ? " " : "", v->words, v->meaning);
}

bool verbs_are_in(const char *file)
{
	char text[16384] = "", row[MESSAGE_TEXT];
	FILE *in = fopen(file, "r");
	bool all = in != NULL;

	if (in) {
		text[fread(text, 1, sizeof text - 1, in)] = '\0';
		fclose(in);
	}
	for (const struct verb *v = verbs; v < verbs + VERBS; v++) {
		print_row(v, row);
		if (!strstr(text, row)) {
			printf("%s lacks: %s", file, row);
			all = false;
		}
	}
	return all;
}
