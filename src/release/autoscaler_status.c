/* What is told of autoscalers while a release is under way. */
#include "api/object.h"
#include "base/str.h"
#include "release/autoscaler.h"
#include "release/autoscaler_wish.h"
#include "release/edit.h"
#include "release/gitops.h"
#include "release/workload.h"

static struct scaled count_scaled(const struct observation *seen)
{
	const json *stable = stable_deployment(seen);
	const json *canary = canary_deployment(seen);
	struct scaled scaled = {
		.pods = (stable != NULL ? wanted_replicas(stable) : 0) +
			(canary != NULL ? wanted_replicas(canary) : 0),
		.stable = (int)json_integer(json_path(stable, "status", "replicas", NULL), 0),
	};
	json_for_each (pod, list_items(seen->lists[SEEN_PODS]))
		scaled.ready += pod_is_ready(pod) && !object_is_deleting(pod);
	return scaled;
}

/* What it will be allowed afterwards: what somebody has changed meanwhile stays. */
static json *limits_of(const json *original, const json *frozen, const json *current)
{
	static const char *const LIMITS[] = {"minReplicas", "maxReplicas"};
	json *limits = json_object();
	for (size_t i = 0; i < COUNT_OF(LIMITS); i++) {
		const json *now = json_path(current, "spec", LIMITS[i], NULL);
		bool ours = json_equal(now, json_path(frozen, "spec", LIMITS[i], NULL));
		const json *then = ours ? json_path(original, "spec", LIMITS[i], NULL) : now;
		json_set(limits, LIMITS[i], json_copy(then));
	}
	return limits;
}

static void describe_frozen(const struct record *record, const struct observation *seen,
	size_t index, const json *current, struct buf *ret)
{
	AUTO_JSON limits = limits_of(json_at(record->autoscalers, index),
		json_at(record->frozen_autoscalers, index), current);
	struct scaled scaled = count_scaled(seen);
	AUTO_STRING reason = NULL;
	int wish = autoscaler_wish(current, limits, &scaled, &reason);
	if (wish < 0)
		buf_addf(ret, " is frozen; what it would like is not known: %s", reason);
	else
		buf_addf(ret, " is frozen; it would like %d pod%s, the release keeps %d", wish,
			wish == 1 ? "" : "s", scaled.pods);
}

static void describe_autoscaler(const struct situation *situation, size_t index, struct buf *ret)
{
	const json *original = json_at(situation->record->autoscalers, index);
	const json *current = seen_like(situation, SEEN_AUTOSCALERS, original);
	buf_addf(ret, "%s%s/%s", ret->length > 0 ? "\n" : "",
		KIND_HORIZONTAL_POD_AUTOSCALER.singular, object_name(original));
	if (current == NULL)
		buf_add_text(ret, " is gone");
	else if (!autoscaler_is_frozen(current))
		buf_add_text(ret, " is not frozen");
	else
		describe_frozen(situation->record, situation->seen, index, current, ret);
}

void autoscalers_describe(
	const struct record *record, const struct observation *seen, struct buf *ret)
{
	const struct situation situation = {.record = record, .seen = seen};
	for (size_t i = 0; i < json_count(record->autoscalers); i++)
		describe_autoscaler(&situation, i, ret);
	json_for_each (original, record->scaled_objects) {
		const json *current = seen_like(&situation, SEEN_SCALED_OBJECTS, original);
		buf_addf(ret, "%s%s/%s %s", ret->length > 0 ? "\n" : "",
			KIND_SCALED_OBJECT.singular, object_name(original),
			current == NULL			   ? "is gone"
			: scaled_object_is_paused(current) ? "is paused"
							   : "is not paused");
	}
}

/* Between two batches, and on the way from one to the next, they are frozen. */
static bool must_be_frozen(const struct record *record)
{
	return record->goal == GOAL_BATCH && record->batch > 0;
}

void autoscalers_describe_foreign(const struct situation *situation, struct buf *ret)
{
	CLEANUP(action_release) struct action action = {0};
	struct err err = {0};
	if (!must_be_frozen(situation->record))
		return;
	if (autoscalers_change(situation, AUTOSCALER_FROZEN, &action, &err) == ERR_FOREIGN)
		buf_add_line(ret, err.message);
	for (size_t i = 0; i < action.write_count; i++) {
		const struct action_write *write = &action.writes[i];
		struct err thawed = {0};
		int code = err_set(&thawed, ERR_FOREIGN,
			"%s/%s was frozen, and somebody else has changed that: it scales "
			"deployment.apps/%s again",
			write->write.kind->singular, write->write.name,
			situation->record->plan.deployment);
		(void)gitops_explain(code, write->before, &thawed);
		buf_add_line(ret, thawed.message);
	}
}
