#include "show.h"

#include "base/bug.h"
#include "log.h"
#include "rand.h"
#include "verbs.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEED 1
/* A check holds within this time, where its statement says none. */
#define SOON_MS 1
/* After this, a daemon that was told to end does not. */
#define DRAIN_MS 60000

/* ---- statements ---- */

static void enter(struct show *s)
{
	const struct statement *st = &s->play.statements[s->at];

	s->statement = st;
	s->entered = true;
	s->began_ms = chronicle_now(&s->chronicle);
	s->progress = 0;
	snprintf(s->instead, sizeof s->instead, "nothing came");
	snprintf(s->chronicle.where, sizeof s->chronicle.where, "%s:%u: %s", s->play.file, st->line,
		st->text);
}

/* When the statement has its last chance. */
static uint64_t limit_of(const struct show *s)
{
	const struct statement *st = s->statement;

	if (st->at_ms != NO_TIME)
		return st->at_ms;
	if (st->within_ms != NO_TIME)
		return s->began_ms + st->within_ms;
	if (st->after_ms != NO_TIME)
		return s->began_ms + st->after_ms + SOON_MS;
	return s->began_ms + (st->for_ms != NO_TIME ? st->for_ms : SOON_MS);
}

static void wake_at(struct show *s, uint64_t chronicle_ms)
{
	event_cancel(&s->wake);
	event_post(s->daemon.loop, &s->wake, chronicle_ms + s->chronicle.zero_ms);
}

/* False: it has to wait. */
static bool run_statement(struct show *s)
{
	uint64_t now = chronicle_now(&s->chronicle);

	if (!s->entered) {
		enter(s);
		s->verb = verb_of(s);
	}
	if (s->verb->kind == CHECK && !s->settled) {
		s->settled = true;
		wake_at(s, now);
		return false;
	}
	if (!verb_run(s, now >= limit_of(s))) {
		if (now >= limit_of(s))
			broken(&s->chronicle, "instead: %s", s->instead);
		wake_at(s, limit_of(s));
		return false;
	}
	if (s->verb->kind == ACTION)
		s->settled = false;
	s->at++;
	s->entered = false;
	return true;
}

static void end(struct show *s)
{
	snprintf(s->chronicle.where, sizeof s->chronicle.where,
		"%s: the end, when sotto is told to end", s->play.file);
	if (s->daemon.draining)
		return;
	happened(&s->chronicle, "sotto is told to end");
	daemon_drain(&s->daemon);
}

static void on_moment_over(void *arg, uint64_t next_ms)
{
	struct show *s = container_of((struct cast *)arg, struct show, cast);

	(void)next_ms;
	while (s->at < s->play.count)
		if (!run_statement(s))
			return;
	end(s);
	if (!s->too_late.waiting && !loop_world(s->daemon.loop)->stops)
		event_post(s->daemon.loop, &s->too_late, loop_now(s->daemon.loop) + DRAIN_MS);
}

static void on_wake(struct event *e)
{
	(void)e; /* the moment that it makes is what counts */
}

static void on_too_late(struct event *e)
{
	struct show *s = container_of(e, struct show, too_late);

	broken(&s->chronicle, "instead: it goes on for more than %u s", DRAIN_MS / 1000);
}

/* ---- the log ---- */

static void on_log_line(void *arg, struct span line)
{
	struct show *s = arg;

	happened(&s->chronicle, "log: %.*s", (int)line.len, (const char *)line.at);
	MUST(buf_append(&s->log, line));
	MUST(buf_append(&s->log, (struct span){ (const uint8_t *)"", 1 }));
}

/* ---- what is kept over a restart ---- */

FILE *show_state(struct show *s, const char *mode)
{
	char path[sizeof s->state + 16];

	if (!*s->state) {
		snprintf(s->state, sizeof s->state, "/tmp/sotto-play-XXXXXX");
		MUST(mkdtemp(s->state) && s->override_count < SHOW_OVERRIDES);
		s->overrides[s->override_count++] =
			(struct config_override){ "state", s->state, NULL };
	}
	snprintf(path, sizeof path, "%s/addresses", s->state);
	return fopen(path, mode);
}

static void state_remove(struct show *s)
{
	char path[sizeof s->state + 16];

	if (!*s->state)
		return;
	snprintf(path, sizeof path, "%s/addresses", s->state);
	unlink(path);
	rmdir(s->state);
}

/* ---- from the first statement to the last check ---- */

/* How the configuration spells it. */
static void spell(const struct actor *a, char text[SHOW_URI])
{
	char addr[ADDR_TEXT];

	snprintf(text, SHOW_URI, "%s://%s", a->scheme,
		a->host ? a->host : addr_print_host(&a->addr, addr));
}

/* What stands behind an @; *end is behind it. */
static const struct actor *named(struct show *s, const char *text, const char **end)
{
	char name[SHOW_URI];
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz");

	snprintf(name, sizeof name, "%.*s", (int)len, text);
	*end = text + len;
	const struct actor *a = cast_find(&s->cast, name);

	if (!a || a->role != UPSTREAM)
		broken(&s->chronicle, "there is no server %s", name);
	return a;
}

