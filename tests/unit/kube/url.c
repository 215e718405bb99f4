#include "kube/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static void check(const struct query *query, const char *expected)
{
	AUTO_BUF url = BUF_INIT(BUF_OWN_TEXT);
	url_add_query(&url, query);
	assert_string_equal(buf_text(&url), expected);
}

static void names_collections(void **state)
{
	(void)state;
	check(&(struct query){.kind = &KIND_POD}, "/api/v1/pods");
	check(&(struct query){.kind = &KIND_POD, .namespace = "a"}, "/api/v1/namespaces/a/pods");
	check(&(struct query){.kind = &KIND_DEPLOYMENT, .namespace = "a", .name = "web"},
		"/apis/apps/v1/namespaces/a/deployments?fieldSelector=metadata.name%3Dweb");
	check(&(struct query){.kind = &KIND_POD, .name = "p", .label_selector = "a in (b,c),d!=é"},
		"/api/v1/pods?fieldSelector=metadata.name%3Dp&labelSelector="
		"a%20in%20%28b%2Cc%29%2Cd%21%3D%C3%A9");
}

static void names_objects(void **state)
{
	(void)state;
	AUTO_BUF url = BUF_INIT(BUF_OWN_TEXT);
	url_add_resource(&url, &KIND_VIRTUAL_SERVICE, "a", "web");
	url_add_parameter(&url, "fieldManager", "x y");
	url_add_parameter(&url, "dryRun", "All");
	assert_string_equal(buf_text(&url),
		"/apis/networking.istio.io/v1/namespaces/a/virtualservices/web?fieldManager=x%20y"
		"&dryRun=All");
}

static void lets_no_name_leave_its_place(void **state)
{
	(void)state;
	AUTO_BUF url = BUF_INIT(BUF_OWN_TEXT);
	url_add_resource(&url, &KIND_SERVICE, "../x", "a/b?c#d%e");
	assert_string_equal(buf_text(&url), "/api/v1/namespaces/..%2Fx/services/a%2Fb%3Fc%23d%25e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_collections),
		cmocka_unit_test(names_objects),
		cmocka_unit_test(lets_no_name_leave_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
