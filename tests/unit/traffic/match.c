#include "traffic/match.h"

#include "unit/traffic/trees.h"

static void assert_joined(const char *match, const char *headers, const char *expected)
{
	AUTO_JSON before = match == NULL ? NULL : tree(match);
	AUTO_JSON conditions = tree(headers);
	AUTO_JSON joined = NULL;
	struct err err = {0};
	int code = match_and(before, conditions, &joined, &err);
	if (code < 0)
		fail_msg("%s", err.message);
	assert_int_equal(code, expected != NULL);
	if (expected != NULL)
		assert_tree(joined, expected);
}

static void everything_else_stays(void **state)
{
	(void)state;
	assert_joined(NULL, "{'a': {'exact': '1'}}", "{'headers': {'a': {'exact': '1'}}}");
	assert_joined("{'uri': {'prefix': '/x'}, 'withoutHeaders': {'a': {}}, 'new': null,"
		      " 'headers': {'b': {'regex': '.'}}}",
		"{'a': {'exact': '1'}}",
		"{'uri': {'prefix': '/x'}, 'withoutHeaders': {'a': {}}, 'new': null,"
		" 'headers': {'b': {'regex': '.'}, 'a': {'exact': '1'}}}");
}

static void two_conditions_on_a_header(void **state)
{
	(void)state;
	static const struct {
		const char *theirs, *ours, *both; /* NULL: they exclude each other */
	} CASES[] = {
		{"{'exact': 'a'}", "{'exact': 'a'}", "{'exact': 'a'}"},
		{"{'exact': 'a'}", "{'exact': 'b'}", NULL},
		{"{'exact': 'ab'}", "{'prefix': 'a'}", "{'exact': 'ab'}"},
		{"{'exact': 'b'}", "{'prefix': 'a'}", NULL},
		{"{'prefix': 'a'}", "{'exact': 'ab'}", "{'exact': 'ab'}"},
		{"{'prefix': 'a'}", "{'prefix': 'ab'}", "{'prefix': 'ab'}"},
		{"{'prefix': 'ab'}", "{'prefix': 'a'}", "{'prefix': 'ab'}"},
		{"{'prefix': 'ab'}", "{'prefix': 'b'}", NULL},
		{"{'regex': 'a+'}", "{'exact': 'aa'}", "{'exact': 'aa'}"},
		{"{'regex': 'a+'}", "{'exact': 'ab'}", NULL},
		{"{'exact': 'aa'}", "{'regex': 'a+'}", "{'exact': 'aa'}"},
		{"{'regex': 'a+'}", "{'regex': 'a+'}", "{'regex': 'a+'}"},
		{"{}", "{'regex': 'a+'}", "{'regex': 'a+'}"},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		AUTO_STRING match = mem_format("{'headers': {'X-A': %s}}", CASES[i].theirs);
		AUTO_STRING headers = mem_format("{'x-a': %s}", CASES[i].ours);
		AUTO_STRING both = CASES[i].both == NULL
					   ? NULL
					   : mem_format("{'headers': {'X-A': %s}}", CASES[i].both);
		assert_joined(match, headers, both);
	}
}

static void what_istio_cannot_express(void **state)
{
	(void)state;
	AUTO_JSON match = tree("{'headers': {'cookie': {'regex': 'a.*'}}}");
	AUTO_JSON ours = tree("{'cookie': {'regex': '.*b'}}");
	AUTO_JSON joined = NULL;
	struct err err = {0};
	assert_int_equal(match_and(match, ours, &joined, &err), ERR_FAILED);
	assert_contains(err.message, "\"cookie\"");
	assert_null(joined);
}

/* A user's condition must not be lost because a later Istio can say more. */
static void what_this_program_does_not_know(void **state)
{
	(void)state;
	static const char *const UNKNOWN[] = {
		"{'suffix': 'a'}", "{'exact': 1}", "{'exact': 'a', 'ignoreCase': true}"};
	for (size_t i = 0; i < COUNT_OF(UNKNOWN); i++) {
		AUTO_STRING text = mem_format("{'headers': {'x': %s}}", UNKNOWN[i]);
		AUTO_JSON match = tree(text);
		AUTO_JSON ours = tree("{'x': {'exact': 'a'}}");
		AUTO_JSON joined = NULL;
		struct err err = {0};
		assert_int_equal(match_and(match, ours, &joined, &err), ERR_FAILED);
		assert_contains(err.message, "\"x\"");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_else_stays),
		cmocka_unit_test(two_conditions_on_a_header),
		cmocka_unit_test(what_istio_cannot_express),
		cmocka_unit_test(what_this_program_does_not_know),
	};
	return cmocka_run_group_tests_name("traffic/match", tests, NULL, NULL);
}
