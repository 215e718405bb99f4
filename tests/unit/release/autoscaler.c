#include "release/autoscaler.h"

#include "release/autoscaler_wish.h"
#include "release/rungs.h"
#include "unit/traffic/trees.h"

/* --- states --------------------------------------------------------------------------------- */

static void frozen_by_policies_and_limits(void **state)
{
	(void)state;
	AUTO_JSON autoscaler = tree("{'spec': {'minReplicas': 3, 'maxReplicas': 10}}");
	AUTO_JSON frozen = autoscaler_frozen(autoscaler, 4);
	assert_tree(frozen,
		"{'spec': {'minReplicas': 1, 'maxReplicas': 10, 'behavior': {'scaleUp': "
		"{'selectPolicy': 'Disabled'}, 'scaleDown': {'selectPolicy': "
		"'Disabled'}}}}");
	assert_true(autoscaler_is_frozen(frozen));
	assert_false(autoscaler_is_frozen(autoscaler));
}

static void freezing_keeps_the_rest(void **state)
{
	(void)state;
	AUTO_JSON autoscaler = tree("{'spec': {'maxReplicas': 3, 'behavior': {'scaleUp': "
				    "{'policies': [{'type': 'Pods', "
				    "'value': 4}], 'selectPolicy': 'Max'}, 'other': 1}}}");
	AUTO_JSON frozen = autoscaler_frozen(autoscaler, 4);
	/* The maximum comes before the policies, too. */
	assert_tree(frozen, "{'spec': {'maxReplicas': 4, 'behavior': {'scaleUp': {'policies': "
			    "[{'type': 'Pods', 'value': 4}], 'selectPolicy': 'Disabled'}, 'other': "
			    "1, 'scaleDown': {'selectPolicy': 'Disabled'}}, 'minReplicas': 1}}");
}

static void policies_alone_do_not_freeze(void **state)
{
	(void)state;
	AUTO_JSON autoscaler =
		tree("{'spec': {'minReplicas': 2, 'behavior': {'scaleUp': {'selectPolicy': "
		     "'Disabled'}, 'scaleDown': {'selectPolicy': 'Disabled'}}}}");
	assert_false(autoscaler_is_frozen(autoscaler));
}

static void for_another_deployment(void **state)
{
	(void)state;
	AUTO_JSON autoscaler = tree(
		"{'spec': {'scaleTargetRef': {'kind': 'Deployment', 'name': 'web'}, 'maxReplicas': "
		"3}}");
	AUTO_JSON other = autoscaler_for(autoscaler, "web-v2");
	assert_tree(other, "{'spec': {'scaleTargetRef': {'kind': 'Deployment', 'name': 'web-v2'}, "
			   "'maxReplicas': 3}}");
}

/* --- rungs ---------------------------------------------------------------------------------- */

#define TARGET "'scaleTargetRef': {'kind': 'Deployment', 'name': 'web'}"
#define DISABLED "{'selectPolicy': 'Disabled'}"
#define ORIGINAL "{" TARGET ", 'minReplicas': 2, 'maxReplicas': 6}"
#define FROZEN                                                                                     \
	"{" TARGET ", 'minReplicas': 1, 'maxReplicas': 6, 'behavior': {'scaleUp': " DISABLED       \
	", 'scaleDown': " DISABLED "}}"

/* A release of web with 4 replicas, and an autoscaler with this spec now. */
struct world {
	struct record record;
	struct observation seen;
	struct situation situation;
};

static json *list_of(
	const char *namespace, const char *name, const char *annotations, const char *spec)
{
	AUTO_STRING text =
		mem_format("{'items': [{'metadata': {'namespace': '%s', 'name': '%s'%s}, "
			   "'spec': %s}]}",
			namespace, name, annotations, spec);
	return tree(text);
}

static json *only(json *list)
{
	json *array = json_detach(list, "items");
	json_free(list);
	return array;
}

static void world_init(struct world *world, enum goal goal, const char *spec)
{
	*world = (struct world){
		.record =
			{
				.plan = {.service = mem_strdup("web"),
					.namespace = mem_strdup("shop"),
					.deployment = mem_strdup("web"),
					.replicas = 4,
					.batches = {{.canary = 4, .weight = 100}},
					.batch_count = 1},
				.goal = goal,
				.goal_batch = 1,
				.autoscalers = only(list_of("shop", "web", "", ORIGINAL)),
				.frozen_autoscalers = only(list_of("shop", "web", "", FROZEN)),
				.scaled_objects = only(list_of("shop", "queue", "", "{}")),
			},
	};
	world->seen.lists[SEEN_STABLE] = list_of("shop", "web", "", "{'replicas': 4}");
	world->seen.lists[SEEN_AUTOSCALERS] = list_of("shop", "web", "", spec);
	world->seen.lists[SEEN_SCALED_OBJECTS] = list_of(
		"shop", "queue", ", 'annotations': {'" PAUSED_ANNOTATION "': 'true'}", "{}");
	world->situation = (struct situation){.record = &world->record, .seen = &world->seen};
}

