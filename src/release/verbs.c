#include "release/verbs.h"

#include <stdlib.h>

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
	if (record->phase == PHASE_PAUSED && record->batch == record->plan.batch_count)
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
