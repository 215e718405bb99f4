#include "traffic/merge.h"

#include "base/buf.h"
#include "unit/traffic/trees.h"

/* Merges with up to three known states. Returns the code; current and err are the caller's. */
static int merge(json *current, const char *goal_text, const char *const *known_texts, size_t count,
	struct err *err)
{
	AUTO_JSON goal = tree(goal_text);
	const json *known[3] = {0};
	for (size_t i = 0; i < count; i++)
		known[i] = tree(known_texts[i]);
	int result = merge_to_goal(current, goal, known, count, err);
	for (size_t i = 0; i < count; i++)
		json_free((json *)(uintptr_t)known[i]);
	return result;
}

static void assert_merged(const char *before, const char *after, const char *goal,
	const char *known_one, const char *known_two)
{
	AUTO_JSON current = tree(before);
	const char *const known[] = {known_one, known_two};
	struct err err = {0};
	if (merge(current, goal, known, COUNT_OF(known), &err) != 0)
		fail_msg("%s", err.message);
	assert_tree(current, after);
	if (merge(current, goal, known, COUNT_OF(known), &err) != 0)
		fail_msg("%s", err.message);
	assert_tree(current, after);
}

static void assert_foreign(const char *before, const char *goal, const char *known_one,
	const char *known_two, const char *message)
{
	AUTO_JSON current = tree(before);
	const char *const known[] = {known_one, known_two};
	struct err err = {0};
	assert_int_equal(merge(current, goal, known, COUNT_OF(known), &err), ERR_FOREIGN);
	assert_int_equal(err.code, ERR_FOREIGN);
	AUTO_STRING whole =
		mem_format("%s: somebody else changed a field that this release manages", message);
	assert_string_equal(err.message, whole);
	assert_tree(current, before);
}

static void ours_get_the_goal(void **state)
{
	(void)state;
	assert_merged("{'a': 1}", "{'a': 3}", "{'a': 3}", "{'a': 1}", "{'a': 2}");
	assert_merged("{'a': 2}", "{'a': 3}", "{'a': 3}", "{'a': 1}", "{'a': 2}");
	assert_merged("{'a': 3}", "{'a': 3}", "{'a': 3}", "{'a': 1}", "{'a': 2}");
}

static void what_is_not_ours_stays(void **state)
{
	(void)state;
	assert_merged("{'a': 1, 'b': 7, 'd': 1}", "{'a': 3, 'b': 7, 'd': 1}",
		"{'a': 3, 'b': 1, 'c': 1}", "{'a': 1, 'b': 1, 'c': 1}", "{'a': 2, 'b': 1, 'c': 1}");
	assert_merged("{'a': [1, 2]}", "{'a': [1, 2]}", "{'a': [1]}", "{'a': [1]}", "{'a': [1]}");
	assert_merged("{'a': {'x': 1}}", "{'a': {'x': 1}}", "{'a': 1}", "{'a': 1}", "{'a': 1}");
}

static void absent_is_a_state(void **state)
{
	(void)state;
	assert_merged("{}", "{'a': 1}", "{'a': 1}", "{}", "{'a': 2}");
	assert_merged("{'a': 2, 'b': 1}", "{'b': 1}", "{}", "{'a': 1}", "{'a': 2}");
	assert_merged("{'a': null}", "{'a': 0}", "{'a': 0}", "{'a': null}", "{}");
	assert_foreign("{}", "{'a': 1}", "{'a': 2}", "{'a': 3}", "a is absent, expected 1");
	assert_foreign("{'a': null}", "{'a': 1}", "{}", "{'a': 0}", "a is null, expected 1");
}

static void arrays_of_equal_length_go_by_element(void **state)
{
	(void)state;
	assert_merged("{'a': [{'x': 1, 'y': 9}, 5]}", "{'a': [{'x': 3, 'y': 9}, 5]}",
		"{'a': [{'x': 3, 'y': 1}, 4]}", "{'a': [{'x': 1, 'y': 1}, 4]}",
		"{'a': [{'x': 2, 'y': 1}, 4]}");
	assert_foreign("{'a': [{'x': 1}, {'x': 9}]}", "{'a': [{'x': 1}, {'x': 3}]}",
		"{'a': [{'x': 1}, {'x': 1}]}", "{'a': [{'x': 1}, {'x': 2}]}",
		"a[1].x is 9, expected 3");
}

