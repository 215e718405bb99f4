/*
 * Whole answers of sidecars. Each expectation is derived from istiod: which VirtualServices a proxy
 * gets and in which order (initVirtualServices, SelectVirtualServices), which of them has a host
 * (separateVSHostsAndServices, computeWildcardHostVirtualServiceIndex), and how its routes are made
 * (BuildHTTPRoutesForVirtualService).
 */
#include "unit/simulate/question.h"

/* --- rules of one VirtualService ------------------------------------------------------------ */

static void without_a_virtualservice(void **state)
{
	(void)state;
	ASK("web.shop.svc.cluster.local 100%", .virtualservices = "[]");
	ASK("web.shop.svc.cluster.local 100%", .virtualservices = "[]", .host = "10.96.0.9");
	ASK("passthrough 0", .virtualservices = "[]", .host = "web.example.com");
	ASK("passthrough 0", .virtualservices = "[]", .port = 81);
}

static void first_rule_that_matches(void **state)
{
	(void)state;
	const char *rules = "[" VS("shop", "a", "1",
		WEB HTTP("{'match': [{'uri': {'prefix': '/a'}}, {'uri': {'exact': '/x'}}]," TO(
			"s") "},"
			     "{'match': [{'uri': {'prefix': '/'}}]," TO(
				     "t") "},"
					  "{" TO("never") "}")) "]";
	ASK("shop/a[0].0 s 100%", .virtualservices = rules, .path = "/a/b");
	ASK("shop/a[0].1 s 100%", .virtualservices = rules, .path = "/x");
	ASK("shop/a[1].0 t 100%", .virtualservices = rules, .path = "/y");
	const char *partial = "[" VS("shop", "a", "1",
		WEB HTTP("{'match': [{'uri': {'exact': '/a'}}]," TO("s") "}")) "]";
	ASK("notFound 404", .virtualservices = partial, .path = "/b");
}

static void weights(void **state)
{
	(void)state;
#define ENTRY(subset, weight) "{'destination': {'host': 'web', 'subset': '" subset "'}" weight "}"
#define LIST(entries)                                                                              \
	"[" VS("shop", "a", "1", "'hosts': ['web'], 'http': [{'route': [" entries "]}]") "]"
	ASK("shop/a[0] s 75%, t 25%", .virtualservices = LIST(ENTRY("s", ", 'weight': 3") "," ENTRY(
					      "t", ", 'weight': 1")));
	ASK("shop/a[0] t 100%",
		.virtualservices = LIST(ENTRY("s", "") "," ENTRY("t", ", 'weight': 1")));
	ASK("shop/a[0] t 100%", .virtualservices = LIST(ENTRY("s", ", 'weight': 0") "," ENTRY(
					"t", ", 'weight': 9")));
	ASK("shop/a[0] s 100%", .virtualservices = LIST(ENTRY("s", ", 'weight': 0")));
	ASK("shop/a[0]", .virtualservices = LIST(ENTRY("s", "") "," ENTRY("t", "")));
}

static void answers_of_the_proxy_itself(void **state)
{
	(void)state;
	ASK("shop/a[0] redirect 301", .virtualservices = "[" VS("shop", "a", "1",
					      WEB HTTP("{'redirect': {'uri': '/b'}}")) "]");
	ASK("shop/a[0] redirect 307", .virtualservices = "[" VS("shop", "a", "1",
					      WEB HTTP("{'redirect': {'redirectCode': 307}, "
						       "'directResponse': {'status': 200}}")) "]");
	ASK("shop/a[0] directResponse 418",
		.virtualservices = "[" VS("shop", "a", "1",
			WEB HTTP("{'directResponse': {'status': 418}," TO("s") "}")) "]");
}

static void passed_over_with_reasons(void **state)
{
	(void)state;
	struct question question = {
		.virtualservices = "[" VS("shop", "a", "1",
			WEB HTTP("{'name': 'beta', 'match': [{'uri': {'exact': '/b'}}, {'port': "
				 "8080}]," TO("s") "},"
						   "{" TO("t") "}")) "]",
	};
	AUTO_JSON answer = answer_to(&question);
	assert_tree(json_get(answer, "passedOver"),
		"[{'virtualService': {'namespace': 'shop', 'name': 'a'}, 'protocol': 'http',"
		"  'index': 0, 'name': 'beta', 'match': 0, 'reason': 'path \\'/\\' is not "
		"\\'/b\\''},"
		" {'virtualService': {'namespace': 'shop', 'name': 'a'}, 'protocol': 'http',"
		"  'index': 0, 'name': 'beta', 'match': 1,"
		"  'reason': 'it is for port 8080, the request for port 80'}]");
}

/* --- hosts ---------------------------------------------------------------------------------- */

