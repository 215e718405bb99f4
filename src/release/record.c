#include "release/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "base/str.h"
#include "release/configs.h"

/* The record's format. A newer one is refused: it may mean things that are not known here. Format 1
 * knew no handover but the rolling one, nor autoscalers. */
#define RECORD_FORMAT 2
#define HISTORY_MAXIMUM 20
/* The API server allows 256 KiB for all annotations of an object together. */
#define ANNOTATION_MAXIMUM ((size_t)192 * 1024)

static const char *const PHASE_NAMES[] = {
	[PHASE_PROGRESSING] = "Progressing",
	[PHASE_PAUSED] = "Paused",
	[PHASE_COMPLETED] = "Completed",
	[PHASE_ABORTED] = "Aborted",
	[PHASE_FAILED] = "Failed",
};
static const char *const GOAL_NAMES[] = {
	[GOAL_BATCH] = "batch", [GOAL_FINISH] = "finish", [GOAL_ABORT] = "abort"};

void record_release(struct record *record)
{
	if (record == NULL)
		return;
	plan_release(&record->plan);
	json_free(record->settled);
	free(record->message);
	free(record->started_at);
	free(record->started_by);
	json_free(record->stable);
	json_free(record->virtualservices);
	json_free(record->destinationrules);
	json_free(record->own_virtualservice);
	json_free(record->httproutes);
	json_free(record->service);
	json_free(record->own_httproutes);
	json_free(record->autoscalers);
	json_free(record->frozen_autoscalers);
	json_free(record->scaled_objects);
	json_free(record->template);
	json_free(record->configs);
	json_free(record->contents);
	json_free(record->history);
	json_free(record->configmap);
	*record = (struct record){0};
}

bool phase_has_ended(enum phase phase)
{
	return phase == PHASE_COMPLETED || phase == PHASE_ABORTED;
}

const char *phase_name(enum phase phase)
{
	return PHASE_NAMES[phase];
}

bool record_has_settled(const struct record *record, const char *change)
{
	json_for_each (settled, record->settled)
		if (str_equal(json_text(settled), change))
			return true;
	return false;
}

void record_set_settled(struct record *record, const char *change)
{
	if (record->settled == NULL)
		record->settled = json_array();
	json_append(record->settled, json_string(change));
}

/* The name of a change that is made again. */
static char *name_again(const char *change)
{
	return mem_format("%s, again", change);
}

bool record_had_settled(const struct record *record, const char *change)
{
	AUTO_STRING again = name_again(change);
	return record_has_settled(record, change) || record_has_settled(record, again);
}

void record_unset_settled(struct record *record, const char *change)
{
	AUTO_STRING again = name_again(change);
	for (size_t i = json_count(record->settled); i-- > 0;)
		if (str_equal(json_text(json_at(record->settled, i)), change))
			json_free(json_detach_at(record->settled, i));
	if (!record_has_settled(record, again))
		record_set_settled(record, again);
}

static void copy_text(char *place, size_t size, const char *text)
{
	(void)snprintf(place, size, "%s", text == NULL ? "" : text);
}

static struct holder holder_from_json(const json *node)
{
	struct holder holder = {0};
	copy_text(holder.id, sizeof(holder.id), json_get_text(node, "id"));
	copy_text(holder.user, sizeof(holder.user), json_get_text(node, "user"));
	copy_text(holder.verb, sizeof(holder.verb), json_get_text(node, "verb"));
	copy_text(holder.machine, sizeof(holder.machine), json_get_text(node, "machine"));
	copy_text(holder.process, sizeof(holder.process), json_get_text(node, "process"));
	holder.renewals = json_get_integer(node, "renewals", 0);
	return holder;
}

static json *holder_to_json(const struct holder *holder)
{
	json *node = json_object();
	json_set_text(node, "id", holder->id);
	json_set_text(node, "user", holder->user);
	json_set_text(node, "verb", holder->verb);
	json_set_text(node, "machine", holder->machine);
	json_set_text(node, "process", holder->process);
	json_set_integer(node, "renewals", holder->renewals);
	return node;
}

/* A batch is gone for from the one before it, the end from the last. What `next` makes of another
 * record might be a batch that the plan has not. */
static bool batch_is_sound(const struct record *record)
{
	int count = record->plan.batch_count;
	if (record->goal_batch < 1 || record->through < 1 || record->batch < 0)
		return false;
	if (record->goal == GOAL_FINISH)
		return record->batch == count;
	if (record->goal == GOAL_BATCH && record->phase != PHASE_PAUSED)
		return record->goal_batch == record->batch + 1;
	return true;
}