static void arrays_of_other_lengths_are_one_value(void **state)
{
	(void)state;
	assert_merged(
		"{'a': [1]}", "{'a': [1, 2]}", "{'a': [1, 2]}", "{'a': [1]}", "{'a': [2, 1]}");
	assert_merged(
		"{'a': [2, 1]}", "{'a': [1]}", "{'a': [1]}", "{'a': [1, 2]}", "{'a': [2, 1]}");
	assert_foreign(
		"{'a': [3]}", "{'a': [1, 2]}", "{'a': []}", "{'a': []}", "a is [3], expected []");
}

static void kinds_that_differ_are_one_value(void **state)
{
	(void)state;
	assert_merged("{'a': {'x': 1}}", "{'a': [1]}", "{'a': [1]}", "{'a': {'x': 1}}", "{}");
	assert_merged("{'a': {'x': 1}}", "{}", "{}", "{'a': {'x': 1}}", "{}");
	assert_foreign("{'a': {'x': 1, 'y': 2}}", "{}", "{'a': {'x': 1}}", "{}",
		"a.y is 2, expected absent");
}

static void nothing_is_edited_when_a_later_field_conflicts(void **state)
{
	(void)state;
	assert_foreign("{'a': 1, 'b': {'c': 9}}", "{'a': 2, 'b': {'c': 2}}",
		"{'a': 1, 'b': {'c': 1}}", "{'a': 1, 'b': {'c': 1}}", "b.c is 9, expected 1");
}

static void names_the_one_field_of_a_list(void **state)
{
	(void)state;
	assert_foreign("{'spec': {'http': [{'route': [{'weight': 90}, {'weight': 70}]}]}}",
		"{'spec': {'http': [{'route': [{}]}]}}", "{'spec': {'http': [{'route': [{}]}]}}",
		"{'spec': {'http': [{'route': [{'weight': 90}, {'weight': 10}]}]}}",
		"spec.http[0].route[1].weight is 70, expected 10");
	assert_foreign("{'l': {'a.b/c': 'x'}}", "{'l': {'a.b/c': 'y'}}", "{'l': {}}", "{'l': {}}",
		"l[a.b/c] is \"x\", expected \"y\"");
}

static void long_values_are_cut_between_characters(void **state)
{
	(void)state;
	AUTO_BUF text = BUF_INIT(4096);
	buf_add_text(&text, "{'a': '");
	for (int i = 0; i < 600; i++)
		buf_add_text(&text, "ü");
	buf_add_text(&text, "'}");
	AUTO_JSON current = tree(buf_text(&text));
	const char *const known[] = {"{'a': 'x'}"};
	struct err err = {0};
	assert_int_equal(merge(current, "{}", known, 1, &err), ERR_FOREIGN);
	assert_contains(err.message, "ü…, expected absent");
	assert_true(strlen(err.message) < 400);
}

static json *keyed(const char *text)
{
	json *object = tree(text);
	json_for_each (element, json_get(object, "l")) {
		AUTO_STRING key = mem_strdup(json_get_text(element, "k"));
		json_remove(element, "k");
		merge_set_key(element, "%s", key);
	}
	return object;
}

/* The states of a list that gets a second element in front of its first: "b" moves from 1 to 2. */
static int merge_list(json *current, bool back, struct err *err)
{
	AUTO_JSON before = keyed("{'l': [{'k': '0', 'b': 1, 'n': 5}, {'k': '1', 'c': 1, 'd': 1}]}");
	AUTO_JSON after = keyed("{'l': [{'k': '0.new', 'name': 'ours', 'x': 1},"
				"       {'k': '0', 'b': 2, 'n': 5}, {'k': '1', 'c': 1, 'd': 1}]}");
	const json *const known[] = {before, after};
	return merge_to_goal(current, known[back ? 0 : 1], known, COUNT_OF(known), err);
}

