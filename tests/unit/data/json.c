#include "unit/traffic/trees.h"

static void assert_parsed(const char *text, const char *printed)
{
	json *parsed = NULL;
	struct err err = {0};
	if (json_parse(text, strlen(text), &parsed, &err) != 0)
		fail_msg("%s: %s", text, err.message);
	AUTO_JSON node = parsed;
	AUTO_STRING again = json_print(node);
	assert_string_equal(again, printed);
}

static void values_are_read_and_printed(void **state)
{
	(void)state;
	assert_parsed(" { \"a\" : [ 1 , true , null , \"x\" ] , \"b\" : { } }\n",
		"{\"a\":[1,true,null,\"x\"],\"b\":{}}");
	assert_parsed("\"\\u00e4\\n\\\"\\\\\"", "\"ä\\n\\\"\\\\\"");
	assert_parsed("\"\\ud83d\\ude00\"", "\"😀\"");
	assert_parsed("-0.5", "-0.5");
	assert_parsed("0.1", "0.1");
	assert_parsed("9007199254740991", "9007199254740991");
	assert_parsed("1700000000123", "1700000000123");
	assert_parsed("0.30000000000000004", "0.30000000000000004");
	assert_parsed("[]", "[]");
}

static void what_is_not_json_is_refused(void **state)
{
	(void)state;
	static const char *const BAD[] = {"", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "'a'",
		"nul", "1 2", "{} x", "\"\\x\"", "\"a", "[1 2]", "{\"a\" 1}", "\"\\ud800\"",
		"1e999", "-1e999", "[1e400]"};
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		json *parsed = NULL;
		struct err err = {0};
		int code = json_parse(BAD[i], strlen(BAD[i]), &parsed, &err);
		AUTO_JSON node = parsed;
		if (code != ERR_INVALID || node != NULL)
			fail_msg("%s is taken", BAD[i]);
		assert_contains(err.message, "not JSON");
	}
	json *parsed = NULL;
	assert_int_equal(json_parse("1\0 2", 4, &parsed, NULL), ERR_INVALID);
	assert_int_equal(json_parse("12", 1, &parsed, NULL), 0);
	assert_int_equal(json_integer(parsed, 0), 1);
	json_free(parsed);
}

static void depth_is_limited(void **state)
{
	(void)state;
	char deep[4001] = {0};
	memset(deep, '[', 2000);
	memset(deep + 2000, ']', 2000);
	json *parsed = NULL;
	assert_int_equal(json_parse(deep, 4000, &parsed, NULL), ERR_INVALID);
	assert_null(parsed);
}

static void three_states_of_a_field(void **state)
{
	(void)state;
	AUTO_JSON node = tree("{'null': null, 'zero': 0, 'Zero': 1, 'text': '', 'no': false}");
	assert_null(json_get(node, "absent"));
	assert_true(json_is_null(json_get(node, "null")));
	assert_false(json_is_null(NULL));
	assert_true(json_is_number(json_get(node, "zero")));
	assert_int_equal(json_get_integer(node, "zero", 7), 0);
	assert_int_equal(json_get_integer(node, "null", 7), 7);
	assert_int_equal(json_get_integer(node, "absent", 7), 7);
	assert_int_equal(json_get_integer(node, "Zero", 7), 1);
	assert_int_equal(json_get_integer(node, "ZERO", 7), 7);
	assert_string_equal(json_get_text(node, "text"), "");
	assert_null(json_get_text(node, "zero"));
	assert_false(json_is_true(json_get(node, "no")));
}

static void null_is_walked(void **state)
{
	(void)state;
	assert_null(json_get(NULL, "a"));
	assert_null(json_path(NULL, "a", "b", NULL));
	assert_null(json_at(NULL, 0));
	assert_null(json_first(NULL));
	assert_int_equal(json_count(NULL), 0);
	assert_null(json_text(NULL));
	assert_null(json_copy(NULL));
	json_free(NULL);
	AUTO_JSON node = tree("{'a': {'b': [1, 2]}, 's': 'x'}");
	assert_int_equal(json_count(json_path(node, "a", "b", NULL)), 2);
	assert_null(json_path(node, "a", "b", "c", NULL));
	assert_null(json_path(node, "s", "x", NULL));
	assert_int_equal(json_count(json_get(node, "s")), 0);
	assert_null(json_at(json_path(node, "a", "b", NULL), 2));
	assert_int_equal(json_integer(json_at(json_path(node, "a", "b", NULL), 1), 0), 2);
}

static void integers_are_exact_or_absent(void **state)
{
	(void)state;
	AUTO_JSON node = tree("{'big': 9007199254740992, 'bigger': 1e300, 'half': 2.5}");
	assert_true(json_get_integer(node, "big", -1) == INT64_C(9007199254740992));
	assert_int_equal(json_get_integer(node, "bigger", -1), -1);
	assert_true(json_double(json_get(node, "half"), 0) == 2.5);
}

