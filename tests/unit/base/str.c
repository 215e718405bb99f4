#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static void questions(void **state)
{
	(void)state;
	assert_true(str_equal("a", "a"));
	assert_false(str_equal("a", "A"));
	assert_true(str_equal(NULL, NULL));
	assert_false(str_equal(NULL, ""));
	assert_true(str_starts("abc", "ab"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("a", "ab"));
	assert_false(str_starts(NULL, "a"));
	assert_true(str_ends("abc", "bc"));
	assert_false(str_ends("c", "bc"));
	assert_false(str_ends(NULL, ""));
	assert_true(str_empty(NULL));
	assert_true(str_empty(""));
	assert_false(str_empty(" "));
}

static void names_are_found(void **state)
{
	(void)state;
	static const char *const NAMES[] = {"a", NULL, "c"};
	assert_int_equal(str_index(NAMES, 3, "a"), 0);
	assert_int_equal(str_index(NAMES, 3, "c"), 2);
	assert_int_equal(str_index(NAMES, 3, "b"), -1);
	assert_int_equal(str_index(NAMES, 3, NULL), -1);
}

static void splitting_keeps_empty_parts(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t count;
		const char *last;
	} cases[] = {{"", 1, ""}, {"a", 1, "a"}, {"a,b", 2, "b"}, {"a,,b", 3, "b"}, {",", 2, ""}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str_list list CLEANUP(str_list_release) = {0};
		str_split(cases[i].text, ',', &list);
		assert_int_equal(list.count, cases[i].count);
		assert_string_equal(list.items[list.count - 1], cases[i].last);
		assert_true(str_list_has(&list, cases[i].last));
		assert_false(str_list_has(&list, "x"));
	}
	str_list_release(NULL);
}

static void errors_get_context(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(err_set(&err, ERR_INVALID, "line %d", 3), ERR_INVALID);
	assert_int_equal(err_wrap(&err, "reading %s", "f"), ERR_INVALID);
	assert_string_equal(err.message, "reading f: line 3");
	assert_int_equal(err_set(NULL, ERR_BUSY, "x"), ERR_BUSY);
	/* What is too long is cut. */
	AUTO_STRING longer = mem_alloc(5000, 1);
	memset(longer, 'x', 4999);
	assert_int_equal(err_wrap(&err, "%s", longer), ERR_INVALID);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
	assert_int_equal(err_set(&err, ERR_BUSY, "%s", longer), ERR_BUSY);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions),
		cmocka_unit_test(names_are_found),
		cmocka_unit_test(splitting_keeps_empty_parts),
		cmocka_unit_test(errors_get_context),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
