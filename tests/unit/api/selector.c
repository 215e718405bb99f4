#include "api/selector.h"

#include "unit/traffic/trees.h"

static void assert_matches(const char *selector_text, const char *labels_text, bool expected)
{
	AUTO_JSON selector = tree(selector_text);
	AUTO_JSON labels = tree(labels_text);
	if (selector_matches(selector, labels) != expected)
		fail_msg("%s on %s", selector_text, labels_text);
}

static void maps(void **state)
{
	(void)state;
	AUTO_JSON labels = tree("{'app': 'web', 'tier': 'front'}");
	AUTO_JSON app = tree("{'app': 'web'}");
	AUTO_JSON both = tree("{'app': 'web', 'tier': 'back'}");
	AUTO_JSON nothing = json_object();
	assert_true(selector_map_matches(app, labels));
	assert_false(selector_map_matches(both, labels));
	assert_false(selector_map_matches(nothing, labels));
	assert_false(selector_map_matches(NULL, labels));
	assert_false(selector_map_matches(app, NULL));
}

static void label_selectors(void **state)
{
	(void)state;
	assert_matches("{}", "{'a': '1'}", true);
	assert_matches("{'matchLabels': {'a': '1'}}", "{'a': '1', 'b': '2'}", true);
	assert_matches("{'matchLabels': {'a': '1'}}", "{'a': '2'}", false);
	static const char *const IN =
		"{'matchExpressions': [{'key': 'a', 'operator': 'In', 'values': ['1', '2']}]}";
	static const char *const NOT_IN =
		"{'matchExpressions': [{'key': 'a', 'operator': 'NotIn', 'values': ['1', '2']}]}";
	assert_matches(IN, "{'a': '2'}", true);
	assert_matches(IN, "{'a': '3'}", false);
	assert_matches(IN, "{}", false);
	assert_matches(NOT_IN, "{'a': '2'}", false);
	assert_matches(NOT_IN, "{'a': '3'}", true);
	/* As the API says: NotIn holds where the key is absent. */
	assert_matches(NOT_IN, "{}", true);
	static const char *const EXISTS =
		"{'matchExpressions': [{'key': 'a', 'operator': 'Exists'}]}";
	static const char *const MISSING =
		"{'matchExpressions': [{'key': 'a', 'operator': 'DoesNotExist'}]}";
	assert_matches(EXISTS, "{'a': ''}", true);
	assert_matches(EXISTS, "{}", false);
	assert_matches(MISSING, "{'a': ''}", false);
	assert_matches(MISSING, "{}", true);
	assert_matches(
		"{'matchExpressions': [{'key': 'a', 'operator': 'Near'}]}", "{'a': '1'}", false);
	assert_matches("{'matchLabels': {'b': '2'}, 'matchExpressions': [{'key': 'a', 'operator': "
		       "'Exists'}]}",
		"{'a': '1'}", false);
	AUTO_JSON labels = json_object();
	assert_false(selector_matches(NULL, labels));
}

static void text_form(void **state)
{
	(void)state;
	AUTO_JSON selector = tree("{'matchLabels': {'app': 'web', 'x': ''}, 'matchExpressions': ["
				  "{'key': 'a', 'operator': 'In', 'values': ['1', '2']},"
				  "{'key': 'b', 'operator': 'NotIn', 'values': ['3']},"
				  "{'key': 'c', 'operator': 'Exists'},"
				  "{'key': 'd', 'operator': 'DoesNotExist'}]}");
	AUTO_STRING text = selector_text(selector);
	assert_string_equal(text, "app=web,x=,a in (1,2),b notin (3),c,!d");
	AUTO_JSON nothing = json_object();
	AUTO_STRING empty = selector_text(nothing);
	assert_string_equal(empty, "");
	AUTO_STRING map = selector_map_text(json_get(selector, "matchLabels"));
	assert_string_equal(map, "app=web,x=");
}

static void assert_without(const char *selector_text, const char *expected)
{
	AUTO_JSON selector = tree(selector_text);
	AUTO_JSON without = selector_without(selector, "version");
	assert_tree(without, expected);
	assert_false(selector_has_key(without, "version"));
}

static void labels_taken_out(void **state)
{
	(void)state;
	assert_without("{'matchLabels': {'app': 'web', 'version': 'v1'}}",
		"{'matchLabels': {'app': 'web'}}");
	assert_without("{'matchLabels': {'app': 'web'}, 'matchExpressions': [{'key': 'version', "
		       "'operator': 'Exists'}, {'key': 'app', 'operator': 'Exists'}]}",
		"{'matchLabels': {'app': 'web'}, 'matchExpressions': [{'key': 'app', 'operator': "
		"'Exists'}]}");
	assert_without("{'matchLabels': {'app': 'web'}}", "{'matchLabels': {'app': 'web'}}");
}

static void keys_that_it_names(void **state)
{
	(void)state;
	AUTO_JSON labels = tree("{'matchLabels': {'app': 'web', 'version': 'v1'}}");
	AUTO_JSON expressions =
		tree("{'matchExpressions': [{'key': 'version', 'operator': 'DoesNotExist'}]}");
	assert_true(selector_has_key(labels, "version"));
	assert_true(selector_has_key(labels, "app"));
	assert_false(selector_has_key(labels, "vers"));
	assert_true(selector_has_key(expressions, "version"));
	assert_false(selector_has_key(expressions, "app"));
	assert_false(selector_has_key(NULL, "app"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps),
		cmocka_unit_test(label_selectors),
		cmocka_unit_test(text_form),
		cmocka_unit_test(labels_taken_out),
		cmocka_unit_test(keys_that_it_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
