/* dump: see dump.h.
 *
 * Who puts a message appends it to `filled`, under a lock that nobody holds while something is
 * opened, written or waited for. The writer takes that buffer, leaves an empty one in its place,
 * and writes it to its end before it does anything else, so that a record is only torn where a file
 * is left that cannot be written.
 */
#include "report/dump.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER  (1024 * 1024)
#define RETRY_S 1

struct buffer {
	uint8_t *at;
	size_t len;
};

/* What a configuration says. */
struct target {
	char path[PATH_MAX]; /* empty: there is none */
	uint64_t size;
};

struct dump {
	pthread_mutex_t lock; /* of all up to `ending` */
	pthread_cond_t news; /* there is something to do for the writer */
	struct buffer filled; /* what was put */
	uint64_t len, size; /* octets of the file, with all that was put; and that it may have */
	bool is_open, is_full;
	struct target next; /* what a reload says ... */
	bool renewed; /* ... and the writer does not know yet */
	bool ending;

	pthread_t writer;
	bool has_writer;
	/* Of the writer; and, before there is one, of who opens. */
	int fd; /* -1: there is no file */
	struct target now;
	struct buffer out; /* what is being written ... */
	size_t written; /* ... up to here */
	bool failing;
	bool parting; /* what is written is the last for this file, before a reload */
};

/* ---- what is said ---- */

static void say_open(const struct dump *d)
{
	struct log_line l;

	log_begin(&l, LOG_INFO, "messages of clients are written to a file");
	log_str(&l, "file", d->now.path);
	log_count(&l, "size", d->now.size);
	log_end(&l);
}

static void say_cannot_open(enum log_level level, const char *path, int err)
{
	log_file(level, "the dump cannot be opened", path,
		err == -EEXIST ? "what is there is no dump of sotto's, and stays as it is"
			       : strerror(-err));
}

static void say_full(void)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "the dump has its size: nothing more is written");
	log_str(&l, "hint", "`sotto reload` begins a new one, and leaves this one as FILE.old");
	log_end(&l);
}

/* ---- the file ---- */

/* What is there of an earlier run makes room. 0, or -errno: -EEXIST if it is something else. */
static int move_old(const char *path)
{
	uint8_t ours[PCAP_HEADER], there[PCAP_HEADER];
	char old[PATH_MAX + sizeof ".old"];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	bool is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	ssize_t len = is_file ? read(fd, there, sizeof there) : -1;

	close(fd);
	pcap_put_header(ours);
	if (len != 0 && (len != sizeof ours || memcmp(ours, there, sizeof ours) != 0))
		return -EEXIST;
	snprintf(old, sizeof old, "%s.old", path);
	bool is_empty = st.st_size <= PCAP_HEADER;

	return (is_empty ? unlink(path) : rename(path, old)) < 0 ? -errno : 0;
}

