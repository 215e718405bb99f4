#include "api/patch.h"

#include "unit/traffic/trees.h"

static void assert_patch(const char *before_text, const char *after_text, const char *patch_text)
{
	AUTO_JSON before = tree(before_text);
	AUTO_JSON after = tree(after_text);
	AUTO_JSON patch = patch_from_difference(before, after);
	assert_tree(patch, patch_text);
	assert_int_equal(patch_apply(&before, patch, NULL), 0);
	assert_same(before, after);
}

static void differences(void **state)
{
	(void)state;
	assert_patch("{'a': 1}", "{'a': 1}", "[]");
	assert_patch("{'a': 1}", "{'a': 2}", "[{'op': 'replace', 'path': '/a', 'value': 2}]");
	assert_patch("{}", "{'a': null}", "[{'op': 'add', 'path': '/a', 'value': null}]");
	assert_patch("{'a': null}", "{}", "[{'op': 'remove', 'path': '/a'}]");
	assert_patch("{'a': 0}", "{'a': null}", "[{'op': 'replace', 'path': '/a', 'value': null}]");
	assert_patch("{'a': {'b': {'c': 1, 'd': 2}}}", "{'a': {'b': {'c': 3, 'd': 2}}}",
		"[{'op': 'replace', 'path': '/a/b/c', 'value': 3}]");
	assert_patch("{'a': [1, {'b': 2}]}", "{'a': [1, {'b': 3}]}",
		"[{'op': 'replace', 'path': '/a/1/b', 'value': 3}]");
	assert_patch(
		"{'a': [1, 2]}", "{'a': [1]}", "[{'op': 'replace', 'path': '/a', 'value': [1]}]");
	assert_patch("{'a': [1]}", "{'a': {'0': 1}}",
		"[{'op': 'replace', 'path': '/a', 'value': {'0': 1}}]");
	assert_patch("{'A': 1}", "{'a': 1}",
		"[{'op': 'remove', 'path': '/A'}, {'op': 'add', 'path': '/a', 'value': 1}]");
	assert_patch("[1]", "{}", "[{'op': 'replace', 'path': '', 'value': {}}]");
}

static void keys_are_escaped(void **state)
{
	(void)state;
	assert_patch("{'a/b': 1, 'm~n': {'': 1}}", "{'a/b': 2, 'm~n': {'': 2}}",
		"[{'op': 'replace', 'path': '/a~1b', 'value': 2}, {'op': 'replace', 'path': "
		"'/m~0n/', 'value': 2}]");
	assert_patch("{'~1': 1, '~01': 1}", "{'~1': 2, '~01': 1}",
		"[{'op': 'replace', 'path': '/~01', 'value': 2}]");
}

/* Applies; NULL as the result: must be refused. */
static void assert_applied(const char *document_text, const char *patch_text, const char *result)
{
	AUTO_JSON document = tree(document_text);
	AUTO_JSON patch = tree(patch_text);
	struct err err = {0};
	int code = patch_apply(&document, patch, &err);
	if (result == NULL) {
		if (code != ERR_INVALID)
			fail_msg("%s applies to %s", patch_text, document_text);
		return;
	}
	if (code != 0)
		fail_msg("%s on %s: %s", patch_text, document_text, err.message);
	assert_tree(document, result);
}

/* RFC 6902, appendix A, as far as the operations are ours. */
static void cases_of_the_rfc(void **state)
{
	(void)state;
	assert_applied("{'foo': 'bar'}", "[{'op': 'add', 'path': '/baz', 'value': 'qux'}]",
		"{'baz': 'qux', 'foo': 'bar'}");
	assert_applied("{'foo': ['bar', 'baz']}",
		"[{'op': 'add', 'path': '/foo/1', 'value': 'qux'}]",
		"{'foo': ['bar', 'qux', 'baz']}");
	assert_applied("{'baz': 'qux', 'foo': 'bar'}", "[{'op': 'remove', 'path': '/baz'}]",
		"{'foo': 'bar'}");
	assert_applied("{'foo': ['bar', 'qux', 'baz']}", "[{'op': 'remove', 'path': '/foo/1'}]",
		"{'foo': ['bar', 'baz']}");
	assert_applied("{'baz': 'qux', 'foo': 'bar'}",
		"[{'op': 'replace', 'path': '/baz', 'value': 'boo'}]",
		"{'baz': 'boo', 'foo': 'bar'}");
	assert_applied("{'baz': 'qux', 'foo': ['a', 2, 'c']}",
		"[{'op': 'test', 'path': '/baz', 'value': 'qux'}, {'op': 'test', 'path': '/foo/1', "
		"'value': 2}]",
		"{'baz': 'qux', 'foo': ['a', 2, 'c']}");
	assert_applied("{'baz': 'qux'}", "[{'op': 'test', 'path': '/baz', 'value': 'bar'}]", NULL);
	assert_applied("{'foo': 'bar'}",
		"[{'op': 'add', 'path': '/child', 'value': {'grandchild': {}}}]",
		"{'foo': 'bar', 'child': {'grandchild': {}}}");
	assert_applied("{'foo': 'bar'}",
		"[{'op': 'add', 'path': '/baz', 'value': 'qux', 'xyz': 123}]",
		"{'foo': 'bar', 'baz': 'qux'}");
	assert_applied(
		"{'foo': 'bar'}", "[{'op': 'add', 'path': '/baz/bat', 'value': 'qux'}]", NULL);
	assert_applied("{'/': 9, '~1': 10}", "[{'op': 'test', 'path': '/~01', 'value': 10}]",
		"{'/': 9, '~1': 10}");
	assert_applied(
		"{'/': 9, '~1': 10}", "[{'op': 'test', 'path': '/~01', 'value': '10'}]", NULL);
	assert_applied("{'foo': ['bar']}",
		"[{'op': 'add', 'path': '/foo/-', 'value': ['abc', 'def']}]",
		"{'foo': ['bar', ['abc', 'def']]}");
	assert_applied("{'foo': null}", "[{'op': 'test', 'path': '/foo', 'value': null}]",
		"{'foo': null}");
}

