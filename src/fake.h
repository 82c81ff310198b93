/* fake: `sotto fake`: what DNSChef's command line says, as a configuration of ours, for a test
 * bench in one line. What was carried from its files goes the same way (import/dnschef). */
#ifndef FAKE_H
#define FAKE_H

/* Reads the words behind `fake`. -1: go on with the configuration in file, which is a path that can
 * be read again as long as the process lives; queries are reported from then on. Else the exit
 * status: what is wrong has been told. */
int fake_read(int argc, char **argv, const char **file);

#endif
