#include "traffic/virtualservice.h"

#include "traffic/check.h"
#include "traffic/merge.h"
#include "unit/traffic/trees.h"

#define SERVICE "web.shop.svc.cluster.local"

/* What the users' DestinationRules define in these tests. */
static json *users_rules(void)
{
	return tree("[{'metadata': {'name': 'web', 'namespace': 'shop'}, 'spec': {'host': 'web',"
		    "  'subsets': [{'name': 'v1', 'labels': {'version': 'v1'}},"
		    "              {'name': 'v2', 'labels': {'version': 'v2'}},"
		    "              {'name': 'v0', 'labels': {'version': 'v0'}},"
		    "              {'name': 'prod', 'labels': {'app': 'web', 'version': 'v1'}},"
		    "              {'name': 'all', 'labels': {'app': 'web'}}]}}]");
}

#define OBJECT(spec)                                                                               \
	"{'kind': 'VirtualService', 'metadata': {'name': 'vs', 'namespace': 'shop',"               \
	" 'resourceVersion': '7'}, 'spec': {'hosts': ['web'], " spec "}}"
#define HTTP(routes) OBJECT("'http': [" routes "]")
#define LIST(entries) HTTP("{'timeout': '2s', 'route': [" entries "]}")
#define TO(host) "{'destination': {'host': '" host "'}}"
#define WEIGHED(host, weight) "{'destination': {'host': '" host "'}, 'weight': " #weight "}"
#define SUBSET(host, subset, weight)                                                               \
	"{'destination': {'host': '" host "', 'subset': '" subset "'}, 'weight': " #weight "}"
#define PAIR(stable, canary)                                                                       \
	SUBSET("web", STABLE_SUBSET, stable) "," SUBSET("web", CANARY_SUBSET, canary)

/* --- split ---------------------------------------------------------------------------------- */

/* With that weight and no rules; without the keys that are for merging. */
static json *split_to(const json *snapshot, const json *rules, int weight)
{
	const struct split split = {.weight = weight};
	json *tree = virtualservice_split(snapshot, rules, &web, &split);
	merge_strip_keys(tree);
	return tree;
}

static void assert_split(const char *before, int canary_weight, const char *after)
{
	AUTO_JSON rules = users_rules();
	AUTO_JSON snapshot = tree(before);
	AUTO_JSON untouched = json_copy(snapshot);
	struct err err = {0};
	if (virtualservice_check(snapshot, NULL, rules, &web, &err) != 0)
		fail_msg("%s", err.message);
	AUTO_JSON split = split_to(snapshot, rules, canary_weight);
	assert_tree(split, after);
	assert_same(snapshot, untouched);
}

static void a_single_destination_shows_percent(void **state)
{
	(void)state;
	assert_split(LIST(TO("web")), 0, LIST(PAIR(100, 0)));
	assert_split(LIST(TO("web")), 1, LIST(PAIR(99, 1)));
	assert_split(LIST(TO("web")), 50, LIST(PAIR(50, 50)));
	assert_split(LIST(TO("web")), 100, LIST(PAIR(0, 100)));
	assert_split(LIST(WEIGHED("web", 0)), 33, LIST(PAIR(67, 33)));
	assert_split(LIST(WEIGHED("web", 1)), 33, LIST(PAIR(67, 33)));
	assert_split(LIST(WEIGHED("web", 100)), 33, LIST(PAIR(67, 33)));
}

static void copies_keep_every_other_field(void **state)
{
	(void)state;
	assert_split(LIST("{'x': null, 'headers': {'request': {'set': {'a': 'b'}}},"
			  " 'destination': {'port': {'number': 80}, 'host': '" SERVICE "'}}"),
		25,
		LIST("{'x': null, 'headers': {'request': {'set': {'a': 'b'}}}, 'weight': 75,"
		     " 'destination': {'port': {'number': 80}, 'host': '" SERVICE "',"
		     "  'subset': 'batchrollout-stable'}},"
		     "{'x': null, 'headers': {'request': {'set': {'a': 'b'}}}, 'weight': 25,"
		     " 'destination': {'port': {'number': 80}, 'host': '" SERVICE "',"
		     "  'subset': 'batchrollout-canary'}}"));
}

