#include "base/err.h"

#include "unit/traffic/trees.h"

static void messages_may_be_made_of_themselves(void **state)
{
	(void)state;
	struct err err = {0};
	(void)err_set(&err, ERR_INVALID, "damaged");
	assert_int_equal(err_set(&err, ERR_FAILED, "it is %s; mend it", err.message), ERR_FAILED);
	assert_string_equal(err.message, "it is damaged; mend it");
	assert_int_equal(err_wrap(&err, "reading %s", "it"), ERR_FAILED);
	assert_string_equal(err.message, "reading it: it is damaged; mend it");
}

static void long_messages_are_cut(void **state)
{
	(void)state;
	struct err err = {0};
	AUTO_STRING text = mem_alloc(sizeof(err.message) * 2, 1);
	memset(text, 'x', sizeof(err.message) * 2 - 1);
	assert_int_equal(err_set(&err, ERR_FAILED, "%s", text), ERR_FAILED);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
	assert_int_equal(err_wrap(&err, "reading"), ERR_FAILED);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_may_be_made_of_themselves),
		cmocka_unit_test(long_messages_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