const char *show_spelled(struct show *s, const char *text)
{
	char uri[SHOW_URI];
	size_t size;

	MUST(s->text_count < SHOW_TEXTS);
	FILE *out = open_memstream(&s->texts[s->text_count], &size);

	MUST(out);
	while (*text) {
		if (*text == '@') {
			spell(named(s, text + 1, &text), uri);
			fputs(uri, out);
		} else {
			fputc(*text++, out);
		}
	}
	MUST(fclose(out) == 0);
	return s->texts[s->text_count++];
}

/* Those that have the same host are one for the configuration. */
static bool is_listed(const char *const *list, const char *text)
{
	for (; *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

static void add_bootstrap(struct show *s, const char *text)
{
	size_t len = strlen(s->bootstrap);

	if (!len && s->override_count < SHOW_OVERRIDES)
		s->overrides[s->override_count++] =
			(struct config_override){ "bootstrap", s->bootstrap, NULL };
	snprintf(s->bootstrap + len, sizeof s->bootstrap - len, "%s%s", len ? "," : "", text);
}

static void start_daemon(struct show *s)
{
	const char *upstreams[SHOW_UPSTREAMS + 1] = { NULL };
	char(*text)[SHOW_URI] = s->uris;

	if (!s->cast.upstreams || s->cast.upstreams > SHOW_UPSTREAMS)
		broken(&s->chronicle, "a play has 1 to %d upstreams", SHOW_UPSTREAMS);
	unsigned i = 0;

	/* Before it begins, there are only upstreams. */
	for (struct list *node = s->cast.actors.next; node != &s->cast.actors; node = node->next) {
		const struct actor *a = container_of(node, struct actor, node);

		spell(a, text[i]);
		if (a->is_bootstrap) {
			add_bootstrap(s, text[i]);
		} else if (!a->is_apart && !is_listed(upstreams, text[i])) {
			upstreams[i] = text[i];
			i++;
		}
	}
	for (size_t o = 0; o < s->override_count; o++)
		s->overrides[o].value = show_spelled(s, s->overrides[o].value);
	if (!daemon_start(&s->daemon, upstreams, s->overrides, s->override_count))
		broken(&s->chronicle, "sotto does not start");
}

/* What is said of the world before it begins. */
static void run_early(struct show *s)
{
	for (; s->at < s->play.count; s->at++) {
		enter(s);
		s->verb = verb_of(s);
		if (s->verb->kind != EARLY)
			break;
		verb_run(s, true);
	}
	s->entered = false;
	start_daemon(s);
}

static void check_actor(struct show *s, const struct actor *a)
{
	struct list *first = list_first(&a->inbox);
	char text[MESSAGE_TEXT];

	if (first)
		broken(&s->chronicle, "instead: the play does not tell that %s hears %s", a->name,
			message_words(container_of(first, struct letter, node)->message, text));
	if (a->role == UPSTREAM)
		return;
	for (struct list *node = a->questions.next; node != &a->questions; node = node->next) {
		struct letter *l = container_of(node, struct letter, node);

		if (!l->answered && !(l->line && l->line->dropped))
			broken(&s->chronicle, "instead: %s never gets an answer to %s", a->name,
				message_words(l->message, text));
	}
}

static void check_all(struct show *s)
{
	const char *wrong = daemon_remains(&s->daemon);

	if (wrong)
		broken(&s->chronicle, "instead: %s", wrong);
	for (struct list *node = s->cast.actors.next; node != &s->cast.actors; node = node->next)
		check_actor(s, container_of(node, struct actor, node));
}

void show_run(struct show *s, const char *file)
{
	static const struct peers peers = { .datagram = cast_datagram,
		.dialled = cast_dialled,
		.moment_over = on_moment_over,
		.asked = cast_asked };

	memset(s, 0, sizeof *s);
	s->wake.happen = on_wake;
	s->too_late.happen = on_too_late;
	chronicle_open(&s->chronicle);
	snprintf(s->chronicle.where, sizeof s->chronicle.where, "%s", file);
	cast_open(&s->cast, &s->chronicle);
	if (!play_read(&s->play, file))
		exit(1);
	rand_seed(SEED);
	run_early(s);

	struct loop *loop = s->daemon.loop;

	loop_world(loop)->peers = &peers;
	loop_world(loop)->arg = &s->cast;
	s->chronicle.loop = loop;
	s->chronicle.zero_ms = loop_now(loop);
	cast_enter(&s->cast, loop);
	log_tap(loop, on_log_line, s);
	loop_run(loop); /* until the daemon has ended, or nothing is left to happen */
	event_cancel(&s->too_late);
	loop_run(loop); /* what is still on its way, and the rest of the play */
	check_all(s);
	printf("%s: %zu statements, %.3f s\n", file, s->play.count,
		(double)chronicle_now(&s->chronicle) / 1000);

	s->chronicle.loop = NULL;
	log_tap(NULL, NULL, NULL);
	daemon_free(&s->daemon);
	for (size_t i = 0; i < s->text_count; i++)
		free(s->texts[i]);
	state_remove(s);
	cast_clear(&s->cast);
	play_clear(&s->play);
	buf_clear(&s->log);
}
