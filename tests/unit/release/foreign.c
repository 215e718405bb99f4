#include "release/foreign.h"

#include "api/object.h"

#include "unit/traffic/trees.h"

#define TEMPLATE "{'metadata': {'labels': {'app': 'web'}}, 'spec': {}}"
#define TRACKED(kind, uid)                                                                         \
	"'kind': '" kind "', 'metadata': {'name': 'web', 'namespace': 'shop', 'uid': '" uid "', "  \
	"'annotations': {'argocd.argoproj.io/tracking-id': 'shop:x/" kind ":shop/web'}}"
#define PUT_BACK                                                                                   \
	"\nArgo CD application shop manages it and seems to have put it back: keep it from that, " \
	"as `kubectl batchrollout plan` and docs/gitops.md say, before you go on"

/* A release of web with 4 replicas in 4 batches, paused at the second. */
struct world {
	struct record record;
	struct observation seen;
};

static void put(struct observation *seen, enum source source, json *object)
{
	json *list = json_object();
	json_append(json_ensure_array(list, "items"), object);
	json_free(seen->lists[source]);
	seen->lists[source] = list;
}

static void put_stable(struct world *world, const char *uid, int replicas)
{
	json *stable = tree("{" TRACKED("Deployment", "") ", 'spec': {'template': " TEMPLATE "}}");
	json_set_text(json_get(stable, "metadata"), "uid", uid);
	json_set_integer(json_get(stable, "spec"), "replicas", replicas);
	put(&world->seen, SEEN_STABLE, stable);
}

static void world_init(struct world *world)
{
	*world = (struct world){
		.record =
			{
				.plan = {.service = mem_strdup("web"),
					.namespace = mem_strdup("shop"),
					.deployment = mem_strdup("web"),
					.canary_version = mem_strdup("v2"),
					.replicas = 4,
					.batches = {{1, 3, 25}, {2, 2, 50}, {3, 1, 75},
						{4, 0, 100}},
					.batch_count = 4},
				.phase = PHASE_PAUSED,
				.goal = GOAL_BATCH,
				.batch = 2,
				.goal_batch = 2,
				.template = tree("{'spec': {'hostPID': true}}"),
			},
	};
	put_stable(world, "one", 2);
	world->record.stable = json_copy(json_first(list_items(world->seen.lists[SEEN_STABLE])));
}

static void world_release(struct world *world)
{
	record_release(&world->record);
	observation_release(&world->seen);
}

static void assert_told(const struct world *world, const char *expected)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	foreign_describe(&world->record, &world->seen, &text);
	assert_string_equal(buf_text(&text), expected);
}

/* Also where the next step goes on from there. */
static void other_replicas_are_told(void **state)
{
	(void)state;
	CLEANUP(world_release) struct world world;
	world_init(&world);
	assert_told(&world, "");
	put_stable(&world, "one", 4);
	assert_told(&world, "deployment.apps/web was scaled to 4 by somebody else; batch 2 leaves "
			    "it 2" PUT_BACK);
	put_stable(&world, "one", 1);
	assert_told(&world, "deployment.apps/web was scaled to 1 by somebody else; batch 2 leaves "
			    "it 2" PUT_BACK);
	/* On the way to the next one. */
	world.record.goal_batch = 3;
	world.record.phase = PHASE_FAILED;
	assert_told(&world, "");
	put_stable(&world, "one", 4);
	assert_told(&world, "deployment.apps/web was scaled to 4 by somebody else; batch 3 leaves "
			    "it 1" PUT_BACK);
	world.record.phase = PHASE_PROGRESSING;
	assert_told(&world, "");
	/* Before the first, it has all. */
	world.record.phase = PHASE_FAILED;
	world.record.batch = 0;
	world.record.goal_batch = 1;
	assert_told(&world, "");
}

static void replicas_of_an_autoscaler_are_not_told(void **state)
{
	(void)state;
	CLEANUP(world_release) struct world world;
	world_init(&world);
	world.record.plan.hpa = HPA_IGNORE;
	put_stable(&world, "one", 4);
	assert_told(&world, "");
}

static void thawed_autoscaler_is_explained(void **state)
{
	(void)state;
	CLEANUP(world_release) struct world world;
	world_init(&world);
	json *autoscaler = tree("{" TRACKED(
		"HorizontalPodAutoscaler", "two") ", 'spec': {'scaleTargetRef': {'name': 'web'}, "
						  "'minReplicas': 1, 'maxReplicas': 9}}");
	world.record.frozen_autoscalers = json_array();
	json_append(world.record.frozen_autoscalers, json_copy(autoscaler));
	json_set_integer(json_get(autoscaler, "spec"), "minReplicas", 6);
	world.record.autoscalers = json_array();
	json_append(world.record.autoscalers, json_copy(autoscaler));
	put(&world.seen, SEEN_AUTOSCALERS, autoscaler);
	assert_told(&world, "horizontalpodautoscaler.autoscaling/web was frozen, and somebody else "
			    "has changed that: it scales deployment.apps/web again" PUT_BACK);
}

/* Only where it is to be deleted. */
static void edited_copy_is_told(void **state)
{
	(void)state;
	CLEANUP(world_release) struct world world;
	world_init(&world);
	world.record.plan.canary_deployment = mem_strdup("web-v2");
	put(&world.seen, SEEN_CANARY,
		tree("{'metadata': {'name': 'web-v2'}, 'spec': {'template': {'spec': {'hostPID': "
		     "true}}}}"));
	assert_told(&world, "");
	put(&world.seen, SEEN_CANARY,
		tree("{'metadata': {'name': 'web-v2'}, 'spec': {'template': {'spec': {'hostPID': "
		     "false}}}}"));
	assert_told(&world,
		"the pod template of deployment.apps/web-v2, which has the new version, was "
		"changed by somebody else during the release; take that change back, or `kubectl "
		"batchrollout abort web -n shop`");
	world.record.goal = GOAL_ABORT;
	assert_told(&world, "");
}

static void stable_that_was_made_again_is_told(void **state)
{
	(void)state;
	CLEANUP(world_release) struct world world;
	world_init(&world);
	put_stable(&world, "two", 2);
	assert_told(&world, "");
	world.record.plan.handover = HANDOVER_SWAP;
	assert_told(&world, "");
	world.record.goal = GOAL_FINISH;
	world.record.phase = PHASE_FAILED;
	assert_told(&world,
		"deployment.apps/web was deleted and made again by somebody else during the "
		"release; delete it, and go on with `kubectl batchrollout next web -n shop`, or "
		"`kubectl batchrollout abort web -n shop`" PUT_BACK);
	world.record.phase = PHASE_COMPLETED;
	assert_told(&world,
		"deployment.apps/web, which the release has deleted, is there again: somebody else "
		"made it, and its pods are beside those of v2" PUT_BACK);
	put_stable(&world, "one", 2);
	world.record.phase = PHASE_FAILED;
	assert_told(&world, "");
	world.record.goal = GOAL_ABORT;
	put_stable(&world, "two", 2);
	assert_told(&world, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_replicas_are_told),
		cmocka_unit_test(replicas_of_an_autoscaler_are_not_told),
		cmocka_unit_test(thawed_autoscaler_is_explained),
		cmocka_unit_test(edited_copy_is_told),
		cmocka_unit_test(stable_that_was_made_again_is_told),
	};
	return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
