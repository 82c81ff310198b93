/* edit: a file that is replaced or added, and can be put back whatever happens in between.
 *
 * What was there, a file or a link, gets a second name beside it, by link(2): putting it back is
 * one rename(2), and brings back the very same file. Before a change is made, somebody keeps what
 * it is about (host/saved); then each step may be the last one, and edit_undo() goes on from
 * there. */
#ifndef HOST_EDIT_H
#define HOST_EDIT_H

#include "host/root.h"

#include <stdint.h>

#define EDIT_NAME  64
#define EDIT_SAVED ".before-sotto"

struct edit {
	char folder[EDIT_NAME], name[EDIT_NAME]; /* the file's, in the root */
	char text[ROOT_TEXT]; /* what it is to say; who has read it of a file does not know it ...
			       */
	uint64_t sum; /* ... but this of it */
	bool had; /* something was there, which is kept beside it */
	bool made; /* the folder was not */
};

enum edit_found {
	EDIT_IN_FORCE,
	EDIT_UNDONE, /* not made yet, or put back */
	EDIT_REMOVED, /* what was written is not there any more, what was before is kept */
	EDIT_ALTERED, /* somebody has written something else there since */
	EDIT_LOST, /* in force, but what was there is gone */
};

/* Looks at what is there, before anything is changed: fills in had and made. 0 or -errno; -EEXIST:
 * the second name is taken. */
int edit_prepare(const struct root *, struct edit *);
/* The sum of a text, by which it is known again. */
uint64_t edit_sum(const char *text);
/* 0 or -errno; then edit_undo() is due. */
int edit_make(const struct root *, const struct edit *);
/* How it stands; what cannot be read is taken for altered. */
enum edit_found edit_look(const struct root *, const struct edit *);
/* Puts back what was there, over what others have written there since; what is lost stays as it is.
 * 0 or -errno. */
int edit_undo(const struct root *, const struct edit *);

#endif