static void assert_list(const char *before, const char *after, bool back)
{
	AUTO_JSON current = tree(before);
	struct err err = {0};
	if (merge_list(current, back, &err) != 0)
		fail_msg("%s", err.message);
	assert_tree(current, after);
}

static void assert_list_foreign(const char *before, const char *message)
{
	AUTO_JSON current = tree(before);
	struct err err = {0};
	assert_int_equal(merge_list(current, true, &err), ERR_FOREIGN);
	assert_contains(err.message, message);
	assert_tree(current, before);
}

#define OURS "{'name': 'ours', 'x': 1}"
#define LIST(elements) "{'l': [" elements "]}"

static void elements_with_keys_are_recognised(void **state)
{
	(void)state;
	assert_list(LIST("{'b': 1, 'n': 5}, {'c': 1, 'd': 1}"),
		LIST(OURS ", {'b': 2, 'n': 5}, {'c': 1, 'd': 1}"), false);
	assert_list(LIST(OURS ", {'b': 2, 'n': 5}, {'c': 1, 'd': 1}"),
		LIST("{'b': 1, 'n': 5}, {'c': 1, 'd': 1}"), true);
	/* edited, taken out, inserted */
	assert_list(LIST(OURS ", {'b': 2, 'n': 6}, {'c': 1, 'd': 2}"),
		LIST("{'b': 1, 'n': 6}, {'c': 1, 'd': 2}"), true);
	assert_list(LIST(OURS ", {'b': 2, 'n': 5}"), LIST("{'b': 1, 'n': 5}"), true);
	assert_list(LIST("{'z': 0}, " OURS ", {'b': 2, 'n': 5}, {'z': 1}, {'c': 1, 'd': 1}, "
			 "{'z': 2}"),
		LIST("{'z': 0}, {'b': 1, 'n': 5}, {'z': 1}, {'c': 1, 'd': 1}, {'z': 2}"), true);
	assert_list(LIST("{'z': 0}, {'b': 1, 'n': 5}, {'z': 1}, {'c': 1, 'd': 1}"),
		LIST("{'z': 0}, " OURS ", {'b': 2, 'n': 5}, {'z': 1}, {'c': 1, 'd': 1}"), false);
}

static void elements_of_ours_are_not_anybodys(void **state)
{
	(void)state;
	assert_list_foreign(
		LIST(OURS ", {'b': 3, 'n': 5}, {'c': 1, 'd': 1}"), "l[1].b is 3, expected 2:");
	assert_list_foreign(LIST("{'name': 'ours', 'x': 2}, {'b': 2, 'n': 5}, {'c': 1, 'd': 1}"),
		"l[0].x is 2, expected 1:");
	assert_list_foreign(LIST("{'b': 2, 'n': 5}, {'c': 1, 'd': 1}"), "l[0].b is 2, expected 1:");
	assert_list_foreign(LIST("{'b': 2, 'n': 5}, " OURS ", {'c': 1, 'd': 1}"), "");
}

static void only_objects(void **state)
{
	(void)state;
	AUTO_JSON current = tree("[1]");
	assert_int_equal(merge(current, "{}", NULL, 0, NULL), ERR_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ours_get_the_goal),
		cmocka_unit_test(what_is_not_ours_stays),
		cmocka_unit_test(absent_is_a_state),
		cmocka_unit_test(arrays_of_equal_length_go_by_element),
		cmocka_unit_test(arrays_of_other_lengths_are_one_value),
		cmocka_unit_test(kinds_that_differ_are_one_value),
		cmocka_unit_test(nothing_is_edited_when_a_later_field_conflicts),
		cmocka_unit_test(names_the_one_field_of_a_list),
		cmocka_unit_test(long_values_are_cut_between_characters),
		cmocka_unit_test(elements_with_keys_are_recognised),
		cmocka_unit_test(elements_of_ours_are_not_anybodys),
		cmocka_unit_test(only_objects),
	};
	return cmocka_run_group_tests_name("traffic/merge", tests, NULL, NULL);
}
