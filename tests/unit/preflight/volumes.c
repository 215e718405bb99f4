#include "unit/preflight/subject.h"

#define VOLUME                                                                                     \
	"'volumes': [{'name': 'tmp', 'emptyDir': {}}, {'name': 'data', 'persistentVolumeClaim': "  \
	"{'claimName': 'data'}}]"
#define CLAIM(spec_modes, status)                                                                  \
	"[{'metadata': {'name': 'other'}, 'spec': {'accessModes': ['ReadWriteOncePod']}}, "        \
	"{'metadata': {'name': 'data'}, 'spec': {'accessModes': " spec_modes                       \
	"}, 'status': {" status "}}]"

static void assert_volumes(
	const char *old_spec, const char *new_spec, const char *claims, const char *expected)
{
	AUTO_RELEASE release = new_release(old_spec, new_spec);
	AUTO_JSON list = list_of(claims);
	check_volumes(&release.subject, list, &release.findings);
	assert_found(&release, expected);
}

static void modes(void **state)
{
	(void)state;
	static const char SPEC[] = "{" VOLUME "}";
	static const char ONE_POD[] =
		"! persistentvolumeclaim/data is ReadWriteOncePod: one pod at a time may use it, "
		"and the release has 6 pods with it at a time\n";
	static const char ONE_NODE[] =
		"persistentvolumeclaim/data is ReadWriteOnce: only pods on the node that has it "
		"mounted can start; both versions write to it\n";
	assert_volumes(SPEC, SPEC, CLAIM("['ReadWriteOncePod']", ""), ONE_POD);
	assert_volumes(SPEC, SPEC, CLAIM("['ReadWriteOnce']", ""), ONE_NODE);
	assert_volumes(SPEC, SPEC, CLAIM("['ReadWriteMany']", ""), "");
	assert_volumes(SPEC, SPEC, CLAIM("['ReadOnlyMany', 'ReadWriteOnce']", ""), "");
	assert_volumes(SPEC, SPEC,
		CLAIM("['ReadWriteOnce']", "'accessModes': ['ReadWriteOnce', 'ReadWriteMany']"),
		"");
	assert_volumes("{}", "{}", CLAIM("['ReadWriteOncePod']", ""), "");
	assert_volumes(SPEC, "{}", CLAIM("['ReadWriteOncePod']", ""), "");
	/* The old version does without: the new one has four pods all the same. */
	assert_volumes("{}", SPEC, CLAIM("['ReadWriteOncePod']", ""),
		"! persistentvolumeclaim/data is ReadWriteOncePod: one pod at a time may use it, "
		"and the release has 4 pods with it at a time\n");
}

static void one_pod_with_a_claim_of_its_own(void **state)
{
	(void)state;
	AUTO_RELEASE release = new_release("{}", "{" VOLUME "}");
	AUTO_JSON list = list_of(CLAIM("['ReadWriteOncePod']", ""));
	moments_release(&release.subject.forward);
	moments_add(&release.subject.forward, 1, 1);
	check_volumes(&release.subject, list, &release.findings);
	assert_found(&release, "");
}

/* All moments have the same number of pods, and few of them have the claim at first. */
static void new_pods_with_a_claim_of_their_own(void **state)
{
	(void)state;
	AUTO_RELEASE release = new_release("{}", "{" VOLUME "}");
	AUTO_JSON list = list_of(CLAIM("['ReadWriteOncePod']", ""));
	moments_release(&release.subject.forward);
	for (int i = 1; i <= 4; i++)
		moments_add(&release.subject.forward, 5 - i, i);
	check_volumes(&release.subject, list, &release.findings);
	assert_found(&release,
		"! persistentvolumeclaim/data is ReadWriteOncePod: one pod at a time may use it, "
		"and the release has 4 pods with it at a time\n");
}

static void pods_that_are_on_several_nodes(void **state)
{
	(void)state;
	static const char APART[] = "{" VOLUME ", 'containers': [{'name': 'web', 'ports': "
				    "[{'hostPort': 80}]}]}";
	assert_volumes("{" VOLUME "}", APART, CLAIM("['ReadWriteOnce']", ""),
		"! persistentvolumeclaim/data is ReadWriteOnce: one node at a time may mount it, "
		"and the release has 6 pods with it at a time, which may not be on the same "
		"node\n");
	/* The old ones are so already: nothing holds the volume to one node. */
	assert_volumes(APART, APART, CLAIM("['ReadWriteOnce']", ""),
		"persistentvolumeclaim/data is ReadWriteOnce: only pods on the node that has it "
		"mounted can start; both versions write to it\n");
	AUTO_RELEASE single = new_release(APART, APART);
	AUTO_JSON list = list_of(CLAIM("['ReadWriteOnce']", ""));
	single.subject.replicas = 1;
	check_volumes(&single.subject, list, &single.findings);
	assert_int_equal(single.findings.refusals.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes),
		cmocka_unit_test(one_pod_with_a_claim_of_its_own),
		cmocka_unit_test(new_pods_with_a_claim_of_their_own),
		cmocka_unit_test(pods_that_are_on_several_nodes),
	};
	return cmocka_run_group_tests_name("volumes", tests, NULL, NULL);
}
