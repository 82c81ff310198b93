/* file_state: has a file changed? */
#ifndef BASE_FILE_STATE_H
#define BASE_FILE_STATE_H

#include <stdint.h>

/* Adds how a file stands, or a folder with the files in it (folder.h), to a sum that is begun with
 * any number and differs when one of the files was written, replaced, made or removed. Looks at the
 * file; path NULL: adds nothing. */
void file_state_add(uint64_t *sum, const char *path);

#endif
