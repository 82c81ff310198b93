#include "rules/marks.h"

#include <stdlib.h>
#include <string.h>

/* Room is made when the count is a power of two. */
bool marks_add(struct marks *m, const char *word, unsigned number)
{
	if ((m->count & (m->count - 1)) == 0) {
		struct mark *more = reallocarray(m->all, m->count ? 2 * m->count : 1, sizeof *more);

		if (!more)
			return false;
		m->all = more;
	}
	m->all[m->count++] = (struct mark){ word, number };
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct mark *)a)->word, ((const struct mark *)b)->word);
}

void marks_seal(struct marks *m)
{
	if (m->count)
		qsort(m->all, m->count, sizeof *m->all, compare);
}

unsigned marks_find(const struct marks *m, const char *word)
{
	const struct mark key = { .word = word }, *found = NULL;

	if (m->count)
		found = bsearch(&key, m->all, m->count, sizeof *m->all, compare);
	return found ? found->number : 0;
}

void marks_clear(struct marks *m)
{
	free(m->all);
	*m = (struct marks){ 0 };
}
