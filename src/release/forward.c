/* The way to a batch: make before break. The numbers come from the goal's batch. */
#include "api/object.h"
#include "base/str.h"
#include "release/autoscaler.h"
#include "release/canary.h"
#include "release/gitops.h"
#include "release/handover.h"
#include "release/ladders.h"
#include "release/rungs.h"
#include "release/workload.h"
#include "traffic/backend.h"

/* The stable Deployment is what the record says it is: nobody edited or scaled it meanwhile.
 * Neither has the copy another template: what it runs would not be what was released. */

void known_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s is as the release knows it",
		situation->record->plan.deployment);
}

static bool template_is_known(const struct situation *situation)
{
	const struct record *record = situation->record;
	return templates_equal(pod_template(stable_deployment(situation->seen)),
		pod_template(record->stable), record->tagged);
}

bool copy_is_known(const struct situation *situation)
{
	const json *canary = canary_deployment(situation->seen);
	return canary == NULL || object_is_deleting(canary) ||
	       templates_equal(pod_template(canary), situation->record->template, true);
}

int refuse_edited_copy(const struct situation *situation, struct err *err)
{
	const struct plan *plan = &situation->record->plan;
	return err_set(err, ERR_FOREIGN,
		"the pod template of deployment.apps/%s, which has the new version, was "
		"changed by somebody else during the release; take that change back, or "
		"`kubectl batchrollout abort %s -n %s`",
		plan->canary_deployment, plan->service, plan->namespace);
}

static bool replicas_are_known(const struct situation *situation)
{
	const struct plan *plan = &situation->record->plan;
	int replicas = wanted_replicas(stable_deployment(situation->seen));
	if (replicas == plan->replicas || plan->hpa == HPA_IGNORE)
		return true;
	for (int i = 0; i < plan->batch_count; i++)
		if (replicas == plan->batches[i].stable)
			return true;
	return false;
}

/* On the way to the end stable is emptied, then it has the new version, or it is gone. */
static bool is_finishing(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	if (situation->record->goal != GOAL_FINISH)
		return false;
	if (stable == NULL)
		return handover_keeps_copy(situation->record);
	return has_new_template(situation) ||
	       (template_is_known(situation) && wanted_replicas(stable) == 0);
}

bool known_holds(const struct situation *situation)
{
	if (!copy_is_known(situation) || stable_is_remade(situation))
		return false;
	return is_finishing(situation) ||
	       (stable_deployment(situation->seen) != NULL && template_is_known(situation) &&
		       replicas_are_known(situation));
}

int known_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)action;
	const struct plan *plan = &situation->record->plan;
	const json *stable = stable_deployment(situation->seen);
	int code;
	if (!copy_is_known(situation))
		return refuse_edited_copy(situation, err);
	if (stable == NULL)
		return err_set(err, ERR_FOREIGN,
			"deployment.apps/%s is gone: somebody deleted it; `kubectl batchrollout "
			"abort %s -n %s` makes it again",
			plan->deployment, plan->service, plan->namespace);
	if (stable_is_remade(situation))
		return refuse_remade(situation, err);
	if (!template_is_known(situation))
		code = err_set(err, ERR_FOREIGN,
			"the pod template of deployment.apps/%s was changed by somebody else "
			"during the release; take that change back, or "
			"`kubectl batchrollout abort %s -n %s`",
			plan->deployment, plan->service, plan->namespace);
	else
		code = err_set(err, ERR_FOREIGN,
			"deployment.apps/%s was scaled to %d by somebody else during the "
			"release%s; "
			"scale it back to %d, or `kubectl batchrollout abort %s -n %s`",
			plan->deployment, wanted_replicas(stable),
			autoscalers_are_known(situation->record)
				? " (its autoscaler, perhaps, right before it was frozen)"
				: "",
			plan->replicas, plan->service, plan->namespace);
	return gitops_explain(code, stable, err);
}

/* Subsets have reached the proxies before a route names them (a route to an unknown one is 503). */

/* Where each version has a Service, stable's must have all of its pods before a route names it. */

void stable_reached_describe(const struct situation *situation, struct buf *buf)
{
	const struct plan *plan = &situation->record->plan;
	struct intent intent = plan_intent(plan);
	AUTO_STRING service = version_service(&intent, false);
	if (plan->traffic == TRAFFIC_GATEWAY)
		buf_addf(buf, "the pods of deployment.apps/%s are endpoints of service/%s",
			plan->deployment, service);
}

