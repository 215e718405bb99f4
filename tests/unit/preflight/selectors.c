#include "unit/preflight/subject.h"

static void assert_selectors(const struct kind *kind, const char *spec, const char *expected)
{
	AUTO_RELEASE release = new_release_of("{}");
	AUTO_STRING items = mem_format("[{'metadata': {'name': 'x'}, 'spec': %s}]", spec);
	AUTO_JSON list = list_of(items);
	check_selectors(&release.subject, kind, list, &release.findings);
	assert_found(&release, expected);
}

#define LABELS(labels) "{'selector': {'matchLabels': {" labels "}}}"

static void those_of_both_versions_are_not_named(void **state)
{
	(void)state;
	static const struct {
		const struct kind *kind;
		const char *spec;
	} ROWS[] = {
		{&KIND_POD_DISRUPTION_BUDGET, LABELS("'app': 'web'")},
		{&KIND_POD_DISRUPTION_BUDGET, LABELS("'app': 'db'")},
		{&KIND_POD_DISRUPTION_BUDGET, "{'selector': {}}"},
		{&KIND_POD_DISRUPTION_BUDGET, "{}"},
		{&KIND_NETWORK_POLICY, "{'podSelector': {}}"},
		{&KIND_SERVICE, "{'selector': {'app': 'web'}}"},
		{&KIND_SERVICE, "{}"},
		{&KIND_PEER_AUTHENTICATION, "{}"},
		{&KIND_PEER_AUTHENTICATION, LABELS("'app': 'web'")},
		{&KIND_SIDECAR, "{'workloadSelector': {'labels': {'app': 'web'}}}"},
		{&KIND_CONFIG_MAP, LABELS("'version': 'v1'")},
		{&KIND_POD_DISRUPTION_BUDGET, "{'selector': {'matchExpressions': [{'key': "
					      "'version', 'operator': 'NotIn', "
					      "'values': ['v9']}]}}"},
	};
	for (size_t i = 0; i < COUNT_OF(ROWS); i++)
		assert_selectors(ROWS[i].kind, ROWS[i].spec, "");
}

/* The old pods are labeled by the release only: "v1" is selected from then on. */
static void by_the_old_version(void **state)
{
	(void)state;
	assert_selectors(&KIND_POD_DISRUPTION_BUDGET, LABELS("'version': 'v1'"),
		"poddisruptionbudget.policy/x protects pods by the labels version=v1: it selects "
		"the pods of v1 during the release, and not now, when they are labeled with their "
		"version\n");
	assert_selectors(&KIND_AUTHORIZATION_POLICY, LABELS("'version': 'v2'"),
		"authorizationpolicy.security.istio.io/x is for pods by the labels version=v2: it "
		"selects the pods of v2 and not those of v1\n");
	assert_selectors(&KIND_NETWORK_POLICY,
		"{'podSelector': {'matchExpressions': [{'key': 'version', 'operator': "
		"'DoesNotExist'}]}}",
		"networkpolicy.networking.k8s.io/x is for pods by the labels !version: it selects "
		"the pods of v1 and not those of v2\n"
		"networkpolicy.networking.k8s.io/x is for pods by the labels !version: it selects "
		"the pods of v1 now, and not during the release, when they are labeled with their "
		"version\n");
}

