#include "cmd/route_print.h"

#include "unit/traffic/trees.h"

static void assert_printed(
	const struct request *request, const char *answer_text, const char *expected)
{
	AUTO_JSON answer = tree(answer_text);
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	route_print(request, answer, &text);
	assert_string_equal(buf_text(&text), expected);
}

#define RULE                                                                                       \
	"'rule': {'virtualService': {'namespace': 'shop', 'name': 'web'}, 'protocol': 'http',"     \
	" 'index': 1, 'name': 'main', 'match': 0}"

static const struct request from_mesh = {
	.method = "GET",
	.path = "/reviews",
	.host = "web.shop.svc.cluster.local",
	.port = 80,
	.gateway = "mesh",
	.client_namespace = "shop",
};

static void destinations_and_reasons(void **state)
{
	(void)state;
	assert_printed(&from_mesh,
		"{'outcome': 'route', 'protocol': 'http', " RULE ", 'destinations': ["
		"{'host': 'web', 'port': 80, 'subset': 's', 'probability': 0.75,"
		" 'versions': [{'version': 'v1', 'pods': 1, 'share': 1}]},"
		"{'host': 'web', 'port': 80, 'probability': 0.25,"
		" 'versions': [{'pods': 1, 'share': 0.25}, {'version': 'v2', 'pods': 3, 'share': "
		"0.75}]}],"
		"'passedOver': [{'virtualService': {'namespace': 'shop', 'name': 'web'},"
		" 'protocol': 'http', 'index': 0, 'reason': 'why'},"
		" {'virtualService': {'namespace': 'shop', 'name': 'other'}, 'protocol': 'http',"
		" 'index': 2, 'delegate': {'namespace': 'a', 'name': 'b', 'index': 3}, 'reason': "
		"'why'}],"
		"'hidden': [{'namespace': 'shop', 'name': 'old', 'reason': 'why'}]}",
		"GET /reviews of web.shop.svc.cluster.local from the mesh in shop\n"
		"virtualservice shop/web, spec.http[1] \"main\", match[0]\n"
		"  75%     v1         subset s of web:80, 1 ready pod\n"
		"  6.25%   -          web:80, 1 ready pod\n"
		"  18.75%  v2         web:80, 3 ready pods\n"
		"passed over:\n"
		"  spec.http[0]: why\n"
		"  virtualservice shop/other, spec.http[2] by spec.http[3] of virtualservice a/b: "
		"why\n"
		"hidden:\n"
		"  virtualservice shop/old: why\n");
}

static void problems(void **state)
{
	(void)state;
	assert_printed(&from_mesh,
		"{'outcome': 'route', 'protocol': 'http', " RULE ", 'destinations': ["
		"{'host': 'web', 'port': 80, 'subset': 's', 'probability': 1, 'problem': 'why'}]}",
		"GET /reviews of web.shop.svc.cluster.local from the mesh in shop\n"
		"virtualservice shop/web, spec.http[1] \"main\", match[0]\n"
		"  100%    -          subset s of web:80: fails, why\n");
}

/* The lines behind the headline. */
static void answers_without_destinations(void **state)
{
	(void)state;
	static const struct {
		const char *answer, *expected;
	} cases[] = {
		{"'outcome': 'redirect', 'status': 301, 'redirect': {'uri': '/x'}",
			"  redirected with 301: {\"uri\":\"/x\"}\n"},
		{"'outcome': 'redirect', 'status': 301", "  redirected with 301: to https\n"},
		{"'outcome': 'directResponse', 'status': 418",
			"  answered by the proxy with 418\n"},
		{"'outcome': 'notFound', 'status': 404", "  no rule matches: 404\n"},
		{"'outcome': 'closed'", "  nothing takes the connection: it is closed\n"},
		{"'outcome': 'route', 'destinations': []", "  nothing: its weights add up to 0\n"},
		{"'outcome': 'notFound', 'fault': {'abort': {'httpStatus': 503}}",
			"  before that, faults: {\"abort\":{\"httpStatus\":503}}\n"
			"  no rule matches: 404\n"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO_STRING answer = mem_format("{'protocol': 'tls', %s}", cases[i].answer);
		AUTO_STRING expected = mem_format(
			"a connection to web.shop.svc.cluster.local port 80 from the mesh in "
			"shop\n%s",
			cases[i].expected);
		assert_printed(&from_mesh, answer, expected);
	}
}

static void gateways_and_clusters_without_istio(void **state)
{
	(void)state;
	struct request request = from_mesh;
	assert_printed(&request,
		"{'outcome': 'route', 'protocol': 'kube-proxy', 'destinations': ["
		"{'host': 'web', 'port': 80, 'probability': 1,"
		" 'versions': [{'version': 'v1', 'pods': 2, 'share': 1}]}]}",
		"GET /reviews of web.shop.svc.cluster.local\n"
		"the cluster does not serve Istio's API: kube-proxy chooses among the ready pods\n"
		"  100%    v1         web:80, 2 ready pods\n");
	request.gateway = "ingress/web";
	assert_printed(&request, "{'outcome': 'notFound', 'protocol': 'http'}",
		"GET /reviews of web.shop.svc.cluster.local through gateway ingress/web\n"
		"  no rule matches: 404\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(destinations_and_reasons),
		cmocka_unit_test(problems),
		cmocka_unit_test(answers_without_destinations),
		cmocka_unit_test(gateways_and_clusters_without_istio),
	};
	return cmocka_run_group_tests_name("cmd/route_print", tests, NULL, NULL);
}