static void what_does_not_apply_is_refused(void **state)
{
	(void)state;
	assert_applied("{}", "[{'op': 'remove', 'path': '/a'}]", NULL);
	assert_applied("{}", "[{'op': 'replace', 'path': '/a', 'value': 1}]", NULL);
	assert_applied("{'a': [1]}", "[{'op': 'remove', 'path': '/a/1'}]", NULL);
	assert_applied("{'a': [1]}", "[{'op': 'remove', 'path': '/a/-'}]", NULL);
	assert_applied("{'a': [1]}", "[{'op': 'replace', 'path': '/a/-', 'value': 1}]", NULL);
	assert_applied("{'a': [1]}", "[{'op': 'test', 'path': '/a/-', 'value': 1}]", NULL);
	assert_applied("{'a': [1]}", "[{'op': 'add', 'path': '/a/2', 'value': 1}]", NULL);
	assert_applied("{'a': [1]}", "[{'op': 'add', 'path': '/a/01', 'value': 1}]", NULL);
	assert_applied("{'a': [1]}", "[{'op': 'add', 'path': '/a/-1', 'value': 1}]", NULL);
	assert_applied("{'a': []}", "[{'op': 'remove', 'path': '/a/0'}]", NULL);
	assert_applied("{'a': 1}", "[{'op': 'add', 'path': '/a/b', 'value': 1}]", NULL);
	assert_applied("{'a': 1}", "[{'op': 'copy', 'path': '/b', 'from': '/a'}]", NULL);
	assert_applied("{'a': 1}", "[{'op': 'add', 'path': 'b', 'value': 1}]", NULL);
	assert_applied("{'a': 1}", "[{'op': 'add', 'path': '/b'}]", NULL);
	assert_applied("{'a': 1}", "[{'op': 'replace', 'path': '/a'}]", NULL);
	assert_applied("{'a': 1}", "[{'op': 'replace', 'path': ''}]", NULL);
	assert_applied("{'a': 1}", "[{'path': '/b', 'value': 1}]", NULL);
	assert_applied("{'a': 1}", "[{'op': 'test', 'path': '', 'value': {}}]", NULL);
	assert_applied("{'a': 1}", "[{'op': 'copy', 'path': '/a', 'from': '/a'}]", NULL);
	assert_applied("{'a': 1}", "[{'op': 'remove', 'path': ''}]", NULL);
	assert_applied("{'a': [[1]]}", "[{'op': 'remove', 'path': '/a/00/0'}]", NULL);
}

/* --- property ------------------------------------------------------------------------------- */

static uint64_t random_state;

static unsigned chance(unsigned limit)
{
	random_state = random_state * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(random_state >> 33) % limit;
}

static json *random_tree(int depth)
{
	static const char *const KEYS[] = {"a", "b", "A", "a/b", "m~n", "", "~1", "0", "-"};
	unsigned kind = chance(depth > 0 ? 8 : 5);
	if (kind == 0)
		return json_null();
	if (kind == 1)
		return json_bool(chance(2) == 0);
	if (kind == 2)
		return json_number((double)chance(3));
	if (kind <= 4)
		return json_string(KEYS[chance(COUNT_OF(KEYS))]);
	json *node = kind == 5 ? json_array() : json_object();
	for (unsigned i = chance(4); i > 0; i--) {
		json *child = random_tree(depth - 1);
		if (kind == 5)
			json_append(node, child);
		else
			json_set(node, KEYS[chance(COUNT_OF(KEYS))], child);
	}
	return node;
}

static void patches_lead_to_the_goal(void **state)
{
	(void)state;
	for (random_state = 1; random_state <= 20000; random_state++) {
		uint64_t seed = random_state;
		AUTO_JSON before = random_tree(4);
		AUTO_JSON after = random_tree(4);
		AUTO_JSON patched = json_copy(before);
		AUTO_JSON patch = patch_from_difference(before, after);
		if (patch_apply(&patched, patch, NULL) != 0 || !json_equal(patched, after)) {
			AUTO_STRING text = json_print(patch);
			fail_msg("seed %llu: %s", (unsigned long long)seed, text);
		}
		assert_true((json_count(patch) == 0) == json_equal(before, after));
		random_state = seed;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences),
		cmocka_unit_test(keys_are_escaped),
		cmocka_unit_test(cases_of_the_rfc),
		cmocka_unit_test(what_does_not_apply_is_refused),
		cmocka_unit_test(patches_lead_to_the_goal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
