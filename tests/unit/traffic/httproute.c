#include "traffic/httproute.h"

#include "base/buf.h"
#include "base/str.h"
#include "traffic/merge.h"
#include "traffic/route_check.h"
#include "unit/traffic/trees.h"

#define STABLE "batchrollout-web-stable"
#define CANARY "batchrollout-web-canary"

#define OBJECT(rules)                                                                              \
	"{'kind': 'HTTPRoute', 'metadata': {'name': 'hr', 'namespace': 'shop',"                    \
	" 'resourceVersion': '7', 'creationTimestamp': '2026-01-01T00:00:00Z'},"                   \
	" 'spec': {'parentRefs': [{'name': 'public'}], 'rules': [" rules "]}}"
#define LIST(backends) OBJECT("{'timeouts': {'request': '2s'}, 'backendRefs': [" backends "]}")
#define TO(name) "{'name': '" name "', 'port': 80}"
#define WEIGHED(name, weight) "{'name': '" name "', 'port': 80, 'weight': " #weight "}"
#define PAIR(stable, canary) WEIGHED(STABLE, stable) "," WEIGHED(CANARY, canary)

#define PATH(type, value) "'path': {'type': '" type "', 'value': '" value "'}"
#define ANY PATH("PathPrefix", "/")
#define HEADER(type, name, value) "{'type': '" type "', 'name': '" name "', 'value': '" value "'}"
#define RULE(matches, backends) "{'matches': [" matches "], 'backendRefs': [" backends "]}"
#define TESTER HEADER("Exact", "x-user", "tester")

/* --- split ---------------------------------------------------------------------------------- */

static json *split_to(const json *snapshot, const struct intent *intent, int weight, bool rules)
{
	const struct split split = {.weight = weight, .rules = rules};
	json *tree = httproute_split(snapshot, intent, &split);
	merge_strip_keys(tree);
	return tree;
}

static void assert_split(const char *before, int canary_weight, const char *after)
{
	AUTO_JSON snapshot = tree(before);
	AUTO_JSON untouched = json_copy(snapshot);
	struct err err = {0};
	if (httproute_check(snapshot, NULL, &web, &err) != 0)
		fail_msg("%s", err.message);
	AUTO_JSON split = split_to(snapshot, &web, canary_weight, true);
	assert_tree(split, after);
	assert_same(snapshot, untouched);
}

static void a_single_backend_gets_the_least_exact_weights(void **state)
{
	(void)state;
	assert_split(LIST(TO("web")), 0, LIST(PAIR(1, 0)));
	assert_split(LIST(TO("web")), 1, LIST(PAIR(99, 1)));
	assert_split(LIST(TO("web")), 50, LIST(PAIR(1, 1)));
	assert_split(LIST(TO("web")), 100, LIST(PAIR(0, 1)));
	assert_split(LIST(WEIGHED("web", 100)), 33, LIST(PAIR(67, 33)));
	assert_split(LIST(WEIGHED("web", 1000000)), 1, LIST(PAIR(990000, 10000)));
	assert_split(LIST(WEIGHED("web", 0)), 33, LIST(PAIR(0, 0)));
}

static void copies_keep_every_other_field(void **state)
{
	(void)state;
#define FILTERS "'x': null, 'filters': [{'type': 'RequestHeaderModifier'}], 'group': '', "
	assert_split(LIST("{" FILTERS "'kind': 'Service', 'namespace': 'shop', 'name': 'web'}"), 25,
		LIST("{" FILTERS "'kind': 'Service', 'namespace': 'shop', 'name': '" STABLE "',"
		     " 'weight': 3},"
		     "{" FILTERS "'kind': 'Service', 'namespace': 'shop', 'name': '" CANARY "',"
		     " 'weight': 1}"));
}

static void others_keep_their_share(void **state)
{
	(void)state;
	const char *before = LIST(WEIGHED("web", 30) "," WEIGHED("api", 70));
	assert_split(before, 0, LIST(PAIR(30, 0) "," WEIGHED("api", 70)));
	assert_split(before, 50, LIST(PAIR(15, 15) "," WEIGHED("api", 70)));
	assert_split(before, 1, LIST(PAIR(297, 3) "," WEIGHED("api", 700)));
	assert_split(LIST(TO("api") "," TO("web")), 50, LIST(WEIGHED("api", 2) "," PAIR(1, 1)));
	assert_split(LIST(TO("api") "," TO("web")), 100, LIST(TO("api") "," PAIR(0, 1)));
	assert_split(
		LIST(WEIGHED("api", 0) "," TO("web")), 50, LIST(WEIGHED("api", 0) "," PAIR(1, 1)));
}

