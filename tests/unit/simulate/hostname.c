#include "simulate/hostname.h"

#include "simulate/subnet.h"
#include "unit/traffic/trees.h"

/* istiod's own tests of host.Name: Matches and SubsetOf. */
static void names_and_wildcards(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool overlaps, within;
	} cases[] = {
		{"foo.com", "foo.com", true, true},
		{"bar.com", "foo.com", false, false},
		{"bar.foo.com", "foo.com", false, false},
		{"*.com", "foo.com", true, false},
		{"foo.com", "*.com", true, true},
		{"bar.foo.com", "*.foo.com", true, true},
		{"*", "foo.com", true, false},
		{"*", "*.com", true, false},
		{"com", "*", true, true},
		{"*.foo.com", "*.com", true, true},
		{"*.com", "*.foo.com", true, false},
		{"foo.com", "*.foo.com", false, false},
		{"*.foo.bar.baz", "baz", false, false},
		{"*.foo.bar.baz", "*.baz", true, true},
		{"a.facebook.com", "*.facebook.COM", false, false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(hostname_overlaps(cases[i].a, cases[i].b), cases[i].overlaps);
		assert_int_equal(hostname_overlaps(cases[i].b, cases[i].a), cases[i].overlaps);
		assert_int_equal(hostname_is_within(cases[i].a, cases[i].b), cases[i].within);
	}
	assert_false(hostname_overlaps(NULL, "foo.com"));
}

static void closer_names(void **state)
{
	(void)state;
	static const char *const in_order[] = {
		"web.example.com", "a.b", "*.shop.example.com", "*.a.example", "*.b.example", "*"};
	for (size_t i = 0; i + 1 < COUNT_OF(in_order); i++) {
		assert_true(hostname_is_closer(in_order[i], in_order[i + 1]));
		assert_false(hostname_is_closer(in_order[i + 1], in_order[i]));
	}
}

static void completed_names(void **state)
{
	(void)state;
	static const struct {
		const char *name, *full;
	} cases[] = {
		{"web", "web.shop.svc.cluster.local"},
		{"web.shop", "web.shop"},
		{"*", "*"},
		{"*.example.com", "*.example.com"},
		{"fd00::1", "fd00::1"},
		{"10.0.0.1", "10.0.0.1"},
		{"", ""},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO_STRING full = hostname_complete(cases[i].name, "shop", "cluster.local");
		assert_string_equal(full, cases[i].full);
	}
}

static void completed_gateways(void **state)
{
	(void)state;
	static const struct {
		const char *name, *full;
	} cases[] = {
		{"mesh", "mesh"},
		{"web", "shop/web"},
		{"./web", "shop/web"},
		{"ingress/web", "ingress/web"},
		{"web.ingress", "ingress/web"},
		{"web.ingress.svc.cluster.local", "ingress/web"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO_STRING full = gateway_complete(cases[i].name, "shop");
		assert_string_equal(full, cases[i].full);
	}
}

static void ports_of_authorities(void **state)
{
	(void)state;
	static const struct {
		const char *authority, *host;
	} cases[] = {
		{"web:8080", "web"},
		{"web", "web"},
		{"[fd00::1]:80", "[fd00::1]"},
		{"[fd00::1]", "[fd00::1]"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO_STRING host = hostname_without_port(cases[i].authority);
		assert_string_equal(host, cases[i].host);
	}
}

static void domains_of_virtual_hosts(void **state)
{
	(void)state;
	assert_int_equal(hostname_fit("web.shop", "web.shop"), HOST_FITS_EXACTLY);
	assert_int_equal(hostname_fit("web.shop", "web"), 0);
	assert_int_equal(hostname_fit("*.shop", ".shop"), 0);
	assert_true(hostname_fit("*.shop", "web.shop") > hostname_fit("*", "web.shop"));
	assert_true(hostname_fit("*", "web.shop") > 0);
}

static void subnets(void **state)
{
	(void)state;
	static const struct {
		const char *subnet, *address;
		int fit;
	} cases[] = {
		{"10.1.0.0/16", "10.1.2.3", 16},
		{"10.1.0.0/16", "10.2.2.3", -1},
		{"10.1.2.0/23", "10.1.3.9", 23},
		{"10.1.2.0/23", "10.1.4.9", -1},
		{"10.1.2.3", "10.1.2.3", 32},
		{"0.0.0.0/0", "10.1.2.3", 0},
		{"fd00::/8", "fd12::1", 8},
		{"fd00::/8", "10.1.2.3", -1},
		{"10.1.0.0/33", "10.1.2.3", -1},
		{"nonsense", "10.1.2.3", -1},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(subnet_fit(cases[i].subnet, cases[i].address), cases[i].fit);
	assert_int_equal(subnet_fit(NULL, "10.1.2.3"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_wildcards),
		cmocka_unit_test(closer_names),
		cmocka_unit_test(completed_names),
		cmocka_unit_test(completed_gateways),
		cmocka_unit_test(ports_of_authorities),
		cmocka_unit_test(domains_of_virtual_hosts),
		cmocka_unit_test(subnets),
	};
	return cmocka_run_group_tests_name("simulate/hostname", tests, NULL, NULL);
}
