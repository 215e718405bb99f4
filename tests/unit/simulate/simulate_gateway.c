/*
 * Whole answers of gateways (buildGatewayHTTPRouteConfig: what they merge), and of connections
 * (buildSidecarOutboundTCPFilterChainOpts and its neighbours).
 */
#include "unit/simulate/question.h"

/* --- gateways ------------------------------------------------------------------------------- */

#define INGRESS "'gateways': ['ingress/web'], "
#define FROM_INGRESS .from = "ingress/web", .namespace = "ingress"

static void gateways_merge_hosts(void **state)
{
	(void)state;
	const char *rules = "[" VS("shop", "a", "1",
		"'hosts': ['x.com'], " INGRESS ONE("all")) "," VS("shop", "b", "2",
		"'hosts': ['x.com'], " INGRESS HTTP(
			"{'match': [{'uri': {'exact': '/b'}}]," TO("b") "}")) "]";
	/* What matches everything goes last, whichever VirtualService it is of. */
	ASK("shop/b[0].0 b 100%", .virtualservices = rules, .host = "x.com", .path = "/b",
		FROM_INGRESS);
	ASK("shop/a[0] all 100%", .virtualservices = rules, .host = "x.com", .path = "/c",
		FROM_INGRESS);
	ASK("notFound 404", .virtualservices = rules, .host = "y.com", FROM_INGRESS);
}

static void gateways_choose_the_closest_host(void **state)
{
	(void)state;
	const char *rules = "[" VS("shop", "a", "1",
		"'hosts': ['*.x.com'], " INGRESS ONE("wide")) "," VS("shop", "b", "2",
		"'hosts': ['a.x.com'], " INGRESS HTTP(
			"{'match': [{'uri': {'exact': '/b'}}]," TO("b") "}")) "]";
	ASK("shop/a[0] wide 100%", .virtualservices = rules, .host = "b.x.com", FROM_INGRESS);
	ASK("notFound 404", .virtualservices = rules, .host = "a.x.com", .path = "/c",
		FROM_INGRESS);
	/* A server's host narrows the VirtualService's. */
	const char *wide = "[" VS("shop", "a", "1", "'hosts': ['*'], " INGRESS ONE("wide")) "]";
	ASK("shop/a[0] wide 100%", .virtualservices = wide, .host = "b.x.com",
		.gateways = GATEWAY("'*.x.com'"), FROM_INGRESS);
	ASK("notFound 404", .virtualservices = wide, .host = "y.com",
		.gateways = GATEWAY("'*.x.com'"), FROM_INGRESS);
	ASK("shop/a[0] wide 100%", .virtualservices = wide, .host = "y.com",
		.gateways = GATEWAY("'shop/*'"), FROM_INGRESS);
	ASK("notFound 404", .virtualservices = wide, .host = "y.com", .gateways = GATEWAY("'./*'"),
		FROM_INGRESS);
	/* A gateway that may not be read is taken to have any host. */
	ASK("shop/a[0] wide 100%", .virtualservices = wide, .host = "y.com", .gateways = "[]",
		FROM_INGRESS);
}

static void gateways_see_what_is_theirs(void **state)
{
	(void)state;
	const char *rules = "[" VS("shop", "a", "1", "'hosts': ['x.com'], " ONE("mesh")) "," VS(
		"shop", "b", "2",
		"'hosts': ['x.com'], 'exportTo': ['.'], " INGRESS ONE("private")) "," VS("shop",
		"c", "3",
		"'hosts': ['x.com'], 'gateways': ['mesh', 'ingress/web'], " HTTP(
			"{'match': [{'gateways': ['mesh']}]," TO("not") "}, {" TO("c") "}")) "]";
	ASK("shop/c[1] c 100%", .virtualservices = rules, .host = "x.com", FROM_INGRESS);
	ASK("shop/b[0] private 100%", .virtualservices = rules, .host = "x.com",
		.from = "ingress/web", .namespace = "shop");
}

static void gateways_that_redirect(void **state)
{
	(void)state;
	const char *gateway =
		"[{'metadata': {'namespace': 'ingress', 'name': 'web'}, 'spec': {'servers': ["
		"{'port': {'number': 80, 'protocol': 'HTTP'}, 'hosts': ['*'],"
		" 'tls': {'httpsRedirect': true}}]}}]";
	ASK("redirect 301", .host = "x.com", .gateways = gateway, FROM_INGRESS,
		.virtualservices =
			"[" VS("shop", "a", "1", "'hosts': ['x.com'], " INGRESS ONE("s")) "]");
}

