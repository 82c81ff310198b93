#include "chronicle.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* Of the sanitizers' run time, if the program has one. */
void __sanitizer_set_death_callback(void (*fn)(void)) __attribute__((weak));

/* FNV-1a. */
#define HASH_PRIME 0x100000001b3

static struct chronicle *current;

uint64_t chronicle_now(const struct chronicle *c)
{
	return c->loop ? loop_now(c->loop) - c->zero_ms : 0;
}

void happened(struct chronicle *c, const char *format, ...)
{
	size_t i = c->count++ % CHRONICLE_LINES;
	va_list args;

	c->lines[i].at_ms = chronicle_now(c);
	va_start(args, format);
	vsnprintf(c->lines[i].text, CHRONICLE_TEXT, format, args);
	va_end(args);
	c->hash = (c->hash ^ c->lines[i].at_ms) * HASH_PRIME;
	for (const char *at = c->lines[i].text; *at; at++)
		c->hash = (c->hash ^ (uint8_t)*at) * HASH_PRIME;
}

static void tell(const struct chronicle *c)
{
	size_t first = c->count > CHRONICLE_LINES ? c->count - CHRONICLE_LINES : 0;

	fprintf(stderr, first ? "  of late:\n" : "  what happened:\n");
	for (size_t i = first; i < c->count; i++)
		fprintf(stderr, "%10.3f s  %s\n",
			(double)c->lines[i % CHRONICLE_LINES].at_ms / 1000,
			c->lines[i % CHRONICLE_LINES].text);
	fprintf(stderr, "%10.3f s  now\n", (double)chronicle_now(c) / 1000);
}

void broken(struct chronicle *c, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s\n  ", c->where);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	tell(c);
	fflush(NULL);
	_exit(1);
}

/* A sanitizer has said what is wrong; when and how it came to that is still to be told. */
static void on_death(void)
{
	fprintf(stderr, "%s\n", current->where);
	tell(current);
}

/* abort() was called by the thread that runs the world, so nothing is half done but that. */
static void on_abort(int signal_number)
{
	(void)signal_number;
	broken(current, "instead: the daemon aborts");
}

void chronicle_open(struct chronicle *c)
{
	current = c;
	signal(SIGABRT, on_abort);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(on_death);
}
