/* The name of a zone, then what a server answers to who walks it, in frames as over TCP: the walk
 * only goes forward, by libldns's order of names, and says why it ends where it should not. */
#include <ldns/ldns.h>
#include <string.h>

#include "ask/walk.h"
#include "dns/message.h"
#include "dns/name.h"
#include "dns/reader.h"
#include "fuzz.h"

static ldns_rdf *name_of(const uint8_t *name, size_t len)
{
	ldns_rdf *out = NULL;
	size_t at = 0;

	HOLDS(ldns_wire2dname(&out, name, len, &at) == LDNS_STATUS_OK && at == len);
	return out;
}

/* Is the second name behind the first in the order of a zone? */
static bool is_behind(const struct walk *first, const uint8_t *name, size_t len)
{
	ldns_rdf *a = name_of(first->name, first->name_len), *b = name_of(name, len);
	bool behind = ldns_dname_compare(a, b) < 0;

	ldns_rdf_deep_free(a);
	ldns_rdf_deep_free(b);
	return behind;
}

static void found(const struct walk *before, struct span m, const struct record *nsec)
{
	uint8_t owner[NAME_MAX_WIRE];

	HOLDS(nsec->type == TYPE_NSEC && nsec->class == CLASS_IN && nsec->end <= m.len);
	HOLDS(name_copy(m, nsec->owner, owner) == before->name_len);
	HOLDS(name_equals(owner, before->name, before->name_len));
}

static enum walk_verdict take(struct walk *w, struct span m)
{
	const struct walk before = *w;
	const struct ask_question *q = &w->question;
	struct record nsec;
	char why[WHY_MAX];
	enum walk_verdict verdict = walk_take(w, m, &nsec, why);

	HOLDS((verdict == WALK_BAD) == (*why != 0));
	HOLDS(memchr(why, 0, WHY_MAX));
	switch (verdict) {
	case WALK_MORE:
		found(&before, m, &nsec);
		HOLDS(is_behind(&before, w->name, w->name_len));
		HOLDS(!w->is_behind && name_equals(q->name, w->name, w->name_len));
		HOLDS(w->names == before.names + 1);
		break;
	case WALK_AGAIN:
		HOLDS(w->is_behind && !before.is_behind && w->names == before.names);
		HOLDS(name_equals(w->name, before.name, before.name_len));
		HOLDS(is_behind(w, q->name, q->name_len));
		HOLDS(!name_is_below(q->name, q->name_len, w->name, w->name_len));
		break;
	case WALK_DONE:
		found(&before, m, &nsec);
		HOLDS(w->names == before.names + 1);
		break;
	case WALK_BAD:
		break;
	}
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader r = { { data, len }, name_len((struct span){ data, len }, 0), true };
	struct walk walk;

	if (r.at == 0)
		return 0;
	walk_init(&walk, data, r.at);
	for (;;) {
		size_t size = read_u16(&r);
		const uint8_t *message = read_bytes(&r, size);
		enum walk_verdict verdict =
			message ? take(&walk, (struct span){ message, size }) : WALK_BAD;

		if (verdict == WALK_BAD || verdict == WALK_DONE)
			return 0;
	}
}
