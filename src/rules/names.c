#include "rules/names.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "base/siphash.h"

/* 2^61-1: a prime whose remainder is two additions. */
#define PRIME (((uint64_t)1 << 61) - 1)
/* Octets of a name that are one coefficient of the polynomial: as many as stay below the prime. */
enum { CHUNK = 7 };
/* Of the first table, and room for the first nodes. */
enum { FEW = 64 };

struct node {
	uint32_t text; /* where its name is, in text */
	uint32_t number;
};

/* One of the table; node NAMES_ROOT: there is none, since the root is never looked for. The place
 * follows from the tag, so that a table grows without a look at the names. */
struct slot {
	uint32_t tag;
	uint32_t node;
};

struct names {
	uint64_t point, start; /* of the hash */
	uint8_t *text;
	struct node *nodes;
	struct slot *slots;
	size_t text_len, text_cap;
	size_t node_count, node_cap;
	size_t slot_cap;
};

/* A name that is gone along from the root. */
struct way {
	const uint8_t *name;
	size_t len;
	uint64_t hash; /* of what is behind us */
	unsigned left; /* labels before us */
	uint8_t starts[NAMES_DEPTH]; /* where each begins, from the first of the name on */
};

/* Congruent and below 2^61+8, which is as good as below the prime: the same octets always come to
 * the same number. */
static uint64_t modulo(uint64_t x)
{
	return (x & PRIME) + (x >> 61);
}

/* Of numbers below 2^62 and 2^61. */
static uint64_t multiply(uint64_t a, uint64_t b)
{
	const __uint128_t product = (__uint128_t)a * b;

	return modulo(((uint64_t)product & PRIME) + (uint64_t)(product >> 61));
}

/* The polynomial keeps names that are alike in equal distances; here they are scattered
 * (MurmurHash3's last steps, by Appleby). */
static uint32_t tag_of(uint64_t hash)
{
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
	return (uint32_t)(hash >> 32);
}

/* Up to a chunk of octets of a name as a number, read at once wherever eight octets of the name are
 * around them. */
static inline uint64_t chunk_of(const struct way *w, size_t at, size_t len)
{
	uint64_t chunk = 0;

	if (w->len - at >= sizeof(chunk)) {
		memcpy(&chunk, w->name + at, sizeof(chunk));
		return le64toh(chunk) & (((uint64_t)1 << 8 * len) - 1);
	}
	if (at + len >= sizeof(chunk)) {
		memcpy(&chunk, w->name + at + len - sizeof(chunk), sizeof(chunk));
		return le64toh(chunk) >> 8 * (sizeof(chunk) - len);
	}
	for (size_t i = 0; i < len; i++)
		chunk |= (uint64_t)w->name[at + i] << 8 * i;
	return chunk;
}

/* The hash goes on by a label, with the octet of its length, which tells where it ends. */
static inline void hash_on(struct way *w, uint64_t point, size_t at, size_t len)
{
	for (; len > CHUNK; at += CHUNK, len -= CHUNK)
		w->hash = multiply(w->hash + chunk_of(w, at, CHUNK), point);
	w->hash = multiply(w->hash + chunk_of(w, at, len), point);
}

static void way_begin(struct way *w, const struct names *n, const uint8_t *name, size_t len)
{
	w->name = name;
	w->len = len;
	w->hash = n->start;
	w->left = 0;
	for (size_t at = 0; name[at] && w->left < NAMES_DEPTH - 1; at += 1u + name[at])
		w->starts[w->left++] = (uint8_t)at;
}

/* One label on: the name as far as we are then, and its tag. */
static inline struct span way_on(struct way *w, const struct names *n, uint32_t *tag)
{
	const size_t at = w->starts[--w->left];

	hash_on(w, n->point, at, 1u + w->name[at]);
	*tag = tag_of(w->hash);
	return (struct span){ w->name + at, w->len - at };
}

static size_t home(uint32_t tag, size_t slot_cap)
{
	return (size_t)((uint64_t)tag * slot_cap >> 32);
}

static bool is_named(const struct names *n, uint32_t node, struct span name)
{
	const size_t text = n->nodes[node].text;

	return n->text_len - text >= name.len && memcmp(n->text + text, name.at, name.len) == 0;
}

/* The node of a name that has this tag, or NAMES_NONE. */
static inline uint32_t find(const struct names *n, uint32_t tag, struct span name)
{
	size_t at = home(tag, n->slot_cap);

	while (n->slots[at].node != NAMES_ROOT) {
		if (n->slots[at].tag == tag && is_named(n, n->slots[at].node, name))
			return n->slots[at].node;
		at = at + 1 < n->slot_cap ? at + 1 : 0;
	}
	return NAMES_NONE;
}

static void place(struct slot *slots, size_t cap, struct slot slot)
{
	size_t at = home(slot.tag, cap);

	while (slots[at].node != NAMES_ROOT)
		at = at + 1 < cap ? at + 1 : 0;
	slots[at] = slot;
}

