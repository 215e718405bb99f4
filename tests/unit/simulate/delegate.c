/* istiod: MergeHTTPRoutes and hasConflict (pilot/pkg/model/virtualservice.go). */
#include "simulate/delegate.h"

#include "unit/traffic/trees.h"

/* The match blocks of root and delegate, and what becomes of them; NULL where the route goes. */
static void matches(void **state)
{
	(void)state;
	static const struct {
		const char *root, *leaf, *merged;
	} cases[] = {
		{"[]", "[]", "[]"},
		{"[{'uri': {'prefix': '/a'}}]", "[]", "[{'uri': {'prefix': '/a'}}]"},
		{"[]", "[{'uri': {'prefix': '/a'}}]", "[{'uri': {'prefix': '/a'}}]"},
		{"[{'uri': {'prefix': '/a'}}]", "[{'uri': {'prefix': '/a/b'}}]",
			"[{'uri': {'prefix': '/a/b'}}]"},
		{"[{'uri': {'prefix': '/a'}}]", "[{'uri': {'exact': '/a'}}]",
			"[{'uri': {'exact': '/a'}}]"},
		{"[{'uri': {'prefix': '/a'}}]", "[{'uri': {'prefix': '/b'}}]", NULL},
		{"[{'uri': {'prefix': '/a'}}]", "[{'uri': {'exact': '/b'}}]", NULL},
		{"[{'uri': {'exact': '/a'}}]", "[{'uri': {'exact': '/a'}}]",
			"[{'uri': {'exact': '/a'}}]"},
		{"[{'uri': {'exact': '/a'}}]", "[{'uri': {'prefix': '/a'}}]", NULL},
		{"[{'uri': {'regex': '.*'}}]", "[{'uri': {'exact': '/a'}}]", NULL},
		{"[{'uri': {'exact': '/a'}}]", "[{'uri': {'regex': '/a'}}]", NULL},
		/* Presence on one of the sides is a conflict to istiod. */
		{"[{'headers': {'x': {}}}]", "[{'headers': {'x': {'exact': '1'}}}]", NULL},
		{"[{'headers': {'x': {'exact': '1'}}}]", "[{'headers': {'y': {'exact': '2'}}}]",
			"[{'headers': {'x': {'exact': '1'}, 'y': {'exact': '2'}}}]"},
		{"[{'withoutHeaders': {'x': {'exact': '1'}}}]",
			"[{'queryParams': {'y': {'exact': '2'}}}]",
			"[{'withoutHeaders': {'x': {'exact': '1'}},"
			"  'queryParams': {'y': {'exact': '2'}}}]"},
		{"[{'port': 80}]", "[{'port': 8080}]", NULL},
		{"[{'port': 80}]", "[{'method': {'exact': 'GET'}}]",
			"[{'port': 80, 'method': {'exact': 'GET'}}]"},
		{"[{'ignoreUriCase': true, 'uri': {'prefix': '/a'}}]",
			"[{'uri': {'prefix': '/a/b'}}]", NULL},
		{"[{'sourceNamespace': 'a'}]", "[{'method': {'exact': 'GET'}}]", NULL},
		{"[{'sourceNamespace': 'a'}]", "[{'sourceNamespace': 'a'}]",
			"[{'sourceNamespace': 'a'}]"},
		{"[{'sourceLabels': {'a': 'b'}}]", "[{'sourceLabels': {'a': 'c'}}]", NULL},
		{"[{'sourceLabels': {'a': 'b'}}]", "[{'sourceLabels': {'c': 'd'}}]",
			"[{'sourceLabels': {'a': 'b', 'c': 'd'}}]"},
		{"[{'gateways': ['mesh']}]", "[{'gateways': ['mesh', 'x/y']}]", NULL},
		{"[{'gateways': ['mesh', 'x/y']}]", "[{'gateways': ['mesh']}]",
			"[{'gateways': ['mesh']}]"},
		{"[{'gateways': ['mesh', 'x/y']}]", "[{'port': 80}]",
			"[{'gateways': ['mesh', 'x/y'], 'port': 80}]"},
		/* Each of the delegate's blocks under each of the root's. */
		{"[{'uri': {'prefix': '/a'}, 'name': 'r'}, {'uri': {'prefix': '/a/b'}}]",
			"[{'uri': {'prefix': '/a/b/c'}, 'name': 'd'}]",
			"[{'uri': {'prefix': '/a/b/c'}, 'name': 'r-d'},"
			" {'uri': {'prefix': '/a/b/c'}, 'name': 'd'}]"},
		/* One that fits nowhere takes the whole route with it. */
		{"[{'uri': {'prefix': '/a'}}]",
			"[{'uri': {'prefix': '/a'}}, {'uri': {'prefix': '/b'}}]", NULL},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO_JSON root = json_object();
		AUTO_JSON leaf = json_object();
		json_set(root, "match", tree(cases[i].root));
		json_set(leaf, "match", tree(cases[i].leaf));
		AUTO_JSON merged = delegate_merge(root, leaf);
		if ((merged == NULL) != (cases[i].merged == NULL))
			fail_msg("%s and %s", cases[i].root, cases[i].leaf);
		if (merged != NULL)
			assert_tree(json_get(merged, "match"), cases[i].merged);
	}
}

static void fields(void **state)
{
	(void)state;
	AUTO_JSON root = tree("{'name': 'outer', 'delegate': {'name': 'x'}, 'timeout': '1s',"
			      " 'fault': {'abort': {'httpStatus': 503}}}");
	AUTO_JSON leaf = tree("{'name': 'inner', 'timeout': '2s', 'route': []}");
	AUTO_JSON merged = delegate_merge(root, leaf);
	assert_tree(merged, "{'name': 'outer-inner', 'timeout': '2s', 'route': [],"
			    " 'fault': {'abort': {'httpStatus': 503}}}");
	AUTO_JSON nameless = tree("{'route': []}");
	AUTO_JSON named = delegate_merge(root, nameless);
	assert_string_equal(json_get_text(named, "name"), "outer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(fields),
	};
	return cmocka_run_group_tests_name("simulate/delegate", tests, NULL, NULL);
}
