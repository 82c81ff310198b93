/* child: another program is run, without a shell. */
#ifndef HOST_CHILD_H
#define HOST_CHILD_H

/* Runs argv[0], looked for as the shell does, in /usr/sbin as well, with text as its standard
 * input; what it says goes where ours does. Its exit status, 128 + N if signal N has ended it, or
 * -errno: it was not run. */
int child_run(const char *const argv[], const char *text);

#endif
