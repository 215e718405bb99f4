#include "traffic/destinationrule.h"

#include "traffic/merge.h"
#include "unit/traffic/trees.h"

/* A DestinationRule of the namespace "shop" with the given members of spec. */
#define RULE(name, spec)                                                                           \
	"{'metadata': {'name': '" name "', 'namespace': 'shop'}, 'spec': {" spec "}}"
#define V1 "{'name': 'v1', 'labels': {'version': 'v1'}}"
#define V2 "{'name': 'v2', 'labels': {'version': 'v2'}}"

static void is_for_the_service(void **state)
{
	(void)state;
	AUTO_JSON short_name = tree(RULE("a", "'host': 'web'"));
	AUTO_JSON other = tree(RULE("a", "'host': 'api'"));
	AUTO_JSON partial = tree(RULE("a", "'host': 'web.shop'"));
	assert_true(destinationrule_is_for(short_name, &web));
	assert_false(destinationrule_is_for(other, &web));
	assert_false(destinationrule_is_for(partial, &web));
	assert_false(destinationrule_is_for(NULL, &web));
}

static void subset_of_the_oldest_rule_wins(void **state)
{
	(void)state;
	AUTO_JSON rules = tree("["
			       "{'metadata': {'name': 'a', 'namespace': 'shop',"
			       "  'creationTimestamp': '2025-02-01T00:00:00Z'},"
			       " 'spec': {'host': 'web', 'subsets': [" V1 "]}},"
			       "{'metadata': {'name': 'b', 'namespace': 'shop',"
			       "  'creationTimestamp': '2025-01-01T00:00:00Z'},"
			       " 'spec': {'host': 'web', 'subsets': ["
			       "  {'name': 'v1', 'labels': {'version': 'older'}}]}},"
			       "{'metadata': {'name': 'c', 'namespace': 'shop',"
			       "  'creationTimestamp': '2024-01-01T00:00:00Z'},"
			       " 'spec': {'host': 'api', 'subsets': [" V2 "]}}]");
	assert_string_equal(subset_version(find_subset(rules, "v1", &web)), "older");
	assert_null(find_subset(rules, "v2", &web));
	assert_null(find_subset(NULL, "v1", &web));
}

static void stable_subsets(void **state)
{
	(void)state;
	AUTO_JSON stable = tree("{'name': 'x', 'labels': {'app': 'web', 'version': 'v1'}}");
	AUTO_JSON canary = tree(V2);
	AUTO_JSON unlabelled = tree("{'name': 'v1'}");
	assert_true(subset_is_stable(stable, &web));
	assert_false(subset_is_stable(canary, &web));
	assert_false(subset_is_stable(unlabelled, &web));
	assert_false(subset_is_stable(NULL, &web));
}

/* --- destinationrules_new ------------------------------------------------------------------- */

#define NEW(members, canary_members)                                                               \
	"{'apiVersion': 'networking.istio.io/v1', 'kind': 'DestinationRule',"                      \
	" 'metadata': {'name': 'batchrollout-web', 'namespace': 'shop'},"                          \
	" 'spec': {'host': 'web'," members " 'subsets': ["                                         \
	"  {'name': 'batchrollout-stable', 'labels': {'version': 'v1'}},"                          \
	"  {'name': 'batchrollout-canary', 'labels': {'version': 'v2'}" canary_members "}]}}"

#define NEW_AFTER(members, subsets)                                                                \
	"{'apiVersion': 'networking.istio.io/v1', 'kind': 'DestinationRule',"                      \
	" 'metadata': {'name': 'batchrollout-web', 'namespace': 'shop'},"                          \
	" 'spec': {'host': 'web'," members " 'subsets': [" subsets OWN_SUBSETS "]}}"
#define OWN_SUBSETS                                                                                \
	"{'name': 'batchrollout-stable', 'labels': {'version': 'v1'}},"                            \
	"{'name': 'batchrollout-canary', 'labels': {'version': 'v2'}}"

static void assert_new(const char *rules_text, const char *expected)
{
	AUTO_JSON rules = tree(rules_text);
	AUTO_JSON new_rules = destinationrules_new(rules, &web);
	assert_int_equal(json_count(new_rules), 1);
	assert_tree(json_at(new_rules, 0), expected);
}

static void new_without_users_rules(void **state)
{
	(void)state;
	assert_new("[]", NEW("", ""));
	assert_new("[" RULE("other", "'host': 'api', 'exportTo': ['.']") "]", NEW("", ""));
}

static void new_takes_export_and_policy_of_the_stable_subset(void **state)
{
	(void)state;
	assert_new("[" RULE("web", "'host': 'web', 'exportTo': ['.'], 'trafficPolicy': {'tls': {}},"
				   "'subsets': [{'name': 'v1', 'labels': {'version': 'v1'},"
				   "             'trafficPolicy': {'loadBalancer': {'simple': "
				   "'RANDOM'}}}]") "]",
		NEW("'exportTo': ['.'],",
			", 'trafficPolicy': {'loadBalancer': {'simple': 'RANDOM'}}"));
}