/* 0 or -errno. */
static int open_file(struct dump *d, const struct target *t)
{
	int err = move_old(t->path);

	if (err < 0)
		return err;
	d->fd = open(t->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return d->fd < 0 ? -errno : 0;
}

/* Whoever rotates logs may have taken it away. */
static bool is_in_place(const struct dump *d)
{
	struct stat ours, there;

	return fstat(d->fd, &ours) == 0 && stat(d->now.path, &there) == 0 &&
		ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static int make_buffers(struct dump *d)
{
	if (!d->filled.at)
		d->filled.at = malloc(BUFFER);
	if (!d->out.at)
		d->out.at = malloc(BUFFER);
	return d->filled.at && d->out.at ? 0 : -ENOMEM;
}

static void close_file(struct dump *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	d->out.len = d->written = 0;
	d->failing = false;
}

/* Leaves the file that there is for that one. 0 or -errno, and there is none. */
static int change_file(struct dump *d, const struct target *t)
{
	close_file(d);
	d->now = *t;
	if (!*t->path)
		return 0;
	int err = make_buffers(d);

	if (!err)
		err = open_file(d, t);
	if (err < 0)
		return err;
	pcap_put_header(d->out.at);
	d->out.len = PCAP_HEADER;
	say_open(d);
	return 0;
}

/* With the lock. What was put meanwhile goes where it can. */
static void show_file(struct dump *d)
{
	d->is_open = d->fd >= 0;
	d->is_full = false;
	d->size = d->now.size;
	if (!d->is_open)
		d->filled.len = 0;
	d->len = PCAP_HEADER + d->filled.len;
}

/* ---- the writer: with the lock, but for what it waits for ---- */

static void take(struct dump *d)
{
	struct buffer empty = { d->out.at, 0 };

	d->out = d->filled;
	d->filled = empty;
	d->written = 0;
}

static void renew(struct dump *d)
{
	const struct target t = d->next;
	bool stays = d->is_open && !d->is_full && strcmp(t.path, d->now.path) == 0;

	/* What is half written is written to its end, in case that the file stays. */
	if (d->filled.len && !d->parting && d->written == d->out.len) {
		d->parting = true;
		take(d);
		return;
	}
	d->renewed = d->parting = false;
	pthread_mutex_unlock(&d->lock);
	stays = stays && is_in_place(d);
	int err = stays ? 0 : change_file(d, &t);

	if (err < 0)
		say_cannot_open(LOG_WARN, t.path, err);
	pthread_mutex_lock(&d->lock);
	if (stays)
		d->size = t.size;
	else
		show_file(d);
}

/* At the end, nobody waits for a disk that is full. */
static void wait_to_retry(struct dump *d)
{
	struct timespec until;

	if (d->ending) {
		d->out.len = d->filled.len = d->written = 0;
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RETRY_S;
	pthread_cond_timedwait(&d->news, &d->lock, &until);
}

static void write_some(struct dump *d)
{
	pthread_mutex_unlock(&d->lock);
	ssize_t n = write(d->fd, d->out.at + d->written, d->out.len - d->written);
	int err = n < 0 ? errno : EIO;

	if (n <= 0 && !d->failing)
		log_file(LOG_WARN, "the dump cannot be written: it is tried every second",
			d->now.path, strerror(err));
	pthread_mutex_lock(&d->lock);
	d->failing = n <= 0;
	if (d->failing)
		wait_to_retry(d);
	else
		d->written += (size_t)n;
}

static void *write_all(void *arg)
{
	struct dump *d = arg;

	pthread_mutex_lock(&d->lock);
	for (;;) {
		if (d->written < d->out.len && !(d->failing && d->renewed))
			write_some(d);
		else if (d->renewed)
			renew(d);
		else if (d->filled.len)
			take(d);
		else if (d->ending)
			break;
		else
			pthread_cond_wait(&d->news, &d->lock);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* Signals are for the first worker's loop. */
static bool start_writer(struct dump *d)
{
	sigset_t all, before;

	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	d->has_writer = pthread_create(&d->writer, NULL, write_all, d) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!d->has_writer)
		log_say(LOG_WARN, "nothing is written to the dump: no thread can be started");
	return d->has_writer;
}

/* ---- for others ---- */

static struct target target_of(const struct dump_conf *conf)
{
	struct target t = { .size = conf->size };

	snprintf(t.path, sizeof t.path, "%s", conf->file ? conf->file : "");
	return t;
}

bool dump_open(struct dump *d, const struct dump_conf *conf)
{
	const struct target t = target_of(conf);
	int err = change_file(d, &t);

	if (err < 0)
		say_cannot_open(LOG_ERROR, t.path, err);
	show_file(d);
	return err == 0;
}

void dump_write(struct dump *d, const struct dump_conf *conf)
{
	bool has_begun = d->has_writer;

	if (!has_begun && (!conf->file || !start_writer(d)))
		return;
	pthread_mutex_lock(&d->lock);
	if (has_begun || !d->is_open) { /* else dump_open() has done it */
		d->next = target_of(conf);
		d->renewed = true;
		pthread_cond_signal(&d->news);
	}
	pthread_mutex_unlock(&d->lock);
}

/* False: there is no room for it, or, which is put into *full, it is the first for which there will
 * be none. */
static bool put(struct dump *d, const struct packet *p, bool *full)
{
	size_t len = pcap_size(p);
	struct timespec now;

	if (!d->is_open || d->is_full)
		return false;
	*full = d->is_full = d->len + len > d->size;
	if (d->is_full || len > BUFFER - d->filled.len)
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	pcap_put(d->filled.at + d->filled.len, p, &now);
	if (!d->filled.len)
		pthread_cond_signal(&d->news);
	d->filled.len += len;
	d->len += len;
	return true;
}

bool dump_put(struct dump *d, const struct packet *p)
{
	bool full = false;

	pthread_mutex_lock(&d->lock);
	bool took = put(d, p, &full);

	pthread_mutex_unlock(&d->lock);
	if (full)
		say_full();
	return took;
}

struct dump *dump_new(void)
{
	struct dump *d = calloc(1, sizeof *d);
	pthread_condattr_t attr;

	if (!d)
		return NULL;
	d->fd = -1;
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->news, &attr);
	pthread_condattr_destroy(&attr);
	return d;
}

void dump_free(struct dump *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->ending = true;
	pthread_cond_signal(&d->news);
	pthread_mutex_unlock(&d->lock);
	if (d->has_writer)
		pthread_join(d->writer, NULL);
	close_file(d);
	pthread_cond_destroy(&d->news);
	pthread_mutex_destroy(&d->lock);
	free(d->filled.at);
	free(d->out.at);
	free(d);
}