static void what_is_not_the_service_stays(void **state)
{
	(void)state;
	static const char *const objects[] = {
		LIST(TO("api")),
		LIST("{'name': 'web', 'namespace': 'elsewhere'}"),
		LIST("{'name': 'web', 'kind': 'ServiceImport', 'group': "
		     "'multicluster.x-k8s.io'}"),
		LIST("{'name': 'web', 'group': 'example.com'}"),
		OBJECT("{'filters': [{'type': 'RequestMirror', 'requestMirror': {'backendRef': "
		       "{'name': 'web'}}}], 'backendRefs': [" TO("api") "]}"),
		OBJECT("{'filters': [{'type': 'RequestRedirect'}]}, {}"),
		"{'metadata': {}, 'spec': {}}",
		"{}",
	};
	for (size_t i = 0; i < COUNT_OF(objects); i++)
		assert_split(objects[i], 40, objects[i]);
}

static void routes_of_other_namespaces_name_it(void **state)
{
	(void)state;
#define ELSEWHERE(backends)                                                                        \
	"{'metadata': {'name': 'hr', 'namespace': 'edge'}, 'spec': {'rules': [{'backendRefs': "    \
	"[" backends "]}]}}"
#define NEAR(name, weight) "{'name': '" name "', 'namespace': 'shop', 'weight': " #weight "}"
	assert_split(ELSEWHERE(NEAR("web", 4) "," TO("web")), 75,
		ELSEWHERE(NEAR(STABLE, 1) "," NEAR(CANARY, 3) "," TO("web")));
}

static void long_names_are_cut(void **state)
{
	(void)state;
	struct intent intent = web;
	intent.service = "a-service-of-just-43-characters-is-not-cuts";
	AUTO_STRING fits = version_service(&intent, false);
	assert_string_equal(
		fits, "batchrollout-a-service-of-just-43-characters-is-not-cuts-stable");
	assert_int_equal(strlen(fits), 63);
	intent.service = "a-service-of-just-44-characters-is-not-left1";
	AUTO_STRING one = version_service(&intent, true);
	intent.service = "a-service-of-just-44-characters-is-not-left2";
	AUTO_STRING two = version_service(&intent, true);
	assert_int_equal(strlen(one), 63);
	assert_true(str_starts(one, "batchrollout-a-service-of-just-44-characters-is-"));
	assert_true(str_ends(one, "-canary"));
	assert_string_not_equal(one, two);
}

/* --- questions ------------------------------------------------------------------------------ */

static void tells_the_mesh_from_gateways(void **state)
{
	(void)state;
	static const struct {
		const char *object;
		bool serves;
	} rows[] = {
#define PARENT(namespace, parent)                                                                  \
	"{'metadata': {'namespace': '" namespace "'}, 'spec': {'parentRefs': [" parent "]}}"
#define SERVICE "'group': '', 'kind': 'Service', 'name': 'web'"
		{PARENT("shop", "{'name': 'public'}, {" SERVICE "}"), true},
		{PARENT("shop", "{" SERVICE ", 'namespace': 'shop', 'port': 80}"), true},
		{PARENT("shop", "{'kind': 'Service', 'name': 'web'}"), false},
		{PARENT("shop", "{'name': 'web'}"), false},
		{PARENT("shop", "{" SERVICE ", 'namespace': 'other'}"), false},
		{PARENT("edge", "{" SERVICE ", 'namespace': 'shop'}"), false},
		{"{}", false},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO_JSON object = tree(rows[i].object);
		assert_int_equal(httproute_serves_mesh(object, &web), rows[i].serves);
	}
}

