#include "unit/preflight/subject.h"

#define HALF "{'requests': {'cpu': '500m', 'memory': '1Gi'}}"

static void assert_quota(struct release *release, const char *quotas, const char *expected)
{
	AUTO_JSON list = list_of(quotas);
	check_quotas(&release->subject, list, &release->findings);
	assert_found(release, expected);
}

#define QUOTA(resource, hard, used)                                                                \
	"[{'metadata': {'name': 'q'}, 'status': {'hard': {'" resource "': '" hard                  \
	"'}, 'used': {'" resource "': '" used "'}}}]"

/* 4 + 4 pods are the most on the way back, 2 + 4 on the way to the end. */
static void pods(void **state)
{
	(void)state;
	AUTO_RELEASE enough = new_release_of(HALF);
	assert_quota(&enough, QUOTA("pods", "8", "4"), "");
	AUTO_RELEASE narrow = new_release_of(HALF);
	assert_quota(&narrow, QUOTA("count/pods", "7", "4"),
		"resourcequota/q allows 7 of count/pods and 4 are used: enough for the release, "
		"but "
		"an abort at its end would need 4 more, for a whole v1 beside v2, and wait for the "
		"quota (`abort --now` does not)\n");
	AUTO_RELEASE full = new_release_of(HALF);
	assert_quota(&full, QUOTA("pods", "5", "4"),
		"! resourcequota/q allows 5 of pods, 4 are used, and the release needs 2 more when "
		"there are 2 pods of v1 and 4 of v2: raise the quota\n");
}

static void resources(void **state)
{
	(void)state;
	AUTO_RELEASE enough = new_release_of(HALF);
	assert_quota(&enough, QUOTA("requests.cpu", "4", "2"), "");
	AUTO_RELEASE full = new_release_of(HALF);
	assert_quota(&full, QUOTA("cpu", "2500m", "2"),
		"! resourcequota/q allows 2500m of cpu, 2 are used, and the release needs 1 more "
		"when there are 2 pods of v1 and 4 of v2: raise the quota\n");
	AUTO_RELEASE memory = new_release_of(HALF);
	assert_quota(&memory, QUOTA("requests.memory", "5Gi", "4Gi"),
		"! resourcequota/q allows 5Gi of requests.memory, 4Gi are used, and the release "
		"needs 2Gi more when there are 2 pods of v1 and 4 of v2: raise the quota\n");
	/* Of claims, and of kinds that no pod asks for. */
	AUTO_RELEASE others = new_release_of(HALF);
	assert_quota(&others, QUOTA("requests.storage", "0", "0"), "");
	assert_quota(&others, QUOTA("persistentvolumeclaims", "0", "0"), "");
	assert_quota(&others, QUOTA("requests.example.com/gpu", "0", "0"), "");
}

/* A new version that asks for more than the old one. */
static void unequal_versions(void **state)
{
	(void)state;
	AUTO_RELEASE release = new_release(
		"{'containers': [{'name': 'web', 'resources': {'requests': {'cpu': '1'}}}]}",
		"{'containers': [{'name': 'web', 'resources': {'requests': {'cpu': '3'}}}]}");
	assert_quota(&release, QUOTA("requests.cpu", "13", "4"),
		"! resourcequota/q allows 13 of requests.cpu, 4 are used, and the release needs 10 "
		"more when there are 2 pods of v1 and 4 of v2: raise the quota\n");
}

/* Others have used more than the quota allows by now, which is no business of a release that needs
 * nothing more. */