static void world_release(struct world *world)
{
	record_release(&world->record);
	observation_release(&world->seen);
}

/* The autoscaler's spec after the change; the ScaledObject is not looked at. */
static void assert_changed(const char *from, enum autoscaler_state to, const char *expected)
{
	CLEANUP(world_release) struct world world;
	CLEANUP(action_release) struct action action = {0};
	struct err err = {0};
	world_init(&world, GOAL_BATCH, from);
	if (autoscalers_change(&world.situation, to, &action, &err) != 0)
		fail_msg("%s", err.message);
	const json *after = action.write_count == 0 ? NULL : action.writes[0].after;
	if (expected == NULL)
		assert_null(after);
	else
		assert_tree(json_get(after, "spec"), expected);
}

static void assert_refused(const char *from, enum autoscaler_state to, const char *part)
{
	CLEANUP(world_release) struct world world;
	CLEANUP(action_release) struct action action = {0};
	struct err err = {0};
	world_init(&world, GOAL_BATCH, from);
	assert_int_equal(autoscalers_change(&world.situation, to, &action, &err), ERR_FOREIGN);
	assert_contains(err.message, part);
}

static void taken_to_each_state(void **state)
{
	(void)state;
	assert_changed(ORIGINAL, AUTOSCALER_FROZEN, FROZEN);
	assert_changed(FROZEN, AUTOSCALER_FROZEN, NULL);
	assert_changed(FROZEN, AUTOSCALER_ORIGINAL, ORIGINAL);
	assert_changed(FROZEN, AUTOSCALER_FINISHED, ORIGINAL);
	/* The manifest was applied again: each field is ours by itself. */
	assert_changed("{" TARGET
		       ", 'minReplicas': 2, 'maxReplicas': 6, 'behavior': {'scaleUp': " DISABLED
		       ", 'scaleDown': " DISABLED "}}",
		AUTOSCALER_ORIGINAL, ORIGINAL);
}

static void edits_stay(void **state)
{
	(void)state;
	assert_changed("{" TARGET ", 'minReplicas': 1, 'maxReplicas': 9, 'metrics': [], "
		       "'behavior': {'scaleUp': " DISABLED ", 'scaleDown': " DISABLED "}}",
		AUTOSCALER_ORIGINAL,
		"{" TARGET ", 'minReplicas': 2, 'maxReplicas': 9, 'metrics': []}");
}

static void edits_of_ours_are_refused(void **state)
{
	(void)state;
	static const char RAISED[] =
		"{" TARGET ", 'minReplicas': 3, 'maxReplicas': 6, 'behavior': {'scaleUp': " DISABLED
		", 'scaleDown': " DISABLED "}}";
	assert_refused(RAISED, AUTOSCALER_FROZEN, "minReplicas");
	assert_refused(RAISED, AUTOSCALER_ORIGINAL, "minReplicas");
	/* Not ours, but what a frozen one would go by. */
	assert_refused("{" TARGET
		       ", 'minReplicas': 1, 'maxReplicas': 3, 'behavior': {'scaleUp': " DISABLED
		       ", 'scaleDown': " DISABLED "}}",
		AUTOSCALER_FROZEN, "spec.maxReplicas is 3 now");
}

static void scaled_objects_are_paused(void **state)
{
	(void)state;
	CLEANUP(world_release) struct world world;
	CLEANUP(action_release) struct action pause = {0};
	CLEANUP(action_release) struct action resume = {0};
	world_init(&world, GOAL_ABORT, FROZEN);
	assert_int_equal(autoscalers_change(&world.situation, AUTOSCALER_FROZEN, &pause, NULL), 0);
	assert_int_equal(pause.write_count, 0);
	json_free(world.seen.lists[SEEN_AUTOSCALERS]);
	world.seen.lists[SEEN_AUTOSCALERS] = json_object(); /* somebody deleted it */
	assert_int_equal(
		autoscalers_change(&world.situation, AUTOSCALER_ORIGINAL, &resume, NULL), 0);
	assert_int_equal(resume.write_count, 1);
	assert_tree(resume.writes[0].after,
		"{'metadata': {'namespace': 'shop', 'name': 'queue'}, 'spec': {}}");
}

