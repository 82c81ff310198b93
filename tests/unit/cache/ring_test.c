#include "cache/ring.h"

#include <stdlib.h>
#include <string.h>

#include "case.h"

/* Units in front of the ring's part, which are another's. */
#define FIRST 3

/* What a ring should hold, the oldest first: from front to back of an array that is long enough. */
#define MOST 4096
static struct {
	uint32_t place, units;
	uint8_t mark; /* all octets but the first of them are this */
} model[MOST];
static size_t front, back;

/* Memory of just the right size, so that a sanitizer sees what is outside. */
static uint8_t *memory;
static struct ring ring;

static void open_ring(uint32_t units)
{
	memory = calloc(FIRST + units, ENTRY_UNIT);
	OK(memory);
	memset(memory, 0x5a, (size_t)FIRST * ENTRY_UNIT);
	ring_init(&ring, memory, FIRST, units);
	front = back = 0;
}

static void close_ring(void)
{
	for (size_t i = 0; i < (size_t)FIRST * ENTRY_UNIT; i++)
		EQ(memory[i], 0x5a);
	free(memory);
}

/* What an entry has in front, as the gaps have it. */
#define SET 16

static uint32_t push(uint32_t units)
{
	uint32_t place = ring_push(&ring, units, NULL);
	struct entry *e = ring_entry(&ring, place);

	OK(place >= FIRST && place + units <= FIRST + ring.units); /* in one piece */
	e->units = units;
	e->dead = false;
	model[back].place = place;
	model[back].units = units;
	model[back].mark = (uint8_t)back;
	memset((uint8_t *)e + SET, model[back].mark, (size_t)units * ENTRY_UNIT - SET);
	OK(++back < MOST);
	return place;
}

static void check_marks(size_t at)
{
	const uint8_t *octets = (uint8_t *)ring_entry(&ring, model[at].place);

	for (size_t i = SET; i < (size_t)model[at].units * ENTRY_UNIT; i++)
		EQ(octets[i], model[at].mark);
}

/* Drops gaps, and one entry; it must be the oldest. */
static void pop(void)
{
	while (ring_entry(&ring, ring_tail(&ring))->dead)
		ring_pop(&ring);
	EQ(ring_tail(&ring), model[front].place);
	EQ(ring_entry(&ring, ring_tail(&ring))->units, model[front].units);
	check_marks(front++);
	ring_pop(&ring);
}

CASE(an_empty_ring_has_no_tail_and_room_for_all_of_its_units)
{
	open_ring(10);
	EQ(ring_tail(&ring), ENTRY_NONE);
	OK(ring_has_room(&ring, 10));
	OK(!ring_has_room(&ring, 11));
	close_ring();
}

CASE(a_full_ring_has_no_room)
{
	open_ring(10);
	EQ(push(4), FIRST);
	EQ(push(6), FIRST + 4);
	OK(!ring_has_room(&ring, 1));
	pop();
	OK(ring_has_room(&ring, 4));
	OK(!ring_has_room(&ring, 5));
	EQ(push(4), FIRST);
	OK(!ring_has_room(&ring, 1));
	pop();
	pop();
	close_ring();
}

CASE(a_ring_that_has_been_emptied_has_all_its_room_in_one_piece)
{
	open_ring(10);
	push(4);
	push(2);
	pop();
	OK(!ring_has_room(&ring, 8));
	pop();
	EQ(ring_tail(&ring), ENTRY_NONE);
	OK(ring_has_room(&ring, 10));
	EQ(push(10), FIRST);
	pop();
	close_ring();
}

CASE(what_is_left_at_the_end_is_a_gap_also_of_one_unit)
{
	for (uint32_t left = 1; left < 4; left++) {
		open_ring(13);
		push(4);
		push(9 - left);
		pop();
		EQ(push(4), FIRST);
		OK(!ring_has_room(&ring, 1));
		EQ(ring.used, 9 + 4);
		pop();
		EQ(ring_entry(&ring, ring_tail(&ring))->units, left);
		OK(ring_entry(&ring, ring_tail(&ring))->dead);
		pop();
		EQ(ring_tail(&ring), ENTRY_NONE);
		close_ring();
	}
}

CASE(room_is_asked_for_with_the_gap)
{
	open_ring(12);
	push(4);
	push(6);
	pop();
	OK(ring_has_room(&ring, 2)); /* at the end, without one */
	OK(ring_has_room(&ring, 4)); /* at the beginning */
	OK(!ring_has_room(&ring, 5));
	close_ring();
}

/* Puts the oldest back to the head. */
static uint32_t put_back(void)
{
	struct entry *oldest = ring_entry(&ring, ring_tail(&ring));

	ring_pop(&ring);
	uint32_t place = ring_push(&ring, oldest->units, oldest);

	model[back] = model[front++];
	model[back].place = place;
	EQ(ring_entry(&ring, place)->units, model[back].units);
	OK(!ring_entry(&ring, place)->dead);
	check_marks(back++);
	return place;
}

CASE(an_entry_may_be_put_back_where_it_was)
{
	open_ring(12);
	push(5);
	push(7);
	EQ(put_back(), FIRST);
	EQ(put_back(), FIRST + 5);
	pop();
	pop();
	close_ring();
}

