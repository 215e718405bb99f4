#include "release/verbs.h"

#include <stdlib.h>

#include "api/object.h"
#include "api/selector.h"
#include "base/str.h"
#include "release/handover.h"
#include "release/observation.h"
#include "release/target.h"
#include "release/workload.h"

static int refuse_ended(const struct record *record, struct err *err)
{
	return err_set(err, ERR_FAILED,
		"the release of service \"%s\" to %s is %s: there is no batch to go on with",
		record->plan.service, record->plan.canary_version,
		record->phase == PHASE_COMPLETED ? "completed" : "aborted");
}

/* Where to pause next, by the options or else by the plan. */
static int next_pause(
	const struct record *record, const struct next_options *options, int batch, struct err *err)
{
	int count = record->plan.batch_count;
	if (options->to != 0 && (options->to < batch || options->to > count))
		return err_set(err, ERR_USAGE,
			"--to %d: the release is at batch %d of %d; the next is %d", options->to,
			record->batch, count, batch);
	if (options->to != 0)
		return options->to;
	return options->all || record->plan.pause != PAUSE_EACH ? count : batch;
}

int change_for_next(struct record *record, void *context, struct err *err)
{
	const struct next_options *options = context;
	if (phase_has_ended(record->phase))
		return refuse_ended(record, err);
	if (record->goal == GOAL_ABORT)
		return err_set(err, ERR_FAILED,
			"the release of service \"%s\" is being aborted; "
			"`kubectl batchrollout abort %s -n %s` goes on with that",
			record->plan.service, record->plan.service, record->plan.namespace);
	bool held = record->phase == PHASE_PAUSED && record->batch == record->plan.batch_count;
	if (held && options->to != 0)
		return err_set(err, ERR_USAGE,
			"--to %d: all %d batches are done; without --to the release is finished",
			options->to, record->plan.batch_count);
	if (held)
		record->goal = GOAL_FINISH;
	if (record->goal == GOAL_BATCH) {
		int batch = record->batch + 1;
		int through = next_pause(record, options, batch, err);
		if (through < 0)
			return through;
		record->goal_batch = batch;
		record->through = through;
	}
	record->phase = PHASE_PROGRESSING;
	free(record->message);
	record->message = NULL;
	return 0;
}

/* What the release left to the user. */
static const json *released_deployment(const struct record *record, const struct observation *seen)
{
	return handover_keeps_copy(record) ? canary_deployment(seen) : stable_deployment(seen);
}

/* The version before would come back beneath a release of another Service of the same pods. */
static int check_no_other_release(
	const struct api_port *api, const struct record *record, struct err *err)
{
	AUTO_JSON list = NULL;
	AUTO_JSON selector = selector_without(
		json_path(record->stable, "spec", "selector", NULL), VERSION_LABEL);
	struct query query = {.kind = &KIND_DEPLOYMENT,
		.namespace = record->plan.namespace,
		.label_selector = MANAGED_BY_LABEL "=" MANAGED_BY};
	int code = api->list(api->context, &query, &list, err);
	if (code != 0)
		return code;
	json_for_each (copy, list_items(list))
		if (selector_matches(selector, template_labels(copy)) &&
			!str_equal(object_label(copy, SERVICE_LABEL), record->plan.service))
			return check_no_copy(copy, err);
	return 0;
}

static int refuse_changed(const struct record *record, const json *deployment, struct err *err)
{
	const struct plan *plan = &record->plan;
	const char *name = handover_final_name(record);
	if (deployment == NULL)
		return err_set(err, ERR_FOREIGN,
			"deployment.apps/%s is gone: somebody deleted it since the release of "
			"service \"%s\" to %s was completed, so that there is nothing to take "
			"back; "
			"apply its manifest again to have it back",
			name, plan->service, plan->canary_version);
	return err_set(err, ERR_FOREIGN,
		"deployment.apps/%s does not run %s any more, which the completed release of "
		"service \"%s\" brought: somebody changed it since, and what was before the "
		"release "
		"is not what would be taken back; use `kubectl batchrollout undo %s -n %s "
		"--to-revision REVISION` or `kubectl rollout undo`",
		name, plan->canary_version, plan->service, plan->service, plan->namespace);
}

int check_for_abort(const struct api_port *api, const struct record *record, struct err *err)
{
	CLEANUP(observation_release) struct observation seen = {0};
	if (record->phase != PHASE_COMPLETED)
		return 0;
	int code = check_no_other_release(api, record, err);
	if (code == 0)
		code = observe(api, record, &seen, err);
	if (code != 0)
		return code;
	const json *deployment = released_deployment(record, &seen);
	const json *now = pod_template(deployment);
	if (templates_equal(now, record->template, true) ||
		templates_equal(now, pod_template(record->stable), true))
		return 0;
	return refuse_changed(record, deployment, err);
}

int change_for_abort(struct record *record, void *context, struct err *err)
{
	(void)context;
	(void)err;
	if (record->phase == PHASE_ABORTED)
		return 1;
	record->goal = GOAL_ABORT;
	record->phase = PHASE_PROGRESSING;
	free(record->message);
	record->message = NULL;
	return 0;
}
