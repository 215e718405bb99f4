#include "unit/preflight/subject.h"

#include "preflight/nodes.h"

#define NODE(name, more) "{'metadata': {'name': '" name "'}, 'spec': {" more "}}"
#define THREE "[" NODE("a", "") "," NODE("b", "") "," NODE("c", "") "]"
#define SIX                                                                                        \
	"[" NODE("a", "") "," NODE("b", "") "," NODE("c", "") "," NODE("d", "") "," NODE(          \
		"e", "") "," NODE("f", "") "]"
#define EIGHT                                                                                      \
	"[" NODE("a", "") "," NODE("b", "") "," NODE("c", "") "," NODE("d", "") "," NODE(          \
		"e", "") "," NODE("f", "") "," NODE("g", "") "," NODE("h", "") "]"

static void assert_placement(const char *spec, const char *nodes, const char *expected)
{
	AUTO_RELEASE release = new_release(spec, spec);
	AUTO_JSON list = list_of(nodes);
	check_placement(&release.subject, list, &release.findings);
	assert_found(&release, expected);
}

/* --- which nodes ---------------------------------------------------------------------------- */

static void assert_allowed(const char *node_text, const char *spec_text, bool expected)
{
	AUTO_JSON node = tree(node_text);
	AUTO_JSON spec = tree(spec_text);
	if (node_allows(node, spec) != expected)
		fail_msg("%s %s %s", node_text, expected ? "must allow" : "must not allow",
			spec_text);
}

#define AFFINITY(expressions)                                                                      \
	"{'affinity': {'nodeAffinity': {'requiredDuringSchedulingIgnoredDuringExecution': "        \
	"{'nodeSelectorTerms': [{'matchExpressions': [" expressions "]}]}}}}"
#define RULE(key, operator, values)                                                                \
	"{'key': '" key "', 'operator': '" operator "', 'values': " values "}"

static void nodes_are_selected(void **state)
{
	(void)state;
	static const char NODE_TEXT[] =
		"{'metadata': {'name': 'a', 'labels': {'disk': 'ssd', 'cores': '8'}}}";
	static const struct {
		const char *spec;
		bool expected;
	} ROWS[] = {
		{"{}", true},
		{"{'nodeSelector': {'disk': 'ssd'}}", true},
		{"{'nodeSelector': {'disk': 'hdd'}}", false},
		{"{'nodeSelector': {'disk': 'ssd', 'zone': 'a'}}", false},
		{AFFINITY(RULE("disk", "In", "['ssd', 'hdd']")), true},
		{AFFINITY(RULE("disk", "In", "['hdd']")), false},
		{AFFINITY(RULE("disk", "NotIn", "['hdd']")), true},
		{AFFINITY(RULE("zone", "NotIn", "['hdd']")), true},
		{AFFINITY(RULE("disk", "Exists", "[]")), true},
		{AFFINITY(RULE("disk", "DoesNotExist", "[]")), false},
		{AFFINITY(RULE("cores", "Gt", "['7']")), true},
		{AFFINITY(RULE("cores", "Gt", "['8']")), false},
		{AFFINITY(RULE("cores", "Lt", "['9']")), true},
		{AFFINITY(RULE("disk", "Lt", "['9']")), false},
		{AFFINITY(RULE("disk", "Exists", "[]") "," RULE("zone", "Exists", "[]")), false},
		{AFFINITY(""), false},
		{"{'affinity': {'nodeAffinity': {'requiredDuringSchedulingIgnoredDuringExecution': "
		 "{'nodeSelectorTerms': [{'matchFields': [{'key': 'metadata.name', 'operator': "
		 "'In', "
		 "'values': ['b']}]}, {'matchFields': [{'key': 'metadata.name', 'operator': 'In', "
		 "'values': ['a']}]}]}}}}",
			true},
	};
	for (size_t i = 0; i < COUNT_OF(ROWS); i++)
		assert_allowed(NODE_TEXT, ROWS[i].spec, ROWS[i].expected);
}

#define TAINTED(taint) "{'metadata': {'name': 'a'}, 'spec': {'taints': [{" taint "}]}}"