/* Once stable is back, and nothing else is to do, abort freezes nothing again. */
static void abort_does_not_freeze_at_its_end(void **state)
{
	(void)state;
	CLEANUP(world_release) struct world world;
	world_init(&world, GOAL_ABORT, ORIGINAL);
	world.record.stable = tree("{'spec': {'template': {}}}");
	world.record.template = tree("{'spec': {}}");
	assert_true(autoscalers_frozen_holds(&world.situation));
	world.record.goal = GOAL_BATCH;
	assert_false(autoscalers_frozen_holds(&world.situation));
}

/* --- what it would like --------------------------------------------------------------------- */

static int wish(const char *autoscaler, const struct scaled *scaled, char **ret_reason)
{
	AUTO_JSON parsed = tree(autoscaler);
	AUTO_JSON limits = tree("{'minReplicas': 2, 'maxReplicas': 10}");
	return autoscaler_wish(parsed, limits, scaled, ret_reason);
}

/* Of an autoscaler with one metric; 4 pods of both versions, 3 of them stable's. */
static void assert_wish(const char *metric, const char *status, int expected)
{
	struct scaled scaled = {.pods = 4, .ready = 4, .stable = 3};
	AUTO_STRING text = mem_format(
		"{'spec': {'metrics': [%s]}, 'status': {'currentMetrics': [%s]}}", metric, status);
	AUTO_STRING reason = NULL;
	int found = wish(text, &scaled, &reason);
	if (found != expected)
		fail_msg("%d pods and not %d: %s, %s (%s)", found, expected, metric, status,
			reason == NULL ? "" : reason);
}

#define CPU(target) "{'type': 'Resource', 'resource': {'name': 'cpu', 'target': " target "}}"
#define CPU_NOW(now) "{'type': 'Resource', 'resource': {'name': 'cpu', 'current': " now "}}"

static void wish_by_averages(void **state)
{
	(void)state;
	static const char HALF[] = CPU("{'type': 'Utilization', 'averageUtilization': 50}");
	assert_wish(HALF, CPU_NOW("{'averageUtilization': 80, 'averageValue': '8m'}"), 7);
	assert_wish(HALF, CPU_NOW("{'averageUtilization': 25, 'averageValue': '8m'}"), 2);
	/* Within the tolerance, and beyond the limits. */
	assert_wish(HALF, CPU_NOW("{'averageUtilization': 54}"), 4);
	assert_wish(HALF, CPU_NOW("{'averageUtilization': 0}"), 2);
	assert_wish(HALF, CPU_NOW("{'averageUtilization': 500}"), 10);
	assert_wish(CPU("{'type': 'AverageValue', 'averageValue': '500m'}"),
		CPU_NOW("{'averageValue': '1'}"), 8);
	/* Neither is a double exactly, and what they make of 4 pods must be. */
	assert_wish(CPU("{'type': 'AverageValue', 'averageValue': '40m'}"),
		CPU_NOW("{'averageValue': '70m'}"), 7);
	assert_wish("{'type': 'ContainerResource', 'containerResource': {'name': 'memory', "
		    "'container': 'web', 'target': {'type': 'AverageValue', 'averageValue': "
		    "'1Gi'}}}",
		"{'type': 'ContainerResource', 'containerResource': {'current': {'averageValue': "
		"'1536Mi'}}}",
		6);
	assert_wish("{'type': 'Pods', 'pods': {'target': {'type': 'AverageValue', 'averageValue': "
		    "'100'}}}",
		"{'type': 'Pods', 'pods': {'current': {'averageValue': '150500m'}}}", 7);
}

static void wish_by_totals(void **state)
{
	(void)state;
	/* Twice as much as there should be, for all pods. */
	assert_wish("{'type': 'Object', 'object': {'target': {'type': 'Value', 'value': '2k'}}}",
		"{'type': 'Object', 'object': {'current': {'value': '4k'}}}", 8);
	/* The controller divides by the pods of stable. */
	assert_wish("{'type': 'External', 'external': {'target': {'type': 'AverageValue', "
		    "'averageValue': '30'}}}",
		"{'type': 'External', 'external': {'current': {'averageValue': '60'}}}", 6);
	assert_wish("{'type': 'External', 'external': {'target': {'type': 'AverageValue', "
		    "'averageValue': '30'}}}",
		"{'type': 'External', 'external': {'current': {'averageValue': '30'}}}", 3);
}

