#include "ask/timing.h"

#include <stdlib.h>

#define US_PER_S  1000000u
#define US_PER_MS 1000u

bool timing_init(struct timing *t, size_t most)
{
	*t = (struct timing){ .us = calloc(most ? most : 1, sizeof *t->us), .most = most };
	return t->us != NULL;
}

void timing_clear(struct timing *t)
{
	free(t->us);
	*t = (struct timing){ 0 };
}

void timing_add(struct timing *t, uint64_t took_us)
{
	if (t->count < t->most)
		t->us[t->count++] = took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t rank(const struct timing *t, unsigned percent)
{
	return t->us[(t->count * percent + 99) / 100 - 1];
}

void timing_sum(struct timing *t, struct timing_sum *s)
{
	*s = (struct timing_sum){ 0 };
	if (!t->count)
		return;
	qsort(t->us, t->count, sizeof *t->us, compare);
	*s = (struct timing_sum){ t->us[0], rank(t, 50), rank(t, 90), rank(t, 99),
		t->us[t->count - 1] };
}

uint64_t timing_due(unsigned rate_per_s, uint64_t passed_us)
{
	return 1 + passed_us / US_PER_S * rate_per_s + passed_us % US_PER_S * rate_per_s / US_PER_S;
}

unsigned timing_wait_ms(unsigned rate_per_s, uint64_t sent, uint64_t passed_us)
{
	uint64_t at_us = (sent * US_PER_S + rate_per_s - 1) / rate_per_s;

	return at_us > passed_us ? (unsigned)((at_us - passed_us + US_PER_MS - 1) / US_PER_MS) : 1;
}