static void taints_are_tolerated(void **state)
{
	(void)state;
	static const char GPU[] = TAINTED("'key': 'gpu', 'value': 'yes', 'effect': 'NoSchedule'");
	assert_allowed(GPU, "{}", false);
	assert_allowed(GPU, "{'tolerations': [{'operator': 'Exists'}]}", true);
	assert_allowed(GPU, "{'tolerations': [{'key': 'gpu', 'operator': 'Exists'}]}", true);
	assert_allowed(GPU, "{'tolerations': [{'key': 'gpu', 'value': 'yes'}]}", true);
	assert_allowed(GPU, "{'tolerations': [{'key': 'gpu', 'value': 'no'}]}", false);
	assert_allowed(GPU, "{'tolerations': [{'key': 'cpu', 'operator': 'Exists'}]}", false);
	assert_allowed(GPU,
		"{'tolerations': [{'key': 'gpu', 'operator': 'Exists', 'effect': 'NoExecute'}]}",
		false);
	assert_allowed(TAINTED("'key': 'x', 'effect': 'PreferNoSchedule'"), "{}", true);
	/* In trouble for the moment. */
	assert_allowed(TAINTED("'key': 'node.kubernetes.io/not-ready', 'effect': 'NoSchedule'"),
		"{}", true);
	assert_allowed("{'metadata': {'name': 'a'}, 'spec': {'unschedulable': true}}", "{}", false);
	assert_allowed("{'metadata': {'name': 'a'}, 'spec': {'unschedulable': true}}",
		"{'tolerations': [{'operator': 'Exists'}]}", true);
}

static void no_node_at_all(void **state)
{
	(void)state;
	assert_placement("{'nodeSelector': {'disk': 'ssd'}}", THREE,
		"! none of the 3 nodes may have the new pods, by their nodeSelector, node affinity "
		"and tolerations\n");
	assert_placement("{'nodeSelector': {'disk': 'ssd'}}",
		"[{'metadata': {'name': 'a', 'labels': {'karpenter.sh/nodepool': 'x'}}}]",
		"none of the 1 nodes may have the new pods, by their nodeSelector, node affinity "
		"and tolerations; nodes must be added for it\n");
	assert_placement("{'nodeSelector': {'disk': 'ssd'}}", "[]", "");
}

/* --- one pod for each node ------------------------------------------------------------------ */

#define PORT "{'containers': [{'name': 'web', 'ports': [{'hostPort': 80, 'containerPort': 8080}]}]}"

static void host_ports(void **state)
{
	(void)state;
	assert_placement(PORT, EIGHT, "");
	assert_placement(PORT, SIX,
		"hostPort 80 lets only one of the pods be on each node, and there are 6 places for "
		"them: enough for the release, but an abort at its end would wait for room for a "
		"whole v1 beside v2 (`abort --now` does not)\n");
	assert_placement(PORT, THREE,
		"! hostPort 80 lets only one of the pods be on each node: the release has 4 pods "
		"of "
		"v2 beside 2 of v1 at a time, and there are 3 places for them\n");
	assert_placement("{'hostNetwork': true, 'containers': [{'name': 'web', 'ports': "
			 "[{'containerPort': 80}]}]}",
		THREE,
		"! hostPort 80 lets only one of the pods be on each node: the release has 4 pods "
		"of "
		"v2 beside 2 of v1 at a time, and there are 3 places for them\n");
	assert_placement(
		"{'containers': [{'name': 'web', 'ports': [{'containerPort': 80}]}]}", THREE, "");
}

/* Another port than the old version's: only the new pods are in each other's way. */
static void other_host_port(void **state)
{
	(void)state;
	static const char *const OTHERS[] = {
		"{'containers': [{'name': 'web', 'ports': [{'hostPort': 81}]}]}",
		"{'containers': [{'name': 'web', 'ports': [{'hostPort': 80, 'protocol': 'UDP'}]}]}",
		"{'containers': [{'name': 'web'}]}",
	};
	for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
		AUTO_RELEASE release = new_release(OTHERS[i], PORT);
		AUTO_JSON three = list_of(THREE);
		AUTO_JSON six = list_of(SIX);
		check_placement(&release.subject, six, &release.findings);
		assert_found(&release, "");
		check_placement(&release.subject, three, &release.findings);
		assert_int_equal(release.findings.refusals.count, 1);
	}
}

#define APART(term)                                                                                \
	"{'affinity': {'podAntiAffinity': {'requiredDuringSchedulingIgnoredDuringExecution': "     \
	"[{" term "}]}}, 'containers': []}"
#define BY_NODE "'topologyKey': 'kubernetes.io/hostname'"
#define WEB ", 'labelSelector': {'matchLabels': {'app': 'web'}}"
#define V2 ", 'labelSelector': {'matchLabels': {'version': 'v2'}}"