static void users_stable_subset_stays(void **state)
{
	(void)state;
	assert_split(LIST(SUBSET("web", "v1", 100)), 10,
		LIST(SUBSET("web", "v1", 90) "," SUBSET("web", CANARY_SUBSET, 10)));
	assert_split(LIST(SUBSET("web", "prod", 100)), 10,
		LIST(SUBSET("web", "prod", 90) "," SUBSET("web", CANARY_SUBSET, 10)));
	assert_split(LIST(SUBSET("web", "", 100)), 10, LIST(PAIR(90, 10)));
}

static void other_versions_are_foreign(void **state)
{
	(void)state;
	static const char *const lists[] = {
		LIST(SUBSET("web", "v2", 100)),
		LIST(SUBSET("web", "v0", 30) "," SUBSET("web", "v2", 70)),
		LIST(TO("api")),
		LIST(TO("web.elsewhere.svc.cluster.local")),
	};
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		assert_split(lists[i], 40, lists[i]);
}

static void shares_beside_others_are_exact(void **state)
{
	(void)state;
	const char *before = LIST(WEIGHED("web", 30) "," WEIGHED("api", 70));
	assert_split(before, 0, LIST(PAIR(30, 0) "," WEIGHED("api", 70)));
	assert_split(before, 50, LIST(PAIR(15, 15) "," WEIGHED("api", 70)));
	assert_split(before, 1, LIST(PAIR(297, 3) "," WEIGHED("api", 700)));
	assert_split(before, 33, LIST(PAIR(201, 99) "," WEIGHED("api", 700)));
	assert_split(before, 100, LIST(PAIR(0, 30) "," WEIGHED("api", 70)));
	assert_split(LIST(WEIGHED("api", 1) "," WEIGHED("web", 1)), 50,
		LIST(WEIGHED("api", 2) "," PAIR(1, 1)));
	assert_split(LIST(TO("api") "," WEIGHED("web", 3)), 10, LIST(TO("api") "," PAIR(27, 3)));
	assert_split(
		LIST(WEIGHED("api", 3) "," TO("web")), 10, LIST(WEIGHED("api", 3) "," PAIR(0, 0)));
}

static void several_of_ours_in_one_list(void **state)
{
	(void)state;
	assert_split(LIST(SUBSET("web", "v1", 60) "," WEIGHED("web", 40)), 25,
		LIST(SUBSET("web", "v1", 45) "," SUBSET("web", CANARY_SUBSET, 15) "," PAIR(
			30, 10)));
}

static void routes_without_destinations_stay(void **state)
{
	(void)state;
	const char *object = HTTP("{'redirect': {'uri': '/x'}},"
				  "{'directResponse': {'status': 503}},"
				  "{'name': 'd', 'delegate': {'name': 'other'}},"
				  "{'fault': {}, 'route': []}, {}");
	assert_split(object, 50, object);
	assert_split(OBJECT("'tcp': [{'route': [" TO("api") "]}]"), 50,
		OBJECT("'tcp': [{'route': [" TO("api") "]}]"));
	assert_split("{}", 50, "{}");
}

static void mirrors_stay(void **state)
{
	(void)state;
	assert_split(HTTP("{'mirror': {'host': 'web'}, 'mirrors': [" TO("web") "],"
									       "'route': [" TO(
										       "web") "]}"),
		50,
		HTTP("{'mirror': {'host': 'web'}, 'mirrors': [" TO("web") "],"
									  "'route': [" PAIR(
										  50, 50) "]}"));
}

static void splitting_a_split_changes_nothing(void **state)
{
	(void)state;
	AUTO_JSON rules = users_rules();
	static const char *const objects[] = {
		LIST(WEIGHED("web", 30) "," WEIGHED("api", 70)),
		LIST(SUBSET("web", "v1", 100)),
	};
	for (size_t i = 0; i < COUNT_OF(objects); i++) {
		AUTO_JSON snapshot = tree(objects[i]);
		AUTO_JSON once = split_to(snapshot, rules, 20);
		AUTO_JSON twice = split_to(once, rules, 60);
		assert_same(twice, once);
	}
}

/* --- questions ------------------------------------------------------------------------------ */

static bool routes_to(const char *text)
{
	AUTO_JSON object = tree(text);
	return virtualservice_routes_to(object, &web);
}

