#include "config/values.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t times;
};

/* From the largest to the smallest. */
static const struct unit durations[] = {
	{ "d", 86400000 },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ 0 },
};
static const struct unit sizes[] = {
	{ "GiB", 1 << 30 },
	{ "MiB", 1 << 20 },
	{ "KiB", 1 << 10 },
	{ "", 1 },
	{ 0 },
};
static const struct unit counts[] = {
	{ "", 1 },
	{ 0 },
};

static bool read_value(const char *text, const struct unit *units, uint64_t *value)
{
	uint64_t n = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, (uint64_t)(*at - '0'), &n))
			n = UINT64_MAX;
	}
	if (at == text)
		return false;
	for (const struct unit *u = units; u->name; u++) {
		if (strcmp(at, u->name) != 0)
			continue;
		if (__builtin_mul_overflow(n, u->times, value))
			*value = UINT64_MAX;
		return true;
	}
	return false;
}

static const char *print_value(uint64_t value, const struct unit *units, char text[VALUE_TEXT])
{
	const struct unit *u = units;

	/* The last unit is 1 and divides everything. */
	while (u[1].name && (value == 0 || value % u->times != 0))
		u++;
	snprintf(text, VALUE_TEXT, "%" PRIu64 "%s", value / u->times, u->name);
	return text;
}

bool value_read_count(const char *text, uint64_t *value)
{
	return read_value(text, counts, value);
}

bool value_read_duration(const char *text, uint64_t *ms)
{
	return read_value(text, durations, ms);
}

bool value_read_size(const char *text, uint64_t *value)
{
	return read_value(text, sizes, value);
}

const char *value_print_count(uint64_t value, char text[VALUE_TEXT])
{
	return print_value(value, counts, text);
}

const char *value_print_duration(uint64_t ms, char text[VALUE_TEXT])
{
	return print_value(ms, durations, text);
}

const char *value_print_size(uint64_t value, char text[VALUE_TEXT])
{
	return print_value(value, sizes, text);
}