static void anti_affinity(void **state)
{
	(void)state;
	static const char REFUSED[] =
		"! required podAntiAffinity lets only one of the pods be on each node: the release "
		"has 4 pods of v2 beside 2 of v1 at a time, and there are 3 places for them\n";
	assert_placement(APART(BY_NODE WEB), EIGHT, "");
	assert_placement(APART(BY_NODE WEB), THREE, REFUSED);
	/* Only of its own version: four places are enough. */
	assert_placement(APART(BY_NODE WEB ", 'matchLabelKeys': ['pod-template-hash']"), SIX, "");
	assert_placement(
		APART(BY_NODE WEB ", 'matchLabelKeys': ['pod-template-hash']"), THREE, REFUSED);
	/* As said by the new version alone. */
	AUTO_RELEASE release = new_release("{'containers': []}", APART(BY_NODE V2));
	AUTO_JSON six = list_of(SIX);
	check_placement(&release.subject, six, &release.findings);
	assert_found(&release, "");
	/* Of other pods, or of other namespaces. */
	assert_placement(
		APART(BY_NODE ", 'labelSelector': {'matchLabels': {'app': 'db'}}"), THREE, "");
	assert_placement(APART(BY_NODE WEB ", 'namespaces': ['other']"), THREE, "");
	assert_placement(APART(BY_NODE WEB ", 'namespaces': ['shop']"), THREE, REFUSED);
	assert_placement(APART(BY_NODE WEB ", 'namespaceSelector': {}"), THREE, REFUSED);
	assert_placement(
		APART(BY_NODE WEB ", 'namespaceSelector': {'matchLabels': {'a': 'b'}}"), THREE, "");
}

/* --- where the old pods are ----------------------------------------------------------------- */

#define POOL(name, pool) "{'metadata': {'name': '" name "', 'labels': {'pool': '" pool "'}}}"
#define IN_POOL(pool)                                                                              \
	"{'nodeSelector': {'pool': '" pool "'}, 'containers': [{'name': 'web', 'ports': "          \
	"[{'hostPort': 80}]}]}"

static void assert_moved(const char *old_spec, const char *new_spec, const struct moment *forward,
	const char *nodes, const char *expected)
{
	AUTO_RELEASE release = new_release(old_spec, new_spec);
	AUTO_JSON list = list_of(nodes);
	moments_release(&release.subject.forward);
	moments_release(&release.subject.back);
	for (int i = 0; i < 3; i++)
		moments_add(&release.subject.forward, forward[i].old_pods, forward[i].new_pods);
	check_placement(&release.subject, list, &release.findings);
	assert_found(&release, expected);
}

/* The new version moves to other nodes: each has as many as it needs. */
static void nodes_of_the_old_version(void **state)
{
	(void)state;
	static const struct moment THREE_PODS[] = {{3, 1}, {2, 2}, {1, 3}};
	assert_moved(IN_POOL("a"), IN_POOL("b"), THREE_PODS,
		"[" POOL("1", "a") "," POOL("2", "a") "," POOL("3", "a") "," POOL(
			"4", "b") "," POOL("5", "b") "," POOL("6", "b") "]",
		"");
	/* The new ones have too few by themselves. */
	assert_moved(IN_POOL("a"), IN_POOL("b"), THREE_PODS,
		"[" POOL("1", "a") "," POOL("2", "a") "," POOL("3", "a") "," POOL(
			"4", "b") "," POOL("5", "b") "]",
		"! hostPort 80 lets only one of the pods be on each node: the release has 3 pods "
		"of v2 beside 1 of v1 at a time, and there are 2 places for them\n");
	/* Both together have. */
	assert_moved(PORT, IN_POOL("b"), THREE_PODS,
		"[" POOL("1", "b") "," POOL("2", "b") "," POOL("3", "b") "]",
		"! hostPort 80 lets only one of the pods be on each node: the release has 1 pods "
		"of v2 beside 3 of v1 at a time, and there are 3 places for them\n");
}