static int parse_status(const json *status, struct record *record, struct err *err)
{
	int phase = str_index(PHASE_NAMES, COUNT_OF(PHASE_NAMES), json_get_text(status, "phase"));
	int goal = str_index(GOAL_NAMES, COUNT_OF(GOAL_NAMES), json_get_text(status, "goal"));
	if (phase < 0 || goal < 0)
		return err_set(
			err, ERR_INVALID, "status.%s is damaged", phase < 0 ? "phase" : "goal");
	record->phase = (enum phase)phase;
	record->goal = (enum goal)goal;
	int count = record->plan.batch_count;
	record->goal_batch = json_get_int(status, "goalBatch", 1, count);
	record->through = json_get_int(status, "through", 1, count);
	record->batch = json_get_int(status, "batch", 0, count);
	if (!batch_is_sound(record))
		return err_set(err, ERR_INVALID, "the batch in status is damaged");
	record->progress_unknown = json_is_true(json_get(status, "progressUnknown"));
	if (json_is_array(json_get(status, "settled")))
		record->settled = json_copy(json_get(status, "settled"));
	record->message = mem_strdup(json_get_text(status, "message"));
	record->started_at = mem_strdup(json_get_text(status, "startedAt"));
	record->started_by = mem_strdup(json_get_text(status, "startedBy"));
	if (json_get(status, "holder") != NULL)
		record->holder = holder_from_json(json_get(status, "holder"));
	return 0;
}

static int parse_before(const json *release, struct record *record, struct err *err)
{
	const json *before = json_get(release, "before");
	record->stable = json_copy(json_get(before, "deployment"));
	record->virtualservices = json_copy(json_get(before, "virtualservices"));
	record->destinationrules = json_copy(json_get(before, "destinationrules"));
	record->template = json_copy(json_get(release, "template"));
	record->tagged = json_is_true(json_get(release, "tagged"));
	record->own_virtualservice = json_copy(json_get(release, "ownVirtualService"));
	record->httproutes = json_copy(json_get(before, "httproutes"));
	record->service = json_copy(json_get(before, "service"));
	record->own_httproutes = json_copy(json_get(release, "ownHTTPRoutes"));
	record->configs = json_copy(json_get(release, "configs"));
	if (!configs_are_sound(record->configs))
		return err_set(err, ERR_INVALID, "the names of its configuration are damaged");
	bool routed = record->plan.traffic != TRAFFIC_GATEWAY ||
		      (json_is_array(record->httproutes) && json_is_object(record->service));
	if (!routed || !json_is_object(record->stable) || !json_is_object(record->template) ||
		!json_is_array(record->virtualservices) || !json_is_array(record->destinationrules))
		return err_set(err, ERR_INVALID, "the objects as they were before are damaged");
	return 0;
}

/* Records of before autoscalers were known have none. */
static int parse_autoscalers(const json *release, struct record *record, struct err *err)
{
	const json *before = json_get(release, "before");
	record->autoscalers = json_copy(json_get(before, "autoscalers"));
	record->scaled_objects = json_copy(json_get(before, "scaledobjects"));
	record->frozen_autoscalers = json_copy(json_get(release, "frozenAutoscalers"));
	const json *arrays[] = {
		record->autoscalers, record->frozen_autoscalers, record->scaled_objects};
	bool damaged = json_count(record->autoscalers) != json_count(record->frozen_autoscalers);
	for (size_t i = 0; i < COUNT_OF(arrays); i++)
		damaged = damaged || (arrays[i] != NULL && !json_is_array(arrays[i]));
	if (damaged)
		return err_set(err, ERR_INVALID, "the autoscalers as they were before are damaged");
	return 0;
}

static int parse_data(const json *configmap, const char *key, json **ret, struct err *err)
{
	const char *text = json_path_text(configmap, "data", key, NULL);
	if (text == NULL)
		return err_set(err, ERR_INVALID, "data.%s is missing", key);
	if (json_parse(text, strlen(text), ret, err) != 0)
		return err_wrap(err, "data.%s", key);
	return 0;
}

