/* log: lines of key=value on standard error.
 *
 *	ts=2026-11-23T10:00:00.123Z level=warn msg="upstream failed" upstream=... phase=connect
 *
 * A line that says the same as one of the last ten seconds (all but its numbers from log_count())
 * is counted, not written; the next one written says how many were suppressed. A line that standard
 * error does not take at once is lost, and counted; a line says so as soon as it can. Safe from any
 * thread; nobody ever waits for whoever reads the log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* For a daemon, before it starts threads: a terminal that stands still will not hold it up. */
void log_open(void);

/* Lines above this level are not written, from any thread. Default LOG_INFO. */
void log_set_level(enum log_level);
bool log_on(enum log_level);

/* The most that a line can hold. */
#define LOG_TEXT 1024

/* A line in the making, on the caller's stack. */
struct log_line {
	enum log_level level;
	bool cut; /* there was no room: nothing more is taken */
	size_t len;
	uint64_t hash; /* of what makes two lines the same */
	char text[LOG_TEXT];
};

/* msg is a constant phrase. Values are quoted and escaped as they need; an over-long line is cut,
 * and ends in dots. */
void log_begin(struct log_line *, enum log_level, const char *msg);
void log_str(struct log_line *, const char *key, const char *value);
void log_fmt(struct log_line *, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A number that does not make the line another one. */
void log_count(struct log_line *, const char *key, uint64_t);
void log_end(struct log_line *);

/* A line with no keys, or the words of a failed start. */
void log_say(enum log_level, const char *msg);
/* A line about a file, and what is wrong with it. */
void log_file(enum log_level, const char *msg, const char *path, const char *reason);

/* Writes what was suppressed and not yet told. */
void log_flush(void);

#endif
