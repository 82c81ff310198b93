/* The file that a cache is read from: what is taken from it is worth keeping, and, written and read
 * once more, the same. */
#include "cache/image.h"
#include "fuzz.h"

#include <string.h>

static const struct pack_limits limits = { 0, 86400, 3600 };

static bool same_span(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static void write_again(const struct packed *packed, const struct image_entry *e)
{
	static struct image_writer writer;
	static struct image_reader reader;
	static uint8_t file[2 * IMAGE_PIECE];
	static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];
	static struct image_head head = { .since_boot_ms = 1, .group_count = IMAGE_GROUPS };
	const struct cache_entry entry = { .key = { .group = e->group,
						   .dnssec_ok = e->dnssec_ok,
						   .checking_disabled = e->checking_disabled },
		.packed = *packed,
		.since_ms = -e->age_ms };
	FILE *f = fmemopen(file, sizeof file, "w+");
	struct image_entry back;
	struct packed again;

	HOLDS(f && image_write_head(&writer, f, &head) && image_write_entry(&writer, &entry, 0));
	HOLDS(image_write_end(&writer) && fflush(f) == 0);
	rewind(f);
	HOLDS(image_read_head(&reader, f, &head) && image_read_entry(&reader, &back));
	HOLDS(back.group == e->group && back.age_ms == e->age_ms);
	HOLDS(back.dnssec_ok == e->dnssec_ok && back.checking_disabled == e->checking_disabled);
	HOLDS(image_unpack(&back, &limits, &again, memory));
	HOLDS(same_span(again.message, packed->message));
	HOLDS(same_span(again.errors, packed->errors) || again.errors.len == 0);
	HOLDS(again.worth == packed->worth && again.lifetime_s == packed->lifetime_s);
	fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct image_reader reader;
	static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];
	FILE *f = len ? fmemopen((void *)(uintptr_t)data, len, "r") : NULL;
	struct image_entry e;
	struct image_head head;
	struct packed packed;

	if (!f)
		return 0;
	if (image_read_head(&reader, f, &head))
		while (image_read_entry(&reader, &e)) {
			if (!image_unpack(&e, &limits, &packed, memory))
				continue;
			HOLDS(packed.lifetime_s > 0 && packed_size(&packed) <= PACKED_MAX);
			write_again(&packed, &e);
		}
	fclose(f);
	return 0;
}