/* Where the user labels pods by version. */
static void by_the_version_of_labeled_pods(void **state)
{
	(void)state;
	static const struct {
		const struct kind *kind;
		const char *spec, *start;
	} ROWS[] = {
		{&KIND_POD_DISRUPTION_BUDGET, LABELS("'app': 'web', 'version': 'v1'"),
			"poddisruptionbudget.policy/x protects pods by the labels "
			"app=web,version=v1"},
		{&KIND_SERVICE, "{'selector': {'version': 'v1'}}",
			"service/x sends requests to pods by the labels version=v1"},
		{&KIND_POD_MONITOR, LABELS("'version': 'v1'"),
			"podmonitor.monitoring.coreos.com/x scrapes pods by the labels version=v1"},
		{&KIND_REQUEST_AUTHENTICATION, LABELS("'version': 'v1'"),
			"requestauthentication.security.istio.io/x is for pods by the labels "
			"version=v1"},
		{&KIND_ENVOY_FILTER, "{'workloadSelector': {'labels': {'version': 'v1'}}}",
			"envoyfilter.networking.istio.io/x is for pods by the labels version=v1"},
		{&KIND_NETWORK_POLICY,
			"{'podSelector': {'matchLabels': {'app': 'db'}}, 'ingress': [{'from': "
			"[{'podSelector': {'matchLabels': {'version': 'v1'}}}, {'podSelector': "
			"{'matchLabels': {'version': 'v1'}}, 'namespaceSelector': {'matchLabels': "
			"{'a': 'b'}}}]}]}",
			"networkpolicy.networking.k8s.io/x lets in pods by the labels version=v1"},
		{&KIND_NETWORK_POLICY,
			"{'podSelector': {'matchLabels': {'app': 'db'}}, 'egress': [{'to': "
			"[{'podSelector': {'matchLabels': {'version': 'v1'}}}]}, {'to': "
			"[{'podSelector': {'matchLabels': {'version': 'v1'}}}]}]}",
			"networkpolicy.networking.k8s.io/x lets out to pods by the labels "
			"version=v1"},
	};
	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		AUTO_RELEASE release = new_release_of("{}");
		AUTO_STRING items =
			mem_format("[{'metadata': {'name': 'x'}, 'spec': %s}]", ROWS[i].spec);
		AUTO_JSON list = list_of(items);
		AUTO_STRING expected = mem_format(
			"%s: it selects the pods of v1 and not those of v2\n", ROWS[i].start);
		release.subject.labels[LABELS_BEFORE] = release.labels[LABELS_TAGGED];
		check_selectors(&release.subject, ROWS[i].kind, list, &release.findings);
		assert_found(&release, expected);
	}
}

static void monitors(void **state)
{
	(void)state;
	static const char RULE[] =
		"{'%s': [{'port': 'http', 'relabelings': [{'action': '%s', 'sourceLabels': "
		"['__meta_kubernetes_pod_label_version'], 'regex': 'v1'}]}]}";
	AUTO_STRING keeping = mem_format(RULE, "endpoints", "keep");
	AUTO_STRING replacing = mem_format(RULE, "endpoints", "replace");
	AUTO_STRING dropping = mem_format(RULE, "podMetricsEndpoints", "drop");
	assert_selectors(&KIND_SERVICE_MONITOR, keeping,
		"servicemonitor.monitoring.coreos.com/x keeps or drops pods by their label version "
		"(regex \"v1\"): see that it scrapes both versions\n");
	assert_selectors(&KIND_SERVICE_MONITOR,
		"{'endpoints': [{'relabelings': [{'action': 'drop', 'sourceLabels': "
		"['__meta_kubernetes_pod_label_version']}]}]}",
		"servicemonitor.monitoring.coreos.com/x keeps or drops pods by their label version "
		"(regex \"(.*)\"): see that it scrapes both versions\n");
	assert_selectors(&KIND_SERVICE_MONITOR, replacing, "");
	assert_selectors(&KIND_SERVICE_MONITOR, dropping, "");
	assert_selectors(&KIND_POD_MONITOR, dropping,
		"podmonitor.monitoring.coreos.com/x keeps or drops pods by their label version "
		"(regex \"v1\"): see that it scrapes both versions\n");
}

/* --- what knows the Deployment or its pods -------------------------------------------------- */

static void budgets_without_room(void **state)
{
	(void)state;
	static const char BUDGETS[] =
		"[{'metadata': {'name': 'tight'}, 'spec': {'selector': {'matchLabels': {'app': "
		"'web'}}}, 'status': {'disruptionsAllowed': 0, 'expectedPods': 4}}, {'metadata': "
		"{'name': 'wide'}, 'spec': {'selector': {'matchLabels': {'app': 'web'}}}, "
		"'status': {'disruptionsAllowed': 1, 'expectedPods': 4}}, {'metadata': {'name': "
		"'other'}, 'spec': {'selector': {'matchLabels': {'app': 'db'}}}, 'status': "
		"{'disruptionsAllowed': 0, 'expectedPods': 4}}, {'metadata': {'name': 'new'}, "
		"'spec': {'selector': {'matchLabels': {'app': 'web'}}}, 'status': "
		"{'disruptionsAllowed': 0, 'expectedPods': 0}}]";
	AUTO_RELEASE release = new_release_of("{}");
	AUTO_JSON list = list_of(BUDGETS);
	check_disruption(&release.subject, list, &release.findings);
	assert_found(&release,
		"poddisruptionbudget.policy/tight allows no disruption of these pods now: their "
		"nodes cannot be drained\n");
}

