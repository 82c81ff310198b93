/* place: where the control socket is, for the daemon and for who asks it. */
#ifndef CONTROL_PLACE_H
#define CONTROL_PLACE_H

#include <stddef.h>
#include <sys/un.h>

/* Room for a path; what is longer cannot be a socket's. */
#define PLACE_TEXT (sizeof((struct sockaddr_un){ 0 }.sun_path))
#define PLACES_MAX 3

/* The paths that `control: auto | none | PATH` means, best first; how many. For auto:
 * $RUNTIME_DIRECTORY/control.sock, /run/sotto/control.sock, $XDG_RUNTIME_DIR/sotto.sock. */
size_t place_list(const char *control, char paths[PLACES_MAX][PLACE_TEXT]);

/* The one where a daemon opens its socket: PATH, or for auto the first in a folder that it may
 * write to. NULL: none. */
const char *place_choose(const char *control, char path[PLACE_TEXT]);

#endif
