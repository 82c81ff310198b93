#include "rules/owners.h"

#include <stdlib.h>

bool owners_init(struct owners *o)
{
	*o = (struct owners){ .names = names_new() };
	return o->names;
}

void owners_clear(struct owners *o)
{
	for (uint32_t i = 0; i < o->count; i++)
		rrset_free(o->owners[i].sets);
	free(o->owners);
	names_free(o->names);
	*o = (struct owners){ .names = NULL };
}

static bool resize(struct owners *o, uint32_t room)
{
	struct owner *grown = realloc(o->owners, room * sizeof *grown);

	if (!grown)
		return false;
	o->owners = grown;
	o->room = room;
	return true;
}

struct owner *owners_put(struct owners *o, struct span name)
{
	uint32_t node = names_put(o->names, name.at, name.len), *number;

	if (node == NAMES_NONE)
		return NULL;
	number = names_number(o->names, node);
	if (!*number) {
		if (o->count == o->room && !resize(o, o->room ? 2 * o->room : 8))
			return NULL;
		o->owners[o->count++] = (struct owner){ .node = node };
		*number = o->count;
	}
	return &o->owners[*number - 1];
}

void owners_seal(struct owners *o)
{
	names_seal(o->names);
	if (o->count > 0)
		resize(o, o->count);
}

const struct owner *owners_find(const struct owners *o, uint32_t node)
{
	uint32_t number = names_number_of(o->names, node);

	return number ? &o->owners[number - 1] : NULL;
}

const struct rrset *owners_sets(const struct owners *o, uint32_t node)
{
	const struct owner *owner = owners_find(o, node);

	return owner ? owner->sets : NULL;
}
