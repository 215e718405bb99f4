/*
 * The stable Deployment takes the copy's pods over, and none is restarted: it adopts ReplicaSets
 * that nobody owns and that match its selector, and the one whose template equals its own is its
 * current one. What makes that safe at every cut, after pkg/controller/deployment of Kubernetes:
 *
 * - Stable is at 0 replicas first: two ReplicaSets with pods would be scaled in proportion.
 * - It is paused, or it would make a ReplicaSet of its own for the new template.
 * - The old ones are let go of, by taking away a label that the selector needs, or the newest of
 *   them would get all pods as soon as stable is to have any.
 * - An older one with an equal template would be taken for the current one, being the oldest: it
 *   does not come back. (It is empty, and a rolling update to this template would have used it up
 *   as well.)
 * - Template and replicas come in one write, and are seen by the controller before the copy is
 *   deleted: it would scale the adopted ReplicaSet to whatever it believes to be wanted.
 * - Only the copy itself is deleted; its ReplicaSet is left without an owner. It has no other one,
 *   of somebody's edit, or stable might find that first, and give it the pods.
 * - The controller's own numbers say that it has found the new ReplicaSet, before it is unpaused.
 */
#include "api/object.h"
#include "api/selector.h"
#include "base/str.h"
#include "release/canary.h"
#include "release/handover.h"
#include "release/rungs.h"
#include "release/workload.h"

static const json *released_sets(const struct situation *situation)
{
	return list_items(situation->seen->lists[SEEN_RELEASED_SETS]);
}

/* It has no pods, and its controller knows that. */
static bool is_empty(const json *set)
{
	return wanted_replicas(set) == 0 && is_observed(set) &&
	       json_integer(json_path(set, "status", "replicas", NULL), 0) <= 0;
}

bool has_new_template(const struct situation *situation)
{
	return templates_equal(pod_template(stable_deployment(situation->seen)),
		situation->record->template, false);
}

bool is_new_set(const struct situation *situation, const json *set)
{
	return templates_equal(pod_template(set), situation->record->template, false);
}

/* From here on the copy's ReplicaSet is stable's, or about to be. */
static bool is_taken(const struct situation *situation)
{
	return canary_deleted_holds(situation) && has_new_template(situation);
}

/* --- stable is out of use ------------------------------------------------------------------- */

void stable_emptied_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s is scaled to 0", situation->record->plan.deployment);
}

bool stable_emptied_holds(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	if (stable == NULL)
		return handover_keeps_copy(situation->record);
	return has_new_template(situation) || wanted_replicas(stable) == 0;
}

int stable_emptied_act(const struct situation *situation, struct action *action, struct err *err)
{
	const json *stable = stable_deployment(situation->seen);
	(void)err;
	json *after = json_copy(stable);
	json_set_integer(json_get(after, "spec"), "replicas", 0);
	action_update(action, &KIND_DEPLOYMENT, stable, after, "scaled to 0");
	return 0;
}

void stable_gone_quiet_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "no pod of deployment.apps/%s is an endpoint of the Service",
		situation->record->plan.deployment);
}

/* Neither does its controller count any: what it has seen of their going is in its status. */
bool stable_gone_quiet_holds(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	if (stable == NULL || has_new_template(situation))
		return true;
	json_for_each (set, replica_sets(situation))
		if (is_stables_set(situation->seen, set) && !is_empty(set))
			return false;
	return is_observed(stable) && count_endpoints(situation->seen, stable) == 0;
}

/* --- it is paused, and owns no ReplicaSet --------------------------------------------------- */

void paused_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s is paused", situation->record->plan.deployment);
}

/* Where somebody else has paused it, its history has no room yet. */
bool paused_holds(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	return is_taken(situation) ||
	       (is_paused(stable) &&
		       !history_limit_differs(situation->record, json_get(stable, "spec"), true));
}

