#include "control/asker.h"

#include "base/buf.h"
#include "control/place.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* More than a daemon lets a silent client wait, behind whom this one may have to queue. */
#define PATIENCE_S 10
#define READ_SIZE  65536
/* No answer comes near it. */
#define ANSWER_MOST (16u << 20)

/* ---- talking ---- */

/* A descriptor, or -errno. */
static int connect_to(const char *path)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	memcpy(name.sun_path, path, PLACE_TEXT);
	if (connect(fd, (const struct sockaddr *)&name, sizeof name) < 0) {
		/* When as many are queued as may be, one waits for a place. */
		int err = errno == EAGAIN ? -ETIMEDOUT : -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* Everything until the end of the connection; nothing is an error. 0 or -errno. */
static int read_all(int fd, struct buf *answer)
{
	for (;;) {
		uint8_t *room = buf_room(answer, READ_SIZE);
		ssize_t n = room ? recv(fd, room, READ_SIZE, 0) : -1;

		if (!room)
			return -ENOMEM;
		/* A reset is an end: who hangs up over a line that it has not read may have
		 * answered all the same. */
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return buf_len(answer) ? 0 : -ECONNRESET;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		buf_grow(answer, (size_t)n);
		if (buf_len(answer) > ANSWER_MOST)
			return -EMSGSIZE;
	}
}

/* 0 or -errno. Who has hung up may have said why. */
static int say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return -errno;
	return 0;
}

static int ask(const char *path, const char *line, struct buf *answer)
{
	int fd = connect_to(path), err;

	if (fd < 0)
		return fd;
	err = say(fd, line);
	if (!err)
		err = say(fd, "\n");
	if (!err)
		err = read_all(fd, answer);
	close(fd);
	return err;
}

/* ---- saying ---- */

static bool has_folder(const char *path)
{
	char folder[PLACE_TEXT];

	return snprintf(folder, sizeof folder, "%s", path) < (int)sizeof folder &&
		access(dirname(folder), F_OK) == 0;
}

static const char *meaning(const char *path, int err)
{
	switch (err) {
	case -ENOENT:
		return has_folder(path) ? "there is no such socket"
					: "its folder is not there; make it before sotto starts, "
					  "or set `control` to a path elsewhere";
	case -ECONNREFUSED:
		return "nobody listens there any more";
	case -ECONNRESET:
		return "it has hung up; it may be about to end";
	case -ETIMEDOUT:
		return "a process holds it and does not answer; it hangs, or has been stopped";
	case -EACCES:
		return "you may not; ask as root, or as a member of the socket's group";
	default:
		return strerror(-err);
	}
}

static void say_nobody(
	const struct asker *a, char paths[][PLACE_TEXT], size_t count, const int errs[])
{
	bool is_held = false;

	fputs("sotto: no running sotto answers\n", stderr);
	for (size_t i = 0; i < count; i++) {
		fprintf(stderr, "  %s: %s\n", paths[i], meaning(paths[i], errs[i]));
		is_held |= errs[i] == -ETIMEDOUT;
	}
	if (strcmp(a->control, "none") == 0)
		fputs("  its control socket is switched off (control: none)\n", stderr);
	else if (!count)
		fputs("  `control: auto` finds no place for a socket: set it to a path\n", stderr);
	if (!is_held)
		fprintf(stderr,
			"Start it with `sotto run`; if it runs, name its configuration: "
			"sotto %s -c FILE\n",
			a->line);
}

static int print(const struct asker *a, const struct buf *answer)
{
	struct span bytes = buf_span(answer);
	json_t *o = json_loadb((const char *)bytes.at, bytes.len, 0, NULL);
	const char *error = json_string_value(json_object_get(o, "error"));
	const char *problems = json_string_value(json_object_get(o, "problems"));
	const char *hint = json_string_value(json_object_get(o, "hint"));
	int status = 1;

	if (!json_is_object(o))
		fputs("sotto: what answers on the control socket is no sotto, or was cut off\n",
			stderr);
	else if (problems)
		fprintf(stderr, "%ssotto: the running sotto goes on as before%s%s\n", problems,
			hint ? "; " : "", hint ? hint : "");
	else if (error)
		fprintf(stderr, "sotto: the running sotto answers: %s\n", error);
	else
		status = 0;
	if (status == 0 && a->as_json)
		fwrite(bytes.at, 1, bytes.len, stdout);
	else if (status == 0)
		a->show(o, stdout);
	if (problems)
		status = ASKER_CONFIG;
	json_decref(o);
	return status;
}

int asker_run(const struct asker *a)
{
	char paths[PLACES_MAX][PLACE_TEXT];
	int errs[PLACES_MAX];
	size_t count = place_list(a->control, paths);
	struct buf answer = { 0 };

	for (size_t i = 0; i < count; i++) {
		errs[i] = ask(paths[i], a->line, &answer);
		if (errs[i] < 0) {
			buf_clear(&answer);
			continue;
		}
		int status = print(a, &answer);

		buf_clear(&answer);
		return status;
	}
	say_nobody(a, paths, count, errs);
	return 1;
}
