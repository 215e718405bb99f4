#include "simulate/version_share.h"

#include "unit/traffic/trees.h"

#define POD(name, labels) "{'metadata': {'name': '" name "', 'labels': {" labels "}}}"
#define ENDPOINT(name, ready)                                                                      \
	"{'targetRef': {'name': '" name "'}, 'conditions': {'ready': " ready "}}"

static const char *const PODS = "[" POD("d", "'version': 'v2'") "," POD(
	"a", "'version': 'v1', 'x': 'y'") "," POD("b", "'version': 'v1'") "," POD("c",
	"'app': 'web'") "," POD("away", "'version': 'v9'") "]";
static const char *const SLICES = "[{'endpoints': [" ENDPOINT("a", "true") "," ENDPOINT("b",
	"null") "]},"
		" {'endpoints': [" ENDPOINT("a", "true") "," ENDPOINT("c", "true") "," ENDPOINT(
			"d", "true") "," ENDPOINT("away", "false") "]}]";

static void assert_shares(const char *labels_text, const char *expected)
{
	AUTO_JSON pods = tree(PODS);
	AUTO_JSON slices = tree(SLICES);
	AUTO_JSON labels = tree(labels_text);
	AUTO_JSON shares = version_shares(pods, slices, labels);
	assert_tree(shares, expected);
}

static void ready_pods_by_version(void **state)
{
	(void)state;
	assert_shares("null", "[{'pods': 1, 'share': 0.25},"
			      " {'version': 'v1', 'pods': 2, 'share': 0.5},"
			      " {'version': 'v2', 'pods': 1, 'share': 0.25}]");
	assert_shares("{'version': 'v1', 'x': 'y'}", "[{'version': 'v1', 'pods': 1, 'share': 1}]");
	assert_shares("{'version': 'v9'}", "[]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ready_pods_by_version),
	};
	return cmocka_run_group_tests_name("simulate/version_share", tests, NULL, NULL);
}
