/* values: numbers, durations and sizes as people write them. */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* Room for any value as text. */
#define VALUE_TEXT 32

/* A whole number; `800ms 4s 2m 1h 1d`, in ms; `512 64KiB 64MiB 1GiB`, in octets. Too large a number
 * becomes UINT64_MAX. */
bool value_read_count(const char *text, uint64_t *);
bool value_read_duration(const char *text, uint64_t *ms);
bool value_read_size(const char *text, uint64_t *);

/* The shortest text that reads back to the same. Return text. */
const char *value_print_count(uint64_t, char text[VALUE_TEXT]);
const char *value_print_duration(uint64_t ms, char text[VALUE_TEXT]);
const char *value_print_size(uint64_t, char text[VALUE_TEXT]);

#endif
