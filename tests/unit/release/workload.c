#include "release/workload.h"

#include "unit/traffic/trees.h"

/* A pod with the labels of the new version, of which nothing more is known than its controller. */
static json *pod(const char *kind, const char *controller, const char *phase)
{
	AUTO_STRING text = mem_format(
		"{'metadata': {'name': 'pod', 'labels': {'app': 'web', 'version': 'v2'}, "
		"'ownerReferences': [{'kind': '%s', 'name': '%s', 'uid': 'uid-7', 'controller': "
		"true}]}, 'status': {'phase': '%s'}}",
		kind, controller, phase);
	return tree(text);
}

static void only_pods_of_the_copy_are_left_of_it(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *controller, *phase;
		int left;
	} CASES[] = {
		{"ReplicaSet", "web-v2-6d4cf56db6", "Running", 1},
		{"ReplicaSet", "web-v2-6d4cf56db6", "Pending", 1},
		{"ReplicaSet", "web-v2-6d4cf56db6", "Succeeded", 0},
		{"ReplicaSet", "web-v2-6d4cf56db6", "Failed", 0},
		/* Of other Deployments, and of what makes pods itself. */
		{"ReplicaSet", "web-v2-worker-6d4cf56db6", "Running", 0},
		{"ReplicaSet", "web-v20-6d4cf56db6", "Running", 0},
		{"ReplicaSet", "web-6d4cf56db6", "Running", 0},
		{"ReplicaSet", "web-v2", "Running", 0},
		{"Job", "web-v2-29301120", "Running", 0},
		{"StatefulSet", "web-v2-db", "Running", 0},
		{"DaemonSet", "web-v2-agent", "Running", 0},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		CLEANUP(observation_release) struct observation seen = {0};
		seen.lists[SEEN_PODS] = tree("{'items': []}");
		json_append(json_get(seen.lists[SEEN_PODS], "items"),
			pod(CASES[i].kind, CASES[i].controller, CASES[i].phase));
		if (count_endpoints_left(&seen, "web-v2") != CASES[i].left)
			fail_msg("%s %s, %s", CASES[i].kind, CASES[i].controller, CASES[i].phase);
		/* While its ReplicaSet is there, it is waited for first. */
		seen.lists[SEEN_REPLICA_SETS] = tree("{'items': [{'metadata': {'uid': 'uid-7'}}]}");
		assert_int_equal(count_endpoints_left(&seen, "web-v2"), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_pods_of_the_copy_are_left_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