int paused_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const json *stable = stable_deployment(situation->seen);
	json *after = json_copy(stable);
	json *spec = json_get(after, "spec");
	json_set_bool(spec, "paused", true);
	change_history_limit(situation->record, spec, true);
	action_update(action, &KIND_DEPLOYMENT, stable, after, "paused");
	return 0;
}

void stable_seen_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "the Deployment controller has seen deployment.apps/%s",
		situation->record->plan.deployment);
}

bool stable_seen_holds(const struct situation *situation)
{
	return is_taken(situation) || is_observed(stable_deployment(situation->seen));
}

void released_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s has let go of its old ReplicaSets",
		situation->record->plan.deployment);
}

bool released_holds(const struct situation *situation)
{
	if (is_taken(situation))
		return true;
	json_for_each (set, replica_sets(situation))
		if (is_stables_set(situation->seen, set))
			return false;
	return true;
}

int released_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const char *key = handover_key(situation->record->stable);
	json_for_each (set, replica_sets(situation)) {
		if (!is_stables_set(situation->seen, set))
			continue;
		json *after = json_copy(set);
		object_set_label(after, key, NULL);
		object_set_label(after, SERVICE_LABEL, situation->record->plan.service);
		action_update(action, &KIND_REPLICA_SET, set, after, "released");
	}
	return 0;
}

bool released_seen_holds(const struct situation *situation)
{
	if (is_taken(situation))
		return true;
	json_for_each (set, released_sets(situation))
		if (object_controller_uid(set) != NULL)
			return false;
	return true;
}

/* --- it gets the new version ---------------------------------------------------------------- */

void adopted_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s has taken the pods of %s over, none restarted",
		situation->record->plan.deployment, situation->record->plan.canary_deployment);
}

/* One of another template, which somebody's edit of the copy has left: where stable finds it first,
 * it would be the newest that it has, and get all pods. */
static bool is_other_set(const struct situation *situation, const json *set)
{
	const json *canary = canary_deployment(situation->seen);
	return !canary_deleted_holds(situation) && !object_is_deleting(set) &&
	       str_equal(object_controller_uid(set), object_uid(canary)) &&
	       !is_new_set(situation, set);
}

void others_gone_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s has no ReplicaSet of another template",
		situation->record->plan.canary_deployment);
}

bool others_empty_holds(const struct situation *situation)
{
	json_for_each (set, replica_sets(situation))
		if (is_other_set(situation, set) && !is_empty(set))
			return false;
	return true;
}

bool others_gone_holds(const struct situation *situation)
{
	json_for_each (set, replica_sets(situation))
		if (is_other_set(situation, set))
			return false;
	return true;
}

int others_gone_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	json_for_each (set, replica_sets(situation))
		if (is_other_set(situation, set))
			action_delete(action, &KIND_REPLICA_SET, set, "Background");
	return 0;
}

int orphaned_act(const struct situation *situation, struct action *action, struct err *err)
{
	const json *canary = canary_deployment(situation->seen);
	int code = check_is_own(&KIND_DEPLOYMENT, canary, situation->record, err);
	if (code != 0)
		return code;
	action_delete(action, &KIND_DEPLOYMENT, canary, "Orphan");
	return 0;
}

/* Its controller counts the pods as its own, of its current template. There may be fewer than it is
 * to have, and others, where somebody edited the copy at this moment: it rolls those over when it
 * goes on. Where the ReplicaSet is gone (somebody deleted it), stable makes one then. */
bool adopted_holds(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	const json *found = NULL;
	if (canary_deployment(situation->seen) != NULL)
		return false;
	json_for_each (set, replica_sets(situation))
		if (is_new_set(situation, set) && wanted_replicas(set) > 0)
			found = set;
	if (found == NULL || !is_paused(stable))
		return true;
	return is_stables_set(situation->seen, found) && is_observed(stable) &&
	       json_integer(json_path(stable, "status", "updatedReplicas", NULL), 0) ==
		       wanted_replicas(found);
}

