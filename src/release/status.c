#include "release/status.h"

#include "api/object.h"
#include "base/buf.h"
#include "release/autoscaler.h"
#include "release/foreign.h"
#include "release/handover.h"
#include "release/router.h"
#include "release/workload.h"

/* The canary's share: by the routes where there are any, by what serves otherwise. */
static int canary_weight(
	const struct record *record, const struct observation *seen, int stable, int canary)
{
	const struct router *router = router_of(record);
	json_for_each (route, router == NULL ? NULL : list_items(seen->lists[router->source])) {
		int weight = router->canary_weight(record, route);
		if (weight >= 0)
			return weight;
	}
	return stable + canary > 0 ? (200 * canary + stable + canary) / (2 * (stable + canary)) : 0;
}

static struct version_status version_of(
	const struct observation *seen, const json *deployment, const char *version)
{
	struct version_status status = {.version = version};
	if (deployment == NULL)
		return status;
	status.deployment = object_name(deployment);
	status.replicas = wanted_replicas(deployment);
	status.ready = count_serving_pods(seen, deployment, NULL);
	return status;
}

/* The copy has taken the place of the stable Deployment. */
static struct release_status swapped_status(
	const struct record *record, const struct observation *seen)
{
	const char *version = record->plan.canary_version;
	struct release_status status = {
		.stable = version_of(seen, canary_deployment(seen), version),
		.canary = {.version = version},
	};
	status.stable.weight = status.stable.deployment != NULL ? 100 : 0;
	return status;
}

struct release_status status_of(const struct record *record, const struct observation *seen)
{
	const struct plan *plan = &record->plan;
	if (record->phase == PHASE_COMPLETED && handover_keeps_copy(record))
		return swapped_status(record, seen);
	/* From finish on, stable is of the new version. */
	bool renewed =
		templates_equal(pod_template(stable_deployment(seen)), record->template, false);
	struct release_status status = {
		.stable = version_of(seen, stable_deployment(seen),
			renewed ? plan->canary_version : plan->stable_version),
		.canary = version_of(seen, canary_deployment(seen), plan->canary_version),
	};
	if (status.canary.deployment != NULL)
		status.canary.weight =
			canary_weight(record, seen, status.stable.ready, status.canary.ready);
	if (status.stable.deployment != NULL)
		status.stable.weight = 100 - status.canary.weight;
	return status;
}

static json *version_to_json(const struct version_status *version)
{
	json *node = json_object();
	if (version->deployment != NULL)
		json_set_text(node, "deployment", version->deployment);
	json_set_text(node, "version", version->version);
	json_set_integer(node, "replicas", version->replicas);
	json_set_integer(node, "ready", version->ready);
	json_set_integer(node, "weight", version->weight);
	return node;
}

static void add_condition(
	json *conditions, const char *type, bool holds, const char *reason, const char *message)
{
	json *condition = json_object();
	json_set_text(condition, "type", type);
	json_set_text(condition, "status", holds ? "True" : "False");
	json_set_text(condition, "reason", reason);
	json_set_text(condition, "message", message);
	json_append(conditions, condition);
}

static void add_changed_condition(
	json *conditions, const struct record *record, const struct observation *seen)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	foreign_describe(record, seen, &text);
	bool changed = text.length > 0;
	add_condition(conditions, "ChangedByOthers", changed,
		changed ? "ManagedFieldChanged" : "AsManaged", buf_text(&text));
}

/* Where there is an autoscaler to freeze, while there is a release to freeze it for. */
static void add_frozen_condition(
	json *conditions, const struct record *record, const struct observation *seen)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	autoscalers_describe(record, seen, &text);
	if (text.length == 0 || phase_has_ended(record->phase))
		return;
	bool frozen = autoscalers_rest(record, seen);
	add_condition(conditions, "AutoscalerFrozen", frozen, frozen ? "Frozen" : "NotFrozen",
		buf_text(&text));
}

static json *conditions_to_json(const struct record *record, const struct observation *seen)
{
	json *conditions = json_array();
	const char *goal = record->goal == GOAL_ABORT	 ? "Aborting"
			   : record->goal == GOAL_FINISH ? "Finishing"
							 : "MovingToBatch";
	bool progressing = record->phase == PHASE_PROGRESSING;
	AUTO_STRING holder =
		record->holder.id[0] != '\0'
			? mem_format("driven by %s (%s)", record->holder.user, record->holder.verb)
			: mem_strdup("driven by nobody: `kubectl batchrollout next` goes on");
	add_condition(conditions, "Progressing", progressing,
		progressing ? goal : phase_name(record->phase), progressing ? holder : "");
	bool failed = record->phase == PHASE_FAILED;
	add_condition(conditions, "Failed", failed, failed ? goal : phase_name(record->phase),
		failed && record->message != NULL ? record->message : "");
	add_changed_condition(conditions, record, seen);
	add_frozen_condition(conditions, record, seen);
	return conditions;
}

/* An object as scripts read it, of the Service. */
static json *new_object(const char *kind, const struct record *record)
{
	json *object = json_object();
	json_set_text(object, "apiVersion", "batchrollout/v1");
	json_set_text(object, "kind", kind);
	json *metadata = json_ensure_object(object, "metadata");
	json_set_text(metadata, "name", record->plan.service);
	json_set_text(metadata, "namespace", record->plan.namespace);
	return object;
}

json *release_to_json(const struct record *record)
{
	json *release = new_object("Release", record);
	json_set(release, "spec", plan_to_json(&record->plan));
	json *status = json_ensure_object(release, "status");
	json_set_text(status, "phase", phase_name(record->phase));
	json_set_integer(status, "batch", record->batch);
	json_set_integer(status, "batches", record->plan.batch_count);
	json_set_text(status, "traffic", traffic_mode_name(record->plan.traffic));
	json_set_text(status, "startedAt", record->started_at);
	return release;
}

json *history_to_json(const struct record *record)
{
	json *list = new_object("ReleaseHistory", record);
	json_set(list, "items", json_copy(record->history));
	if (!phase_has_ended(record->phase))
		json_append(json_get(list, "items"), record_history_entry(record, NULL));
	return list;
}

json *status_to_json(const struct record *record, const struct observation *seen)
{
	struct release_status now = status_of(record, seen);
	json *release = release_to_json(record);
	json *status = json_get(release, "status");
	json_set(status, "stable", version_to_json(&now.stable));
	json_set(status, "canary", version_to_json(&now.canary));
	json_set(status, "conditions", conditions_to_json(record, seen));
	return release;
}