static void shows_the_canarys_weight(void **state)
{
	(void)state;
	static const struct {
		const char *object;
		int weight;
	} rows[] = {
		{LIST(PAIR(3, 1)), 25},
		{LIST(WEIGHED("api", 70) "," PAIR(201, 99)), 33},
		{LIST(PAIR(0, 1)), 100},
		{LIST(TO("web")), -1},
		/* A clone in front of it. */
		{OBJECT("{'backendRefs': [" TO(CANARY) "]}, {'backendRefs': [" PAIR(9, 1) "]}"),
			10},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO_JSON object = tree(rows[i].object);
		assert_int_equal(httproute_canary_weight(object, &web), rows[i].weight);
	}
}

static void new_object(void **state)
{
	(void)state;
	AUTO_JSON object = httproute_new("batchrollout-web", 80, true, &web);
	assert_tree(object,
		"{'apiVersion': 'gateway.networking.k8s.io/v1', 'kind': 'HTTPRoute',"
		" 'metadata': {'name': 'batchrollout-web', 'namespace': 'shop'},"
		" 'spec': {'parentRefs': [{" SERVICE "}], 'rules': [{'matches': [{" ANY "}],"
		" 'backendRefs': [{" SERVICE ", 'port': 80, 'weight': 1}]}]}}");
	AUTO_JSON of_port = httproute_new("batchrollout-web-81", 81, false, &web);
	assert_tree(json_path(of_port, "spec", "parentRefs", NULL), "[{" SERVICE ", 'port': 81}]");
}

/* --- clones --------------------------------------------------------------------------------- */

static struct intent with_rules(const char *rules, json **ret_rules)
{
	*ret_rules = tree(rules);
	struct intent intent = web;
	intent.match_rules = *ret_rules;
	return intent;
}

#define TESTERS "[{'x-user': {'exact': 'tester'}}]"

static void assert_cloned(const char *rules, const char *before, const char *after)
{
	AUTO_JSON owned = NULL;
	struct intent intent = with_rules(rules, &owned);
	AUTO_JSON snapshot = tree(before);
	struct err err = {0};
	if (httproute_check(snapshot, NULL, &intent, &err) != 0)
		fail_msg("%s", err.message);
	AUTO_JSON split = split_to(snapshot, &intent, 50, true);
	assert_tree(split, after);
	AUTO_JSON plain = split_to(snapshot, &intent, 0, false);
	assert_int_equal(json_count(json_path(plain, "spec", "rules", NULL)),
		json_count(json_path(snapshot, "spec", "rules", NULL)));
}

static void clones_stand_in_front(void **state)
{
	(void)state;
	assert_cloned(TESTERS, LIST(TO("web")),
		OBJECT("{'timeouts': {'request': '2s'}, 'backendRefs': [" TO(
			CANARY) "],"
				" 'matches': [{" ANY ", 'headers': [" TESTER "]}]},"
				"{'timeouts': {'request': '2s'}, 'backendRefs': [" PAIR(
					1, 1) "]}"));
	/* Each match with each rule; others keep their share; names stay unique. */
	assert_cloned("[{'x-user': {'exact': 'tester'}}, {'a': {'exact': '1'}, 'b': {'prefix': "
		      "'x.'}}]",
		OBJECT("{'name': 'n', 'matches': [{" PATH("Exact", "/a") "}, {'headers': [" HEADER(
			"Exact", "c", "2") "]}], 'backendRefs': [" WEIGHED("web",
			1) "," WEIGHED("api", 1) "]}"),
		OBJECT("{'name': 'batchrollout-match-n', 'matches': ["
		       "{" PATH("Exact",
			       "/a") ", 'headers': [" TESTER "]},"
				     "{" PATH("Exact", "/a") ", 'headers': [" HEADER(
					     "Exact", "a", "1") "," HEADER("RegularExpression", "b",
					     "^x\\\\..*$") "]},"
							   "{" ANY
							   ", 'headers': [" HEADER("Exact", "c",
								   "2") "," TESTER "]},"
									"{" ANY
									", 'headers': [" HEADER(
										"Exact", "c",
										"2") "," HEADER("Ex"
												"ac"
												"t",
										"a",
										"1") "," HEADER("Re"
												"gu"
												"la"
												"rE"
												"xp"
												"re"
												"ss"
												"io"
												"n",
										"b",
										"^x\\\\..*$") "]}],"
											      " '"
											      "back"
											      "endR"
											      "efs'"
											      ": "
											      "[" WEIGHED(
												      CANARY,
												      1) "," WEIGHED("api",
												      1) "]},"
													 "{'name': 'n', 'matches': [{" PATH(
														 "Exact",
														 "/a") "}, {'headers': [" HEADER("Exact",
														 "c",
														 "2") "]}], 'backendRefs': [" PAIR(1,
														 1) "," WEIGHED("api",
														 2) "]}"));
}

