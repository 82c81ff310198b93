#include "control/told.h"

uint64_t told_count(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

double told_real(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

const char *told_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

bool told_is_true(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}
