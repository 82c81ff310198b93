/* told: what stands in the object that a daemon has answered with. It may be of another version, so
 * whatever is missing is 0, "" or false. */
#ifndef CONTROL_TOLD_H
#define CONTROL_TOLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

uint64_t told_count(const json_t *, const char *key);
double told_real(const json_t *, const char *key);
const char *told_text(const json_t *, const char *key);
bool told_is_true(const json_t *, const char *key);

#endif
