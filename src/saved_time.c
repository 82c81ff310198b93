#include "saved_time.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/replace.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS (60 * 60 * 1000)
/* The end of the year 9999, beyond which there are no certificates. */
#define LAST_DATE_S INT64_C(253402300799)

/* A date in digits and a new line, and nothing else; 0 if it is not. */
static int64_t read_date(FILE *f)
{
	char text[32];
	size_t len = fread(text, 1, sizeof text - 1, f);

	text[len] = '\0';
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 12 || len != digits + 1 || text[digits] != '\n')
		return 0;
	int64_t date_s = strtoll(text, NULL, 10);

	return date_s <= LAST_DATE_S ? date_s : 0;
}

void saved_time_load(const char *state)
{
	static const char ignored[] = "the saved date is ignored";
	char path[PATH_MAX];
	int64_t date_s = 0;

	if (state) {
		snprintf(path, sizeof path, "%s/clock", state);
		FILE *f = replace_read(path);

		if (f) {
			date_s = read_date(f);
			if (!date_s)
				log_file(LOG_WARN, ignored, path,
					"it is not a date: seconds since 1970");
			fclose(f);
		} else if (errno != ENOENT) {
			log_file(LOG_WARN, ignored, path, strerror(errno));
		}
	}
	clock_set_floor(date_s);
}

static int write_digits(void *date_s, FILE *f)
{
	return fprintf(f, "%" PRId64 "\n", *(const int64_t *)date_s) > 0 ? 0 : -errno;
}

static void write_date(const struct saved_time *s)
{
	int64_t date_s = clock_confirmed_s();
	char path[PATH_MAX];

	if (!s->state || !date_s)
		return;
	snprintf(path, sizeof path, "%s/clock", s->state);
	int err = replace_file(path, 0666, write_digits, &date_s);

	if (err < 0)
		log_file(LOG_WARN, "the date cannot be saved", path, strerror(-err));
}

static void on_hour(struct timer *t)
{
	struct saved_time *s = container_of(t, struct saved_time, timer);

	write_date(s);
	timer_start(s->loop, t, HOUR_MS);
}

void saved_time_keep(struct saved_time *s, struct loop *loop, const char *state)
{
	s->loop = loop;
	s->state = state;
	s->timer.fire = on_hour;
	timer_start(loop, &s->timer, HOUR_MS);
}

void saved_time_end(struct saved_time *s)
{
	timer_stop(s->loop, &s->timer);
	write_date(s);
}
