/* control: see control.h.
 *
 * An asker's way: it is waited for until its line is whole; a round visits the workers, and does in
 * a thread of its own what takes time; the answer is written as the asker takes it. A round
 * outlives an asker that goes away: whichever of the two ends first takes its pointer out of the
 * other.
 */
#include "control/control.h"

#include "base/buf.h"
#include "base/lack.h"
#include "control/command.h"
#include "net/socket.h"
#include "net/unix_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* For a whole line to come; and for an asker to take some of its answer. */
#define PATIENCE_MS 5000
/* What the kernel keeps for an asker that does not read. */
#define KERNEL_KEEPS (8 * 1024)
/* Without a free descriptor, accepting pauses this long. */
#define BREATH_MS 100
/* Octets behind the line that are thrown away, rather than have them reset the answer. */
#define REST_MOST 65536

struct control {
	struct view view;
	struct loop *loop;
	int fd;
	struct unix_socket socket;
	struct watch watch;
	struct timer breath;
	struct list askers;
	size_t asker_count, rounds; /* under way */
	struct list working; /* rounds whose work is to be done; the first one's is being done */
	bool holding; /* rounds wait */
	struct task hold; /* tells `held` */
	void (*held)(void *arg); /* NULL: it was told */
	void *held_arg;
	bool stopping;
	struct task end; /* tells `gone` */
	void (*gone)(void *arg);
	void *gone_arg;
};

/* A command on its way. */
struct round {
	struct list node; /* in control->working */
	struct post post; /* to the worker that is next */
	struct work work;
	struct control *control;
	struct asker *asker; /* NULL: it has gone away */
	const struct command *command;
	void *gathered;
	size_t visited;
	bool failed; /* its work could not be done */
};

struct asker {
	struct list node; /* in control->askers */
	struct control *control;
	struct round *round; /* NULL: none under way */
	const struct command *command; /* what it wants, once its line is whole */
	struct words words;
	bool waits; /* for a reload, of this number */
	unsigned reload;
	int fd; /* -1: closed */
	struct watch watch;
	struct timer timer;
	struct task bury;
	size_t len; /* of the line so far */
	char line[WORDS_LINE];
	struct buf out;
};

static void update_acceptor(struct control *c);

/* ---- an asker's end ---- */

static void on_bury(struct task *t)
{
	struct asker *a = container_of(t, struct asker, bury);

	buf_clear(&a->out);
	free(a);
}

static void asker_close(struct asker *a)
{
	struct control *c = a->control;

	if (a->fd < 0)
		return;
	if (a->round)
		a->round->asker = NULL;
	a->round = NULL;
	timer_stop(c->loop, &a->timer);
	watch_stop(&a->watch);
	close(a->fd);
	a->fd = -1;
	list_remove(&a->node);
	c->asker_count--;
	update_acceptor(c);
	loop_later(c->loop, &a->bury);
}

static void on_impatience(struct timer *t)
{
	asker_close(container_of(t, struct asker, timer));
}

/* ---- the answer ---- */

/* To close over octets that were not read is to reset, which could take the answer with it. */
static void throw_rest_away(const struct asker *a)
{
	char rest[4096];

	for (size_t i = 0; i < REST_MOST / sizeof rest; i++)
		if (recv(a->fd, rest, sizeof rest, 0) <= 0)
			return;
}

static void push(struct asker *a)
{
	struct loop *loop = a->control->loop;

	while (buf_len(&a->out)) {
		struct span bytes = buf_span(&a->out);
		ssize_t n = send(a->fd, bytes.at, bytes.len, MSG_NOSIGNAL);

		if (n >= 0) {
			buf_drop(&a->out, (size_t)n);
			timer_start(loop, &a->timer, PATIENCE_MS);
		} else if (errno == EAGAIN) {
			if (watch_start(loop, &a->watch, a->fd, LOOP_WRITE) < 0)
				asker_close(a);
			return;
		} else if (errno != EINTR) {
			asker_close(a);
			return;
		}
	}
	throw_rest_away(a);
	asker_close(a);
}

static bool append(struct asker *a, const char *text, size_t len)
{
	return buf_append(&a->out, (struct span){ (const uint8_t *)text, len });
}

/* Text on its way to an asker. */
struct dump {
	struct asker *to;
	bool whole; /* jansson goes on after a key that was not taken */
};

static int on_text(const char *text, size_t len, void *arg)
{
	struct dump *d = arg;

	d->whole = d->whole && append(d->to, text, len);
	return d->whole ? 0 : -1;
}

static bool append_object(struct asker *a, const json_t *object)
{
	const size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(12);
	struct dump d = { a, true };

	return object && json_dump_callback(object, on_text, &d, flags) == 0 && d.whole;
}

/* Takes the answer, which may be NULL: there was no memory for it. */
static void answer(struct asker *a, json_t *object)
{
	static const char no_memory[] = "{\"error\":\"out of memory\"}";
	bool whole = append_object(a, object);

	if (!whole) {
		buf_clear(&a->out);
		whole = append(a, no_memory, strlen(no_memory));
	}
	json_decref(object);
	timer_start(a->control->loop, &a->timer, PATIENCE_MS);
	if (whole && append(a, "\n", 1))
		push(a);
	else
		asker_close(a);
}