static void finds_routes_of_every_protocol(void **state)
{
	(void)state;
	assert_true(routes_to(LIST(TO("api") "," TO("web"))));
	assert_true(routes_to(LIST(TO("web.shop"))));
	assert_true(routes_to(OBJECT("'tcp': [{'route': [" TO(SERVICE) "]}]")));
	assert_true(routes_to(OBJECT("'tls': [{}, {'route': [" TO(SERVICE) "]}]")));
	assert_false(routes_to(LIST(TO("api"))));
	assert_false(routes_to(HTTP("{'mirror': {'host': 'web'}, 'route': [" TO("api") "]}")));
	assert_false(routes_to("{'metadata': {'namespace': 'x'}, 'spec': {'http': [{'route': [" TO(
		"web") "]}]}}"));
	assert_false(routes_to("{}"));
}

static bool serves_mesh(const char *spec)
{
	AUTO_STRING text = mem_format("{'metadata': {'namespace': 'shop'}, 'spec': {%s}}", spec);
	AUTO_JSON object = tree(text);
	return virtualservice_serves_mesh(object, &web);
}

static void tells_the_mesh_from_gateways(void **state)
{
	(void)state;
	assert_true(serves_mesh("'hosts': ['web']"));
	assert_true(serves_mesh("'hosts': ['x.example', '" SERVICE "'], 'gateways': []"));
	assert_true(
		serves_mesh("'hosts': ['*.shop.svc.cluster.local'], 'gateways': ['g', 'mesh']"));
	assert_true(serves_mesh("'hosts': ['*']"));
	assert_false(serves_mesh("'hosts': ['web'], 'gateways': ['istio-system/public']"));
	assert_false(serves_mesh("'hosts': ['shop.example']"));
	assert_false(serves_mesh("'hosts': ['*.example']"));
	assert_false(serves_mesh("'http': []"));
}

/* --- check ---------------------------------------------------------------------------------- */

static void assert_refused(const char *text, const char *place, const char *reason)
{
	AUTO_JSON rules = users_rules();
	AUTO_JSON object = tree(text);
	struct err err = {0};
	assert_int_equal(virtualservice_check(object, NULL, rules, &web, &err), ERR_FAILED);
	AUTO_STRING start = mem_format(
		"virtualservice.networking.istio.io \"vs\" in namespace \"shop\": %s: ", place);
	assert_contains(err.message, start);
	assert_contains(err.message, reason);
}

static void connections_are_split_too(void **state)
{
	(void)state;
	assert_split(OBJECT("'tcp': [{'match': [{'port': 3306}], 'route': [" TO(
			     "web") "]},"
				    "{'route': [" TO("api") "]}]"),
		20,
		OBJECT("'tcp': [{'match': [{'port': 3306}], 'route': [" PAIR(
			80, 20) "]},"
				"{'route': [" TO("api") "]}]"));
	assert_split(OBJECT("'tls': [{'route': [" WEIGHED("web", 1) "," WEIGHED("api", 1) "]}]"),
		50, OBJECT("'tls': [{'route': [" PAIR(1, 1) "," WEIGHED("api", 2) "]}]"));
	assert_refused(OBJECT("'tls': [{'route': [" TO("web.shop") "]}]"), "spec.tls[0]",
		"does not complete the host");
}

static void refuses_subsets_that_cannot_be_split(void **state)
{
	(void)state;
	assert_refused(HTTP("{}, {'name': 'checkout', 'route': [" SUBSET("web", "v9", 1) "]}"),
		"route \"checkout\" (spec.http[1])", "defines the subset \"v9\"");
	assert_refused(LIST(SUBSET("web", "all", 1)), "spec.http[0]", "both versions");
}

static void refuses_hosts_that_istio_does_not_know(void **state)
{
	(void)state;
	assert_refused(LIST(TO("web.shop")), "spec.http[0]", "write \"" SERVICE "\"");
}

static void refuses_weights_that_cannot_be_split(void **state)
{
	(void)state;
	assert_refused(LIST(TO("web") "," TO("api")), "spec.http[0]", "add up to 0");
	assert_refused(LIST(TO("web") "," WEIGHED("api", -1)), "spec.http[0]", "whole number");
	assert_refused(LIST(WEIGHED("web", 1.5)), "spec.http[0]", "whole number");
	assert_refused(LIST(WEIGHED("web", 'a')), "spec.http[0]", "whole number");
	assert_refused(LIST(WEIGHED("web", 1) "," WEIGHED("api", 21474836)), "spec.http[0]",
		"at most 21474836;");
}