bool stable_is_reached(const struct situation *situation)
{
	const struct observation *seen = situation->seen;
	return situation->record->plan.traffic != TRAFFIC_GATEWAY ||
	       count_endpoints_of_one(seen, stable_deployment(seen)) == 0;
}

static bool stable_reached_holds(const struct situation *situation)
{
	return canary_deployment(situation->seen) != NULL || stable_is_reached(situation);
}

static bool is_without_routes(const struct situation *situation)
{
	return !uses_routes(situation);
}

/* Routes are pinned to stable before the first canary pod exists. */

static void pinned_describe(const struct situation *situation, struct buf *buf)
{
	if (uses_routes(situation))
		buf_addf(buf, "routes are pinned to %s before a pod of %s exists",
			situation->record->plan.deployment,
			situation->record->plan.canary_deployment);
}

static bool pinned_holds(const struct situation *situation)
{
	return canary_deployment(situation->seen) != NULL || routes_are(situation, ROUTES_PINNED);
}

static int pinned_act(const struct situation *situation, struct action *action, struct err *err)
{
	return routes_change(situation, ROUTES_PINNED, action, err);
}

static void pin_settled_describe(const struct situation *situation, struct buf *buf)
{
	if (uses_routes(situation))
		describe_settled(situation, buf, "the pinned routes");
}

static bool pin_settled_holds(const struct situation *situation)
{
	return !uses_routes(situation) || canary_deployment(situation->seen) != NULL;
}

/* The canary Deployment has its replicas. */

void canary_scaled_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s is scaled to %d",
		situation->record->plan.canary_deployment, goal_batch(situation)->canary);
}

static bool canary_scaled_holds(const struct situation *situation)
{
	const json *canary = canary_deployment(situation->seen);
	return canary != NULL && wanted_replicas(canary) == goal_batch(situation)->canary;
}

int canary_scaled_act(const struct situation *situation, struct action *action, struct err *err)
{
	const struct record *record = situation->record;
	const json *canary = canary_deployment(situation->seen);
	int replicas = goal_batch(situation)->canary;
	if (canary == NULL) {
		action_create(action, &KIND_DEPLOYMENT, canary_new(record, replicas));
		return 0;
	}
	int code = check_is_own(&KIND_DEPLOYMENT, canary, record, err);
	if (code != 0)
		return code;
	json *after = json_copy(canary);
	json_set_integer(json_get(after, "spec"), "replicas", replicas);
	action_update(action, &KIND_DEPLOYMENT, canary, after, "scaled to %d", replicas);
	return 0;
}

void canary_ready_describe(const struct situation *situation, struct buf *buf)
{
	describe_serving(
		buf, goal_batch(situation)->canary, "", situation->record->plan.canary_deployment);
}

bool canary_ready_holds(const struct situation *situation)
{
	const json *canary = canary_deployment(situation->seen);
	const json *template = situation->record->template;
	int needed = goal_batch(situation)->canary;
	/* Somebody may have edited the copy and taken that back right now: pods of what was there
	 * in between are not the new version, though they are the copy's. */
	if (count_serving_pods(situation->seen, canary, template) < needed ||
		!wants_only(situation->seen, canary, template))
		return false;
	/* minReadySeconds: Ready is not enough then, the controller says when. */
	return json_integer(json_path(canary, "spec", "minReadySeconds", NULL), 0) == 0 ||
	       json_integer(json_path(canary, "status", "availableReplicas", NULL), 0) >= needed;
}

/* Proxies learn of pods and of routes at different paces: the first request to the canary must not
 * come before they know a pod of it. Later there are always some that they know. */

static void endpoints_settled_describe(const struct situation *situation, struct buf *buf)
{
	if (uses_routes(situation))
		describe_settled(situation, buf, "the new pods");
}

static bool endpoints_settled_holds(const struct situation *situation)
{
	return !uses_routes(situation) || !routes_are(situation, ROUTES_PINNED);
}

/* Routes carry the batch's weight. */

static void weighted_describe(const struct situation *situation, struct buf *buf)
{
	const struct plan *plan = &situation->record->plan;
	const struct batch *batch = goal_batch(situation);
	if (!uses_routes(situation))
		return;
	if (plan->match.count == 0 || batch->weight == 100)
		buf_addf(buf, "routes send %d%% of the requests to %s", batch->weight,
			plan->canary_deployment);
	else if (batch_is_match_only(plan, batch))
		buf_addf(buf, "routes send the requests that match to %s", plan->canary_deployment);
	else
		buf_addf(buf, "routes send the requests that match, and %d%% of the others, to %s",
			batch->weight, plan->canary_deployment);
}

