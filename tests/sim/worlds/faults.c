#include "faults.h"

#include <stdint.h>
#include <stdlib.h>

/* Pointers that live, in a table of open addressing. */
#define SLOTS (1u << 17)

static void *live[SLOTS];
static size_t live_count;
static size_t spared, failing, struck;
static bool paused;

void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void *__wrap_aligned_alloc(size_t, size_t);
void __wrap_free(void *);

void faults_arm(size_t after, size_t count)
{
	spared = after;
	failing = count;
}

void faults_pause(bool pause)
{
	paused = pause;
}

bool faults_strike(void)
{
	if (!failing || paused)
		return false;
	if (spared) {
		spared--;
		return false;
	}
	failing--;
	struck++;
	return true;
}

size_t faults_struck(void)
{
	return struck;
}

size_t faults_live(void)
{
	return live_count;
}

/* ---- who lives ---- */

static size_t home(const void *p)
{
	return (size_t)(((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15 >> 40) % SLOTS;
}

static void *note(void *p)
{
	size_t i = home(p);

	if (!p)
		return NULL;
	if (live_count >= SLOTS / 2)
		abort();
	while (live[i])
		i = (i + 1) % SLOTS;
	live[i] = p;
	live_count++;
	return p;
}

/* Those behind it that it kept from their home move up. */
static void close_gap(size_t gap)
{
	for (size_t i = (gap + 1) % SLOTS; live[i]; i = (i + 1) % SLOTS) {
		if ((i - home(live[i])) % SLOTS < (i - gap) % SLOTS)
			continue;
		live[gap] = live[i];
		gap = i;
	}
	live[gap] = NULL;
}

/* What a library has allocated is not here. */
static void forget(const void *p)
{
	size_t i = home(p);

	while (live[i] && live[i] != p)
		i = (i + 1) % SLOTS;
	if (!live[i] || !p)
		return;
	live_count--;
	close_gap(i);
}

/* ---- what the daemon calls; malloc() and the like are the real ones here ---- */

void *__wrap_malloc(size_t size)
{
	return faults_strike() ? NULL : note(malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return faults_strike() ? NULL : note(calloc(count, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return faults_strike() ? NULL : note(__real_aligned_alloc(alignment, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	if (faults_strike())
		return NULL;
	forget(p);
	return note(realloc(p, size));
}

void __wrap_free(void *p)
{
	forget(p);
	__real_free(p);
}