/* What is there already stays on a node that takes nothing new. */
static void cordoned_nodes(void **state)
{
	(void)state;
	static const struct moment THREE_PODS[] = {{3, 1}, {2, 2}, {1, 3}};
	static const char *const CORDONS[] = {"'unschedulable': true",
		"'taints': [{'key': 'node.kubernetes.io/unschedulable', 'effect': 'NoSchedule'}]"};
	for (size_t i = 0; i < COUNT_OF(CORDONS); i++) {
		AUTO_STRING nodes = mem_format("[" NODE("a", "") "," NODE("b", "") "," NODE(
						       "c", "") "," NODE("d", "%s") "]",
			CORDONS[i]);
		assert_moved(PORT, PORT, THREE_PODS, nodes, "");
	}
}

static void anti_affinity_by_zone(void **state)
{
	(void)state;
	assert_placement(APART("'topologyKey': 'zone'" WEB),
		"[{'metadata': {'name': 'a', 'labels': {'zone': 'z1'}}}, {'metadata': {'name': "
		"'b', "
		"'labels': {'zone': 'z1'}}}, {'metadata': {'name': 'c'}}]",
		"! required podAntiAffinity lets only one of the pods be in each zone: the release "
		"has 4 pods of v2 beside 2 of v1 at a time, and there are 1 places for them\n");
}

/* --- spread --------------------------------------------------------------------------------- */

#define SPREAD(more)                                                                               \
	"{'topologySpreadConstraints': [{'maxSkew': 1, 'topologyKey': 'zone', "                    \
	"'whenUnsatisfiable': 'DoNotSchedule'" WEB more "}], 'containers': []}"
#define ZONE(name, zone) "{'metadata': {'name': '" name "', 'labels': {'zone': '" zone "'}}}"

static void spread(void **state)
{
	(void)state;
	static const char ZONES[] = "[" ZONE("a", "1") "," ZONE("b", "2") "]";
	assert_placement(SPREAD(""), ZONES, "");
	assert_placement(SPREAD(""), THREE,
		"! topologySpreadConstraints: no node that the new pods may be on has the label "
		"zone\n");
	assert_placement(SPREAD(", 'minDomains': 3"), ZONES,
		"! topologySpreadConstraints: with 2 of 3 domains by zone there may be no more "
		"than "
		"1 pods in each, and the release has 6 at a time\n");
	assert_placement(SPREAD(", 'minDomains': 2"), ZONES, "");
	/* Old pods in domains where new ones may not be are not counted. */
	static const char MOVED[] =
		"{'nodeSelector': {'zone': '2'}, 'topologySpreadConstraints': [{'maxSkew': 4, "
		"'topologyKey': 'zone', 'minDomains': 2" WEB "}]}";
	AUTO_RELEASE moved = new_release("{'nodeSelector': {'zone': '1'}}", MOVED);
	AUTO_JSON zones = list_of(ZONES);
	check_placement(&moved.subject, zones, &moved.findings);
	assert_found(&moved, "");
}

static bool keep_apart(const struct release *release)
{
	const struct subject *subject = &release->subject;
	return is_one_per_node(subject, subject->new_spec, subject->labels[LABELS_COPY]);
}

static void what_is_asked_for(void **state)
{
	(void)state;
	AUTO_RELEASE plain = new_release_of("{'requests': {'cpu': '1'}}");
	assert_false(needs_placement(&plain.subject));
	assert_false(keep_apart(&plain));
	AUTO_RELEASE port = new_release(PORT, PORT);
	assert_true(needs_placement(&port.subject));
	assert_true(keep_apart(&port));
	AUTO_RELEASE apart = new_release(APART(BY_NODE WEB), APART(BY_NODE WEB));
	assert_true(needs_placement(&apart.subject));
	assert_true(keep_apart(&apart));
	AUTO_RELEASE spreading = new_release(SPREAD(""), SPREAD(""));
	assert_true(needs_placement(&spreading.subject));
	assert_false(keep_apart(&spreading));
	AUTO_RELEASE choosy =
		new_release("{'nodeSelector': {'a': 'b'}}", "{'nodeSelector': {'a': 'b'}}");
	assert_true(needs_placement(&choosy.subject));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_are_selected),
		cmocka_unit_test(taints_are_tolerated),
		cmocka_unit_test(no_node_at_all),
		cmocka_unit_test(host_ports),
		cmocka_unit_test(other_host_port),
		cmocka_unit_test(anti_affinity),
		cmocka_unit_test(nodes_of_the_old_version),
		cmocka_unit_test(cordoned_nodes),
		cmocka_unit_test(anti_affinity_by_zone),
		cmocka_unit_test(spread),
		cmocka_unit_test(what_is_asked_for),
	};
	return cmocka_run_group_tests_name("placement", tests, NULL, NULL);
}