static void editing_in_place(void **state)
{
	(void)state;
	AUTO_JSON node = tree("{'a': 1, 'b': 2, 'c': 3}");
	/* What is replaced keeps its place. */
	json_set_text(node, "b", "x");
	json_set_integer(node, "d", 4);
	json_set_bool(node, "e", false);
	AUTO_STRING text = json_print(node);
	assert_string_equal(text, "{\"a\":1,\"b\":\"x\",\"c\":3,\"d\":4,\"e\":false}");
	json_set(node, "a", NULL);
	json_set_text(node, "b", NULL);
	json_remove(node, "absent");
	assert_tree(node, "{'c': 3, 'd': 4, 'e': false}");
	AUTO_JSON detached = json_detach(node, "c");
	assert_int_equal(json_integer(detached, 0), 3);
	assert_null(json_key(detached));
	assert_null(json_detach(node, "c"));
	/* And can be put somewhere else. */
	json_set(node, "f", TAKE(detached));
	assert_tree(node, "{'d': 4, 'e': false, 'f': 3}");
}

static void arrays(void **state)
{
	(void)state;
	AUTO_JSON array = tree("[1, 2]");
	json_append(array, json_number(3));
	json_insert(array, 0, json_number(0));
	json_insert(array, 2, json_string("x"));
	assert_tree(array, "[0, 1, 'x', 2, 3]");
	json_replace_at(array, 2, json_null());
	json_free(json_detach_at(array, 0));
	assert_tree(array, "[1, null, 2, 3]");
	assert_null(json_detach_at(array, 9));
	json_free(json_detach_at(array, 3));
	json_append(array, json_number(9));
	assert_tree(array, "[1, null, 2, 9]");
}

static void maps_are_ensured(void **state)
{
	(void)state;
	AUTO_JSON node = tree("{'null': null, 'text': 'x', 'map': {'a': 1}, 'list': [1]}");
	json_set_integer(json_ensure_object(node, "new"), "a", 1);
	json_set_integer(json_ensure_object(node, "null"), "a", 1);
	json_set_integer(json_ensure_object(node, "text"), "a", 1);
	json_set_integer(json_ensure_object(node, "map"), "b", 2);
	json_append(json_ensure_array(node, "list"), json_number(2));
	json_append(json_ensure_array(node, "other"), json_number(1));
	assert_tree(node, "{'null': {'a': 1}, 'text': {'a': 1}, 'map': {'a': 1, 'b': 2}, 'list': "
			  "[1, 2], 'new': {'a': 1}, 'other': [1]}");
}

static void assert_equality(const char *a_text, const char *b_text, bool expected)
{
	AUTO_JSON a = tree(a_text);
	AUTO_JSON b = tree(b_text);
	if (json_equal(a, b) != expected || json_equal(b, a) != expected)
		fail_msg("%s and %s", a_text, b_text);
}

static void equality(void **state)
{
	(void)state;
	assert_equality("{'a': 1, 'b': [2, {'c': null}]}", "{'b': [2, {'c': null}], 'a': 1}", true);
	assert_equality("{'a': 1}", "{'A': 1}", false);
	assert_equality("{'a': 1}", "{'a': 1, 'b': 1}", false);
	assert_equality("{'a': null}", "{}", false);
	assert_equality("[1, 2]", "[2, 1]", false);
	assert_equality("[1]", "[1, 1]", false);
	assert_equality("[]", "{}", false);
	assert_equality("1", "'1'", false);
	assert_equality("true", "false", false);
	assert_equality("0", "false", false);
	assert_equality("1.0", "1", true);
	assert_equality("1700000000123", "1700000000124", false);
	assert_true(json_equal(NULL, NULL));
	AUTO_JSON null = json_null();
	assert_false(json_equal(null, NULL));
}

static void pretty(void **state)
{
	(void)state;
	AUTO_JSON node = tree("{'a': [1, {}], 'b': {'c': []}}");
	AUTO_STRING text = json_print_pretty(node);
	assert_string_equal(text, "{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": {\n"
				  "        \"c\": []\n    }\n}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read_and_printed),
		cmocka_unit_test(what_is_not_json_is_refused),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(three_states_of_a_field),
		cmocka_unit_test(null_is_walked),
		cmocka_unit_test(integers_are_exact_or_absent),
		cmocka_unit_test(editing_in_place),
		cmocka_unit_test(arrays),
		cmocka_unit_test(maps_are_ensured),
		cmocka_unit_test(equality),
		cmocka_unit_test(pretty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
