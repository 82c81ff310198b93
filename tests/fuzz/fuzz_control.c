/* Octets of somebody who asks at the control socket, cut anywhere: there is one answer, one line
 * that is one JSON object, and how they were cut changes nothing.
 *
 * The first octets say how the others are cut; the socket is a real one.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "control/control.h"
#include "fuzz.h"

#define CUTS 4

static struct {
	struct loop *loop;
	struct control *control;
	struct cache *cache;
	struct sockaddr_un name;
	char folder[32];
} daemon_;

static struct {
	int fd;
	struct watch watch;
	struct span left; /* to be sent */
	const uint8_t *cuts; /* NULL: whole */
	unsigned sent;
	struct buf answer;
} asker;

/* ---- the daemon ---- */

static void end(void)
{
	control_free(daemon_.control);
	cache_free(daemon_.cache);
	loop_free(daemon_.loop);
	rmdir(daemon_.folder);
}

static struct post reloaded;
static unsigned reloads;

static void on_reloaded(void *arg)
{
	(void)arg;
	control_reloaded(daemon_.control, reloads, json_pack("{s:s}", "changed", "nothing"));
}

/* There is nothing to read: it is over at once. */
static unsigned on_reload(void *arg)
{
	(void)arg;
	loop_post(daemon_.loop, &reloaded, on_reloaded, NULL);
	return ++reloads;
}

static void start(void)
{
	static const struct cache_conf conf = { .size = CACHE_SIZE_MIN };
	static const struct siphash_key key = { { 1, 2 } };
	static const struct metrics metrics;
	static const struct listen_conf listen;
	static const struct upstream_conf upstream;
	static const struct sandbox sandbox;
	struct view_worker *worker = calloc(1, sizeof *worker);
	struct view view = { .start_ms = clock_since_boot_ms(),
		.listen = &listen,
		.upstream = &upstream,
		.sandbox = &sandbox,
		.reload = on_reload,
		.workers = worker,
		.worker_count = 1 };

	daemon_.loop = loop_new();
	strcpy(daemon_.folder, "/tmp/sotto-fuzz-XXXXXX");
	HOLDS(worker && daemon_.loop && mkdtemp(daemon_.folder));
	view.cache = daemon_.cache = cache_new(&conf, &key);
	*worker = (struct view_worker){ .loop = daemon_.loop, .metrics = &metrics };
	daemon_.name.sun_family = AF_UNIX;
	snprintf(daemon_.name.sun_path, sizeof daemon_.name.sun_path, "%s/control", daemon_.folder);
	HOLDS(view.cache && control_open(&daemon_.control, daemon_.name.sun_path, &view) == 0);
	atexit(end);
}

/* ---- who asks ---- */

static struct post next_piece;

/* One piece in each turn of the loop. Once there is an answer, nobody listens any more. */
static void send_piece(void *arg)
{
	size_t len = asker.cuts ? asker.cuts[asker.sent++ % CUTS] + 1u : asker.left.len;

	(void)arg;
	len = len < asker.left.len ? len : asker.left.len;
	ssize_t n = send(asker.fd, asker.left.at, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN)
		return;
	asker.left.at += n > 0 ? n : 0;
	asker.left.len -= n > 0 ? (size_t)n : 0;
	if (asker.left.len)
		loop_post(daemon_.loop, &next_piece, send_piece, NULL);
	else
		shutdown(asker.fd, SHUT_WR);
}

static void on_answer(struct watch *w, int events)
{
	uint8_t piece[4096];
	ssize_t n = recv(asker.fd, piece, sizeof piece, MSG_DONTWAIT);

	(void)w, (void)events;
	if (n > 0)
		HOLDS(buf_append(&asker.answer, (struct span){ piece, (size_t)n }));
	else if (n == 0 || errno != EAGAIN)
		loop_stop(daemon_.loop);
}

/* NULL: there was no answer. */
static json_t *ask(struct span line, const uint8_t *cuts)
{
	memset(&asker, 0, sizeof asker);
	asker.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	asker.left = line;
	asker.cuts = cuts;
	asker.watch.ready = on_answer;
	HOLDS(asker.fd >= 0);
	HOLDS(connect(asker.fd, (struct sockaddr *)&daemon_.name, sizeof daemon_.name) == 0);
	HOLDS(watch_start(daemon_.loop, &asker.watch, asker.fd, LOOP_READ) == 0);
	loop_post(daemon_.loop, &next_piece, send_piece, NULL);
	loop_run(daemon_.loop);
	watch_stop(&asker.watch);
	close(asker.fd);

	struct span s = buf_span(&asker.answer);
	json_t *answer = NULL;

	if (s.len) {
		HOLDS(memchr(s.at, '\n', s.len) == s.at + s.len - 1);
		answer = json_loadb((const char *)s.at, s.len, 0, NULL);
		HOLDS(json_is_object(answer));
	}
	buf_clear(&asker.answer);
	return answer;
}

/* What is refused is so for the same reason; what is not says the same things, of another moment.
 */
static void compare(const json_t *a, const json_t *b)
{
	const json_t *error = json_object_get(a, "error");
	const char *key;
	json_t *value;

	HOLDS(json_object_size(a) == json_object_size(b) && json_object_size(a) > 0);
	json_object_foreach ((json_t *)(uintptr_t)a, key, value)
		HOLDS(json_object_get(b, key));
	HOLDS(!error || json_equal(error, json_object_get(b, "error")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!daemon_.loop)
		start();
	if (len < CUTS || len > 8192)
		return 0;
	const struct span line = { data + CUTS, len - CUTS };
	json_t *whole = ask(line, NULL), *cut = ask(line, data);

	HOLDS(!whole == !line.len && !cut == !line.len);
	if (whole)
		compare(whole, cut);
	json_decref(whole);
	json_decref(cut);
	return 0;
}