/* The array with room for `need` of `size` octets; it grows by half. NULL: out of memory, and the
 * array is what it was. */
static void *reserve(void *array, size_t *cap, size_t need, size_t size)
{
	const size_t half_more = *cap + *cap / 2;
	const size_t more = half_more > need ? half_more : need + FEW;

	if (need <= *cap)
		return array;
	array = realloc(array, more * size);
	if (array)
		*cap = more;
	return array;
}

/* A table that is at most three fifths full with so many nodes: a name that is not there costs four
 * probes then, most of them in one line of the processor's cache. */
static bool reserve_slots(struct names *n, size_t nodes)
{
	if (nodes <= n->slot_cap / 5 * 3)
		return true;
	const size_t cap = n->slot_cap + n->slot_cap / 2;
	struct slot *slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < n->slot_cap; i++)
		if (n->slots[i].node != NAMES_ROOT)
			place(slots, cap, n->slots[i]);
	free(n->slots);
	n->slots = slots;
	n->slot_cap = cap;
	return reserve_slots(n, nodes);
}

static bool reserve_all(struct names *n, size_t nodes, size_t text)
{
	nodes += n->node_count;
	text += n->text_len;
	if (nodes >= NAMES_NONE || text > UINT32_MAX)
		return false;
	struct node *more_nodes = reserve(n->nodes, &n->node_cap, nodes, sizeof(*more_nodes));

	if (!more_nodes)
		return false;
	n->nodes = more_nodes;
	uint8_t *more_text = reserve(n->text, &n->text_cap, text, 1);

	if (!more_text)
		return false;
	n->text = more_text;
	return reserve_slots(n, nodes);
}

struct names *names_new(void)
{
	struct rand rand = { .left = 0 };
	struct siphash_key key;
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	siphash_key_make(&key, &rand);
	n->point = modulo(key.k[0] | 1);
	n->start = modulo(key.k[1]);
	n->slot_cap = FEW;
	n->slots = calloc(FEW, sizeof(*n->slots));
	if (!n->slots || !reserve_all(n, 1, 1)) {
		names_free(n);
		return NULL;
	}
	n->text[n->text_len++] = 0;
	n->nodes[n->node_count++] = (struct node){ 0, 0 };
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	free(n->slots);
	free(n->nodes);
	free(n->text);
	free(n);
}

static void add(struct names *n, uint32_t tag, size_t text)
{
	place(n->slots, n->slot_cap, (struct slot){ tag, (uint32_t)n->node_count });
	n->nodes[n->node_count++] = (struct node){ (uint32_t)text, 0 };
}

uint32_t names_put(struct names *n, const uint8_t *name, size_t len)
{
	uint32_t node = NAMES_ROOT, tag = 0;
	struct span here = { name, len };
	struct way way;

	way_begin(&way, n, name, len);
	while (node != NAMES_NONE && way.left > 0) {
		here = way_on(&way, n, &tag);
		node = find(n, tag, here);
	}
	if (node != NAMES_NONE)
		return node;
	if (!reserve_all(n, way.left + 1, len))
		return NAMES_NONE;
	memcpy(n->text + n->text_len, name, len);
	add(n, tag, n->text_len + len - here.len);
	while (way.left > 0) {
		here = way_on(&way, n, &tag);
		add(n, tag, n->text_len + len - here.len);
	}
	n->text_len += len;
	return (uint32_t)n->node_count - 1;
}

uint32_t *names_number(struct names *n, uint32_t node)
{
	return &n->nodes[node].number;
}

void names_seal(struct names *n)
{
	struct node *nodes = realloc(n->nodes, n->node_count * sizeof(*nodes));
	uint8_t *text = realloc(n->text, n->text_len);

	if (nodes) {
		n->nodes = nodes;
		n->node_cap = n->node_count;
	}
	if (text) {
		n->text = text;
		n->text_cap = n->text_len;
	}
}

unsigned names_walk(
	const struct names *n, const uint8_t *name, size_t len, uint32_t nodes[NAMES_DEPTH])
{
	unsigned depth = 0;
	struct way way;

	way_begin(&way, n, name, len);
	nodes[depth++] = NAMES_ROOT;
	while (way.left > 0) {
		uint32_t tag;
		const struct span here = way_on(&way, n, &tag);

		nodes[depth] = find(n, tag, here);
		if (nodes[depth] == NAMES_NONE)
			break;
		depth++;
	}
	return depth;
}

uint32_t names_number_of(const struct names *n, uint32_t node)
{
	return n->nodes[node].number;
}

struct span names_name(const struct names *n, uint32_t node)
{
	const size_t text = n->nodes[node].text;

	return (struct span){ n->text + text,
		name_len((struct span){ n->text, n->text_len }, text) };
}

size_t names_count(const struct names *n)
{
	return n->node_count;
}

size_t names_memory(const struct names *n)
{
	return sizeof(*n) + n->node_cap * sizeof(*n->nodes) + n->slot_cap * sizeof(*n->slots) +
		n->text_cap;
}