static void one_header_has_one_condition(void **state)
{
	(void)state;
	/* What contradicts gives none, what says it already stays; names are in any case. */
	assert_cloned(TESTERS,
		OBJECT(RULE("{" ANY ", 'headers': [" HEADER("Exact", "X-User", "other") "]}",
			TO("web"))),
		OBJECT(RULE("{" ANY ", 'headers': [" HEADER("Exact", "X-User", "other") "]}",
			PAIR(1, 1))));
	assert_cloned("[{'x-user': {'regex': 't.*'}}]",
		OBJECT(RULE("{" ANY ", 'headers': [" TESTER "]}", TO("web"))),
		OBJECT(RULE("{" ANY ", 'headers': [" TESTER "]}", TO(CANARY)) "," RULE(
			"{" ANY ", 'headers': [" TESTER "]}", PAIR(1, 1))));
}

static void filters_that_allow_one_match(void **state)
{
	(void)state;
#define REWRITES                                                                                   \
	"'filters': [{'type': 'URLRewrite', 'urlRewrite': {'path': {'type': "                      \
	"'ReplacePrefixMatch', 'replacePrefixMatch': '/'}}}], "
#define CLONE(header)                                                                              \
	"{" REWRITES "'matches': [{" PATH("PathPrefix",                                            \
		"/a") ", 'headers': [" header "]}], 'backendRefs': [" TO(CANARY) "]}"
	assert_cloned("[{'a': {'exact': '1'}}, {'b': {'exact': '2'}}]",
		OBJECT("{" REWRITES
		       "'matches': [{" PATH("PathPrefix", "/a") "}],"
								" 'backendRefs': [" TO("web") "]}"),
		OBJECT(CLONE(HEADER("Exact", "a", "1")) "," CLONE(HEADER(
			"Exact", "b", "2")) ","
					    "{" REWRITES "'matches': [{" PATH("PathPrefix",
						    "/a") "}],"
							  " 'backendRefs': [" PAIR(1, 1) "]}"));
}

/* --- check ---------------------------------------------------------------------------------- */

static void assert_checked(
	const char *text, const char *all, const char *rules, const char *place, const char *reason)
{
	AUTO_JSON owned = NULL;
	struct intent intent = with_rules(rules, &owned);
	AUTO_JSON object = tree(text);
	AUTO_JSON others = tree(all);
	struct err err = {0};
	int code = httproute_check(object, others, &intent, &err);
	if (reason == NULL && code != 0)
		fail_msg("%s", err.message);
	if (reason == NULL)
		return;
	assert_int_equal(code, ERR_FAILED);
	AUTO_STRING start = mem_format("httproute.gateway.networking.k8s.io \"hr\" in namespace "
				       "\"shop\": %s",
		place);
	assert_contains(err.message, start);
	assert_contains(err.message, reason);
}

static void refuses_what_does_not_fit(void **state)
{
	(void)state;
	assert_checked(LIST(WEIGHED("web", 33333) "," WEIGHED("api", 66667)), "[]", "[]",
		"spec.rules[0]: ", "multiplied by 100");
	assert_checked(
		LIST(WEIGHED("web", 10000) "," WEIGHED("api", 1000000)), "[]", "[]", "", NULL);
	assert_checked(LIST(TO(STABLE)), "[]", "[]", "spec.rules[0]: ", "write \"web\"");
	AUTO_BUF backends = BUF_INIT(BUF_OWN_TEXT);
	for (int i = 0; i < 15; i++)
		buf_addf(&backends, "{'name': 'api%d'},", i);
	AUTO_STRING full = mem_format(LIST("%s" TO("web")), buf_text(&backends));
	assert_checked(full, "[]", "[]", "spec.rules[0]: ", "17 backendRefs");
	AUTO_BUF many = BUF_INIT(BUF_OWN_TEXT);
	for (int i = 0; i < 9; i++)
		buf_addf(&many, "%s{'name': 'n%d', 'backendRefs': [{'name': 'web'}]}",
			i > 0 ? "," : "", i);
	AUTO_STRING rules = mem_format(OBJECT("%s"), buf_text(&many));
	assert_checked(rules, "[]", TESTERS, "", "18 rules");
	assert_checked(rules, "[]", "[]", "", NULL);
	assert_checked(
		OBJECT(RULE("{'headers': [" HEADER("RegularExpression", "x-user", "a.*") "]}",
			TO("web"))),
		"[]", TESTERS, "spec.rules[0]: ", "header \"x-user\" already");
}

