#include "base/buf.h"

#include "case.h"

CASE(what_is_appended_comes_out_in_order)
{
	struct buf b = { 0 };

	OK(buf_append(&b, SPAN("hello ")));
	OK(buf_append(&b, SPAN("world")));
	buf_drop(&b, 6);
	EQ(buf_len(&b), 5);
	MEM(buf_span(&b).at, "world", 5);
	buf_clear(&b);
}

CASE(an_emptied_buffer_keeps_no_more_than_it_may)
{
	struct buf none = { 0 }, some = { .keep = 4096 };

	OK(buf_append(&none, SPAN("x")));
	buf_drop(&none, 1);
	EQ(none.cap, 0);
	OK(buf_append(&some, SPAN("x")));
	buf_drop(&some, 1);
	OK(some.cap > 0);
	OK(buf_room(&some, 8192));
	buf_grow(&some, 8192);
	buf_drop(&some, 8192);
	EQ(some.cap, 0);
	buf_clear(&some);
}

CASE(room_at_the_front_is_used_before_memory_grows)
{
	struct buf b = { .keep = 1024 };

	OK(buf_room(&b, 512));
	buf_grow(&b, 512);
	size_t cap = b.cap;

	buf_drop(&b, 500);
	OK(buf_room(&b, cap - 12));
	EQ(b.cap, cap);
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(what_is_appended_comes_out_in_order),
		CLAIM(an_emptied_buffer_keeps_no_more_than_it_may),
		CLAIM(room_at_the_front_is_used_before_memory_grows),
	};

	return RUN(cases);
}