bool nothing_to_adopt_holds(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	const json *selector = json_path(stable, "spec", "selector", NULL);
	if (stable == NULL || object_is_deleting(stable))
		return true;
	json_for_each (set, replica_sets(situation))
		if (object_controller_uid(set) == NULL && !object_is_deleting(set) &&
			wanted_replicas(set) > 0 &&
			selector_matches(selector, json_path(set, "metadata", "labels", NULL)))
			return false;
	return true;
}

/* --- and its history back ------------------------------------------------------------------- */

void equal_sets_gone_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "no older ReplicaSet of deployment.apps/%s has the template of %s",
		situation->record->plan.deployment, situation->record->plan.canary_version);
}

bool equal_sets_gone_holds(const struct situation *situation)
{
	json_for_each (set, released_sets(situation))
		if (is_new_set(situation, set) && !object_is_deleting(set))
			return false;
	return true;
}

int equal_sets_gone_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	json_for_each (set, released_sets(situation))
		if (is_new_set(situation, set) && !object_is_deleting(set))
			action_delete(action, &KIND_REPLICA_SET, set, "Background");
	return 0;
}

/* The released one with the labels that it had. A ReplicaSet has those of its template. */
static json *returned_set(const struct situation *situation, const json *set)
{
	const char *key = handover_key(situation->record->stable);
	json *after = json_copy(set);
	object_set_label(after, key, json_get_text(template_labels(set), key));
	object_set_label(after, SERVICE_LABEL, NULL);
	return after;
}

/* A copy that is still there would adopt one of an earlier release of its version, and take it
 * along when it goes: that one waits. */
static bool is_to_return(const struct situation *situation, const json *set)
{
	const json *canary = canary_deployment(situation->seen);
	if (object_is_deleting(set))
		return false;
	if (canary == NULL)
		return true;
	AUTO_JSON after = returned_set(situation, set);
	return !selector_matches(json_path(canary, "spec", "selector", NULL),
		json_path(after, "metadata", "labels", NULL));
}

/* Stable's controller gives all pods to the first that comes back, be it the right one or not,
 * where stable has none and is to have some: on the way back it waits at 0 until all are there. */
static bool may_return(const struct situation *situation)
{
	json_for_each (set, replica_sets(situation))
		if (is_stables_set(situation->seen, set) && wanted_replicas(set) > 0)
			return true;
	return returned_holds(situation);
}

void returning_describe(const struct situation *situation, struct buf *buf)
{
	if (situation->record->plan.handover == HANDOVER_TAKEOVER)
		buf_addf(buf, "deployment.apps/%s waits for its old ReplicaSets",
			situation->record->plan.deployment);
}

bool returning_holds(const struct situation *situation)
{
	return may_return(situation) || wanted_replicas(stable_deployment(situation->seen)) == 0;
}

bool returning_seen_holds(const struct situation *situation)
{
	return may_return(situation) || is_observed(stable_deployment(situation->seen));
}

void returned_describe(const struct situation *situation, struct buf *buf)
{
	if (situation->record->plan.handover == HANDOVER_TAKEOVER)
		buf_addf(buf, "deployment.apps/%s has its old ReplicaSets again",
			situation->record->plan.deployment);
}

bool returned_holds(const struct situation *situation)
{
	json_for_each (set, released_sets(situation))
		if (is_to_return(situation, set))
			return false;
	return true;
}

int returned_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	json_for_each (set, released_sets(situation))
		if (is_to_return(situation, set))
			action_update(action, &KIND_REPLICA_SET, set, returned_set(situation, set),
				"returned");
	return 0;
}

bool returned_seen_holds(const struct situation *situation)
{
	const json *selector = json_path(situation->record->stable, "spec", "selector", NULL);
	if (situation->record->plan.handover != HANDOVER_TAKEOVER)
		return true;
	json_for_each (set, replica_sets(situation))
		if (object_controller_uid(set) == NULL && !object_is_deleting(set) &&
			selector_matches(selector, json_path(set, "metadata", "labels", NULL)))
			return false;
	return true;
}
