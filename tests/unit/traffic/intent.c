#include "unit/traffic/trees.h"

static void hosts_that_are_the_service(void **state)
{
	(void)state;
	assert_true(host_is_service("web", "shop", &web));
	assert_true(host_is_service("web.shop.svc.cluster.local", "shop", &web));
	assert_true(host_is_service("web.shop.svc.cluster.local", "elsewhere", &web));
}

static void hosts_that_are_not(void **state)
{
	(void)state;
	assert_false(host_is_service("web", "elsewhere", &web));
	assert_false(host_is_service("web.shop.svc.other.domain", "shop", &web));
	assert_false(host_is_service("web.elsewhere.svc.cluster.local", "shop", &web));
	assert_false(host_is_service("webshop", "shop", &web));
	assert_false(host_is_service("*", "shop", &web));
	assert_false(host_is_service("", "shop", &web));
	assert_false(host_is_service(NULL, "shop", &web));
}

static void partial_hosts_are_not_the_service_to_istio(void **state)
{
	(void)state;
	static const char *const partial[] = {"web.shop", "web.shop.svc"};
	for (size_t i = 0; i < COUNT_OF(partial); i++) {
		assert_false(host_is_service(partial[i], "shop", &web));
		assert_true(host_is_partial(partial[i], &web));
	}
	assert_false(host_is_partial("web", &web));
	assert_false(host_is_partial("web.shop.svc.cluster.local", &web));
	assert_false(host_is_partial("web.elsewhere", &web));
	assert_false(host_is_partial(NULL, &web));
}

static void full_name(void **state)
{
	(void)state;
	AUTO_STRING host = service_host(&web);
	assert_string_equal(host, "web.shop.svc.cluster.local");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_that_are_the_service),
		cmocka_unit_test(hosts_that_are_not),
		cmocka_unit_test(partial_hosts_are_not_the_service_to_istio),
		cmocka_unit_test(full_name),
	};
	return cmocka_run_group_tests_name("traffic/intent", tests, NULL, NULL);
}
