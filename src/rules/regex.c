#include "rules/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STEPS = 50000, /* of a match: some milliseconds */
	KIB = 512, /* of places to come back to */
	TEXT_MAX_LEN = 4096 /* of an expression */
};

/* What a thread works with. */
struct bench {
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

/* What is not hung on anybody here, but on the thread: PCRE2 wants memory for each match, a set of
 * rules belongs to all threads, and only a thread knows when it ends. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;
static _Thread_local unsigned long exceeded;

static void bench_free(void *arg)
{
	struct bench *b = arg;

	pcre2_match_data_free(b->data);
	pcre2_match_context_free(b->limits);
	free(b);
}

static void make_key(void)
{
	has_key = pthread_key_create(&key, bench_free) == 0;
}

static struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->data = pcre2_match_data_create(1, NULL);
	b->limits = pcre2_match_context_create(NULL);
	if (!b->data || !b->limits || pthread_setspecific(key, b) != 0) {
		bench_free(b);
		return NULL;
	}
	pcre2_set_depth_limit(b->limits, STEPS);
	pcre2_set_heap_limit(b->limits, KIB);
	return b;
}

/* That of this thread. NULL: out of memory. */
static struct bench *bench_get(void)
{
	pthread_once(&once, make_key);
	if (!has_key)
		return NULL;
	struct bench *b = pthread_getspecific(key);

	return b ? b : bench_new();
}

/* Names are octets, whatever the expression wishes. */
static pcre2_code *compile(const char *text, char *why, size_t why_size)
{
	PCRE2_SIZE at = 0;
	PCRE2_UCHAR said[128];
	int error = 0;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
		PCRE2_CASELESS | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP, &error, &at, NULL);

	if (!code) {
		pcre2_get_error_message(error, said, sizeof said);
		snprintf(why, why_size, "%s, at octet %zu", (const char *)said, (size_t)at + 1);
	}
	return code;
}

struct regex *regex_new(const char *text, char *why, size_t why_size)
{
	if (!*text) {
		snprintf(why, why_size, "there is nothing in it");
		return NULL;
	}
	if (strlen(text) > TEXT_MAX_LEN) {
		snprintf(why, why_size, "it is longer than %d octets", TEXT_MAX_LEN);
		return NULL;
	}
	return (struct regex *)compile(text, why, why_size);
}

void regex_free(struct regex *r)
{
	pcre2_code_free((pcre2_code *)r);
}

/* Steps at each place where a match may begin: PCRE2 counts them anew there. */
static uint32_t steps_at_each(const pcre2_code *code, size_t len)
{
	uint32_t options = 0;

	pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
	return (options & PCRE2_ANCHORED) ? STEPS : STEPS / (uint32_t)(len + 1);
}

/* A struct regex is nothing but what PCRE2 has compiled. */
bool regex_matches(const struct regex *r, const uint8_t *name)
{
	const pcre2_code *code = (const pcre2_code *)r;
	char text[NAME_TEXT];
	const size_t len = strlen(name_to_text(name, text)) - 1;
	const struct bench *b = bench_get();
	int found = PCRE2_ERROR_NOMEMORY;

	if (b) {
		pcre2_set_match_limit(b->limits, steps_at_each(code, len));
		found = pcre2_match(code, (PCRE2_SPTR)text, len, 0, 0, b->data, b->limits);
	}
	if (found < 0 && found != PCRE2_ERROR_NOMATCH)
		exceeded++;
	return found >= 0;
}

unsigned long regex_exceeded(void)
{
	return exceeded;
}
