#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static void pieces_are_joined(void **state)
{
	(void)state;
	AUTO_BUF buf = BUF_INIT(100);
	assert_string_equal(buf_text(&buf), "");
	buf_add_text(&buf, "a");
	buf_add(&buf, "bcd", 2);
	buf_add_char(&buf, '-');
	buf_addf(&buf, "%d%s", 12, "x");
	assert_string_equal(buf_text(&buf), "abc-12x");
	assert_int_equal(buf.length, 7);
	buf_remove_front(&buf, 4);
	assert_string_equal(buf_text(&buf), "12x");
	buf_remove_front(&buf, 99);
	assert_string_equal(buf_text(&buf), "");
}

static void maximum_is_kept(void **state)
{
	(void)state;
	AUTO_BUF buf = BUF_INIT(5);
	buf_add_text(&buf, "12345");
	assert_false(buf.overflow);
	buf_add_text(&buf, "");
	assert_false(buf.overflow);
	buf_add_char(&buf, '6');
	assert_true(buf.overflow);
	assert_string_equal(buf_text(&buf), "12345");
	/* Once something is missing, nothing is added behind it. */
	buf_remove_front(&buf, 5);
	buf_add_text(&buf, "7");
	assert_int_equal(buf.length, 0);
	buf_clear(&buf);
	buf_addf(&buf, "%s", "7");
	assert_string_equal(buf_text(&buf), "7");
	buf_addf(&buf, "%s", "too long");
	assert_true(buf.overflow);
	assert_string_equal(buf_text(&buf), "7");
}

static void bytes_of_zero_count(void **state)
{
	(void)state;
	AUTO_BUF buf = BUF_INIT(10);
	buf_add(&buf, "a\0b", 3);
	assert_int_equal(buf.length, 3);
	assert_memory_equal(buf_text(&buf), "a\0b", 4);
}

static void taken_text_is_the_callers(void **state)
{
	(void)state;
	AUTO_BUF buf = BUF_INIT(10);
	AUTO_STRING nothing = buf_take(&buf);
	assert_string_equal(nothing, "");
	buf_add_text(&buf, "x");
	AUTO_STRING text = buf_take(&buf);
	assert_string_equal(text, "x");
	assert_int_equal(buf.length, 0);
	assert_int_equal(buf.maximum, 10);
	buf_release(NULL);
}

static void large_text_grows(void **state)
{
	(void)state;
	AUTO_BUF buf = BUF_INIT(1 << 20);
	for (int i = 0; i < 100000; i++)
		buf_addf(&buf, "%d,", i % 10);
	assert_int_equal(buf.length, 200000);
	assert_string_equal(buf_text(&buf) + 199990, "5,6,7,8,9,");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_joined),
		cmocka_unit_test(maximum_is_kept),
		cmocka_unit_test(bytes_of_zero_count),
		cmocka_unit_test(taken_text_is_the_callers),
		cmocka_unit_test(large_text_grows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