static void refuse(struct asker *a, const char *why)
{
	answer(a, json_pack("{s:s}", "error", why));
}

/* Who sends no command at all may not know any. */
static void refuse_line(struct asker *a, const char *why)
{
	json_t *known = json_array();

	for (const struct command *m = commands; m->name; m++)
		json_array_append_new(known, json_string(m->name));
	answer(a, json_pack("{s:s, s:o}", "error", why, "commands", known));
}

/* ---- rounds ---- */

/* jansson leaves out what it gets no memory for. */
static json_t *whole_answer(const struct round *r)
{
	lack_seen(); /* before */
	json_t *object = r->command->answer(r->gathered, &r->control->view);

	if (!lack_seen())
		return object;
	json_decref(object);
	return NULL;
}

/* Whoever waits for the last round hears that it is over. */
static void tell_rest(struct control *c)
{
	if (c->rounds)
		return;
	if (c->holding && c->held)
		loop_later(c->loop, &c->hold);
	if (c->stopping)
		loop_later(c->loop, &c->end);
}

static void come_home(struct round *r)
{
	struct control *c = r->control;
	struct asker *a = r->asker;

	c->rounds--;
	if (a) {
		a->round = NULL;
		answer(a, r->failed ? NULL : whole_answer(r));
	}
	r->command->end(r->gathered);
	free(r);
	tell_rest(c);
}

/* One at a time: the threads that do it have other things to do as well. */
static void work_on(struct control *c)
{
	struct list *first;

	while ((first = list_first(&c->working))) {
		struct round *r = container_of(first, struct round, node);

		if (!c->stopping && loop_work(c->loop, &r->work) == 0)
			return;
		r->failed = true;
		list_remove(&r->node);
		come_home(r);
	}
}

static void on_work(struct work *w)
{
	struct round *r = container_of(w, struct round, work);

	r->command->work(r->gathered, &r->control->view);
}

static void on_worked(struct work *w)
{
	struct round *r = container_of(w, struct round, work);
	struct control *c = r->control;

	list_remove(&r->node);
	come_home(r);
	work_on(c);
}

/* In the first worker's thread, when all workers have been visited. */
static void on_visited(void *arg)
{
	struct round *r = arg;
	struct control *c = r->control;
	bool first = !list_first(&c->working);

	if (!r->command->work) {
		come_home(r);
		return;
	}
	list_push(&c->working, &r->node);
	if (first)
		work_on(c);
}

/* In the thread of the worker that is next. */
static void visit(void *arg)
{
	struct round *r = arg;
	const struct view *view = &r->control->view;

	r->command->visit(r->gathered, &view->workers[r->visited]);
	if (++r->visited < view->worker_count)
		loop_post(view->workers[r->visited].loop, &r->post, visit, r);
	else
		loop_post(view->workers[0].loop, &r->post, on_visited, r);
}

static void start_round(struct asker *a)
{
	const struct command *command = a->command;
	const char *why = "out of memory";
	struct control *c = a->control;
	struct round *r = calloc(1, sizeof *r);

	a->command = NULL;
	if (r)
		r->gathered = command->begin(&c->view, &a->words, &why);
	if (!r || !r->gathered) {
		free(r);
		refuse(a, why);
		return;
	}
	r->work.run = on_work;
	r->work.done = on_worked;
	r->control = c;
	r->asker = a;
	r->command = command;
	a->round = r;
	c->rounds++;
	loop_post(c->loop, &r->post, command->visit ? visit : on_visited, r);
}

/* ---- while a configuration is swapped ---- */

static void on_hold(struct task *t)
{
	struct control *c = container_of(t, struct control, hold);
	void (*held)(void *) = c->held;

	c->held = NULL;
	held(c->held_arg);
}

void control_hold(struct control *c, void (*held)(void *arg), void *arg)
{
	c->holding = true;
	c->held = held;
	c->held_arg = arg;
	tell_rest(c);
}

void control_go_on(struct control *c, const struct view *view)
{
	struct view_worker *workers = c->view.workers;

	c->view = *view;
	c->view.workers = workers;
	c->holding = false;
	list_each_safe (node, &c->askers) {
		struct asker *a = container_of(node, struct asker, node);

		if (a->command)
			start_round(a);
	}
}

void control_reloaded(struct control *c, unsigned number, json_t *object)
{
	list_each_safe (node, &c->askers) {
		struct asker *a = container_of(node, struct asker, node);

		if (!a->waits || a->reload > number)
			continue;
		a->waits = false;
		answer(a, json_incref(object));
	}
	json_decref(object);
}

static void start_reload(struct asker *a)
{
	const struct view *view = &a->control->view;

	if (a->words.count) {
		refuse(a, "reload takes no words");
		return;
	}
	a->waits = true;
	a->reload = view->reload(view->reload_arg);
}

/* ---- the line ---- */

