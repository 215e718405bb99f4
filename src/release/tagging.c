/*
 * The version label on what runs already, without a restart. The Deployment controller compares
 * templates as a whole, so a label that appears in the Deployment's template alone would start a
 * rollout. Paused, it does not; and when its ReplicaSet's template has the label too by the time it
 * is unpaused, the two are equal and there is nothing to roll out.
 *
 * The controller works from caches. Each step therefore waits until the controllers have seen the
 * step before it: Deployment and ReplicaSet controller share one cache of ReplicaSets, so that an
 * observedGeneration which the latter wrote says what the former sees.
 */
#include "api/object.h"
#include "base/str.h"
#include "release/rungs.h"
#include "release/workload.h"

/* What the label is to be: NULL, none. */
static const char *wanted_tag(const struct situation *situation)
{
	return situation->record->goal == GOAL_ABORT ? NULL
						     : situation->record->plan.stable_version;
}

static const char *template_tag(const json *workload)
{
	return json_get_text(template_labels(workload), VERSION_LABEL);
}

/* Whether it is a ReplicaSet of the stable Deployment with the old version's template, or with the
 * one that somebody gave the Deployment meanwhile. One that has another version's label is of an
 * earlier release, and stays what it is. */
static bool is_old_set(const struct situation *situation, const json *set)
{
	const json *template = pod_template(set);
	const json *stable = situation->record->stable;
	const json *now = stable_deployment(situation->seen);
	const char *tag = template_tag(set);
	return is_stables_set(situation->seen, set) &&
	       (tag == NULL || str_equal(tag, situation->record->plan.stable_version)) &&
	       (templates_equal(template, pod_template(stable), true) ||
		       templates_equal(template, pod_template(now), true));
}

static bool set_needs_tag(const struct situation *situation, const json *set)
{
	const char *tag = wanted_tag(situation);
	return is_old_set(situation, set) &&
	       (!str_equal(template_tag(set), tag) ||
		       !str_equal(object_label(set, VERSION_LABEL), tag));
}

static bool pod_needs_tag(const struct situation *situation, const json *pod)
{
	if (object_is_deleting(pod) ||
		str_equal(object_label(pod, VERSION_LABEL), wanted_tag(situation)))
		return false;
	json_for_each (set, replica_sets(situation))
		if (is_old_set(situation, set) &&
			str_equal(object_controller_uid(pod), object_uid(set)))
			return true;
	return false;
}

bool replica_set_tagged_holds(const struct situation *situation)
{
	if (!situation->record->tagged)
		return true;
	json_for_each (set, replica_sets(situation))
		if (set_needs_tag(situation, set))
			return false;
	return true;
}

bool pods_tagged_holds(const struct situation *situation)
{
	if (!situation->record->tagged)
		return true;
	json_for_each (pod, list_items(situation->seen->lists[SEEN_PODS]))
		if (pod_needs_tag(situation, pod))
			return false;
	return true;
}

bool template_tagged_holds(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	if (!situation->record->tagged)
		return true;
	if (!str_equal(template_tag(stable), wanted_tag(situation)))
		return false;
	/* As long as its ReplicaSet or pods are not there yet, it must be paused. */
	return is_paused(stable) ||
	       (replica_set_tagged_holds(situation) && pods_tagged_holds(situation));
}

#define HISTORY_LIMIT "revisionHistoryLimit"

static int64_t limit_before(const struct record *record)
{
	return json_integer(json_path(record->stable, "spec", HISTORY_LIMIT, NULL), INT32_MAX);
}

bool history_limit_differs(const struct record *record, const json *spec, bool room)
{
	int64_t before = limit_before(record);
	int64_t now = json_get_integer(spec, HISTORY_LIMIT, INT32_MAX);
	return before < INT32_MAX && now == (room ? before : before + 1);
}

void change_history_limit(const struct record *record, json *spec, bool room)
{
	if (history_limit_differs(record, spec, room))
		json_set_integer(spec, HISTORY_LIMIT, limit_before(record) + (room ? 1 : 0));
}