static void other_services(void **state)
{
	(void)state;
	static const char SERVICES[] =
		"[{'metadata': {'name': 'web'}, 'spec': {'selector': {'app': 'web'}}}, "
		"{'metadata': "
		"{'name': 'inside'}, 'spec': {'selector': {'app': 'web'}}}, {'metadata': {'name': "
		"'old'}, 'spec': {'selector': {'version': 'v1'}}}, {'metadata': {'name': 'bare'}, "
		"'spec': {}}]";
	AUTO_JSON list = list_of(SERVICES);
	AUTO_RELEASE release = new_release_of("{}");
	check_services(&release.subject, list, &release.findings);
	assert_found(&release,
		"service/inside selects the same pods: requests to it reach both versions by the "
		"ratio of their pods, not by the weights\n");
	AUTO_RELEASE by_ratio = new_release_of("{}");
	by_ratio.subject.by_weight = false;
	check_services(&by_ratio.subject, list, &by_ratio.findings);
	assert_found(&by_ratio, "");
}

static void vertical_autoscalers(void **state)
{
	(void)state;
	AUTO_JSON list = list_of(
		"[{'metadata': {'name': 'a'}, 'spec': {'targetRef': {'kind': 'Deployment', 'name': "
		"'web'}}}, {'metadata': {'name': 'b'}, 'spec': {'targetRef': {'kind': "
		"'Deployment', "
		"'name': 'web'}, 'updatePolicy': {'updateMode': 'Off'}}}, {'metadata': {'name': "
		"'c'}, 'spec': {'targetRef': {'kind': 'StatefulSet', 'name': 'web'}}}]");
	AUTO_RELEASE release = new_release_of("{}");
	check_vertical_autoscalers(&release.subject, list, &release.findings);
	assert_found(&release,
		"verticalpodautoscaler.autoscaling.k8s.io/a is for deployment \"web\" and not for "
		"its copy: until the end, the new pods ask for what the template says\n");
	AUTO_RELEASE swap = new_release_of("{}");
	swap.subject.successor = "web-v2";
	check_vertical_autoscalers(&swap.subject, list, &swap.findings);
	assert_found(&swap,
		"verticalpodautoscaler.autoscaling.k8s.io/a is for deployment \"web\" and not for "
		"its copy: until the end, the new pods ask for what the template says\n"
		"verticalpodautoscaler.autoscaling.k8s.io/a is for deployment \"web\", which is "
		"gone at the end: point it to deployment \"web-v2\" then\n");
}

/* Left over from another release. */
static void vertical_autoscaler_of_the_copy(void **state)
{
	(void)state;
	AUTO_JSON list = list_of(
		"[{'metadata': {'name': 'old'}, 'spec': {'targetRef': {'kind': 'Deployment', "
		"'name': 'web-v2'}}}, {'metadata': {'name': 'off'}, 'spec': {'targetRef': {'kind': "
		"'Deployment', 'name': 'web-v2'}, 'updatePolicy': {'updateMode': 'Off'}}}]");
	AUTO_RELEASE release = new_release_of("{}");
	check_vertical_autoscalers(&release.subject, list, &release.findings);
	assert_found(&release,
		"verticalpodautoscaler.autoscaling.k8s.io/old is for deployment \"web-v2\", as the "
		"copy is called: it changes what the new pods ask for\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_of_both_versions_are_not_named),
		cmocka_unit_test(by_the_old_version),
		cmocka_unit_test(by_the_version_of_labeled_pods),
		cmocka_unit_test(monitors),
		cmocka_unit_test(budgets_without_room),
		cmocka_unit_test(other_services),
		cmocka_unit_test(vertical_autoscalers),
		cmocka_unit_test(vertical_autoscaler_of_the_copy),
	};
	return cmocka_run_group_tests_name("selectors", tests, NULL, NULL);
}