static void full_without_the_release(void **state)
{
	(void)state;
	static const char *const QUOTAS[] = {
		QUOTA("requests.nvidia.com/gpu", "2", "4"),
		"[{'metadata': {'name': 'q'}, 'spec': {'scopes': ['Terminating']}, 'status': "
		"{'hard': {'pods': '5'}, 'used': {'pods': '6'}}}]",
		"[{'metadata': {'name': 'q'}, 'spec': {'scopeSelector': {'matchExpressions': "
		"[{'scopeName': 'PriorityClass', 'operator': 'In', 'values': ['batch']}]}}, "
		"'status': {'hard': {'pods': '5'}, 'used': {'pods': '6'}}}]",
	};
	for (size_t i = 0; i < COUNT_OF(QUOTAS); i++) {
		AUTO_RELEASE release = new_release_of(HALF);
		assert_quota(&release, QUOTAS[i], "");
	}
}

/* A smaller one needs nothing more. */
static void smaller_version(void **state)
{
	(void)state;
	AUTO_RELEASE release = new_release(
		"{'containers': [{'name': 'web', 'resources': {'requests': {'cpu': '4'}}}]}",
		"{'containers': [{'name': 'web', 'resources': {'requests': {'cpu': '1'}}}]}");
	moments_release(&release.subject.forward);
	moments_release(&release.subject.back);
	moments_add(&release.subject.forward, 3, 1);
	assert_quota(&release, QUOTA("requests.cpu", "16", "16"), "");
}

static void must_be_said(void **state)
{
	(void)state;
	AUTO_RELEASE release = new_release_of("{'requests': {'cpu': '1'}}");
	assert_quota(&release, QUOTA("limits.memory", "100Gi", "0"),
		"! resourcequota/q limits limits.memory, so that pods must say how much they want, "
		"and container \"web\" has no resources.limits.memory\n");
	AUTO_RELEASE defaults = new_release_of("{}");
	defaults.limit_ranges = list_of(
		"[{'spec': {'limits': [{'type': 'Container', 'default': {'memory': '1Gi'}}]}}]");
	admit(&defaults);
	assert_quota(&defaults, QUOTA("limits.memory", "100Gi", "0"), "");
}

/* Admission asks nothing of containers where something is said of the pod as a whole. */
static void said_of_the_whole_pod(void **state)
{
	(void)state;
	static const char SPEC[] =
		"{'resources': {'limits': {'cpu': '2'}}, 'containers': [{'name': 'web'}]}";
	AUTO_RELEASE release = new_release(SPEC, SPEC);
	assert_quota(&release, QUOTA("limits.memory", "100Gi", "0"), "");
	assert_quota(&release, QUOTA("requests.cpu", "11", "8"),
		"! resourcequota/q allows 11 of requests.cpu, 8 are used, and the release needs 4 "
		"more when there are 2 pods of v1 and 4 of v2: raise the quota\n");
}

#define SCOPED(scopes)                                                                             \
	"[{'metadata': {'name': 'q'}, 'spec': {" scopes                                            \
	"}, 'status': {'hard': {'pods': '4'}, 'used': {'pods': '4'}}}]"
#define CLASS(operator, values)                                                                    \
	SCOPED("'scopeSelector': {'matchExpressions': [{'scopeName': 'PriorityClass', "            \
	       "'operator': '" operator "', 'values': " values "}]}")

static void scopes(void **state)
{
	(void)state;
	static const char REFUSED[] =
		"! resourcequota/q allows 4 of pods, 4 are used, and the release needs 2 more when "
		"there are 2 pods of v1 and 4 of v2: raise the quota\n";
	const struct {
		const char *quota;
		bool counts;
	} rows[] = {
		{SCOPED("'scopes': ['NotBestEffort']"), true},
		{SCOPED("'scopes': ['BestEffort']"), false},
		{SCOPED("'scopes': ['NotTerminating', 'NotBestEffort']"), true},
		{SCOPED("'scopes': ['Terminating']"), false},
		{SCOPED("'scopes': ['CrossNamespacePodAffinity']"), false},
		{SCOPED("'scopes': ['PriorityClass']"), true},
		{CLASS("In", "['high']"), true},
		{CLASS("In", "['low']"), false},
		{CLASS("NotIn", "['low']"), true},
		{CLASS("Exists", "[]"), true},
		{CLASS("DoesNotExist", "[]"), false},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static const char SPEC[] =
			"{'priorityClassName': 'high', 'containers': [{'name': 'web', 'resources': "
			"{'requests': {'cpu': '1'}}}]}";
		AUTO_RELEASE release = new_release(SPEC, SPEC);
		assert_quota(&release, rows[i].quota, rows[i].counts ? REFUSED : "");
	}
}