static bool weighted_holds(const struct situation *situation)
{
	return routes_are(situation, ROUTES_BATCH);
}

static int weighted_act(const struct situation *situation, struct action *action, struct err *err)
{
	return routes_change(situation, ROUTES_BATCH, action, err);
}

/* Proxies (kube-proxy too) know of it before a stable pod goes. */

static void batch_settled_describe(const struct situation *situation, struct buf *buf)
{
	describe_settled(situation, buf, "the batch");
}

/* Stable gives up what is not needed any more. */

static void stable_scaled_describe(const struct situation *situation, struct buf *buf)
{
	const struct plan *plan = &situation->record->plan;
	buf_addf(buf, "deployment.apps/%s is scaled to %s%d", plan->deployment,
		plan->hpa == HPA_IGNORE ? "at least " : "", stable_needed(situation));
}

static bool stable_scaled_holds(const struct situation *situation)
{
	return stable_suffices(situation, wanted_replicas(stable_deployment(situation->seen)));
}

static int stable_scaled_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const json *stable = stable_deployment(situation->seen);
	int replicas = stable_needed(situation);
	json *after = json_copy(stable);
	json_set_integer(json_get(after, "spec"), "replicas", replicas);
	action_update(action, &KIND_DEPLOYMENT, stable, after, "scaled to %d", replicas);
	return 0;
}

static void stable_shrunk_describe(const struct situation *situation, struct buf *buf)
{
	if (situation->record->plan.hpa == HPA_IGNORE)
		return;
	buf_addf(buf, "no more than %d pods of deployment.apps/%s are endpoints of the Service",
		goal_batch(situation)->stable, situation->record->plan.deployment);
}

static bool stable_shrunk_holds(const struct situation *situation)
{
	return situation->record->plan.hpa == HPA_IGNORE ||
	       count_endpoints(situation->seen, stable_deployment(situation->seen)) <=
		       goal_batch(situation)->stable;
}

const struct rung FORWARD_LADDER[] = {
	RUNG_ACT(carried_describe, carried_holds, carried_act),
	RUNG_ACT_TWICE(
		autoscalers_frozen_describe, autoscalers_frozen_holds, autoscalers_frozen_act),
	RUNG_SETTLE(autoscalers_settled_describe, autoscalers_settled_holds, "autoscalers"),
	RUNG_ACT(known_describe, known_holds, known_act),
	RUNG_ACT(configs_there_describe, configs_there_holds, configs_there_act),
	RUNG_ACT(tag_describe, template_tagged_holds, template_tagged_act),
	RUNG_WAIT(pause_observed_describe, pause_observed_holds),
	RUNG_ACT(tag_describe, replica_set_tagged_holds, replica_set_tagged_act),
	RUNG_WAIT(pause_observed_describe, replica_set_observed_holds),
	RUNG_ACT(tag_describe, pods_tagged_holds, pods_tagged_act),
	RUNG_ACT(unpaused_describe, unpaused_holds, unpaused_act),
	RUNG_ACT(subsets_describe, subsets_hold, subsets_act),
	RUNG_WAIT(stable_reached_describe, stable_reached_holds),
	RUNG_SETTLE(subsets_settled_describe, is_without_routes, "subsets"),
	RUNG_ACT(pinned_describe, pinned_holds, pinned_act),
	RUNG_SETTLE(pin_settled_describe, pin_settled_holds, "pinned"),
	RUNG_ACT(canary_scaled_describe, canary_scaled_holds, canary_scaled_act),
	RUNG_WAIT(canary_ready_describe, canary_ready_holds),
	RUNG_SETTLE(endpoints_settled_describe, endpoints_settled_holds, "endpoints"),
	RUNG_ACT(weighted_describe, weighted_holds, weighted_act),
	RUNG_SETTLE_EACH_BATCH(batch_settled_describe, NULL, "batch"),
	RUNG_ACT_TWICE(stable_scaled_describe, stable_scaled_holds, stable_scaled_act),
	RUNG_WAIT(stable_shrunk_describe, stable_shrunk_holds),
	RUNG_ACT(recorded_describe, recorded_holds, recorded_act),
	RUNG_END,
};
