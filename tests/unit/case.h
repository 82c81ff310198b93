/* case: the look of our unit tests. A case is a claim, named by a sentence; few words are inside:
 *
 *	CASE(a_pointer_must_point_back)
 *	{
 *		OK(!name_skip(...));
 *		EQ(at, 12);
 *	}
 *
 *	int main(void)
 *	{
 *		const struct CMUnitTest cases[] = { CLAIM(a_pointer_must_point_back) };
 *		return RUN(cases);
 *	}
 */
#ifndef CASE_H
#define CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CASE(name)  static void name(void **unused __attribute__((unused)))
#define CLAIM(name) cmocka_unit_test(name)
#define RUN(cases)  cmocka_run_group_tests(cases, NULL, NULL)

#define OK(x)          assert_true(x)
#define EQ(a, b)       assert_int_equal(a, b)
#define STR(a, b)      assert_string_equal(a, b)
#define MEM(a, b, len) assert_memory_equal(a, b, len)

#endif