/* --- connections ---------------------------------------------------------------------------- */

#define TCP(routes) "'tcp': [" routes "]"
#define TLS(routes) "'tls': [" routes "]"

static void tcp_routes(void **state)
{
	(void)state;
	ASK("web.shop.svc.cluster.local 100%", .virtualservices = "[]", .port = 9000);
	const char *rules = "[" VS("shop", "a", "1",
		WEB TCP("{'match': [{'port': 1}]," TO(
			"port") "},"
				"{'match': [{'destinationSubnets': ['10.96.0.0/16']}]," TO(
					"wide") "},"
						"{'match': [{'destinationSubnets': "
						"['10.96.0.0/24']}]," TO(
							"narrow") "},"
								  "{'match': [{'sourceNamespace': "
								  "'x'}]," TO(
									  "client") "},"
										    "{" TO("rest") "}")) "]";
	/* The closest subnet counts, not the order. */
	ASK("shop/a[2] narrow 100%", .virtualservices = rules, .port = 9000);
	/* What has no subnet ends the list, but a subnet before it is closer. */
	ASK("shop/a[2] narrow 100%", .virtualservices = rules, .port = 9000, .namespace = "x");
	const char *elsewhere = "[" VS("shop", "a", "1",
		WEB TCP("{'match': [{'destinationSubnets': ['10.1.0.0/16']}]," TO(
			"other") "}")) "," VS("shop", "b", "2",
		"'hosts': ['*.local'], " TCP("{" TO("b") "}")) "]";
	ASK("shop/b[0] b 100%", .virtualservices = elsewhere, .port = 9000);
	/* Unlike in http routes, a client must be the one that is named even where gateways are. */
	ASK("web.shop.svc.cluster.local 100%", .port = 9000,
		.virtualservices = "[" VS("shop", "a", "1",
			WEB TCP("{'match': [{'gateways': ['mesh'], 'sourceNamespace': 'x'}]," TO(
				"s") "}")) "]");
}

static void tls_routes(void **state)
{
	(void)state;
	const char *rules = "[" VS("shop", "a", "1",
		WEB TLS("{'match': [{'sniHosts': ['*.shop.svc.cluster.local']}]," TO(
			"wide") "},"
				"{'match': [{'sniHosts': ['web.shop.svc.cluster.local']}]," TO(
					"exact") "},"
						 "{'match': [{'sniHosts': "
						 "['web.shop.svc.cluster.local']}]," TO(
							 "again") "}")) "]";
	ASK("shop/a[1] exact 100%", .virtualservices = rules, .port = 443);
	ASK("shop/a[0] wide 100%", .virtualservices = rules, .port = 443,
		.host = "x.shop.svc.cluster.local");
	ASK("closed 0", .virtualservices = rules, .port = 443, .host = "x.com");
	ASK("web.shop.svc.cluster.local 100%", .virtualservices = "[]", .port = 443,
		.host = "x.com");
}

static void connections_through_gateways(void **state)
{
	(void)state;
	const char *rules = "[" VS("shop", "a", "1",
		"'hosts': ['x.com'], " INGRESS TLS(
			"{'match': [{'port': 443, 'sniHosts': "
			"['x.com']}]," TO("tls") "}") "," TCP("{'match': [{'port': "
							      "443}]," TO(
								      "not") "},"
									     "{'match':"
									     " [{'port'"
									     ": "
									     "31400}]"
									     "," TO("tc"
										    "p") "}")) "]";
	ASK("shop/a[0] tls 100%", .virtualservices = rules, .port = 443, .host = "x.com",
		FROM_INGRESS);
	ASK("closed 0", .virtualservices = rules, .port = 443, .host = "y.com", FROM_INGRESS);
	ASK("shop/a[1] tcp 100%", .virtualservices = rules, .port = 31400, .host = "x.com",
		FROM_INGRESS);
	ASK("closed 0", .virtualservices = "[]", .port = 31400, FROM_INGRESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gateways_merge_hosts),
		cmocka_unit_test(gateways_choose_the_closest_host),
		cmocka_unit_test(gateways_see_what_is_theirs),
		cmocka_unit_test(gateways_that_redirect),
		cmocka_unit_test(tcp_routes),
		cmocka_unit_test(tls_routes),
		cmocka_unit_test(connections_through_gateways),
	};
	return cmocka_run_group_tests_name("simulate/simulate_gateway", tests, NULL, NULL);
}
