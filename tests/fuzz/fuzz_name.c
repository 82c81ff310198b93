/* A name, wherever it starts: what passes can be copied out, equals itself whatever its letters'
 * case, is below all that it ends with, and survives being text. */
#include <string.h>

#include "dns/message.h"
#include "dns/name.h"
#include "fuzz.h"

/* The names that it ends with at a label are those that it is below. */
static void check_below(const uint8_t *name, size_t len)
{
	uint8_t lower[NAME_MAX_WIRE];

	memcpy(lower, name, len);
	name_lower(lower, len);
	HOLDS(name_equals(lower, name, len));
	for (size_t at = 0, next = 0; at < len; at++) {
		const bool starts_label = at == next;

		if (starts_label)
			next += 1u + name[at];
		else if (!name_len((struct span){ name, len }, at))
			continue; /* no name starts there */
		HOLDS(name_is_below(name, len, lower + at, len - at) == starts_label);
		HOLDS(at == 0 || !name_is_below(lower + at, len - at, name, len));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct span m = { data, len };

	for (size_t at = 0; at < len && at < 64; at++) {
		uint8_t name[NAME_MAX_WIRE], again[NAME_MAX_WIRE];
		char text[NAME_TEXT];
		size_t plain = name_len(m, at), end = at;

		if (!name_skip(m, &end)) {
			HOLDS(plain == 0);
			continue;
		}
		size_t n = name_copy(m, at, name);
		HOLDS(end > at && end <= len && n <= NAME_MAX_WIRE);
		HOLDS(plain == 0 || (plain == n && end == at + n));
		HOLDS(name_end(m, at) == end);
		HOLDS(name_same(m, at, at) && name_len((struct span){ name, n }, 0) == n);
		HOLDS(name_from_text(name_to_text(name, text), again) == n);
		HOLDS(memcmp(name, again, n) == 0);
		check_below(name, n);
	}
	return 0;
}
