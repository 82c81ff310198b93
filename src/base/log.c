#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUIET_S 10 /* a line is written once in this time */
#define RECENT  32 /* lines remembered */
#define TAIL    64 /* kept free in a line for the end of it */

/* A line written not long ago. */
struct recent {
	uint64_t hash;
	int64_t written_s;
	unsigned suppressed;
	char text[512]; /* to tell, at the end, what was suppressed */
};

static const char *const level_name[] = { "error", "warn", "info", "debug" };
static enum log_level highest = LOG_INFO;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct recent recent[RECENT];

void log_set_level(enum log_level level)
{
	highest = level;
}

bool log_on(enum log_level level)
{
	return level <= highest;
}

/* ---- a line in the making ---- */

static void put(struct log_line *l, const char *s, size_t len)
{
	size_t room = sizeof l->text - TAIL - l->len;

	if (len > room)
		len = room;
	memcpy(l->text + l->len, s, len);
	l->len += len;
}

static void put_word(struct log_line *l, const char *s)
{
	put(l, s, strlen(s));
}

/* FNV-1a: good enough to tell the lines of one program apart. */
static void hash_in(struct log_line *l, const char *s)
{
	for (; *s; s++)
		l->hash = (l->hash ^ (unsigned char)*s) * 0x100000001b3ull;
	l->hash = (l->hash ^ 0xff) * 0x100000001b3ull;
}

static bool is_plain(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || strchr("\"=\\", *s))
			return false;
	return true;
}

/* UTF-8 passes as it is; what could break a line or a quote does not. */
static void put_quoted(struct log_line *l, const char *s)
{
	put_word(l, "\"");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		char escaped[8];

		if (c == '"' || c == '\\')
			snprintf(escaped, sizeof escaped, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			snprintf(escaped, sizeof escaped, "\\x%02x", c);
		else
			snprintf(escaped, sizeof escaped, "%c", c);
		put_word(l, escaped);
	}
	put_word(l, "\"");
}

static void put_pair(struct log_line *l, const char *key, const char *value)
{
	if (l->len)
		put_word(l, " ");
	put_word(l, key);
	put_word(l, "=");
	if (is_plain(value))
		put_word(l, value);
	else
		put_quoted(l, value);
}

void log_begin(struct log_line *l, enum log_level level, const char *msg)
{
	l->level = level;
	l->len = 0;
	l->hash = 0xcbf29ce484222325ull;
	log_str(l, "level", level_name[level]);
	hash_in(l, msg);
	put_word(l, " msg=");
	put_quoted(l, msg);
}

void log_str(struct log_line *l, const char *key, const char *value)
{
	hash_in(l, key);
	hash_in(l, value);
	put_pair(l, key, value);
}

void log_fmt(struct log_line *l, const char *key, const char *format, ...)
{
	char value[512];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof value, format, args);
	va_end(args);
	log_str(l, key, value);
}

void log_count(struct log_line *l, const char *key, uint64_t n)
{
	char value[24];

	snprintf(value, sizeof value, "%llu", (unsigned long long)n);
	put_pair(l, key, value);
}

/* ---- writing ---- */

static void write_line(const char *text, size_t len, unsigned suppressed)
{
	char line[sizeof((struct log_line *)0)->text + 128];
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(line, sizeof line, "ts=%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(
		line + n, sizeof line - n, ".%03ldZ %.*s", now.tv_nsec / 1000000, (int)len, text);
	if (suppressed)
		n += (size_t)snprintf(line + n, sizeof line - n, " suppressed=%u", suppressed);
	line[n++] = '\n';
	/* Nobody is left to tell if standard error does not take it. */
	ssize_t ignored = write(STDERR_FILENO, line, n);
	(void)ignored;
}

static int64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void tell_suppressed(struct recent *r)
{
	if (r->suppressed)
		write_line(r->text, strlen(r->text), r->suppressed);
	r->suppressed = 0;
}

/* The place of that line, or the oldest one, emptied. */
static struct recent *recall(uint64_t hash)
{
	struct recent *oldest = recent;

	for (struct recent *r = recent; r < recent + RECENT; r++) {
		if (r->hash == hash)
			return r;
		if (r->written_s < oldest->written_s)
			oldest = r;
	}
	tell_suppressed(oldest);
	*oldest = (struct recent){ .hash = hash, .written_s = INT64_MIN / 2 };
	return oldest;
}

void log_end(struct log_line *l)
{
	if (!log_on(l->level))
		return;
	pthread_mutex_lock(&lock);
	if (l->level == LOG_DEBUG) {
		write_line(l->text, l->len, 0);
	} else {
		struct recent *r = recall(l->hash);

		if (seconds() - r->written_s < QUIET_S) {
			r->suppressed++;
		} else {
			write_line(l->text, l->len, r->suppressed);
			r->suppressed = 0;
			r->written_s = seconds();
			snprintf(r->text, sizeof r->text, "%.*s", (int)l->len, l->text);
		}
	}
	pthread_mutex_unlock(&lock);
}

void log_say(enum log_level level, const char *msg)
{
	struct log_line l;

	log_begin(&l, level, msg);
	log_end(&l);
}

void log_flush(void)
{
	pthread_mutex_lock(&lock);
	for (struct recent *r = recent; r < recent + RECENT; r++)
		tell_suppressed(r);
	pthread_mutex_unlock(&lock);
}
