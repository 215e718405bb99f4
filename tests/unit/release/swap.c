/* The end of a swap: what the copy has when it is the user's. */
#include "release/rungs.h"

#include "api/object.h"
#include "release/canary.h"
#include "unit/traffic/trees.h"

/* The labels of the copy, made of a Deployment with these, when it is kept. */
static json *kept_labels(const char *labels, const char *manager)
{
	AUTO_STRING text =
		mem_format("{'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': "
			   "{'name': 'web-v1', 'namespace': 'shop', 'labels': %s}, "
			   "'spec': {'selector': {'matchLabels': {'app': 'web'}}, 'template': {}}}",
			labels);
	CLEANUP(record_release)
	struct record record = {
		.plan = {.service = mem_strdup("web"),
			.namespace = mem_strdup("shop"),
			.deployment = mem_strdup("web-v1"),
			.stable_version = mem_strdup("v1"),
			.canary_deployment = mem_strdup("web-v2"),
			.canary_version = mem_strdup("v2"),
			.cluster_domain = mem_strdup("cluster.local"),
			.manager = mem_strdup(manager),
			.handover = HANDOVER_SWAP},
		.stable = tree(text),
		.template = tree("{}"),
	};
	CLEANUP(observation_release)
	struct observation seen = {.lists = {[SEEN_CANARY] = tree("{'items': []}")}};
	json_append(list_items(seen.lists[SEEN_CANARY]), canary_new(&record, 1));
	struct situation situation = {.record = &record, .seen = &seen};
	CLEANUP(action_release) struct action action = {0};
	assert_false(kept_holds(&situation));
	assert_int_equal(kept_act(&situation, &action, NULL), 0);
	assert_int_equal(action.write_count, 1);
	return json_copy(json_path(action.writes[0].after, "metadata", "labels", NULL));
}

#define PLAIN "{'app.kubernetes.io/instance': 'shop', 'team': 'a'}"
#define HELM "{'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/managed-by': 'Helm'}"
#define MAKE "{'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/managed-by': 'make'}"

static void kept_has_the_labels_that_are_nobodys_mark(void **state)
{
	(void)state;
	AUTO_JSON plain = kept_labels(PLAIN, NULL);
	AUTO_JSON argo = kept_labels(PLAIN, "Argo CD application shop");
	AUTO_JSON helm = kept_labels(HELM, "Helm release shop/shop");
	AUTO_JSON make = kept_labels(MAKE, NULL);
	AUTO_JSON none = kept_labels("{'team': 'a'}", NULL);
	assert_tree(plain, PLAIN);
	assert_tree(argo, "{'team': 'a'}");
	assert_null(helm);
	assert_tree(make, MAKE);
	assert_tree(none, "{'team': 'a'}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_has_the_labels_that_are_nobodys_mark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
