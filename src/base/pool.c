#include "base/pool.h"

#include "base/bug.h"

#include <stdlib.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define UNDER_ASAN
#endif
#endif

/* Spare objects kept. */
#if defined(__SANITIZE_ADDRESS__) || defined(UNDER_ASAN)
static const size_t keep_most = 0;
#else
static const size_t keep_most = 1024;
#endif

/* What a spare object holds. */
struct spare {
	struct spare *next;
};

void pool_init(struct pool *p, size_t size, size_t most)
{
	MUST(size >= sizeof(struct spare));
	*p = (struct pool){ .size = size, .most = most };
}

void pool_clear(struct pool *p)
{
	MUST(p->live == 0);
	while (p->spare) {
		struct spare *s = p->spare;

		p->spare = s->next;
		free(s);
	}
	p->kept = 0;
}

void *pool_get(struct pool *p)
{
	struct spare *s = p->spare;

	if (p->live >= p->most)
		return NULL;
	if (s) {
		p->spare = s->next;
		p->kept--;
	} else {
		s = malloc(p->size);
		if (!s)
			return NULL;
	}
	p->live++;
	return s;
}

void pool_put(struct pool *p, void *object)
{
	struct spare *s = object;

	MUST(p->live > 0);
	p->live--;
	if (p->kept >= keep_most) {
		free(object);
		return;
	}
	s->next = p->spare;
	p->spare = s;
	p->kept++;
}