/* What does not change from the release's begin to its end. */
static int parse_unchanging(const json *release, struct record *record, struct err *err)
{
	/* Not damaged: whoever mends damage must not touch it. */
	if (json_double(json_get(release, "format"), 0) > RECORD_FORMAT)
		return err_set(err, ERR_FAILED,
			"it was written by a newer version of kubectl-batchrollout; use that one");
	int code = plan_from_json(json_get(release, "spec"), &record->plan, err);
	if (code == 0)
		code = parse_before(release, record, err);
	if (code == 0)
		code = parse_autoscalers(release, record, err);
	return code;
}

static int parse_release(const json *configmap, struct record *record, struct err *err)
{
	AUTO_JSON release = NULL;
	int code = parse_data(configmap, "release", &release, err);
	if (code == 0)
		code = parse_unchanging(release, record, err);
	if (code == 0)
		code = parse_status(json_get(release, "status"), record, err);
	if (code == 0)
		code = parse_data(configmap, "history", &record->history, err);
	if (code == 0 && !json_is_array(record->history))
		return err_set(err, ERR_INVALID, "data.history is damaged");
	return code;
}

int record_parse(const json *configmap, struct record *ret, struct err *err)
{
	CLEANUP(record_release) struct record record = {0};
	int code = parse_release(configmap, &record, err);
	if (code != 0) {
		(void)err_wrap(
			err, "the record configmap/%s is not usable", object_name(configmap));
		return code;
	}
	record.plan.namespace = mem_strdup(object_namespace(configmap));
	record.configmap = json_copy(configmap);
	*ret = record;
	record = (struct record){0};
	return 0;
}

static json *status_to_json(const struct record *record)
{
	json *status = json_object();
	json_set_text(status, "phase", PHASE_NAMES[record->phase]);
	json_set_text(status, "goal", GOAL_NAMES[record->goal]);
	json_set_integer(status, "goalBatch", record->goal_batch);
	json_set_integer(status, "through", record->through);
	json_set_integer(status, "batch", record->batch);
	json_set(status, "settled", json_copy(record->settled));
	json_set_text(status, "message", record->message);
	json_set_text(status, "startedAt", record->started_at);
	json_set_text(status, "startedBy", record->started_by);
	if (record->progress_unknown)
		json_set_bool(status, "progressUnknown", true);
	if (record->holder.id[0] != '\0')
		json_set(status, "holder", holder_to_json(&record->holder));
	return status;
}

static json *unchanging_to_json(const struct record *record)
{
	json *release = json_object();
	json_set_integer(release, "format", RECORD_FORMAT);
	json_set(release, "spec", plan_to_json(&record->plan));
	json *before = json_ensure_object(release, "before");
	json_set(before, "deployment", json_copy(record->stable));
	json_set(before, "virtualservices", json_copy(record->virtualservices));
	json_set(before, "destinationrules", json_copy(record->destinationrules));
	json_set(before, "httproutes", json_copy(record->httproutes));
	json_set(before, "service", json_copy(record->service));
	json_set(before, "autoscalers", json_copy(record->autoscalers));
	json_set(before, "scaledobjects", json_copy(record->scaled_objects));
	json_set(release, "frozenAutoscalers", json_copy(record->frozen_autoscalers));
	json_set(release, "template", json_copy(record->template));
	json_set_bool(release, "tagged", record->tagged);
	json_set(release, "configs", json_copy(record->configs));
	json_set(release, "ownVirtualService", json_copy(record->own_virtualservice));
	json_set(release, "ownHTTPRoutes", json_copy(record->own_httproutes));
	return release;
}

json *record_to_configmap(const struct record *record)
{
	AUTO_STRING name = own_object_name(record->plan.service);
	json *configmap = record->configmap != NULL
				  ? json_copy(record->configmap)
				  : object_new(&KIND_CONFIG_MAP, record->plan.namespace, name);
	object_set_label(configmap, MANAGED_BY_LABEL, MANAGED_BY);
	object_set_label(configmap, SERVICE_LABEL, record->plan.service);
	AUTO_JSON release = unchanging_to_json(record);
	json_set(release, "status", status_to_json(record));
	AUTO_STRING release_text = json_print(release);
	AUTO_STRING history_text = json_print(record->history);
	json *data = json_ensure_object(configmap, "data");
	json_set_text(data, "release", release_text);
	json_set_text(data, "history", history_text);
	return configmap;
}

char *record_to_annotation(const struct record *record)
{
	AUTO_JSON release = unchanging_to_json(record);
	AUTO_STRING text = json_print(release);
	return strlen(text) > ANNOTATION_MAXIMUM ? NULL : TAKE(text);
}