int template_tagged_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const json *stable = stable_deployment(situation->seen);
	const char *tag = wanted_tag(situation);
	json *after = json_copy(stable);
	json *spec = json_get(after, "spec");
	json_set_bool(spec, "paused", true);
	change_history_limit(situation->record, spec, true);
	map_set_text(json_ensure_object(json_get(spec, "template"), "metadata"), "labels",
		VERSION_LABEL, tag);
	action_update(action, &KIND_DEPLOYMENT, stable, after, "paused, its template %s %s=%s",
		tag != NULL ? "labeled" : "freed of", VERSION_LABEL,
		situation->record->plan.stable_version);
	return 0;
}

bool pause_observed_holds(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	return !situation->record->tagged || !is_paused(stable) || is_observed(stable);
}

static json *with_label(const json *object, const char *tag)
{
	json *after = json_copy(object);
	object_set_label(after, VERSION_LABEL, tag);
	return after;
}

int replica_set_tagged_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const char *tag = wanted_tag(situation);
	json_for_each (set, replica_sets(situation)) {
		if (!set_needs_tag(situation, set))
			continue;
		json *after = with_label(set, tag);
		map_set_text(json_ensure_object(pod_template(after), "metadata"), "labels",
			VERSION_LABEL, tag);
		action_update(action, &KIND_REPLICA_SET, set, after,
			tag != NULL ? "labeled" : "unlabeled");
	}
	return 0;
}

bool replica_set_observed_holds(const struct situation *situation)
{
	if (!situation->record->tagged || !is_paused(stable_deployment(situation->seen)))
		return true;
	json_for_each (set, replica_sets(situation))
		if (is_old_set(situation, set) && !is_observed(set))
			return false;
	return true;
}

int pods_tagged_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const char *tag = wanted_tag(situation);
	json_for_each (pod, list_items(situation->seen->lists[SEEN_PODS])) {
		if (action->write_count == ACTION_WRITES_MAXIMUM)
			break;
		if (pod_needs_tag(situation, pod))
			action_update(action, &KIND_POD, pod, with_label(pod, tag),
				tag != NULL ? "labeled" : "unlabeled");
	}
	if (action->write_count > 1)
		action->summary = mem_format("%zu pods of deployment.apps/%s %s",
			action->write_count, situation->record->plan.deployment,
			tag != NULL ? "labeled" : "unlabeled");
	return 0;
}

/* Whether the release pauses stable on this way; if not, a pause is somebody else's. */
static bool may_pause(const struct situation *situation)
{
	const struct record *record = situation->record;
	return record->tagged ||
	       (record->goal != GOAL_BATCH && record->plan.handover == HANDOVER_TAKEOVER);
}

/* Whoever resumed it by hand has left the history its room. */
bool unpaused_holds(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	return !may_pause(situation) ||
	       (!is_paused(stable) &&
		       !history_limit_differs(situation->record, json_get(stable, "spec"), false));
}

void resume(const struct record *record, json *spec)
{
	const json *before = json_path(record->stable, "spec", "paused", NULL);
	json_set(spec, "paused", json_copy(before));
	change_history_limit(record, spec, false);
}

int unpaused_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const json *stable = stable_deployment(situation->seen);
	json *after = json_copy(stable);
	resume(situation->record, json_get(after, "spec"));
	action_update(action, &KIND_DEPLOYMENT, stable, after, "%s",
		is_paused(stable) ? "resumed" : "has its own " HISTORY_LIMIT " again");
	return 0;
}

void tag_describe(const struct situation *situation, struct buf *buf)
{
	const struct plan *plan = &situation->record->plan;
	if (!situation->record->tagged)
		return;
	if (wanted_tag(situation) != NULL)
		buf_addf(buf, "deployment.apps/%s and its pods are labeled %s=%s, none restarted",
			plan->deployment, VERSION_LABEL, plan->stable_version);
	else
		buf_addf(buf, "deployment.apps/%s and its pods are without the label %s again",
			plan->deployment, VERSION_LABEL);
}

void pause_observed_describe(const struct situation *situation, struct buf *buf)
{
	if (situation->record->tagged)
		buf_addf(buf, "the Deployment controller has seen deployment.apps/%s",
			situation->record->plan.deployment);
}

void unpaused_describe(const struct situation *situation, struct buf *buf)
{
	if (may_pause(situation))
		buf_addf(buf, "deployment.apps/%s is not paused",
			situation->record->plan.deployment);
}
