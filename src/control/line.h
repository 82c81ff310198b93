/* line: text for people, 80 columns wide. */
#ifndef CONTROL_LINE_H
#define CONTROL_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LINE_COLUMNS 80
#define LINE_ROOM    1024

/* A line in the making, zeroed before; what does not fit is cut. */
struct line {
	size_t len;
	char text[LINE_ROOM];
};

void line_add(struct line *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `, 3 retried`, if there are any. */
void line_add_some(struct line *, uint64_t n, const char *what);

/* Writes the line, as many rows as it takes, and empties it: the first begins with head, the others
 * are indented by so much more than head is long. */
void line_put(struct line *, const char *head, size_t more, FILE *);
/* What the line is about stands in front of it, in a column of its own. */
void line_put_about(struct line *, const char *about, FILE *);
/* A row about what a title above names; none if the line is empty. */
void line_put_row(struct line *, FILE *);

/* "" for one, else "s". */
const char *line_plural(uint64_t n);

/* `3 d 4 h`, the two largest units of it. */
#define LINE_SPAN 32
const char *line_span(double seconds, char text[LINE_SPAN]);

#endif
