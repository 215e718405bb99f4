/*
 * The end of a release, when the canary carries everything: the new version becomes the user's
 * Deployment in one of three ways (handover.h), and the routes get the user's shape again.
 */
#include "api/object.h"
#include "base/str.h"
#include "release/autoscaler.h"
#include "release/handover.h"
#include "release/ladders.h"
#include "release/rungs.h"
#include "release/workload.h"

/* --- the copy, which carries all requests --------------------------------------------------- */

static void canary_there_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s is there", situation->record->plan.canary_deployment);
}

static bool canary_there_holds(const struct situation *situation)
{
	return canary_deployment(situation->seen) != NULL ||
	       (!handover_keeps_copy(situation->record) && has_new_template(situation));
}

static int canary_there_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	const struct plan *plan = &situation->record->plan;
	(void)action;
	return err_set(err, ERR_FOREIGN,
		"deployment.apps/%s is gone: somebody deleted it; "
		"`kubectl batchrollout abort %s -n %s` brings the old version back",
		plan->canary_deployment, plan->service, plan->namespace);
}

/* As long as the release has to see to it: once stable has the new version, or a swap has deleted
 * stable, the size of what serves is whoever's wish it is, that of an autoscaler too. */
static bool canary_whole_holds(const struct situation *situation)
{
	bool swapped = handover_keeps_copy(situation->record) &&
		       stable_deployment(situation->seen) == NULL;
	return swapped || has_new_template(situation) || canary_ready_holds(situation);
}

/* Somebody may have scaled it down, while it was held at 100%; more is somebody's wish. */
static bool canary_scaled_holds(const struct situation *situation)
{
	const json *canary = canary_deployment(situation->seen);
	return canary == NULL || wanted_replicas(canary) >= goal_batch(situation)->canary ||
	       canary_whole_holds(situation);
}

/* --- stable has the new template and its full size ------------------------------------------ */

static void stable_renewed_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s has the template of %s and %d replicas",
		situation->record->plan.deployment, situation->record->plan.canary_version,
		stable_whole(situation));
}

static bool stable_renewed_holds(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	return has_new_template(situation) && wanted_replicas(stable) == stable_whole(situation);
}

static int stable_renewed_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	const struct record *record = situation->record;
	const json *stable = stable_deployment(situation->seen);
	(void)err;
	json *after = json_copy(stable);
	json *spec = json_get(after, "spec");
	json_set(spec, "template", json_copy(record->template));
	json_set_integer(spec, "replicas", stable_whole(situation));
	action_update(action, &KIND_DEPLOYMENT, stable, after, "updated to %s, scaled to %d",
		record->plan.canary_version, stable_whole(situation));
	return 0;
}

static void stable_ready_describe(const struct situation *situation, struct buf *buf)
{
	describe_serving(buf, stable_whole(situation), "new ", situation->record->plan.deployment);
}

static bool stable_ready_holds(const struct situation *situation)
{
	const struct record *record = situation->record;
	const json *stable = stable_deployment(situation->seen);
	const json *status = json_get(stable, "status");
	int whole = stable_whole(situation);
	/* The old pods must be gone too: the user's own routes would send them requests. */
	return is_observed(stable) && json_get_integer(status, "updatedReplicas", 0) == whole &&
	       json_get_integer(status, "replicas", 0) == whole &&
	       json_get_integer(status, "availableReplicas", 0) == whole &&
	       count_serving_pods(situation->seen, stable, record->template) == whole;
}

/* The user's rules know the new version, where they know versions. */

static void rules_both_describe(const struct situation *situation, struct buf *buf)
{
	rules_describe(situation, RULES_BOTH, buf);
}

/* Once one of the two Deployments is gone only RULES_FINISHED matters. */
static bool rules_both_holds(const struct situation *situation)
{
	const struct observation *seen = situation->seen;
	bool over = handover_keeps_copy(situation->record) ? stable_deployment(seen) == NULL
							   : canary_deployment(seen) == NULL;
	return over || rules_are(situation, RULES_BOTH);
}

