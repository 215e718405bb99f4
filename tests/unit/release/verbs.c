/* Abort of a release that was completed: when there is nothing, or not only that, to take back. */
#include "release/verbs.h"

#include "unit/release/cluster.h"

#define SPEC(version, rest)                                                                        \
	"'spec': {'selector': {'matchLabels': {'app': 'web'" rest                                  \
	"}}, 'template': {'metadata': {'labels': {'app': 'web', 'version': '" version              \
	"'}}, 'spec': {'containers': [{'name': 'web', 'image': 'web:" version "'}]}}}"
#define WEB(version) "{'kind': 'Deployment', 'metadata': {'name': 'web'}, " SPEC(version, "") "}"
/* The copy of a release to v3. */
#define COPY(service, app)                                                                         \
	"{'kind': 'Deployment', 'metadata': {'name': 'web-v3', 'namespace': 'shop', 'labels': "    \
	"{'app.kubernetes.io/managed-by': 'kubectl-batchrollout', 'batchrollout/service': "        \
	"'" service "'}}, 'spec': {'template': {'metadata': {'labels': {'app': '" app              \
	"', 'version': 'v3'}}}}}"

static struct record release_of(enum phase phase, enum handover_mode handover)
{
	struct record record = {
		.plan = {.service = mem_strdup("web"),
			.namespace = mem_strdup("shop"),
			.deployment = mem_strdup("web"),
			.canary_deployment = mem_strdup("web-v2"),
			.stable_version = mem_strdup("v1"),
			.canary_version = mem_strdup("v2"),
			.handover = handover},
		.phase = phase,
		.stable = tree("{" SPEC("v1", ", 'version': 'v1'") "}"),
	};
	AUTO_JSON released = tree(WEB("v2"));
	record.template = json_copy(json_path(released, "spec", "template", NULL));
	return record;
}

static void assert_check(
	const struct record *record, const char *objects, int expected, const char *says)
{
	AUTO_JSON cluster = tree(objects);
	struct api_port api = cluster_of(cluster);
	struct err err = {0};
	int code = check_for_abort(&api, record, &err);
	if (code != expected)
		fail_msg("%d: %s", code, err.message);
	if (says != NULL)
		assert_contains(err.message, says);
}

static void completed_is_taken_back_as_it_was_left(void **state)
{
	(void)state;
	CLEANUP(record_release)
	struct record record = release_of(PHASE_COMPLETED, HANDOVER_TAKEOVER);
	assert_check(&record, "[" WEB("v2") "]", 0, NULL);
	assert_check(&record, "[" WEB("v1") "]", 0, NULL);
	assert_check(&record, "[" WEB("v3") "]", ERR_FOREIGN,
		"deployment.apps/web does not run v2 any more");
}

/* No verb of ours has a revision to go to then. */
static void deleted_is_to_be_applied_again(void **state)
{
	(void)state;
	CLEANUP(record_release)
	struct record taken = release_of(PHASE_COMPLETED, HANDOVER_TAKEOVER);
	CLEANUP(record_release) struct record swapped = release_of(PHASE_COMPLETED, HANDOVER_SWAP);
	assert_check(&taken, "[]", ERR_FOREIGN,
		"deployment.apps/web is gone: somebody deleted it since the release of service "
		"\"web\" to v2 was completed, so that there is nothing to take back; apply its "
		"manifest again");
	assert_check(&swapped, "[]", ERR_FOREIGN, "deployment.apps/web-v2 is gone");
}

/* A release of the same pods by another Service has begun since. */
static void another_release_of_the_pods_comes_first(void **state)
{
	(void)state;
	CLEANUP(record_release)
	struct record completed = release_of(PHASE_COMPLETED, HANDOVER_TAKEOVER);
	CLEANUP(record_release) struct record paused = release_of(PHASE_PAUSED, HANDOVER_TAKEOVER);
	const char *objects = "[" WEB("v2") ", " COPY("web-internal", "web") "]";
	assert_check(&completed, objects, ERR_BUSY,
		"deployment.apps/web-v3 is the copy of a release of service \"web-internal\" that "
		"has not ended: finish that one first with `kubectl batchrollout next web-internal "
		"-n shop`, or take it back with `kubectl batchrollout abort web-internal -n shop`");
	assert_check(&paused, objects, 0, NULL);
	assert_check(&completed, "[" WEB("v2") ", " COPY("other", "other") "]", 0, NULL);
	assert_check(&completed, "[" WEB("v2") ", " COPY("web", "web") "]", 0, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(completed_is_taken_back_as_it_was_left),
		cmocka_unit_test(deleted_is_to_be_applied_again),
		cmocka_unit_test(another_release_of_the_pods_comes_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
