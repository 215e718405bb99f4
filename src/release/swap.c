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
	action_update(action, &KIND_DEPLOYMENT, canary, after, "kept");
	return 0;
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
	mark_as_own(after, situation->record);
	action_update(action, &KIND_DEPLOYMENT, canary, after, "taken back into the release");
	return 0;
}
