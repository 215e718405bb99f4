#include "unit/preflight/subject.h"

static void assert_range(const char *resources, const char *limit, const char *expected)
{
	AUTO_RELEASE release = new_release_of(resources);
	AUTO_STRING items =
		mem_format("[{'metadata': {'name': 'r'}, 'spec': {'limits': [%s]}}]", limit);
	release.limit_ranges = list_of(items);
	admit(&release);
	check_limit_ranges(&release.subject, release.limit_ranges, &release.findings);
	assert_found(&release, expected);
}

static void maximum(void **state)
{
	(void)state;
	static const char LIMIT[] = "{'type': 'Container', 'max': {'cpu': '1'}}";
	assert_range("{'limits': {'cpu': '1000m'}}", LIMIT, "");
	assert_range("{'limits': {'cpu': '1001m'}}", LIMIT,
		"! limitrange/r: the limit of cpu must be at most 1 for a Container, and the new "
		"pods' container \"web\" has 1001m\n");
	assert_range("{'requests': {'cpu': '1'}}", LIMIT,
		"! limitrange/r: the limit of cpu must be at most 1 for a Container, and the new "
		"pods' container \"web\" has none\n");
	/* As the API server stores it. */
	assert_range("{}",
		"{'type': 'Container', 'max': {'cpu': '1'}, 'default': {'cpu': '1'}, "
		"'defaultRequest': {'cpu': '1'}}",
		"");
	assert_range("{'requests': {'cpu': '2'}}",
		"{'type': 'Container', 'max': {'cpu': '1'}, 'default': {'cpu': '1'}}",
		"! limitrange/r: the request of cpu must be at most 1 for a Container, and the new "
		"pods' container \"web\" has 2\n");
}

static void minimum(void **state)
{
	(void)state;
	static const char LIMIT[] = "{'type': 'Container', 'min': {'memory': '64Mi'}}";
	assert_range("{'requests': {'memory': '64Mi'}}", LIMIT, "");
	assert_range("{'requests': {'memory': '1Mi'}, 'limits': {'memory': '1Gi'}}", LIMIT,
		"! limitrange/r: the request of memory must be at least 64Mi for a Container, and "
		"the new pods' container \"web\" has 1Mi\n");
	assert_range("{}", LIMIT,
		"! limitrange/r: the request of memory must be at least 64Mi for a Container, and "
		"the new pods' container \"web\" has none\n");
}

static void ratio(void **state)
{
	(void)state;
	static const char LIMIT[] =
		"{'type': 'Container', 'maxLimitRequestRatio': {'cpu': '1500m'}}";
	assert_range("{'requests': {'cpu': '2'}, 'limits': {'cpu': '3'}}", LIMIT, "");
	assert_range("{'requests': {'cpu': '2'}, 'limits': {'cpu': '3001m'}}", LIMIT,
		"! limitrange/r: the limit of cpu must be at most 1500m times the request, and the "
		"new pods' container \"web\" has a limit of 3001m with a request of 2\n");
	assert_range("{'requests': {'cpu': '3'}, 'limits': {'cpu': '4501m'}}", LIMIT,
		"! limitrange/r: the limit of cpu must be at most 1500m times the request, and the "
		"new pods' container \"web\" has a limit of 4501m with a request of 3\n");
	assert_range("{'requests': {'cpu': '2'}}", LIMIT,
		"! limitrange/r: the limit of cpu must be at most 1500m times the request, and the "
		"new pods' container \"web\" has a limit of 0 with a request of 2\n");
}

static void of_pods(void **state)
{
	(void)state;
	static const char SPEC[] = "{'containers': [{'name': 'a', 'resources': {'limits': {'cpu': "
				   "'1'}}}, {'name': 'b', 'resources': {'limits': {'cpu': '1'}}}]}";
	AUTO_RELEASE release = new_release(SPEC, SPEC);
	release.limit_ranges =
		list_of("[{'metadata': {'name': 'r'}, 'spec': {'limits': [{'type': 'Pod', 'max': "
			"{'cpu': '1500m'}}, {'type': 'PersistentVolumeClaim', 'max': {'storage': "
			"'1'}}]}}]");
	check_limit_ranges(&release.subject, release.limit_ranges, &release.findings);
	assert_found(&release,
		"! limitrange/r: the limit of cpu must be at most 1500m for a Pod, and the new "
		"pods' sum has 2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maximum),
		cmocka_unit_test(minimum),
		cmocka_unit_test(ratio),
		cmocka_unit_test(of_pods),
	};
	return cmocka_run_group_tests_name("limit range", tests, NULL, NULL);
}