static int rules_both_act(const struct situation *situation, struct action *action, struct err *err)
{
	return rules_change(situation, RULES_BOTH, action, err);
}

static void rules_settled_describe(const struct situation *situation, struct buf *buf)
{
	if (rules_name_versions(situation))
		describe_settled(situation, buf, "the new version's subsets");
}

static bool rules_settled_holds(const struct situation *situation)
{
	return !rules_name_versions(situation);
}

static void routes_finished_describe(const struct situation *situation, struct buf *buf)
{
	if (uses_routes(situation))
		buf_add_text(buf, "routes have the user's own shape, for the new version");
}

static bool routes_finished_holds(const struct situation *situation)
{
	return routes_are(situation, ROUTES_FINISHED);
}

static int routes_finished_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	return routes_change(situation, ROUTES_FINISHED, action, err);
}

/* Where pods are started anew, in replicas mode too: kube-proxy must know stable's new pods before
 * the canary's go. */
static bool routes_settled_holds(const struct situation *situation)
{
	return !uses_routes(situation) && situation->record->plan.handover != HANDOVER_ROLLING;
}

static void routes_settled_describe(const struct situation *situation, struct buf *buf)
{
	if (!routes_settled_holds(situation))
		describe_settled(situation, buf, "where the requests go now");
}

static void rules_finished_describe(const struct situation *situation, struct buf *buf)
{
	rules_describe(situation, RULES_FINISHED, buf);
}

static bool rules_finished_holds(const struct situation *situation)
{
	return rules_are(situation, RULES_FINISHED);
}

static int rules_finished_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	return rules_change(situation, RULES_FINISHED, action, err);
}

/* The old ReplicaSet stays in the history of the Deployment, as it was before it was labeled. */

static void history_untagged_describe(const struct situation *situation, struct buf *buf)
{
	if (situation->record->tagged)
		buf_addf(buf, "the old ReplicaSet is without the label %s again", VERSION_LABEL);
}

static const json *next_tagged_set(const struct situation *situation, const json *after)
{
	const struct record *record = situation->record;
	bool passed = after == NULL;
	json_for_each (set, replica_sets(situation)) {
		bool ours =
			is_stables_set(situation->seen, set) &&
			str_equal(object_label(set, VERSION_LABEL), record->plan.stable_version) &&
			templates_equal(pod_template(set), pod_template(record->stable), true);
		if (passed && ours)
			return set;
		passed = passed || set == after;
	}
	return NULL;
}

static bool history_untagged_holds(const struct situation *situation)
{
	return !situation->record->tagged || next_tagged_set(situation, NULL) == NULL;
}

static int history_untagged_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	for (const json *set = next_tagged_set(situation, NULL); set != NULL;
		set = next_tagged_set(situation, set)) {
		json *after = json_copy(set);
		object_set_label(after, VERSION_LABEL, NULL);
		map_set_text(json_ensure_object(pod_template(after), "metadata"), "labels",
			VERSION_LABEL, NULL);
		action_update(action, &KIND_REPLICA_SET, set, after, "unlabeled");
	}
	return 0;
}

/* --- the ladders ---------------------------------------------------------------------------- */

#define BEGIN                                                                                      \
	RUNG_ACT(known_describe, known_holds, known_act),                                          \
		RUNG_ACT(configs_there_describe, configs_there_holds, configs_there_act),          \
		RUNG_ACT(canary_there_describe, canary_there_holds, canary_there_act),             \
		RUNG_ACT(canary_scaled_describe, canary_scaled_holds, canary_scaled_act),          \
		RUNG_WAIT(canary_ready_describe, canary_whole_holds)