static void take_command(struct asker *a, const struct command *command)
{
	if (!command->begin) {
		start_reload(a);
		return;
	}
	a->command = command;
	if (!a->control->holding)
		start_round(a);
}

static void take_line(struct asker *a, size_t len)
{
	const struct command *command = NULL;
	char *rest;

	watch_stop(&a->watch);
	timer_stop(a->control->loop, &a->timer);
	if (len && a->line[len - 1] == '\r')
		len--;
	a->line[len] = '\0';
	if (strlen(a->line) == len)
		command = command_find(a->line, &rest);
	if (!command)
		refuse_line(a, "unknown command");
	else if (!words_cut(&a->words, rest))
		refuse(a, "too many words");
	else
		take_command(a, command);
}

static void read_line(struct asker *a)
{
	ssize_t n = recv(a->fd, a->line + a->len, sizeof a->line - a->len, 0);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			asker_close(a);
		return;
	}
	const char *end = memchr(a->line + a->len, '\n', (size_t)n);

	a->len += (size_t)n;
	if (end)
		take_line(a, (size_t)(end - a->line));
	else if (n == 0 && a->len == 0)
		asker_close(a);
	else if (n == 0)
		take_line(a, a->len);
	else if (a->len == sizeof a->line) {
		watch_stop(&a->watch);
		refuse_line(a, "the line is too long");
	}
}

static void on_asker(struct watch *w, int events)
{
	struct asker *a = container_of(w, struct asker, watch);

	(void)events;
	if (buf_len(&a->out))
		push(a);
	else
		read_line(a);
}

/* ---- accepting ---- */

static void on_breath(struct timer *t)
{
	update_acceptor(container_of(t, struct control, breath));
}

static void breathe(struct control *c)
{
	watch_stop(&c->watch);
	timer_start(c->loop, &c->breath, BREATH_MS);
}

/* While every place is taken, further askers wait with the kernel. */
static void update_acceptor(struct control *c)
{
	if (c->stopping || c->asker_count == CONTROL_ASKERS)
		watch_stop(&c->watch);
	else if (!c->breath.running && watch_start(c->loop, &c->watch, c->fd, LOOP_READ) < 0)
		breathe(c);
}

static void asker_begin(struct control *c, int fd)
{
	struct asker *a = calloc(1, sizeof *a);

	if (!a || watch_start(c->loop, &a->watch, fd, LOOP_READ) < 0) {
		free(a);
		close(fd);
		return;
	}
	socket_set(fd, SOL_SOCKET, SO_SNDBUF, KERNEL_KEEPS);
	a->control = c;
	a->fd = fd;
	a->watch.ready = on_asker;
	a->timer.fire = on_impatience;
	a->bury.run = on_bury;
	list_push(&c->askers, &a->node);
	c->asker_count++;
	timer_start(c->loop, &a->timer, PATIENCE_MS);
}

static void on_connection(struct watch *w, int events)
{
	struct control *c = container_of(w, struct control, watch);

	(void)events;
	while (c->asker_count < CONTROL_ASKERS) {
		int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				breathe(c);
			return;
		}
		asker_begin(c, fd);
	}
	update_acceptor(c);
}

/* ---- life ---- */

static void on_end(struct task *t)
{
	struct control *c = container_of(t, struct control, end);

	c->gone(c->gone_arg);
}

static struct control *control_new(const struct view *view)
{
	struct control *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->view = *view;
	c->loop = view->workers[0].loop;
	c->watch.ready = on_connection;
	c->breath.fire = on_breath;
	c->end.run = on_end;
	c->hold.run = on_hold;
	list_init(&c->askers);
	list_init(&c->working);
	return c;
}

int control_open(struct control **out, const char *path, const struct view *view)
{
	struct control *c = control_new(view);
	int err = -ENOMEM;

	json_set_alloc_funcs(lack_malloc, free);
	if (!c) {
		free(view->workers);
		return err;
	}
	err = c->fd = unix_socket_listen(&c->socket, path, 0660, CONTROL_ASKERS);
	if (err < 0)
		goto fail;
	err = watch_start(c->loop, &c->watch, c->fd, LOOP_READ);
	if (err < 0)
		goto fail_socket;
	*out = c;
	return 0;

fail_socket:
	unix_socket_remove(&c->socket);
	close(c->fd);
fail:
	free(c->view.workers);
	free(c);
	return err;
}

/* Takes no asker any more, and has none. */
static void shut(struct control *c)
{
	if (c->stopping)
		return;
	c->stopping = true;
	loop_cancel(&c->hold);
	update_acceptor(c);
	timer_stop(c->loop, &c->breath);
	unix_socket_remove(&c->socket);
	close(c->fd);
	list_each_safe (node, &c->askers)
		asker_close(container_of(node, struct asker, node));
}

void control_stop(struct control *c, void (*gone)(void *arg), void *arg)
{
	c->gone = gone;
	c->gone_arg = arg;
	shut(c);
	if (c->rounds == 0)
		loop_later(c->loop, &c->end);
}

void control_free(struct control *c)
{
	if (!c)
		return;
	shut(c);
	free(c->view.workers);
	free(c);
}
