/* What match blocks ask for. The answers are Envoy's (1.40), measured on it for the odd ones. */
#include "simulate/request_match.h"

#include "unit/traffic/trees.h"

static struct request request_for(const char *path, const json *headers)
{
	return (struct request){
		.service = "web",
		.service_namespace = "shop",
		.port = 80,
		.host = "web.shop.svc.cluster.local",
		.path = path,
		.method = "GET",
		.scheme = "http",
		.headers = headers,
		.gateway = "mesh",
		.client_namespace = "shop",
	};
}

static void normal_form_of_paths(void **state)
{
	(void)state;
	static const struct {
		const char *path, *normal;
	} cases[] = {
		{"/", "/"},
		{"/a?x=/../b", "/a"},
		{"/a#b", "/a"},
		{"/a/../b", "/b"},
		{"/a/./b", "/a/b"},
		{"/a/..", "/"},
		{"/a/.", "/a/"},
		{"/..", "/"},
		{"/../../x", "/x"},
		{"/a//b", "/a//b"},
		{"/z//../b", "/z/b"},
		{"/a\\b", "/a/b"},
		{"/z\\..\\b", "/b"},
		{"/%61pi", "/api"},
		{"/%41%7E%2D", "/A~-"},
		{"/%2e%2E/x", "/x"},
		{"/a/.%2e/b", "/b"},
		{"/z/%2e", "/z/"},
		{"/a/%2e%2e%2fb", "/a/..%2fb"},
		{"/%2F%zz%", "/%2F%zz%"},
		{"/%5c%c3%a4", "/%5c%c3%a4"},
		{"/a/b/..;/c", "/a/c"},
		{"/z/.;a/c", "/z/c"},
		{"/z/a/..;x=1;y", "/z/"},
		{"/z/.%2e;a/b", "/z/..;a/b"},
		{"/a/.../b", "/a/.../b"},
		{"/a/..b", "/a/..b"},
		{"/{x}|^`\"<>'", "/%7Bx%7D%7C%5E%60%22%3C%3E'"},
		{"/~!@$&*()_+-=[],.:", "/~!@$&*()_+-=[],.:"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct request request = request_for(cases[i].path, NULL);
		AUTO_STRING normal = request_path(&request);
		assert_string_equal(normal, cases[i].normal);
	}
}

/* path, match block, and the reason; NULL where it holds. */
struct example {
	const char *path, *match, *reason;
};

static void assert_example(
	const struct request *request, const char *match_text, const char *reason)
{
	AUTO_JSON match = tree(match_text);
	AUTO_BUF found = BUF_INIT(BUF_OWN_TEXT);
	bool holds =
		match_is_for_proxy(match, request, &found) && match_holds(match, request, &found);
	if (holds != (reason == NULL) || (!holds && strcmp(buf_text(&found), reason) != 0))
		fail_msg("%s for %s: %s\nexpected: %s", match_text, request->path,
			holds ? "holds" : buf_text(&found), reason == NULL ? "holds" : reason);
}

static void assert_examples(const struct example *examples, size_t count, const char *headers_text)
{
	AUTO_JSON headers = tree(headers_text);
	for (size_t i = 0; i < count; i++) {
		struct request request = request_for(examples[i].path, headers);
		assert_example(&request, examples[i].match, examples[i].reason);
	}
}

static void paths(void **state)
{
	(void)state;
	static const struct example examples[] = {
		{"/a", "{}", NULL},
		{"/a", "{'uri': {}}", NULL},
		{"/a?x", "{'uri': {'exact': '/a'}}", NULL},
		{"/a/", "{'uri': {'exact': '/a'}}", "path \"/a/\" is not \"/a\""},
		{"/A", "{'uri': {'exact': '/a'}}", "path \"/A\" is not \"/a\""},
		{"/A", "{'uri': {'exact': '/a'}, 'ignoreUriCase': true}", NULL},
		{"/apix", "{'uri': {'prefix': '/api'}}", NULL},
		{"/API/x", "{'uri': {'prefix': '/api'}, 'ignoreUriCase': true}", NULL},
		{"/b", "{'uri': {'prefix': '/api'}, 'ignoreUriCase': true}",
			"path \"/b\" does not begin with \"/api\" (upper or lower case)"},
		{"/b", "{'uri': {'prefix': ''}}", NULL},
		{"/r12?x", "{'uri': {'regex': '/r[0-9]+'}}", NULL},
		{"/r12/", "{'uri': {'regex': '/r[0-9]+'}}",
			"path \"/r12/\" does not match the regular expression \"/r[0-9]+\""},
		/* ignoreUriCase is not for regular expressions. */
		{"/R1", "{'uri': {'regex': '/r[0-9]+'}, 'ignoreUriCase': true}",
			"path \"/R1\" does not match the regular expression \"/r[0-9]+\""},
	};
	assert_examples(examples, COUNT_OF(examples), "{}");
}

static void fields_that_are_headers(void **state)
{
	(void)state;
	static const struct example examples[] = {
		{"/", "{'method': {'exact': 'GET'}}", NULL},
		{"/", "{'method': {'exact': 'get'}}", "method \"GET\" is not \"get\""},
		{"/", "{'method': {'regex': 'GET|HEAD'}}", NULL},
		{"/", "{'authority': {'prefix': 'web.'}}", NULL},
		{"/", "{'authority': {'exact': 'web'}}",
			"authority \"web.shop.svc.cluster.local\" is not \"web\""},
		{"/", "{'scheme': {'exact': 'http'}}", NULL},
		{"/", "{'scheme': {'exact': 'https'}}", "scheme \"http\" is not \"https\""},
		{"/", "{'headers': {'host': {'prefix': 'web.'}}}", NULL},
		{"/", "{'headers': {':method': {'exact': 'GET'}}}", NULL},
		{"/a/../b?q", "{'headers': {':path': {'exact': '/b?q'}}}", NULL},
		{"/", "{'headers': {'x-forwarded-proto': {'exact': 'http'}}}", NULL},
		{"/", "{'headers': {'x-request-id': {}}}", NULL},
		{"/", "{'headers': {'x-request-id': {'exact': 'a'}}}",
			"header x-request-id \"(made by the proxy)\" is not known to be \"a\""},
	};
	assert_examples(examples, COUNT_OF(examples), "{}");
	static const struct example secure[] = {
		{"/", "{'scheme': {'exact': 'https'}}", NULL},
	};
	assert_examples(secure, COUNT_OF(secure), "{'x-forwarded-proto': 'https'}");
}

static void headers(void **state)
{
	(void)state;
	static const struct example examples[] = {
		{"/", "{'headers': {'cookie': {'regex': '(.*; *)?user=tester(;.*)?'}}}", NULL},
		{"/", "{'headers': {'cookie': {'exact': 'user=tester'}}}",
			"header cookie \"a=b; user=tester\" is not \"user=tester\""},
		{"/", "{'headers': {'X-Level': {'exact': '3'}}}", NULL},
		{"/", "{'headers': {'x-level': {'prefix': '4'}}}",
			"header x-level \"3\" does not begin with \"4\""},
		{"/", "{'headers': {'x-level': {}, 'x-none': {}}}", "there is no header x-none"},
		{"/", "{'headers': {'x-level': {'regex': '*'}}}", NULL},
		{"/", "{'headers': {'x-none': {'exact': ''}}}", "there is no header x-none"},
		{"/", "{'headers': {'x-empty': {'exact': ''}}}", NULL},
		/* Each of the values alone, not joined. */
		{"/", "{'headers': {'x-many': {'exact': 'b'}}}", NULL},
		{"/", "{'headers': {'x-many': {'exact': 'a,b'}}}",
			"header x-many \"a\" is not \"a,b\""},
		{"/", "{'headers': {'@request.auth.claims.group': {'exact': 'x'}}}",
			"@request.auth.claims.group: the claims of the request's token are not "
			"known here"},
		{"/", "{'headers': {'x-level': {'regex': '['}}}",
			"header x-level \"3\" could not be compared with the regular expression "
			"\"[\""},
	};
	assert_examples(examples, COUNT_OF(examples),
		"{'cookie': 'a=b; user=tester', 'x-level': '3', 'x-empty': '',"
		" 'x-many': ['a', 'b']}");
}

static void excluded_headers(void **state)
{
	(void)state;
	static const struct example examples[] = {
		{"/", "{'withoutHeaders': {'x-none': {}}}", NULL},
		{"/", "{'withoutHeaders': {'x-level': {}}}",
			"header x-level \"3\" is there, which is excluded"},
		{"/", "{'withoutHeaders': {'x-level': {'regex': '*'}}}",
			"header x-level \"3\" is there, which is excluded"},
		{"/", "{'withoutHeaders': {'x-level': {'exact': '3'}}}",
			"header x-level \"3\" is \"3\", which is excluded"},
		{"/", "{'withoutHeaders': {'x-level': {'exact': '4'}}}", NULL},
		{"/", "{'withoutHeaders': {'x-none': {'exact': '4'}}}", NULL},
		{"/", "{'withoutHeaders': {'x-none': {'regex': '.*'}}}",
			"there is no header x-none, it counts as empty, which matches the regular "
			"expression \".*\""},
		{"/", "{'withoutHeaders': {'x-many': {'exact': 'b'}}}",
			"header x-many \"b\" is \"b\", which is excluded"},
		{"/", "{'withoutHeaders': {'x-many': {'exact': 'a,b'}}}", NULL},
	};
	assert_examples(examples, COUNT_OF(examples), "{'x-level': '3', 'x-many': ['a', 'b']}");
}

static void query_parameters(void **state)
{
	(void)state;
	static const struct example examples[] = {
		{"/?a=1", "{'queryParams': {'a': {'exact': '1'}}}", NULL},
		{"/?b=1&a=1", "{'queryParams': {'a': {'exact': '1'}}}", NULL},
		{"/?a=2&a=1", "{'queryParams': {'a': {'exact': '1'}}}",
			"query parameter a \"2\" is not \"1\""},
		{"/?a", "{'queryParams': {'a': {'exact': ''}}}", NULL},
		{"/?a=", "{'queryParams': {'a': {}}}", NULL},
		{"/?ab=1", "{'queryParams': {'a': {}}}", "there is no query parameter a"},
		{"/?A=1", "{'queryParams': {'a': {}}}", "there is no query parameter a"},
		{"/", "{'queryParams': {'a': {}}}", "there is no query parameter a"},
		/* Not decoded. */
		{"/?a=x%20y", "{'queryParams': {'a': {'exact': 'x%20y'}}}", NULL},
		{"/?a=1=2", "{'queryParams': {'a': {'exact': '1=2'}}}", NULL},
		{"/?a=12", "{'queryParams': {'a': {'regex': '[0-9]+'}}}", NULL},
	};
	assert_examples(examples, COUNT_OF(examples), "{}");
}

static void ports_gateways_and_clients(void **state)
{
	(void)state;
	AUTO_JSON labels = tree("{'app': 'front', 'tier': 'web'}");
	struct request request = request_for("/", NULL);
	assert_example(&request, "{'port': 80}", NULL);
	assert_example(&request, "{'port': 8080}", "it is for port 8080, the request for port 80");
	assert_example(&request, "{'gateways': ['ingress/web', 'mesh']}", NULL);
	assert_example(&request, "{'gateways': ['ingress/web']}",
		"it is for gateway ingress/web; the request comes from the mesh");
	assert_example(&request, "{'sourceNamespace': 'shop'}", NULL);
	assert_example(&request, "{'sourceNamespace': 'other'}",
		"it is for clients in namespace other, the request comes from shop");
	assert_example(&request, "{'sourceLabels': {'app': 'front'}}",
		"it is for clients with the labels app=front; the labels of this client are not "
		"known");
	/* Where a block names gateways, istiod does not look at the client. */
	assert_example(&request,
		"{'gateways': ['mesh'], 'sourceLabels': {'app': 'x'}, 'sourceNamespace': 'x'}",
		NULL);
	request.labels = labels;
	assert_example(&request, "{'sourceLabels': {'app': 'front'}}", NULL);
	assert_example(&request, "{'sourceLabels': {'app': 'front', 'tier': 'db'}}",
		"it is for clients with the labels app=front,tier=db");
	request.gateway = "ingress/web";
	assert_example(&request, "{'gateways': ['mesh']}",
		"it is for the mesh; the request comes from gateway ingress/web");
}

static void scheme_through_a_gateway_is_its_own(void **state)
{
	(void)state;
	AUTO_JSON given = tree("{'x-forwarded-proto': 'https'}");
	struct request request = request_for("/", given);
	request.gateway = "ingress/web";
	assert_example(&request, "{'scheme': {'exact': 'http'}}", NULL);
	assert_example(&request, "{'headers': {'x-forwarded-proto': {'exact': 'http'}}}", NULL);
	assert_example(&request, "{'headers': {'x-forwarded-for': {}}}", NULL);
}

static void what_matches_everything(void **state)
{
	(void)state;
	static const struct {
		const char *match;
		bool all;
	} cases[] = {
		{"{}", true},
		{"{'uri': {'prefix': '/'}}", true},
		{"{'uri': {'regex': '.*'}}", true},
		{"{'uri': {'prefix': ''}}", false},
		{"{'uri': {'prefix': '/a'}}", false},
		{"{'port': 80, 'sourceLabels': {'a': 'b'}, 'gateways': ['mesh']}", true},
		{"{'headers': {'a': {}}}", false},
		{"{'withoutHeaders': {'a': {}}}", false},
		{"{'queryParams': {'a': {}}}", false},
		{"{'method': {'exact': 'GET'}}", false},
		{"{'authority': {'exact': 'a'}}", false},
		{"{'scheme': {'exact': 'http'}}", false},
	};
	assert_true(match_is_catch_all(NULL));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO_JSON match = tree(cases[i].match);
		if (match_is_catch_all(match) != cases[i].all)
			fail_msg("%s", cases[i].match);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_form_of_paths),
		cmocka_unit_test(paths),
		cmocka_unit_test(fields_that_are_headers),
		cmocka_unit_test(headers),
		cmocka_unit_test(excluded_headers),
		cmocka_unit_test(query_parameters),
		cmocka_unit_test(ports_gateways_and_clients),
		cmocka_unit_test(scheme_through_a_gateway_is_its_own),
		cmocka_unit_test(what_matches_everything),
	};
	return cmocka_run_group_tests_name("simulate/request_match", tests, NULL, NULL);
}
