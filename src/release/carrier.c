/*
 * What carries the release in the cluster beside its record, so that it can be taken back without
 * (recovery.h): the copy, and the ReplicaSet of it. Before the copy is made and when it is gone, a
 * ReplicaSet of stable: an annotation on it starts no rollout, and no tool that applies manifests
 * looks at it.
 */
#include "api/object.h"
#include "base/str.h"
#include "release/canary.h"
#include "release/handover.h"
#include "release/rungs.h"
#include "release/workload.h"

static bool carries(const json *object)
{
	return object_annotation(object, RELEASE_ANNOTATION) != NULL;
}

/* --- the release can be taken back ---------------------------------------------------------- */

/* A ReplicaSet of stable's own template, which stays as long as stable does. */
static bool is_carrier(const struct situation *situation, const json *set)
{
	const json *stable = stable_deployment(situation->seen);
	return is_stables_set(situation->seen, set) && !object_is_deleting(set) &&
	       templates_equal(pod_template(set), pod_template(stable), true);
}

void carried_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "a ReplicaSet of deployment.apps/%s carries what takes the release back",
		situation->record->plan.deployment);
}

/* Where there is none, nothing can; where it would be too long, nothing may. */
static bool stable_carries(const struct situation *situation)
{
	bool missing = false;
	if (stable_deployment(situation->seen) == NULL)
		return true;
	json_for_each (set, replica_sets(situation))
		missing = missing || (is_carrier(situation, set) && !carries(set));
	if (!missing)
		return true;
	AUTO_STRING release = record_to_annotation(situation->record);
	return release == NULL;
}

bool carried_by_stable_holds(const struct situation *situation)
{
	return canary_deployment(situation->seen) == NULL || stable_carries(situation);
}

bool carried_holds(const struct situation *situation)
{
	const json *canary = canary_deployment(situation->seen);
	if (canary != NULL && carries(canary))
		return true;
	json_for_each (set, replica_sets(situation))
		if (is_stables_set(situation->seen, set) && carries(set))
			return true;
	return stable_carries(situation);
}

int carried_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	AUTO_STRING release = record_to_annotation(situation->record);
	json_for_each (set, replica_sets(situation)) {
		if (!is_carrier(situation, set) || carries(set))
			continue;
		json *after = json_copy(set);
		object_set_annotation(after, RELEASE_ANNOTATION, release);
		action_update(action, &KIND_REPLICA_SET, set, after,
			"carries what takes the release back");
	}
	return 0;
}

/* --- nothing carries it any more ------------------------------------------------------------ */

void forgotten_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "nothing carries the release to %s any more",
		situation->record->plan.canary_version);
}

static void forget(struct action *action, const struct kind *kind, const json *object)
{
	json *after = json_copy(object);
	object_set_annotation(after, RELEASE_ANNOTATION, NULL);
	action_update(action, kind, object, after, "carries the release no more");
}

/* The Deployment that is left at the end. */
static const json *last_deployment(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	return stable == NULL && handover_keeps_copy(situation->record)
		       ? canary_deployment(situation->seen)
		       : stable;
}

/* `kubectl rollout undo` gives a Deployment the annotations of the ReplicaSet that it goes back to,
 * in the middle of a release ours as well. */
bool unmarked_holds(const struct situation *situation)
{
	const json *deployment = last_deployment(situation);
	return deployment == NULL || !carries(deployment);
}

int unmarked_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	forget(action, &KIND_DEPLOYMENT, last_deployment(situation));
	return 0;
}

/* Until its controller has seen that, it copies the annotation to the ReplicaSet, again where that
 * was without it already. (Annotations count in a Deployment's generation.) */
bool unmarked_seen_holds(const struct situation *situation)
{
	const json *deployment = last_deployment(situation);
	return deployment == NULL || is_observed(deployment);
}

/* ReplicaSets have the annotations of the Deployment that made them, also those that came of
 * somebody's edit of it. */
static bool is_to_forget(const struct situation *situation, const json *set)
{
	const json *deployment = last_deployment(situation);
	return deployment != NULL &&
	       str_equal(object_controller_uid(set), object_uid(deployment)) &&
	       !object_is_deleting(set) && carries(set);
}

bool forgotten_holds(const struct situation *situation)
{
	json_for_each (set, replica_sets(situation))
		if (is_to_forget(situation, set))
			return false;
	return true;
}

int forgotten_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	json_for_each (set, replica_sets(situation))
		if (is_to_forget(situation, set))
			forget(action, &KIND_REPLICA_SET, set);
	return 0;
}
