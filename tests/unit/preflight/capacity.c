#include "unit/preflight/subject.h"

#define NODE(name, cpu)                                                                            \
	"{'metadata': {'name': '" name "'}, 'status': {'allocatable': {'cpu': '" cpu               \
	"', 'memory': '8Gi', 'pods': '10'}}}"
#define POD(node, cpu, phase)                                                                      \
	"{'spec': {'nodeName': '" node                                                             \
	"', 'containers': [{'resources': {'requests': {'cpu': '" cpu                               \
	"'}}}]}, 'status': {'phase': '" phase "'}}"

static void assert_capacity(
	const char *resources, const char *nodes, const char *pods, const char *expected)
{
	AUTO_RELEASE release = new_release_of(resources);
	AUTO_JSON node_list = list_of(nodes);
	AUTO_JSON pod_list = pods == NULL ? NULL : list_of(pods);
	check_capacity(&release.subject, node_list, pod_list, &release.findings);
	assert_found(&release, expected);
}

/* Six pods at a time are two more than now. */
static void room(void **state)
{
	(void)state;
	static const char ONE[] = "{'requests': {'cpu': '1'}}";
	static const char NODES[] = "[" NODE("a", "3") "," NODE("b", "1900m") "]";
	assert_capacity(ONE, NODES, NULL, "");
	assert_capacity(ONE, NODES, "[" POD("a", "2", "Running") "]", "");
	assert_capacity(ONE, NODES, "[" POD("a", "2", "Running") "," POD("b", "1", "Pending") "]",
		"the nodes have room for 1 more pods of this size now (cpu 1), and the release has "
		"up to 2 more than there are: batches wait for room, until --timeout\n");
	/* Who has ended asks for nothing; who is elsewhere, not here. */
	assert_capacity(ONE, NODES,
		"[" POD("a", "2", "Running") "," POD("b", "1", "Succeeded") "," POD(
			"b", "1", "Failed") "," POD("c", "1", "Running") "]",
		"");
	assert_capacity("{'requests': {'cpu': '1m'}}",
		"[{'metadata': {'name': 'a'}, 'status': {'allocatable': {'cpu': '1', 'pods': "
		"'1'}}}]",
		NULL,
		"the nodes have room for 1 more pods of this size now (cpu 1m), and the release "
		"has "
		"up to 2 more than there are: batches wait for room, until --timeout\n");
}

static void too_large_for_any_node(void **state)
{
	(void)state;
	assert_capacity("{'requests': {'cpu': '4', 'memory': '1Gi'}}",
		"[" NODE("a", "3") "," NODE("b", "2") "]", NULL,
		"! no node is large enough for a new pod, which asks for cpu 4, memory 1Gi\n");
	assert_capacity("{'requests': {'example.com/gpu': '1'}}", "[" NODE("a", "3") "]", NULL,
		"! no node is large enough for a new pod, which asks for example.com/gpu 1\n");
	assert_capacity("{'requests': {'cpu': '4'}}",
		"[{'metadata': {'name': 'a', 'annotations': "
		"{'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true'}}, 'status': "
		"{'allocatable': {'cpu': '3', 'pods': '9'}}}]",
		NULL,
		"no node is large enough for a new pod, which asks for cpu 4; one must be added "
		"for "
		"it\n");
}

static void only_nodes_that_are_allowed(void **state)
{
	(void)state;
	assert_capacity("{'requests': {'cpu': '1'}}",
		"[" NODE("a", "1") ", {'metadata': {'name': 'b'}, 'spec': {'unschedulable': true}, "
				   "'status': {'allocatable': {'cpu': '99', 'pods': '99'}}}]",
		NULL,
		"the nodes have room for 1 more pods of this size now (cpu 1), and the release has "
		"up to 2 more than there are: batches wait for room, until --timeout\n");
	assert_capacity("{'requests': {'cpu': '1'}}",
		"[{'metadata': {'name': 'b'}, 'spec': {'unschedulable': true}}]", NULL, "");
}

static void what_is_asked_for(void **state)
{
	(void)state;
	AUTO_RELEASE nothing = new_release_of("{}");
	AUTO_RELEASE zero = new_release_of("{'requests': {'cpu': '0'}}");
	AUTO_RELEASE some = new_release_of("{'limits': {'cpu': '1'}}");
	assert_false(needs_capacity(&nothing.subject));
	assert_false(needs_capacity(&zero.subject));
	assert_true(needs_capacity(&some.subject));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room),
		cmocka_unit_test(too_large_for_any_node),
		cmocka_unit_test(only_nodes_that_are_allowed),
		cmocka_unit_test(what_is_asked_for),
	};
	return cmocka_run_group_tests_name("capacity", tests, NULL, NULL);
}
