#include "preflight/pod_spec.h"

#include "unit/preflight/subject.h"

static void assert_sum(const char *spec_text, const char *which, const char *expected)
{
	AUTO_JSON spec = tree(spec_text);
	AUTO_JSON list = tree(expected);
	CLEANUP(amounts_release) struct amounts sum = {0};
	CLEANUP(amounts_release) struct amounts wanted = {0};
	pod_spec_sum(spec, which, &sum);
	amounts_read(&wanted, list);
	assert_int_equal(sum.count, wanted.count);
	for (size_t i = 0; i < wanted.count; i++)
		assert_true(amounts_get(&sum, wanted.items[i].name) == wanted.items[i].value);
}

#define CPU(value) "'resources': {'requests': {'cpu': '" value "'}}"

static void sums(void **state)
{
	(void)state;
	assert_sum("{'containers': [{}]}", "requests", "{}");
	assert_sum("{'containers': [{" CPU("1") "}, {" CPU("500m") "}]}", "requests",
		"{'cpu': '1.5'}");
	assert_sum("{'containers': [{" CPU("1") "}]}", "limits", "{}");
	/* Init containers run before the others, one after the other. */
	assert_sum("{'initContainers': [{" CPU("3") "}, {" CPU("2") "}], 'containers': [{" CPU(
			   "1") "}]}",
		"requests", "{'cpu': '3'}");
	/* A sidecar stays: beside the containers, and beside the init containers after it. */
	assert_sum("{'initContainers': [{" CPU("3") "}, {'restartPolicy': 'Always', " CPU(
			   "1") "}], 'containers': [{" CPU("1") "}]}",
		"requests", "{'cpu': '3'}");
	assert_sum("{'initContainers': [{'restartPolicy': 'Always', " CPU("1") "}, {" CPU(
			   "3") "}], 'containers': [{" CPU("1") "}]}",
		"requests", "{'cpu': '4'}");
	assert_sum("{'overhead': {'cpu': '1', 'memory': '1Mi'}, 'containers': [{" CPU("1") "}]}",
		"requests", "{'cpu': '2', 'memory': '1Mi'}");
	assert_sum("{'resources': {'requests': {'cpu': '9'}}, 'containers': [{" CPU("1") "}]}",
		"requests", "{'cpu': '9'}");
}

static void requests_follow_limits_and_defaults(void **state)
{
	(void)state;
	AUTO_JSON template = tree(
		"{'spec': {'containers': [{'name': 'a', 'resources': {'limits': {'cpu': '2'}}}, "
		"{'name': 'b', 'resources': {'requests': {'cpu': '1'}}}, {'name': 'c'}]}}");
	AUTO_JSON ranges = list_of(
		"[{'spec': {'limits': [{'type': 'Pod', 'default': {'cpu': '9'}}, {'type': "
		"'Container', 'default': {'cpu': '4'}, 'defaultRequest': {'cpu': '3'}}]}}]");
	AUTO_JSON plain = pod_spec_admitted(template, NULL, NULL, NULL);
	assert_tree(plain,
		"{'containers': [{'name': 'a', 'resources': {'limits': {'cpu': '2'}, 'requests': "
		"{'cpu': '2'}}}, {'name': 'b', 'resources': {'requests': {'cpu': '1'}}}, {'name': "
		"'c', 'resources': {}}]}");
	AUTO_JSON spec = pod_spec_admitted(template, ranges, NULL, NULL);
	assert_tree(spec,
		"{'containers': [{'name': 'a', 'resources': {'limits': {'cpu': '2'}, 'requests': "
		"{'cpu': '2'}}}, {'name': 'b', 'resources': {'requests': {'cpu': '1'}, 'limits': "
		"{'cpu': '4'}}}, {'name': 'c', 'resources': {'requests': {'cpu': '3'}, 'limits': "
		"{'cpu': '4'}}}]}");
}

/* Of the pod as a whole, where it has limits: what its containers ask for comes first, and what a
 * LimitRange gives them comes later. */
static void requests_of_the_whole_pod(void **state)
{
	(void)state;
	AUTO_JSON template = tree(
		"{'spec': {'resources': {'limits': {'cpu': '4', 'memory': '2Gi'}}, 'overhead': "
		"{'memory': '1Mi'}, 'containers': [{'name': 'a', 'resources': {'limits': {'cpu': "
		"'1', 'ephemeral-storage': '1Gi'}}}, {'name': 'b'}]}}");
	AUTO_JSON ranges = list_of("[{'spec': {'limits': [{'type': 'Container', 'defaultRequest': "
				   "{'cpu': '3'}}]}}]");
	AUTO_JSON spec = pod_spec_admitted(template, ranges, NULL, NULL);
	assert_tree(json_get(spec, "resources"),
		"{'limits': {'cpu': '4', 'memory': '2Gi'}, 'requests': {'cpu': '1', 'memory': "
		"'2Gi'}}");
	AUTO_JSON asking = tree("{'spec': {'resources': {'requests': {'cpu': '4'}}}}");
	AUTO_JSON same = pod_spec_admitted(asking, ranges, NULL, NULL);
	assert_tree(json_get(same, "resources"), "{'requests': {'cpu': '4'}}");
}

/* What a running pod has besides its template is in new ones too; init containers that end are not
 * worth a word, and a container that the new version does without stays away. */
static void sidecars_are_injected(void **state)
{
	(void)state;
	AUTO_JSON old = tree("{'spec': {'containers': [{'name': 'web'}, {'name': 'gone'}]}}");
	AUTO_JSON new = tree("{'spec': {'containers': [{'name': 'web'}]}}");
	AUTO_JSON running = tree(
		"{'spec': {'containers': [{'name': 'web'}, {'name': 'gone'}, {'name': 'proxy', "
		"'image': 'p'}], 'initContainers': [{'name': 'setup'}, {'name': 'agent', "
		"'restartPolicy': 'Always'}]}}");
	AUTO_JSON spec = pod_spec_admitted(new, NULL, running, old);
	assert_tree(spec,
		"{'containers': [{'name': 'web', 'resources': {}}, {'name': 'proxy', 'image': "
		"'p'}], 'initContainers': [{'name': 'agent', 'restartPolicy': 'Always'}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums),
		cmocka_unit_test(requests_follow_limits_and_defaults),
		cmocka_unit_test(requests_of_the_whole_pod),
		cmocka_unit_test(sidecars_are_injected),
	};
	return cmocka_run_group_tests_name("pod spec", tests, NULL, NULL);
}