/* An average over 3 pods, which is shown in thousandths, rounded up: the total counts. */
static void wish_by_rounded_shares(void **state)
{
	(void)state;
	static const struct {
		const char *target, *shown;
		int wish;
	} ROWS[] = {
		{"100", "233334m", 7}, /* of 700 */
		{"100", "233667m", 8}, /* of 701 */
		{"100", "234", 8},     /* of 702 */
		{"100", "133334m", 4}, /* of 400 */
		{"100", "50m", 2},     /* of less than one: the least there is */
		{"1m", "1m", 3},
		{"1Gi", "3Gi", 9},
	};
	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		AUTO_STRING metric = mem_format(
			"{'type': 'External', 'external': {'target': {'type': 'AverageValue', "
			"'averageValue': '%s'}}}",
			ROWS[i].target);
		AUTO_STRING status = mem_format(
			"{'type': 'External', 'external': {'current': {'averageValue': '%s'}}}",
			ROWS[i].shown);
		assert_wish(metric, status, ROWS[i].wish);
	}
}

static void wish_of_several_is_the_greatest(void **state)
{
	(void)state;
	assert_wish(CPU("{'type': 'Utilization', 'averageUtilization': 50}") ", " CPU(
			    "{'type': 'AverageValue', 'averageValue': '100m'}"),
		CPU_NOW("{'averageUtilization': 25}") ", " CPU_NOW("{'averageValue': '150m'}"), 6);
}

static void tolerance_of_its_own(void **state)
{
	(void)state;
	struct scaled scaled = {.pods = 4, .ready = 4, .stable = 3};
	AUTO_STRING reason = NULL;
	assert_int_equal(wish("{'spec': {'metrics': [" CPU(
				      "{'type': 'Utilization', 'averageUtilization': "
				      "50}") "], 'behavior': {'scaleUp': {'tolerance': "
					     "'50m'}}}, 'status': {'currentMetrics': "
					     "[" CPU_NOW("{'averageUtilization': 54}") "]"
										       "}}",
				 &scaled, &reason),
		5);
}

static void unknown_wish_says_why(void **state)
{
	(void)state;
	struct scaled scaled = {.pods = 4, .ready = 4, .stable = 3};
	AUTO_STRING shown = NULL;
	AUTO_STRING nothing = NULL;
	AUTO_STRING partly = NULL;
	assert_int_equal(
		wish("{'spec': {'metrics': [" CPU("{'type': 'Utilization', 'averageUtilization': "
						  "50}") "]}, 'status': {'currentMetrics': null, "
							 "'conditions': [{'type': 'AbleToScale', "
							 "'status': 'True', 'message': 'fine'}, "
							 "{'type': 'ScalingActive', 'status': "
							 "'False', 'message': 'no metrics'}]}}",
			&scaled, &shown),
		-1);
	assert_string_equal(shown, "no metrics");
	assert_int_equal(wish("{'spec': {}}", &scaled, &nothing), -1);
	assert_string_equal(nothing, "it shows no current metrics");
	/* What is not known may ask for more than what is. */
	assert_int_equal(
		wish("{'spec': {'metrics': [" CPU(
			     "{'type': 'Utilization', 'averageUtilization': "
			     "50}") ", {'type': 'External'}]}, 'status': "
				    "{'currentMetrics': [" CPU_NOW(
					    "{'averageUtilization': 20}") ", "
									  "{'type': ''}]}}",
			&scaled, &partly),
		-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frozen_by_policies_and_limits),
		cmocka_unit_test(freezing_keeps_the_rest),
		cmocka_unit_test(policies_alone_do_not_freeze),
		cmocka_unit_test(for_another_deployment),
		cmocka_unit_test(taken_to_each_state),
		cmocka_unit_test(edits_stay),
		cmocka_unit_test(edits_of_ours_are_refused),
		cmocka_unit_test(scaled_objects_are_paused),
		cmocka_unit_test(abort_does_not_freeze_at_its_end),
		cmocka_unit_test(wish_by_averages),
		cmocka_unit_test(wish_by_totals),
		cmocka_unit_test(wish_by_rounded_shares),
		cmocka_unit_test(wish_of_several_is_the_greatest),
		cmocka_unit_test(tolerance_of_its_own),
		cmocka_unit_test(unknown_wish_says_why),
	};
	return cmocka_run_group_tests_name("autoscaler", tests, NULL, NULL);
}