static void new_keeps_the_policy_of_the_wildcard_that_it_hides(void **state)
{
	(void)state;
	assert_new("[" RULE("all", "'host': '*.local', 'trafficPolicy': {'a': 1}") "," RULE("shop",
			   "'host': '*.shop.svc.cluster.local', 'exportTo': ['*'],"
			   "'trafficPolicy': {'b': 2}") "," RULE("none",
			   "'host': '*.elsewhere.svc.cluster.local'") "]",
		NEW("'trafficPolicy': {'b': 2},", ""));
	assert_new(
		"[{'metadata': {'name': 'x', 'namespace': 'istio-system'},"
		"  'spec': {'host': '*.shop.svc.cluster.local', 'trafficPolicy': {'b': 2}}}," RULE(
			"all", "'host': '*.local', 'trafficPolicy': {'a': 1}") "]",
		NEW("'trafficPolicy': {'a': 1},", ""));
}

#define ELSEWHERE(name, namespace, spec)                                                           \
	"{'metadata': {'name': '" name "', 'namespace': '" namespace "'}, 'spec': {" spec "}}"

static void new_in_each_namespace_where_clients_look(void **state)
{
	(void)state;
	AUTO_JSON rules = tree("[" RULE("web", "'host': 'web'") "," ELSEWHERE("a", "clients",
		"'host': '*.local', 'trafficPolicy': {'a': 1}") "," ELSEWHERE("b", "batch",
		"'host': 'web.shop.svc.cluster.local', 'exportTo': ['.']") "," ELSEWHERE("c",
		"batch", "'host': '*.svc.cluster.local'") "," ELSEWHERE("d", "other",
		"'host': 'web'") "," ELSEWHERE("e", "istio-system", "'host': '*.local'") "]");
	AUTO_JSON found = destinationrules_new(rules, &web);
	assert_int_equal(json_count(found), 3);
	assert_tree(json_get(json_at(found, 0), "spec"),
		"{'host': 'web', 'subsets': [" OWN_SUBSETS "]}");
	assert_tree(json_at(found, 1),
		"{'apiVersion': 'networking.istio.io/v1', 'kind': 'DestinationRule',"
		" 'metadata': {'name': 'batchrollout-web.shop', 'namespace': 'clients'},"
		" 'spec': {'host': 'web.shop.svc.cluster.local', 'trafficPolicy': {'a': 1},"
		"  'subsets': [" OWN_SUBSETS "]}}");
	assert_tree(json_get(json_at(found, 2), "spec"),
		"{'host': 'web.shop.svc.cluster.local', 'exportTo': ['.'],"
		" 'subsets': [" OWN_SUBSETS "]}");
}

static void new_says_what_the_rule_of_the_root_namespace_says(void **state)
{
	(void)state;
	assert_new("[" ELSEWHERE("x", "istio-system",
			   "'host': 'web.shop.svc.cluster.local', 'trafficPolicy': {'b': 2},"
			   "'subsets': [" V1 "]") "]",
		NEW_AFTER("'trafficPolicy': {'b': 2},", V1 ","));
}

/* --- destinationrules_check ----------------------------------------------------------------- */

static void assert_refused(const char *rules_text, const char *message)
{
	AUTO_JSON rules = tree(rules_text);
	struct err err = {0};
	assert_int_equal(destinationrules_check(rules, &web, &err), ERR_FAILED);
	assert_contains(err.message, message);
	assert_contains(err.message, "destinationrule.networking.istio.io \"bad\" in namespace");
}

static void rules_that_istio_would_not_merge(void **state)
{
	(void)state;
	assert_refused("[" RULE("good",
			       "'host': 'web', 'subsets': [" V1
			       "]") ","
				    "{'metadata': {'name': 'bad', 'namespace': 'clients'},"
				    "  'spec': {'host': 'web.shop.svc.cluster.local', 'subsets': ["
				    "   {'name': 'v1', 'labels': {'version': 'v0'}}]}}]",
		"selects another version");
	assert_refused("[" RULE("bad", "'host': '*.local', 'workloadSelector': {}") "]",
		"workloadSelector");
	assert_refused(
		"[" RULE("bad", "'host': 'web', 'workloadSelector': {}") "]", "workloadSelector");
	assert_refused("[" RULE("good", "'host': 'web'") "," RULE(
			       "bad", "'host': 'web', 'exportTo': ['.']") "]",
		"exportTo differs");
	assert_refused(
		"[" RULE("bad", "'host': 'web', 'subsets': [{'name': 'batchrollout-canary'}]") "]",
		"batchrollout-canary");
}

