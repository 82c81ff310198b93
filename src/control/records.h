/* records: those of a message, for people. */
#ifndef CONTROL_RECORDS_H
#define CONTROL_RECORDS_H

#include <stdio.h>

/* Writes a line for each record of the message in hexadecimal, but OPT, as a zone file has it. */
void records_put(const char *hex, FILE *);

#endif