/* A clone has a header more than its rule, and must not get what another rule got. */
static void refuses_clones_that_overtake(void **state)
{
	(void)state;
#define A HEADER("Exact", "a", "1")
#define HAS(headers) "{" ANY ", 'headers': [" headers "]}"
	/* Both match {a, x-user}: the one with a header wins now, and there would be a tie. */
	const char *behind = OBJECT(RULE("{" ANY "}", TO("web")) "," RULE(HAS(A), TO("api")));
	const char *before = OBJECT(RULE(HAS(A), TO("api")) "," RULE("{" ANY "}", TO("web")));
	AUTO_STRING all_behind = mem_format("[%s]", behind);
	AUTO_STRING all_before = mem_format("[%s]", before);
	assert_checked(behind, all_behind, TESTERS, "spec.rules[0]: ", "spec.rules[1]");
	assert_checked(before, all_before, TESTERS, "", NULL);
	/* A condition on the same header contradicts. */
	const char *apart = OBJECT(RULE("{" ANY "}", TO("web")) "," RULE(
		HAS(HEADER("Exact", "x-user", "other")), TO("api")));
	AUTO_STRING all_apart = mem_format("[%s]", apart);
	assert_checked(apart, all_apart, TESTERS, "", NULL);
	/* A longer path wins whatever the headers are. */
	const char *longer = OBJECT(RULE("{" ANY "}", TO("web")) "," RULE(
		"{" PATH("PathPrefix", "/a") ", 'headers': [" A "]}", TO("api")));
	AUTO_STRING all_longer = mem_format("[%s]", longer);
	assert_checked(longer, all_longer, TESTERS, "", NULL);
	/* One that is split has a clone too. */
	const char *both = OBJECT(RULE("{" ANY "}", TO("web")) "," RULE(HAS(A), TO("web")));
	AUTO_STRING all_both = mem_format("[%s]", both);
	assert_checked(both, all_both, TESTERS, "", NULL);
}

static void other_routes_compete_by_parent_and_host(void **state)
{
	(void)state;
#define OTHER(age, spec)                                                                           \
	"[{'metadata': {'name': 'other', 'namespace': 'shop', 'creationTimestamp': '" age          \
	"'}, 'spec': {" spec ", 'rules': [" RULE("{" ANY "}", TO("api")) "]}}]"
#define OLDER "2025-01-01T00:00:00Z"
#define YOUNGER "2027-01-01T00:00:00Z"
	const char *object = LIST(TO("web"));
	/* As old as it is, it gets everything now, and a clone would take from it. */
	assert_checked(object, OTHER(OLDER, "'parentRefs': [{'name': 'public'}]"), TESTERS,
		"spec.rules[0]: ", "httproute \"other\"");
	assert_checked(
		object, OTHER(YOUNGER, "'parentRefs': [{'name': 'public'}]"), TESTERS, "", NULL);
	assert_checked(
		object, OTHER(OLDER, "'parentRefs': [{'name': 'private'}]"), TESTERS, "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_backend_gets_the_least_exact_weights),
		cmocka_unit_test(copies_keep_every_other_field),
		cmocka_unit_test(others_keep_their_share),
		cmocka_unit_test(what_is_not_the_service_stays),
		cmocka_unit_test(routes_of_other_namespaces_name_it),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(tells_the_mesh_from_gateways),
		cmocka_unit_test(shows_the_canarys_weight),
		cmocka_unit_test(new_object),
		cmocka_unit_test(clones_stand_in_front),
		cmocka_unit_test(one_header_has_one_condition),
		cmocka_unit_test(filters_that_allow_one_match),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(refuses_clones_that_overtake),
		cmocka_unit_test(other_routes_compete_by_parent_and_host),
	};
	return cmocka_run_group_tests_name("traffic/httproute", tests, NULL, NULL);
}
