#include "release/foreign.h"

#include "api/object.h"
#include "release/autoscaler.h"
#include "release/gitops.h"
#include "release/rungs.h"
#include "release/workload.h"

/* Where nothing could be changed without overwriting somebody's edit, err says whose. */
static void check_routes(const struct situation *situation, struct buf *ret)
{
	struct err err = {0};
	CLEANUP(action_release) struct action action = {0};
	if (routes_change(situation, ROUTES_BATCH, &action, &err) == ERR_FOREIGN)
		buf_add_line(ret, err.message);
}

static void check_rules(const struct situation *situation, struct buf *ret)
{
	struct err err = {0};
	CLEANUP(action_release) struct action action = {0};
	if (rules_change(situation, RULES_RELEASE, &action, &err) == ERR_FOREIGN)
		buf_add_line(ret, err.message);
}

/* The template is the old one until finish, then the new one. */
static void check_template(const struct situation *situation, struct buf *ret)
{
	const struct record *record = situation->record;
	const json *stable = stable_deployment(situation->seen);
	const json *now = pod_template(stable);
	const json *before = pod_template(record->stable);
	bool ended = phase_has_ended(record->phase);
	if (stable_is_remade(situation)) {
		struct err remade = {0};
		(void)refuse_remade(situation, &remade);
		buf_add_line(ret, remade.message);
		return;
	}
	bool old_is_right = record->phase != PHASE_COMPLETED &&
			    templates_equal(now, before, ended || record->tagged);
	bool new_is_right =
		record->phase != PHASE_ABORTED && templates_equal(now, record->template, true);
	if (stable == NULL || old_is_right || new_is_right)
		return;
	AUTO_STRING text = mem_format(
		ended ? "deployment.apps/%s has another pod template now: somebody else has "
			"changed it, and it stays"
		      : "the pod template of deployment.apps/%s was changed by somebody else",
		record->plan.deployment);
	struct err err = {0};
	(void)gitops_explain(err_set(&err, ERR_FOREIGN, "%s", text), stable, &err);
	buf_add_line(ret, ended ? text : err.message);
}

/* An abort deletes it, whatever it runs. */
static void check_copy(const struct situation *situation, struct buf *ret)
{
	struct err err = {0};
	if (situation->record->goal == GOAL_ABORT || copy_is_known(situation))
		return;
	(void)refuse_edited_copy(situation, &err);
	buf_add_line(ret, err.message);
}

/* Between batches. It stops nothing where the number is one that stable has in this release: the
 * next step takes it from there. */
static void check_replicas(const struct situation *situation, struct buf *ret)
{
	const struct record *record = situation->record;
	const struct plan *plan = &record->plan;
	const json *stable = stable_deployment(situation->seen);
	if (stable == NULL || record->goal != GOAL_BATCH || record->phase == PHASE_PROGRESSING ||
		plan->hpa == HPA_IGNORE)
		return;
	int before = record->batch == 0 ? plan->replicas : plan->batches[record->batch - 1].stable;
	int after = plan->batches[record->goal_batch - 1].stable;
	int replicas = wanted_replicas(stable);
	/* A step that failed was on its way from the one to the other. */
	if (replicas == before || replicas == after)
		return;
	struct err err = {0};
	int code = err_set(&err, ERR_FOREIGN,
		"deployment.apps/%s was scaled to %d by somebody else; batch %d leaves it %d",
		plan->deployment, replicas, record->goal_batch, after);
	(void)gitops_explain(code, stable, &err);
	buf_add_line(ret, err.message);
}

void foreign_describe(const struct record *record, const struct observation *seen, struct buf *ret)
{
	const struct situation situation = {.record = record, .seen = seen};
	check_template(&situation, ret);
	if (phase_has_ended(record->phase))
		return;
	check_copy(&situation, ret);
	check_replicas(&situation, ret);
	check_routes(&situation, ret);
	check_rules(&situation, ret);
	autoscalers_describe_foreign(&situation, ret);
}