/* The quota counts pods of the old version only, or of the new one only. */
static void scope_of_one_version(void **state)
{
	(void)state;
	static const char OLD[] = "{'containers': [{'name': 'web'}]}";
	static const char NEW[] =
		"{'containers': [{'name': 'web', 'resources': {'requests': {'cpu': '1'}}}]}";
	AUTO_RELEASE fewer = new_release(OLD, NEW);
	assert_quota(&fewer, SCOPED("'scopes': ['BestEffort']"), "");
	AUTO_RELEASE more = new_release(OLD, NEW);
	assert_quota(&more, SCOPED("'scopes': ['NotBestEffort']"),
		"! resourcequota/q allows 4 of pods, 4 are used, and the release needs 4 more when "
		"there are 2 pods of v1 and 4 of v2: raise the quota\n");
}

static void objects(void **state)
{
	(void)state;
	static const struct creation CREATIONS[] = {{&KIND_DEPLOYMENT, 1}, {&KIND_SERVICE, 2},
		{&KIND_CONFIG_MAP, 1}, {&KIND_DESTINATION_RULE, 1}};
	static const struct {
		const char *quota, *expected;
	} ROWS[] = {
		{QUOTA("count/deployments.apps", "1", "1"),
			"! resourcequota/q allows 1 of count/deployments.apps, 1 are used, and the "
			"release makes 1 more: raise the quota\n"},
		{QUOTA("count/deployments.apps", "2", "1"), ""},
		{QUOTA("services", "2", "1"),
			"! resourcequota/q allows 2 of services, 1 are used, and the release makes "
			"2 more: raise the quota\n"},
		{QUOTA("count/services", "3", "1"), ""},
		{QUOTA("configmaps", "1", "1"),
			"! resourcequota/q allows 1 of configmaps, 1 are used, and the release "
			"makes 1 more: raise the quota\n"},
		{QUOTA("deployments", "1", "1"), ""},
		{QUOTA("count/destinationrules.networking.istio.io", "0", "0"),
			"! resourcequota/q allows 0 of count/destinationrules.networking.istio.io, "
			"0 are used, and the release makes 1 more: raise the quota\n"},
		{QUOTA("secrets", "0", "0"), ""},
	};
	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		AUTO_RELEASE release = new_release_of(HALF);
		for (size_t j = 0; j < COUNT_OF(CREATIONS); j++)
			release.subject.creations[release.subject.creation_count++] = CREATIONS[j];
		assert_quota(&release, ROWS[i].quota, ROWS[i].expected);
	}
}

static void what_is_not_known_is_let_be(void **state)
{
	(void)state;
	AUTO_RELEASE release = new_release_of(HALF);
	check_quotas(&release.subject, NULL, &release.findings);
	assert_quota(
		&release, "[{'metadata': {'name': 'q'}, 'spec': {'hard': {'pods': '0'}}}]", "");
	assert_quota(&release, QUOTA("pods", "many", "4"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods),
		cmocka_unit_test(resources),
		cmocka_unit_test(unequal_versions),
		cmocka_unit_test(full_without_the_release),
		cmocka_unit_test(smaller_version),
		cmocka_unit_test(must_be_said),
		cmocka_unit_test(said_of_the_whole_pod),
		cmocka_unit_test(scopes),
		cmocka_unit_test(scope_of_one_version),
		cmocka_unit_test(objects),
		cmocka_unit_test(what_is_not_known_is_let_be),
	};
	return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
