#include "release/rungs.h"

#include <stdio.h>

#include "api/object.h"
#include "base/parse.h"
#include "base/str.h"
#include "release/canary.h"
#include "release/handover.h"
#include "release/workload.h"

const json *replica_sets(const struct situation *situation)
{
	return list_items(situation->seen->lists[SEEN_REPLICA_SETS]);
}

void describe_serving(struct buf *buf, int count, const char *which, const char *deployment)
{
	buf_addf(buf, "%d %spod%s of deployment.apps/%s %s Ready and endpoint%s of the Service",
		count, which, count == 1 ? "" : "s", deployment, count == 1 ? "is" : "are",
		count == 1 ? "" : "s");
}

void describe_settled(const struct situation *situation, struct buf *buf, const char *what)
{
	char duration[32];
	int64_t settle_ms = situation->record->plan.settle_ms;
	if (settle_ms > 0)
		buf_addf(buf, "proxies have had %s to learn of %s",
			format_duration(settle_ms, duration), what);
}

void canary_gone_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s and its pods are gone",
		situation->record->plan.canary_deployment);
}

bool canary_deleted_holds(const struct situation *situation)
{
	const json *canary = canary_deployment(situation->seen);
	return canary == NULL || object_is_deleting(canary);
}

int canary_deleted_act(const struct situation *situation, struct action *action, struct err *err)
{
	const json *canary = canary_deployment(situation->seen);
	int code = check_is_own(&KIND_DEPLOYMENT, canary, situation->record, err);
	if (code != 0)
		return code;
	/* In the background: a pod on a lost node must not hold up what comes after. */
	action_delete(action, &KIND_DEPLOYMENT, canary, "Background");
	return 0;
}

bool canary_gone_holds(const struct situation *situation)
{
	if (canary_deployment(situation->seen) != NULL)
		return false;
	/* The garbage collector removes them after the Deployment. */
	json_for_each (set, replica_sets(situation))
		json_for_each (owner, json_path(set, "metadata", "ownerReferences", NULL))
			if (str_equal(json_get_text(owner, "kind"), KIND_DEPLOYMENT.name) &&
				str_equal(json_get_text(owner, "name"),
					situation->record->plan.canary_deployment))
				return false;
	/* And after them their pods: as long as one is an endpoint, or could become one, routes
	 * without a subset would reach it. */
	return count_endpoints_left(situation->seen, situation->record->plan.canary_deployment) ==
	       0;
}

void recorded_describe(const struct situation *situation, struct buf *buf)
{
	const struct record *record = situation->record;
	if (record->goal == GOAL_BATCH)
		buf_addf(buf, "batch %d of %d is recorded", record->goal_batch,
			record->plan.batch_count);
	else
		buf_add_text(buf, record->goal == GOAL_FINISH
					  ? "the release is recorded as completed"
					  : "the release is recorded as aborted");
}

bool recorded_holds(const struct situation *situation)
{
	const struct record *record = situation->record;
	if (record->goal == GOAL_BATCH)
		return record->phase == PHASE_PAUSED && record->batch == record->goal_batch;
	return record->phase == (record->goal == GOAL_FINISH ? PHASE_COMPLETED : PHASE_ABORTED);
}

int recorded_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)situation;
	(void)err;
	action->reached = true;
	return 0;
}
