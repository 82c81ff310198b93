#include "control/words.h"

#include <string.h>

bool words_cut(struct words *w, char *text)
{
	w->count = 0;
	for (;;) {
		text += strspn(text, " ");
		if (!*text)
			return true;
		if (w->count == WORDS_MAX)
			return false;
		w->at[w->count++] = text;
		text += strcspn(text, " ");
		if (*text)
			*text++ = '\0';
	}
}