/* Stable is out of use when routes get the user's shape, which may name no version. */
#define STABLE_EMPTIED                                                                             \
	RUNG_ACT_TWICE(stable_emptied_describe, stable_emptied_holds, stable_emptied_act),         \
		RUNG_WAIT(stable_gone_quiet_describe, stable_gone_quiet_holds)

#define ROUTES_IN_USERS_SHAPE                                                                      \
	RUNG_ACT(rules_both_describe, rules_both_holds, rules_both_act),                           \
		RUNG_SETTLE(rules_settled_describe, rules_settled_holds, "finish-rules"),          \
		RUNG_ACT(routes_finished_describe, routes_finished_holds, routes_finished_act),    \
		RUNG_SETTLE(routes_settled_describe, routes_settled_holds, "finish-routes")

#define END                                                                                        \
	RUNG_ACT(rules_finished_describe, rules_finished_holds, rules_finished_act),               \
		RUNG_ACT(history_untagged_describe, history_untagged_holds, history_untagged_act), \
		RUNG_ACT(autoscalers_restored_describe, autoscalers_restored_holds,                \
			autoscalers_restored_act),                                                 \
		RUNG_ACT(configs_dropped_describe, configs_dropped_holds, configs_dropped_act),    \
		RUNG_ACT(forgotten_describe, unmarked_holds, unmarked_act),                        \
		RUNG_WAIT(forgotten_describe, unmarked_seen_holds),                                \
		RUNG_ACT(forgotten_describe, forgotten_holds, forgotten_act),                      \
		RUNG_ACT(recorded_describe, recorded_holds, recorded_act), RUNG_END

const struct rung TAKEOVER_LADDER[] = {
	BEGIN,
	STABLE_EMPTIED,
	ROUTES_IN_USERS_SHAPE,
	RUNG_ACT(paused_describe, paused_holds, paused_act),
	RUNG_WAIT(stable_seen_describe, stable_seen_holds),
	RUNG_ACT(released_describe, released_holds, released_act),
	RUNG_WAIT(released_describe, released_seen_holds),
	RUNG_ACT(stable_renewed_describe, stable_renewed_holds, stable_renewed_act),
	RUNG_WAIT(stable_seen_describe, stable_seen_holds),
	RUNG_WAIT(others_gone_describe, others_empty_holds),
	RUNG_ACT(others_gone_describe, others_gone_holds, others_gone_act),
	RUNG_ACT(adopted_describe, canary_deleted_holds, orphaned_act),
	RUNG_WAIT(adopted_describe, adopted_holds),
	RUNG_ACT(equal_sets_gone_describe, equal_sets_gone_holds, equal_sets_gone_act),
	RUNG_ACT(returned_describe, returned_holds, returned_act),
	RUNG_WAIT(returned_describe, returned_seen_holds),
	RUNG_ACT(unpaused_describe, unpaused_holds, unpaused_act),
	RUNG_WAIT(stable_ready_describe, stable_ready_holds),
	END,
};

const struct rung SWAP_LADDER[] = {
	BEGIN,
	STABLE_EMPTIED,
	ROUTES_IN_USERS_SHAPE,
	RUNG_ACT(carried_over_describe, carried_over_holds, carried_over_act),
	RUNG_ACT(stable_deleted_describe, stable_deleted_holds, stable_deleted_act),
	RUNG_WAIT(stable_deleted_describe, stable_gone_holds),
	RUNG_ACT(kept_describe, kept_holds, kept_act),
	END,
};

const struct rung ROLLING_LADDER[] = {
	BEGIN,
	RUNG_ACT(stable_renewed_describe, stable_renewed_holds, stable_renewed_act),
	RUNG_WAIT(stable_ready_describe, stable_ready_holds),
	ROUTES_IN_USERS_SHAPE,
	RUNG_ACT(carried_describe, carried_by_stable_holds, carried_act),
	RUNG_ACT(canary_gone_describe, canary_deleted_holds, canary_deleted_act),
	RUNG_WAIT(canary_gone_describe, canary_gone_holds),
	END,
};