static void names_of_the_service(void **state)
{
	(void)state;
	const char *rules = "[" VS("shop", "a", "1", "'hosts': ['web'], " ONE("s")) "]";
	static const struct {
		const char *host, *namespace, *expected;
	} cases[] = {
		{"web", "shop", "shop/a[0] s 100%"},
		{"WEB", "shop", "shop/a[0] s 100%"},
		{"web:80", "shop", "shop/a[0] s 100%"},
		{"web.shop", "other", "shop/a[0] s 100%"},
		{"web.shop.svc", "other", "shop/a[0] s 100%"},
		{"web.shop.svc.cluster.local.", "other", "shop/a[0] s 100%"},
		{"10.96.0.9", "other", "shop/a[0] s 100%"},
		{"web", "other", "passthrough 0"},
		{"web.other", "shop", "passthrough 0"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ASK(cases[i].expected, .virtualservices = rules, .host = cases[i].host,
			.namespace = cases[i].namespace);
}

/* "web.shop" is not completed: a host of just that name, on port 80 even without a Service. It
 * takes the name from the Service where its VirtualService comes first. */
static void partial_names(void **state)
{
	(void)state;
	const char *rules =
		"[" VS("shop", "a", "1", "'hosts': ['web.shop'], " ONE("partial")) "," VS(
			"shop", "b", "2", WEB ONE("full")) "]";
	ASK("shop/a[0] partial 100%", .virtualservices = rules, .host = "web.shop");
	ASK("shop/b[0] full 100%", .virtualservices = rules, .host = "web");
	ASK("shop/b[0] full 100%", .virtualservices = rules, .host = "web.shop", .port = 8080);
	const char *later =
		"[" VS("shop", "a", "3", "'hosts': ['web.shop'], " ONE("partial")) "," VS(
			"shop", "b", "2", WEB ONE("full")) "]";
	ASK("shop/b[0] full 100%", .virtualservices = later, .host = "web.shop");
}

static void hosts_beyond_the_cluster(void **state)
{
	(void)state;
	const char *rules =
		"[" VS("shop", "a", "1", "'hosts': ['*.example.com'], " ONE("wide")) "," VS("shop",
			"b", "2", "'hosts': ['www.example.com'], " ONE("exact")) "," VS("shop", "c",
			"3", "'hosts': ['web', 'my.example.com'], " ONE("both")) "]";
	ASK("shop/b[0] exact 100%", .virtualservices = rules, .host = "www.example.com");
	ASK("shop/a[0] wide 100%", .virtualservices = rules, .host = "other.example.com");
	/* Beside port 80, only together with a Service of that port. */
	ASK("passthrough 0", .virtualservices = rules, .host = "www.example.com", .port = 8080);
	ASK("shop/c[0] both 100%", .virtualservices = rules, .host = "my.example.com",
		.port = 8080);
}

static void wildcards_over_services(void **state)
{
	(void)state;
	const char *rules = "[" VS("shop", "a", "1", "'hosts': ['*.local'], " ONE("widest")) "," VS(
		"shop", "b", "2", "'hosts': ['*.shop.svc.cluster.local'], " ONE("wide")) "]";
	ASK("shop/b[0] wide 100%", .virtualservices = rules);
	const char *exact = "[" VS("shop", "a", "1", "'hosts': ['*'], " ONE("wide")) "," VS(
		"shop", "b", "2", WEB ONE("exact")) "]";
	ASK("shop/b[0] exact 100%", .virtualservices = exact);
	/* An exact host counts against wildcards even where it has no route for the port. */
	const char *unfit = "[" VS("shop", "a", "1", "'hosts': ['*'], " ONE("wide")) "," VS(
		"shop", "b", "2", WEB HTTP("{'match': [{'port': 8080}]," TO("exact") "}")) "]";
	ASK("web.shop.svc.cluster.local 100%", .virtualservices = unfit);
	ASK("shop/b[0].0 exact 100%", .virtualservices = unfit, .port = 8080);
}

/* On a port without a declared protocol the address decides, not the Host header. */
static void undeclared_protocol(void **state)
{
	(void)state;
	const char *rules = "[" VS("shop", "a", "1", WEB ONE("s")) "]";
	ASK("shop/a[0] s 100%", .virtualservices = rules, .port = 7000, .host = "anything.at.all");
}

/* --- which VirtualService counts ------------------------------------------------------------ */

static void the_oldest_counts(void **state)
{
	(void)state;
	ASK("shop/b[0] old 100%",
		.virtualservices = "[" VS("shop", "a", "2", WEB ONE("young")) "," VS(
			"shop", "b", "1", WEB ONE("old")) "]");
	/* In the same second by name, then by namespace: the client's own is not preferred. */
	ASK("shop/a[0] first 100%", .namespace = "other",
		.virtualservices = "[" VS("other", "b", "1", WEB ONE("second")) "," VS(
			"shop", "a", "1", WEB ONE("first")) "]");
	ASK("far/a[0] far 100%",
		.virtualservices = "[" VS("shop", "a", "1", WEB ONE("near")) "," VS(
			"far", "a", "1", WEB ONE("far")) "]");
}

static void export_goes_before_age(void **state)
{
	(void)state;
	const char *all = "[" VS("shop", "public", "1", WEB ONE("public")) "," VS(
		"other", "named", "2", WEB "'exportTo': ['shop'], " ONE("named")) "," VS("shop",
		"private", "3", WEB "'exportTo': ['.'], " ONE("private")) "]";
	ASK("shop/private[0] private 100%", .virtualservices = all);
	ASK("shop/public[0] public 100%", .virtualservices = all, .namespace = "third");
	const char *named = "[" VS(
		"shop", "public", "1", WEB "'exportTo': ['*'], " ONE("public")) "," VS("other",
		"named", "2", WEB "'exportTo': ['shop', 'x'], " ONE("named")) "," VS("third",
		"nobody", "1", WEB "'exportTo': ['~'], " ONE("nobody")) "]";
	ASK("other/named[0] named 100%", .virtualservices = named);
}

/* A VirtualService without a route for this proxy leaves the host to the next. */
static void next_where_none_of_the_rules_is_for_the_client(void **state)
{
	(void)state;
	const char *rules = "[" VS("shop", "a", "1",
		WEB HTTP("{'match': [{'sourceLabels': {'app': 'x'}}]," TO("s") "}")) "," VS("shop",
		"b", "2", WEB ONE("t")) "]";
	ASK("shop/b[0] t 100%", .virtualservices = rules);
	ASK("shop/a[0].0 s 100%", .virtualservices = rules, .labels = "{'app': 'x'}");
	/* Once it has one, though, what it does not match is not found. */
	ASK("notFound 404", .virtualservices = "[" VS("shop", "a", "1",
				    WEB HTTP("{'match': [{'uri': {'exact': '/a'}}]," TO(
					    "s") "}")) "," VS("shop", "b", "2", WEB ONE("t")) "]");
}

static void assert_hidden(const struct question question, const char *expected)
{
	AUTO_JSON answer = answer_to(&question);
	assert_tree(json_get(answer, "hidden"), expected);
}

static void hidden_with_reasons(void **state)
{
	(void)state;
	assert_hidden(
		(struct question){
			.virtualservices = "[" VS("shop", "a", "1", WEB ONE("s")) "," VS(
				"shop", "b", "2", WEB ONE("t")) "," VS("other", "c", "1",
				WEB "'exportTo': ['.'], " ONE("t")) "," VS("shop", "d", "1",
				WEB "'gateways': ['ingress/web'], " ONE("t")) "," VS("shop", "e",
				"1", "'hosts': ['*.local'], " ONE("t")) "," VS("shop", "f", "1",
				WEB "'tcp': [{}]") "," VS("shop", "g", "1",
				"'hosts': ['api'], " ONE("t")) "]"},
		"[{'namespace': 'shop', 'name': 'e', 'reason':"
		"  'virtualservice shop/a has a host that is closer to the request\\u0027s'},"
		" {'namespace': 'shop', 'name': 'f', 'reason': 'it has no http rules'},"
		" {'namespace': 'shop', 'name': 'b', 'reason':"
		"  'virtualservice shop/a has the same host, and is older'},"
		" {'namespace': 'other', 'name': 'c', 'reason':"
		"  'its exportTo does not reach namespace shop'},"
		" {'namespace': 'shop', 'name': 'd', 'reason':"
		"  'it is for ingress/web; the request comes from the mesh'}]");
}

/* --- delegates ------------------------------------------------------------------------------ */

static void delegates(void **state)
{
	(void)state;
	const char *rules = "[" VS("shop", "root", "1",
		WEB HTTP("{'match': [{'uri': {'prefix': '/a'}}], 'delegate': {'name': 'd'}},"
			 "{'delegate': {'name': 'none'}},"
			 "{'delegate': {'name': 'private', 'namespace': 'other'}},"
			 "{" TO("rest") "}")) "," VS("shop", "d", "2",
		HTTP("{'match': [{'uri': {'exact': '/b'}}]," TO(
			"dropped") "},"
				   "{'match': [{'uri': {'exact': '/a/x'}}]," TO(
					   "x") "},"
						"{'name': 'all'," TO("a") "}")) "," VS("other",
		"private", "1", "'exportTo': ['.'], " ONE("private")) "]";
	ASK("shop/root[0].0 x 100%", .virtualservices = rules, .path = "/a/x");
	ASK("shop/root[0].0 a 100%", .virtualservices = rules, .path = "/a/y");
	ASK("shop/root[3] rest 100%", .virtualservices = rules, .path = "/b");
	struct question question = {.virtualservices = rules, .path = "/b"};
	AUTO_JSON answer = answer_to(&question);
	static const char *const reasons[] = {
		"Istio leaves it out: what it matches is not within",
		"path \"/b\" is not \"/a/x\"",
		"path \"/b\" does not begin with \"/a\"",
		"there is no virtualservice shop/none without hosts",
		"the exportTo of virtualservice other/private does not reach namespace shop",
	};
	assert_int_equal(json_count(json_get(answer, "passedOver")), COUNT_OF(reasons));
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		assert_contains(json_get_text(json_at(json_get(answer, "passedOver"), i), "reason"),
			reasons[i]);
	assert_tree(json_get(json_at(json_get(answer, "passedOver"), 2), "delegate"),
		"{'namespace': 'shop', 'name': 'd', 'index': 2}");
}

/* --- destinations --------------------------------------------------------------------------- */

static const json *first_destination(const json *answer)
{
	return json_first(json_get(answer, "destinations"));
}

static void subsets_and_versions(void **state)
{
	(void)state;
	struct question question = {
		.virtualservices = "[" VS("shop", "a", "1", WEB ONE("s")) "]",
		.destinationrules = "[" VS("shop", "d", "1",
			"'host': 'web', 'subsets': [{'name': 's',"
			" 'labels': {'version': 'v1', 'x': 'y'}}]") "]",
	};
	AUTO_JSON answer = answer_to(&question);
	assert_tree(first_destination(answer),
		"{'host': 'web.shop.svc.cluster.local', 'port': 80, 'subset': 's',"
		" 'labels': {'version': 'v1', 'x': 'y'}, 'version': 'v1', 'weight': 1,"
		" 'probability': 1}");
	question.destinationrules = "[]";
	AUTO_JSON without = answer_to(&question);
	assert_contains(json_get_text(first_destination(without), "problem"),
		"no DestinationRule that this client uses has the subset \"s\"");
}

static void ports_of_destinations(void **state)
{
	(void)state;
#define TO_API(port) "'route': [{'destination': {'host': 'api'" port "}}]"
	const char *plain =
		"[" VS("shop", "a", "1", "'hosts': ['web'], " HTTP("{" TO_API("") "}")) "]";
	struct question question = {.virtualservices = plain};
	/* A sidecar takes the port of its listener, though api has only 8080. */
	AUTO_JSON answer = answer_to(&question);
	assert_int_equal(json_get_integer(first_destination(answer), "port", 0), 80);
	assert_string_equal(json_get_text(first_destination(answer), "problem"),
		"the Service api.shop.svc.cluster.local has no port 80");
	question.virtualservices = "[" VS("shop", "a", "1",
		"'hosts': ['web'], " HTTP("{" TO_API(", 'port': {'number': 8080}") "}")) "]";
	AUTO_JSON named = answer_to(&question);
	assert_int_equal(json_get_integer(first_destination(named), "port", 0), 8080);
	assert_null(json_get(first_destination(named), "problem"));
	question.virtualservices = "[" VS("shop", "a", "1",
		"'hosts': ['web'], 'gateways': ['ingress/web'], " HTTP("{" TO_API("") "}")) "]";
	question.from = "ingress/web";
	AUTO_JSON gateway = answer_to(&question);
	assert_int_equal(json_get_integer(first_destination(gateway), "port", 0), 8080);
	question.virtualservices = "[" VS("shop", "a", "1",
		"'hosts': ['web'], 'gateways': ['ingress/web'], 'http': [{'route': ["
		"{'destination': {'host': 'web.shop'}}]}]") "]";
	AUTO_JSON partial = answer_to(&question);
	assert_contains(json_get_text(first_destination(partial), "problem"),
		"there is no Service web.shop, and Istio completes only names without a dot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_virtualservice),
		cmocka_unit_test(first_rule_that_matches),
		cmocka_unit_test(weights),
		cmocka_unit_test(answers_of_the_proxy_itself),
		cmocka_unit_test(passed_over_with_reasons),
		cmocka_unit_test(names_of_the_service),
		cmocka_unit_test(partial_names),
		cmocka_unit_test(hosts_beyond_the_cluster),
		cmocka_unit_test(wildcards_over_services),
		cmocka_unit_test(undeclared_protocol),
		cmocka_unit_test(the_oldest_counts),
		cmocka_unit_test(export_goes_before_age),
		cmocka_unit_test(next_where_none_of_the_rules_is_for_the_client),
		cmocka_unit_test(hidden_with_reasons),
		cmocka_unit_test(delegates),
		cmocka_unit_test(subsets_and_versions),
		cmocka_unit_test(ports_of_destinations),
	};
	return cmocka_run_group_tests_name("simulate/simulate", tests, NULL, NULL);
}
