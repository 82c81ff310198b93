#include "base/log.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUIET_S 10 /* a line is written once in this time */
#define RECENT  32 /* lines remembered */
#define STAMP   64 /* room for what is put around a line */
#define DOTS    "...\"" /* at the end of a value that is cut */

/* Of a pipe that is ready, only so much may be written without waiting. */
static_assert(LOG_TEXT + STAMP <= PIPE_BUF, "a line may block");

/* A line written not long ago. */
struct recent {
	uint64_t hash;
	int64_t written_s;
	unsigned suppressed;
	size_t len;
	char text[LOG_TEXT]; /* to tell, at the end, what was suppressed */
};

static const char *const level_name[] = { "error", "warn", "info", "debug" };
static _Atomic enum log_level highest = LOG_INFO;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct recent recent[RECENT];
static int out = STDERR_FILENO;
static unsigned lost; /* lines that it did not take, not yet told */
static bool torn; /* it took a part of the last one */

/* A terminal is ready when it takes an octet, and makes a writer wait for the rest: so sotto opens
 * it anew in a way that does not wait. The mode of standard error itself is shared with others. */
void log_open(void)
{
	if (!isatty(STDERR_FILENO))
		return;
	int own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (own >= 0)
		out = own;
}

void log_set_level(enum log_level level)
{
	highest = level;
}

bool log_on(enum log_level level)
{
	return level <= highest;
}

/* ---- a line in the making ---- */

/* All of it; or nothing, then and ever after. */
static void put(struct log_line *l, const char *s, size_t len)
{
	if (l->cut || len > sizeof l->text - strlen(DOTS) - l->len) {
		l->cut = true;
		return;
	}
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

/* The length of the character at s if it is one of UTF-8, beyond ASCII, and no control character
 * (U+0080 to U+009F); else 0. */
static size_t wide_character(const char *s)
{
	const unsigned char *c = (const unsigned char *)s;
	size_t len = c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0;
	/* Of the second octet (RFC 3629 §4): nothing over-long, no surrogates. */
	unsigned least = c[0] == 0xc2 || c[0] == 0xe0 ? 0xa0 : c[0] == 0xf0 ? 0x90 : 0x80;
	unsigned most = c[0] == 0xed ? 0x9f : c[0] == 0xf4 ? 0x8f : 0xbf;

	if (!len || c[1] < least || c[1] > most)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* One character, escaped if it could break a line, a quote or a terminal. Returns its length. */
static size_t put_character(struct log_line *l, const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t len = wide_character(s);
	char escaped[8];

	if (len) {
		put(l, s, len);
		return len;
	}
	if (c == '"' || c == '\\')
		snprintf(escaped, sizeof escaped, "\\%c", c);
	else if (c < ' ' || c > '~')
		snprintf(escaped, sizeof escaped, "\\x%02x", c);
	else
		snprintf(escaped, sizeof escaped, "%c", c);
	put_word(l, escaped);
	return 1;
}

static void put_pair(struct log_line *l, const char *key, const char *value, const char *quote)
{
	size_t before = l->len;

	put_word(l, before ? " " : "");
	put_word(l, key);
	put_word(l, "=");
	put_word(l, quote);
	if (l->cut) {
		l->len = before;
		return;
	}
	while (*value && !l->cut)
		value += put_character(l, value);
	put_word(l, quote);
	if (l->cut) {
		memcpy(l->text + l->len, DOTS, strlen(DOTS));
		l->len += strlen(DOTS) - !*quote;
	}
}

static const char *quote_for(const char *value)
{
	return is_plain(value) ? "" : "\"";
}

void log_begin(struct log_line *l, enum log_level level, const char *msg)
{
	l->level = level;
	l->len = 0;
	l->cut = false;
	l->hash = 0xcbf29ce484222325ull;
	log_str(l, "level", level_name[level]);
	hash_in(l, msg);
	put_pair(l, "msg", msg, "\"");
}

void log_str(struct log_line *l, const char *key, const char *value)
{
	hash_in(l, key);
	hash_in(l, value);
	put_pair(l, key, value, quote_for(value));
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
	put_pair(l, key, value, quote_for(value));
}

/* ---- writing ---- */

/* False: it would have to be waited for, or cannot be written. */
static bool write_at_once(const char *line, size_t len)
{
	struct pollfd ready = { .fd = out, .events = POLLOUT };

	if (poll(&ready, 1, 0) != 1)
		return false;
	ssize_t n = write(out, line, len);

	if (n > 0)
		torn = n < (ssize_t)len;
	return n == (ssize_t)len;
}

static bool write_stamped(const char *text, size_t len, unsigned suppressed)
{
	char line[LOG_TEXT + STAMP];
	struct timespec now;
	struct tm tm;
	size_t n;

	if (torn)
		write_at_once("\n", 1);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(line, sizeof line, "ts=%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(
		line + n, sizeof line - n, ".%03ldZ %.*s", now.tv_nsec / 1000000, (int)len, text);
	if (suppressed)
		n += (size_t)snprintf(line + n, sizeof line - n, " suppressed=%u", suppressed);
	line[n++] = '\n';
	return write_at_once(line, n);
}

/* Whoever reads the log may be slow or stuck: DNS does not wait for it. False: the line is lost. */
static bool write_line(const char *text, size_t len, unsigned suppressed)
{
	char note[128];

	if (lost) {
		int n = snprintf(note, sizeof note,
			"level=warn msg=\"lines of the log are lost: nobody took them\" lost=%u",
			lost);

		if (write_stamped(note, (size_t)n, 0))
			lost = 0;
	}
	if (lost || !write_stamped(text, len, suppressed))
		lost++;
	return !lost;
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
		write_line(r->text, r->len, r->suppressed);
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
		} else if (write_line(l->text, l->len, r->suppressed)) {
			r->suppressed = 0;
			r->written_s = seconds();
			r->len = l->len;
			memcpy(r->text, l->text, l->len);
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

void log_file(enum log_level level, const char *msg, const char *path, const char *reason)
{
	struct log_line l;

	log_begin(&l, level, msg);
	log_str(&l, "file", path);
	log_str(&l, "reason", reason);
	log_end(&l);
}

void log_flush(void)
{
	pthread_mutex_lock(&lock);
	for (struct recent *r = recent; r < recent + RECENT; r++)
		tell_suppressed(r);
	pthread_mutex_unlock(&lock);
}
