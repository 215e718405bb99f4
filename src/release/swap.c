/*
 * The copy takes the place of the stable Deployment, which is deleted. For Deployments that select
 * their pods by version, or where that is asked for.
 */
#include "api/object.h"
#include "base/str.h"
#include "release/canary.h"
#include "release/handover.h"
#include "release/rungs.h"
#include "release/workload.h"

/* --- what somebody changed since stable was copied ------------------------------------------ */

/* Members of its spec that are not each Deployment's own. */
static bool is_carried_over(const char *member)
{
	static const char *const OWN[] = {"replicas", "selector", "template", "paused"};
	return str_index(OWN, COUNT_OF(OWN), member) < 0;
}

/* Gives a Deployment labels, annotations and a spec as the other one has them; what only it has
 * stays. */
static void carry_over(const json *from, json *to)
{
	AUTO_JSON source = json_copy(from);
	unmark(source);
	drop_annotations(source);
	drop_labels(source);
	json_for_each (label, json_path(source, "metadata", "labels", NULL))
		if (!str_equal(json_key(label), VERSION_LABEL))
			object_set_label(to, json_key(label), json_text(label));
	json_for_each (annotation, json_path(source, "metadata", "annotations", NULL))
		object_set_annotation(to, json_key(annotation), json_text(annotation));
	json_for_each (member, json_get(source, "spec"))
		if (is_carried_over(json_key(member)))
			json_set(json_get(to, "spec"), json_key(member), json_copy(member));
}

static json *canary_carrying(const struct situation *situation)
{
	json *canary = json_copy(canary_deployment(situation->seen));
	carry_over(stable_deployment(situation->seen), canary);
	return canary;
}

void carried_over_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s has what was changed in deployment.apps/%s",
		situation->record->plan.canary_deployment, situation->record->plan.deployment);
}

bool carried_over_holds(const struct situation *situation)
{
	if (stable_deleted_holds(situation) || canary_deployment(situation->seen) == NULL)
		return true;
	AUTO_JSON after = canary_carrying(situation);
	return json_equal(after, canary_deployment(situation->seen));
}

int carried_over_act(const struct situation *situation, struct action *action, struct err *err)
{
	const json *canary = canary_deployment(situation->seen);
	int code = check_is_own(&KIND_DEPLOYMENT, canary, situation->record, err);
	if (code != 0)
		return code;
	action_update(action, &KIND_DEPLOYMENT, canary, canary_carrying(situation),
		"has what was changed in deployment.apps/%s", situation->record->plan.deployment);
	return 0;
}

/* --- stable goes ---------------------------------------------------------------------------- */

void stable_deleted_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s is gone", situation->record->plan.deployment);
}

bool stable_deleted_holds(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	return stable == NULL || object_is_deleting(stable);
}

int stable_deleted_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	action_delete(action, &KIND_DEPLOYMENT, stable_deployment(situation->seen), "Background");
	return 0;
}

bool stable_gone_holds(const struct situation *situation)
{
	return stable_deployment(situation->seen) == NULL;
}

/* --- stable is made again, for abort: a swap has deleted it, or somebody -------------------- */

void stable_there_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s is there", situation->record->plan.deployment);
}

bool stable_there_holds(const struct situation *situation)
{
	return stable_deployment(situation->seen) != NULL;
}

int stable_there_act(const struct situation *situation, struct action *action, struct err *err)
{
	const struct record *record = situation->record;
	json *stable = json_copy(record->stable);
	(void)err;
	object_strip_server_fields(stable);
	if (record->tagged)
		map_set_text(json_ensure_object(pod_template(stable), "metadata"), "labels",
			VERSION_LABEL, record->plan.stable_version);
	/* A swap has carried over what somebody had changed in it. */
	if (handover_keeps_copy(record) && canary_deployment(situation->seen) != NULL)
		carry_over(canary_deployment(situation->seen), stable);
	action_create(action, &KIND_DEPLOYMENT, stable);
	return 0;
}

/* --- the copy is the user's, or ours -------------------------------------------------------- */

void kept_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s is without marks of the release",
		situation->record->plan.canary_deployment);
}

bool kept_holds(const struct situation *situation)
{
	const json *canary = canary_deployment(situation->seen);
	return canary != NULL && object_label(canary, SERVICE_LABEL) == NULL;
}

int kept_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const json *canary = canary_deployment(situation->seen);
	json *after = json_copy(canary);
	unmark(after);
	const char *manager = object_label(situation->record->stable, MANAGED_BY_LABEL);
	/* Helm would look for its annotations, too, which were not copied. */
	if (!str_equal(manager, "Helm"))
		object_set_label(after, MANAGED_BY_LABEL, manager);
	action_update(action, &KIND_DEPLOYMENT, canary, after, "kept");
	return 0;
}

/* Until then it copies the annotation to the ReplicaSet, again where that was without it already.
 */

void kept_seen_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "the Deployment controller has seen deployment.apps/%s",
		situation->record->plan.canary_deployment);
}

bool kept_seen_holds(const struct situation *situation)
{
	return is_observed(canary_deployment(situation->seen));
}

void marked_describe(const struct situation *situation, struct buf *buf)
{
	if (handover_keeps_copy(situation->record))
		buf_addf(buf, "deployment.apps/%s is of the release again",
			situation->record->plan.canary_deployment);
}

/* Only a release that had come to its end has unmarked it, and only what it had then is still it.
 */
bool marked_holds(const struct situation *situation)
{
	const struct record *record = situation->record;
	const json *canary = canary_deployment(situation->seen);
	return !handover_keeps_copy(record) || record->batch < record->plan.batch_count ||
	       canary == NULL || object_label(canary, SERVICE_LABEL) != NULL ||
	       !templates_equal(pod_template(canary), record->template, false);
}

int marked_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const json *canary = canary_deployment(situation->seen);
	json *after = json_copy(canary);
	mark_as_copy(after, situation->record);
	action_update(action, &KIND_DEPLOYMENT, canary, after, "taken back into the release");
	return 0;
}