int record_from_annotation(const json *object, struct record *ret, struct err *err)
{
	CLEANUP(record_release) struct record record = {0};
	AUTO_JSON release = NULL;
	const char *text = object_annotation(object, RELEASE_ANNOTATION);
	if (text == NULL)
		return err_set(err, ERR_NOT_FOUND, "it has no annotation %s", RELEASE_ANNOTATION);
	int code = json_parse(text, strlen(text), &release, err);
	if (code == 0)
		code = parse_unchanging(release, &record, err);
	if (code != 0)
		return err_wrap(err, "its annotation %s", RELEASE_ANNOTATION);
	record.plan.namespace = mem_strdup(object_namespace(object));
	record.history = json_array();
	record.progress_unknown = true;
	record.phase = PHASE_PROGRESSING;
	record.goal = GOAL_ABORT;
	record.batch = record.goal_batch = record.through = record.plan.batch_count;
	/* As if all of it had happened: what was not done needs no taking back, and holds. */
	record_set_settled(&record, "subsets");
	*ret = record;
	record = (struct record){0};
	return 0;
}

int record_save(struct record *record, const struct api_port *api, struct err *err)
{
	AUTO_STRING name = own_object_name(record->plan.service);
	AUTO_JSON after = record_to_configmap(record);
	json *written = NULL;
	struct write write = {
		.verb = record->configmap == NULL ? WRITE_CREATE : WRITE_UPDATE,
		.kind = &KIND_CONFIG_MAP,
		.namespace = record->plan.namespace,
		.name = name,
		.before = record->configmap,
		.after = after,
	};
	int code = api->write(api->context, &write, &written, err);
	if (code != 0)
		return code;
	json_free(record->configmap);
	record->configmap = written;
	return 0;
}

int record_load(const struct api_port *api, const char *namespace, const char *service,
	struct record *ret, struct err *err)
{
	AUTO_STRING name = own_object_name(service);
	AUTO_JSON list = NULL;
	struct query query = {.kind = &KIND_CONFIG_MAP, .namespace = namespace, .name = name};
	int code = api->list(api->context, &query, &list, err);
	if (code != 0)
		return code;
	const json *configmap = list_find(list, name);
	if (configmap == NULL)
		return err_set(err, ERR_NOT_FOUND,
			"no release of service \"%s\" in namespace \"%s\": begin one with "
			"`kubectl batchrollout start %s -n %s --image IMAGE`",
			service, namespace, service, namespace);
	code = record_parse(configmap, ret, err);
	if (code == ERR_INVALID)
		return err_set(err, code,
			"%s; `kubectl batchrollout abort %s -n %s` takes the release back by what "
			"its objects carry",
			err == NULL ? "" : err->message, service, namespace);
	return code;
}

json *record_history_entry(const struct record *record, const char *now)
{
	json *entry = json_object();
	json_set_text(entry, "startedAt", record->started_at);
	json_set_text(entry, "endedAt", now);
	json_set_text(entry, "by", record->started_by);
	json_set_text(entry, "from", record->plan.stable_version);
	json_set_text(entry, "to", record->plan.canary_version);
	if (!record->progress_unknown)
		json_set_integer(entry, "batch", record->batch);
	json_set_integer(entry, "batches", record->plan.batch_count);
	json_set_text(entry, "result", PHASE_NAMES[record->phase]);
	return entry;
}

static void add_to_history(struct record *record, const char *now)
{
	json_append(record->history, record_history_entry(record, now));
	while (json_count(record->history) > HISTORY_MAXIMUM)
		json_free(json_detach_at(record->history, 0));
}

static void end_release(struct record *record, enum phase phase, const char *now)
{
	record->phase = phase;
	add_to_history(record, now);
}

void record_reached(struct record *record, const char *now)
{
	if (record->goal == GOAL_FINISH) {
		end_release(record, PHASE_COMPLETED, now);
		return;
	}
	if (record->goal == GOAL_ABORT) {
		end_release(record, PHASE_ABORTED, now);
		return;
	}
	record->batch = record->goal_batch;
	bool last = record->batch == record->plan.batch_count;
	if (last && !record->plan.hold)
		record->goal = GOAL_FINISH;
	else if (last || record->batch >= record->through)
		record->phase = PHASE_PAUSED;
	else
		record->goal_batch++;
}