static void allows_what_can_be_split(void **state)
{
	(void)state;
	static const char *const objects[] = {
		LIST(WEIGHED("web", 1) "," WEIGHED("api", 21474835)),
		LIST(WEIGHED("web", 2147483647)),
		LIST(TO("api") "," TO("other")),
		LIST(SUBSET("api", "v9", 1)),
		HTTP("{'mirror': {'host': 'web'}, 'route': [" TO("web") "]}"),
		"{}",
	};
	AUTO_JSON rules = users_rules();
	for (size_t i = 0; i < COUNT_OF(objects); i++) {
		AUTO_JSON object = tree(objects[i]);
		struct err err = {0};
		if (virtualservice_check(object, NULL, rules, &web, &err) != 0)
			fail_msg("%s", err.message);
	}
}

/* --- new and finished ----------------------------------------------------------------------- */

static void new_object(void **state)
{
	(void)state;
	AUTO_JSON ports = tree("[3306]");
	AUTO_JSON exports = tree("['.']");
	AUTO_JSON object = virtualservice_new("batchrollout-web", ports, exports, &web);
	assert_tree(object,
		"{'apiVersion': 'networking.istio.io/v1', 'kind': 'VirtualService',"
		" 'metadata': {'name': 'batchrollout-web', 'namespace': 'shop'},"
		" 'spec': {'hosts': ['web'], 'exportTo': ['.'], 'http': [{'route': [" TO(
			"web") "]}"
			       "], 'tcp': [{'match': [{'port': 3306}], 'route': [{'destination': "
			       "{'host': 'web',"
			       " 'port': {'number': 3306}}}]}]}}");
	AUTO_JSON split = split_to(object, NULL, 20);
	assert_tree(json_path(split, "spec", "http", NULL), "[{'route': [" PAIR(80, 20) "]}]");
}

static void finished_uses_the_new_names(void **state)
{
	(void)state;
	AUTO_JSON rules = tree("[{'metadata': {'namespace': 'shop'}, 'spec': {'host': 'web',"
			       " 'subsets': [{'name': 'v1', 'labels': {'version': 'v1'}},"
			       "             {'name': 'prod', 'labels': {'version': 'v1'}}]}}]");
	AUTO_JSON snapshot = tree(HTTP(
		"{'mirror': {'host': 'web', 'subset': 'v1'},"
		" 'mirrors': [" SUBSET("web", "v1",
			1) "],"
			   " 'route': [" SUBSET("web", "v1", 20) "," SUBSET("web", "prod",
				   30) "," SUBSET("api", "v1", 40) "," WEIGHED("web", 10) "]}"));
	AUTO_JSON finished = virtualservice_finished(snapshot, rules, &web);
	merge_strip_keys(finished);
	assert_tree(finished, HTTP("{'mirror': {'host': 'web', 'subset': 'v2'},"
				   " 'mirrors': [" SUBSET("web", "v2",
					   1) "],"
					      " 'route': [" SUBSET("web", "v2", 20) "," SUBSET(
						      "web", "prod", 30) "," SUBSET("api", "v1",
						      40) "," WEIGHED("web", 10) "]}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_destination_shows_percent),
		cmocka_unit_test(copies_keep_every_other_field),
		cmocka_unit_test(users_stable_subset_stays),
		cmocka_unit_test(other_versions_are_foreign),
		cmocka_unit_test(shares_beside_others_are_exact),
		cmocka_unit_test(several_of_ours_in_one_list),
		cmocka_unit_test(routes_without_destinations_stay),
		cmocka_unit_test(mirrors_stay),
		cmocka_unit_test(splitting_a_split_changes_nothing),
		cmocka_unit_test(finds_routes_of_every_protocol),
		cmocka_unit_test(tells_the_mesh_from_gateways),
		cmocka_unit_test(connections_are_split_too),
		cmocka_unit_test(refuses_subsets_that_cannot_be_split),
		cmocka_unit_test(refuses_hosts_that_istio_does_not_know),
		cmocka_unit_test(refuses_weights_that_cannot_be_split),
		cmocka_unit_test(allows_what_can_be_split),
		cmocka_unit_test(new_object),
		cmocka_unit_test(finished_uses_the_new_names),
	};
	return cmocka_run_group_tests_name("traffic/virtualservice", tests, NULL, NULL);
}
