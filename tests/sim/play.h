/* play: a file of statements, one a line, as words. What the words mean is none of its business.
 *
 * `#` begins a comment; "double quotes" keep words together. So that statements read as prose,
 * `with and the a an to in of` are left out, and `no X`, `without X` become the word `!X`,
 * `another X` the word `another-X`. `within D`, `after D`, `at D` and `for D` are taken out as the
 * statement's times, where D is a duration such as 10ms or 4s.
 */
#ifndef SIM_PLAY_H
#define SIM_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAY_WORDS 32
#define NO_TIME    UINT64_MAX

struct statement {
	unsigned line;
	char *text; /* as it was written, but for the comment */
	char *words[PLAY_WORDS]; /* NULL behind the last */
	size_t count;
	uint64_t within_ms, after_ms, at_ms, for_ms; /* or NO_TIME */
};

struct play {
	const char *file; /* borrowed */
	struct statement *statements;
	size_t count;
};

/* Complains on standard error, with file and line, if it cannot be read. */
bool play_read(struct play *, const char *file);
void play_clear(struct play *);

/* `10ms`, `4s`, `2m`, `1h`. */
bool play_duration(const char *word, uint64_t *ms);

#endif
