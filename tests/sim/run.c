/* sim: plays a play. */
#include "show.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>

int main(int count, char **words)
{
	static struct show show;

	if (count == 3 && strcmp(words[1], "--check-words") == 0)
		return !verbs_are_in(words[2]);
	if (count != 2) {
		fprintf(stderr, "usage: sim FILE.play | sim --check-words README.md\n");
		return 64;
	}
	show_run(&show, words[1]);
	return 0;
}