CASE(an_entry_may_be_put_back_over_a_part_of_itself)
{
	open_ring(18);
	push(7);
	push(8);
	pop();
	EQ(put_back(), FIRST); /* all alone, from 7 to the very beginning */
	pop();
	close_ring();

	open_ring(20);
	push(4);
	push(8);
	push(6);
	pop();
	push(2);
	EQ(put_back(), FIRST); /* from 4, and the others stay */
	for (int i = 0; i < 3; i++)
		pop();
	close_ring();
}

CASE(an_entry_that_is_put_back_may_leave_a_gap)
{
	open_ring(20);
	push(8);
	push(9);
	EQ(put_back(), FIRST);
	pop();
	pop();
	EQ(ring_tail(&ring), ENTRY_NONE);
	close_ring();
}

/* Walks on, and says which entry of the model it is at: MOST at the end, MOST + 1 at a gap. */
static size_t step(uint64_t *position)
{
	uint32_t place = ring_next(&ring, position);

	for (size_t i = front; i < back; i++)
		if (model[i].place == place)
			return i;
	if (place == ENTRY_NONE)
		return MOST;
	OK(ring_entry(&ring, place)->dead);
	return MOST + 1;
}

CASE(a_walk_meets_all_from_the_oldest_to_the_newest)
{
	uint64_t position = 0;

	open_ring(14);
	EQ(step(&position), MOST);
	push(5);
	push(6);
	pop();
	push(4);
	EQ(step(&position), 1);
	EQ(step(&position), MOST + 1);
	EQ(step(&position), 2);
	EQ(step(&position), MOST);
	EQ(step(&position), MOST);
	close_ring();
}

CASE(a_walk_goes_on_at_the_oldest_if_its_place_has_gone)
{
	uint64_t position = 0;

	open_ring(20);
	for (int i = 0; i < 5; i++)
		push(4);
	EQ(step(&position), 0);
	pop();
	pop();
	pop();
	EQ(step(&position), 3);
	push(4); /* what comes meanwhile is met as well */
	EQ(step(&position), 4);
	EQ(step(&position), 5);
	EQ(step(&position), MOST);
	push(4);
	EQ(step(&position), 6);
	close_ring();
}

CASE(a_walk_goes_on_in_a_ring_that_was_cleared)
{
	uint64_t position = 0;

	open_ring(20);
	push(8);
	push(8);
	EQ(step(&position), 0);
	ring_clear(&ring);
	front = back;
	EQ(ring_tail(&ring), ENTRY_NONE);
	OK(ring_has_room(&ring, 20));
	EQ(step(&position), MOST);
	push(9);
	EQ(step(&position), 2);
	EQ(step(&position), MOST);
	close_ring();
}

static uint32_t chance(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)*seed * below >> 32);
}

static void walk_all(void)
{
	uint64_t position = 0;
	size_t at = front, is;

	while ((is = step(&position)) != MOST)
		if (is != MOST + 1)
			EQ(is, at++);
	EQ(at, back);
}

/* Who has been popped always has room again. */
static void put_back_if_alive(void)
{
	uint32_t tail = ring_tail(&ring);

	if (tail == ENTRY_NONE || ring_entry(&ring, tail)->dead)
		return;
	struct ring without = ring;

	ring_pop(&without);
	OK(ring_has_room(&without, ring_entry(&ring, tail)->units));
	put_back();
}

CASE(in_a_long_run_of_all_sizes_nothing_is_lost_or_overwritten)
{
	for (uint32_t seed = 0; seed < 40; seed++) {
		uint32_t units = 8 + seed * 3, random = seed;

		open_ring(units);
		while (back < MOST - 2) {
			uint32_t wanted = 1 + chance(&random, units / (1 + seed % 4));

			while (!ring_has_room(&ring, wanted))
				pop();
			push(wanted);
			if (chance(&random, 8) == 0)
				walk_all();
			if (chance(&random, 8) == 0)
				put_back_if_alive();
		}
		while (front < back)
			pop();
		close_ring();
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(an_empty_ring_has_no_tail_and_room_for_all_of_its_units),
		CLAIM(a_full_ring_has_no_room),
		CLAIM(a_ring_that_has_been_emptied_has_all_its_room_in_one_piece),
		CLAIM(what_is_left_at_the_end_is_a_gap_also_of_one_unit),
		CLAIM(room_is_asked_for_with_the_gap),
		CLAIM(an_entry_may_be_put_back_where_it_was),
		CLAIM(an_entry_may_be_put_back_over_a_part_of_itself),
		CLAIM(an_entry_that_is_put_back_may_leave_a_gap),
		CLAIM(a_walk_meets_all_from_the_oldest_to_the_newest),
		CLAIM(a_walk_goes_on_at_the_oldest_if_its_place_has_gone),
		CLAIM(a_walk_goes_on_in_a_ring_that_was_cleared),
		CLAIM(in_a_long_run_of_all_sizes_nothing_is_lost_or_overwritten),
	};

	return RUN(cases);
}