static void rules_that_it_merges(void **state)
{
	(void)state;
	AUTO_JSON rules = tree("[" RULE("a", "'host': 'web', 'exportTo': ['.', 'x']") "," RULE("b",
		"'host': 'web', 'exportTo': ['x', '.'], 'subsets': [" V1
		"]") "," RULE("c", "'host': 'api', 'workloadSelector': {}") "]");
	assert_int_equal(destinationrules_check(rules, &web, NULL), 0);
}

/* --- destinationrule_finished --------------------------------------------------------------- */

static void assert_finished(const char *before, bool keep_old, const char *after)
{
	AUTO_JSON snapshot = tree(before);
	AUTO_JSON untouched = json_copy(snapshot);
	AUTO_JSON finished = destinationrule_finished(snapshot, &web, keep_old);
	merge_strip_keys(finished);
	assert_tree(finished, after);
	assert_same(snapshot, untouched);
}

#define SUBSETS(list) RULE("web", "'host': 'web', 'extra': null, 'subsets': [" list "]")
#define OWN_NAME(version)                                                                          \
	"{'name': 'prod', 'labels': {'app': 'web', 'version': '" version "'}, 'x': 1}"

static void finished_renames_what_is_named_after_the_version(void **state)
{
	(void)state;
	assert_finished(SUBSETS("{'name': 'v0', 'labels': {'version': 'v0'}}," V1), false,
		SUBSETS("{'name': 'v0', 'labels': {'version': 'v0'}}," V2));
	assert_finished(
		SUBSETS(V1 "," OWN_NAME("v1")), true, SUBSETS(V1 "," V2 "," OWN_NAME("v2")));
}

static void finished_keeps_names_of_their_own(void **state)
{
	(void)state;
	assert_finished(SUBSETS(OWN_NAME("v1")), false, SUBSETS(OWN_NAME("v2")));
	assert_finished(SUBSETS(OWN_NAME("v1")), true, SUBSETS(OWN_NAME("v2")));
}

static void finished_leaves_a_rule_that_names_both_versions(void **state)
{
	(void)state;
	assert_finished(SUBSETS(V1 "," V2), false, SUBSETS(V1 "," V2));
	assert_finished(SUBSETS(V1 "," V2), true, SUBSETS(V1 "," V2));
}

static void finished_does_not_take_a_name_that_means_something_else(void **state)
{
	(void)state;
	const char *odd = SUBSETS(V1 ",{'name': 'v2', 'labels': {'version': 'other'}}");
	assert_finished(odd, false,
		SUBSETS("{'name': 'v1', 'labels': {'version': 'v2'}},"
			"{'name': 'v2', 'labels': {'version': 'other'}}"));
	AUTO_JSON rules = tree("[]");
	json_append(rules, tree(odd));
	assert_string_equal(finished_subset(rules, "v1", &web), "v1");
}

static void finished_leaves_what_is_not_ours(void **state)
{
	(void)state;
	const char *other = RULE("api", "'host': 'api', 'subsets': [" V1 "]");
	assert_finished(other, false, other);
	const char *plain = RULE("web", "'host': 'web', 'trafficPolicy': {'tls': {}}");
	assert_finished(plain, true, plain);
}

static void names_that_routes_use_at_the_end(void **state)
{
	(void)state;
	AUTO_JSON one = tree("[" SUBSETS(V1 "," OWN_NAME("v1")) "]");
	assert_string_equal(finished_subset(one, "v1", &web), "v2");
	assert_string_equal(finished_subset(one, "prod", &web), "prod");
	assert_string_equal(finished_subset(one, "unknown", &web), "unknown");
	AUTO_JSON both = tree("[" SUBSETS(V1 "," V2) "]");
	assert_string_equal(finished_subset(both, "v1", &web), "v2");
	assert_string_equal(finished_subset(both, "v2", &web), "v2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_for_the_service),
		cmocka_unit_test(subset_of_the_oldest_rule_wins),
		cmocka_unit_test(stable_subsets),
		cmocka_unit_test(new_without_users_rules),
		cmocka_unit_test(new_takes_export_and_policy_of_the_stable_subset),
		cmocka_unit_test(new_keeps_the_policy_of_the_wildcard_that_it_hides),
		cmocka_unit_test(new_in_each_namespace_where_clients_look),
		cmocka_unit_test(new_says_what_the_rule_of_the_root_namespace_says),
		cmocka_unit_test(rules_that_istio_would_not_merge),
		cmocka_unit_test(rules_that_it_merges),
		cmocka_unit_test(finished_renames_what_is_named_after_the_version),
		cmocka_unit_test(finished_keeps_names_of_their_own),
		cmocka_unit_test(finished_leaves_a_rule_that_names_both_versions),
		cmocka_unit_test(finished_does_not_take_a_name_that_means_something_else),
		cmocka_unit_test(finished_leaves_what_is_not_ours),
		cmocka_unit_test(names_that_routes_use_at_the_end),
	};
	return cmocka_run_group_tests_name("traffic/destinationrule", tests, NULL, NULL);
}
