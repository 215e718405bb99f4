/* Undo: what the version that comes back is called, and what is refused. */
#include "release/undo.h"

#include "unit/release/cluster.h"

#define TEMPLATE(labels, image, env)                                                               \
	"{'metadata': {'labels': {'app': 'web'" labels                                             \
	"}}, 'spec': {'containers': [{'name': 'web', 'image': '" image "', 'env': [" env "]}]}}"
#define V2 ", 'version': 'v2'"
#define DIGEST "web@sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define SET(revision, template)                                                                    \
	"{'kind': 'ReplicaSet', 'metadata': {'name': 'web-" revision                               \
	"', 'labels': {'app': 'web'}, 'annotations': {'deployment.kubernetes.io/revision': "       \
	"'" revision                                                                               \
	"'}, 'ownerReferences': [{'uid': 'u', 'controller': true}]}, 'spec': {'template': "        \
	"" template "}}"

static json *cluster(const char *running)
{
	AUTO_STRING text = mem_format(
		"[{'kind': 'Service', 'metadata': {'name': 'web', 'namespace': 'shop'}, 'spec': "
		"{'selector': {'app': 'web'}, 'ports': [{'port': 80}]}}, {'kind': 'Deployment', "
		"'metadata': {'name': 'web', 'namespace': 'shop', 'uid': 'u'}, 'spec': "
		"{'replicas': 2, 'selector': {'matchLabels': {'app': 'web'}}, 'template': %s}, "
		"'status': {'updatedReplicas': 2, 'replicas': 2, 'availableReplicas': 2}}, " SET(
			"1", TEMPLATE("", "web:v1", "")) ", " SET("2",
			TEMPLATE("", DIGEST, "")) ", " SET("3", TEMPLATE(V2, "web:v2", "")) "]",
		running);
	return tree(text);
}

/* The last release: from v1, or what it is called, to v2. */
static struct record last_release(enum phase phase, const char *from, const char *steps)
{
	return (struct record){
		.plan = {.service = mem_strdup("web"),
			.namespace = mem_strdup("shop"),
			.deployment = mem_strdup("web"),
			.stable_version = mem_strdup(from),
			.canary_version = mem_strdup("v2"),
			.asked_steps = mem_strdup(steps),
			.timeout_ms = 1000,
			.traffic = TRAFFIC_REPLICAS},
		.phase = phase,
		.stable = tree("{'spec': {'template': " TEMPLATE("", "web:v1", "") "}}"),
		.template = tree(TEMPLATE(V2, "web:v2", "")),
	};
}

static int undo(const struct record *last, const char *running, const struct undo_options *options,
	struct record *ret, struct err *err)
{
	AUTO_JSON objects = cluster(running);
	struct api_port api = cluster_of(objects);
	CLEANUP(str_list_release) struct str_list notes = {0};
	struct undo_options with_force = *options;
	with_force.force = true; /* there are no nodes */
	return undo_prepare(&api, last, &with_force, ret, &notes, err);
}

/* Somebody changed the environment of v2 after the release, whose template still says v2. */
static void taken_names_get_a_number(void **state)
{
	(void)state;
	static const struct {
		const char *from, *running, *revision, *version, *called;
	} CASES[] = {
		{"v1", TEMPLATE(V2, "web:v2", "{'name': 'A'}"), "3", NULL, "v2-2"},
		{"v1", TEMPLATE(V2, "web:v2", "{'name': 'A'}"), "3", "v3", "v3"},
		{"v1", TEMPLATE(V2, "web:v2", "{'name': 'A'}"), "1", NULL, "v1"},
		{"v1", TEMPLATE(V2, "web:v2", "{'name': 'A'}"), "2", NULL, "revision-2"},
		{"v1", TEMPLATE(V2, "web:v2", ""), NULL, NULL, "v1"},
		{"v1", TEMPLATE(V2, "web:v2", ""), NULL, "before", "before"},
		/* After a rolling hand-over nothing but the image says what runs. */
		{"v2", TEMPLATE("", "web:v2", ""), NULL, NULL, "v2-2"},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		CLEANUP(record_release)
		struct record last = last_release(PHASE_COMPLETED, CASES[i].from, NULL);
		CLEANUP(record_release) struct record record = {0};
		struct err err = {0};
		struct undo_options options = {
			.revision = CASES[i].revision, .version = CASES[i].version};
		if (undo(&last, CASES[i].running, &options, &record, &err) != 0)
			fail_msg("%zu: %s", i, err.message);
		assert_string_equal(record.plan.canary_version, CASES[i].called);
	}
}

static void assert_refused(const struct record *last, const struct undo_options *options, int code,
	const char *says, const char *says_not)
{
	CLEANUP(record_release) struct record record = {0};
	struct err err = {0};
	assert_int_equal(
		undo(last, TEMPLATE(V2, "web:v2", "{'name': 'A'}"), options, &record, &err), code);
	assert_contains(err.message, says);
	if (says_not != NULL)
		assert_null(strstr(err.message, says_not));
}

/* That --now would help is said where it would. */
static void steps_are_blamed_for_themselves_only(void **state)
{
	(void)state;
	CLEANUP(record_release)
	struct record last = last_release(PHASE_COMPLETED, "v1", "3,100%");
	struct undo_options back = {.revision = "1"};
	struct undo_options taken = {.revision = "1", .version = "v2"};
	assert_refused(&last, &back, ERR_USAGE,
		"the steps of the release that is undone cannot be taken back the same way (step "
		"1: \"3\" is neither a number of replicas",
		NULL);
	assert_refused(&last, &taken, ERR_USAGE, "like the one that runs: use --version", "--now");
}

static void refusals_say_the_whole_command(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record aborted = last_release(PHASE_ABORTED, "v1", NULL);
	CLEANUP(record_release) struct record completed = last_release(PHASE_COMPLETED, "v1", NULL);
	struct undo_options options = {0};
	assert_refused(&aborted, &options, ERR_FAILED,
		"`kubectl batchrollout undo web -n shop --to-revision REVISION` goes to another "
		"version of the history (see `kubectl rollout history deployment/web -n shop`)",
		NULL);
	assert_refused(&completed, &options, ERR_FAILED,
		"say where to go back to, with `kubectl batchrollout undo web -n shop "
		"--to-revision REVISION` (see",
		NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_names_get_a_number),
		cmocka_unit_test(steps_are_blamed_for_themselves_only),
		cmocka_unit_test(refusals_say_the_whole_command),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
