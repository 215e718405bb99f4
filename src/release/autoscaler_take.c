#include "release/autoscaler_take.h"

#include "api/object.h"
#include "release/autoscaler.h"
#include "release/handover.h"
#include "release/users.h"
#include "traffic/merge.h"

#define PAUSED_REPLICAS_ANNOTATION "autoscaling.keda.sh/paused-replicas"

/* Those of the Deployment. */
struct found {
	json *autoscalers;
	json *scaled_objects;
	bool forbidden; /* to see ScaledObjects */
};

static void found_release(struct found *found)
{
	json_free(found->autoscalers);
	json_free(found->scaled_objects);
}

void autoscaler_lists_release(struct autoscaler_lists *lists)
{
	json_free(lists->autoscalers);
	json_free(lists->scaled_objects);
}

/* --- looking -------------------------------------------------------------------------------- */

static bool is_for(const json *object, const char *deployment)
{
	const json *reference = json_path(object, "spec", "scaleTargetRef", NULL);
	const char *kind = json_get_text(reference, "kind");
	return (kind == NULL || str_equal(kind, KIND_DEPLOYMENT.name)) &&
	       str_equal(json_get_text(reference, "name"), deployment);
}

/* Keeps those of the list that scale the Deployment. */
static json *pick(const json *list, const struct record *record)
{
	json *picked = json_array();
	json_for_each (object, list_items(list))
		if (is_for(object, record->plan.deployment))
			json_append(picked, json_copy(object));
	return picked;
}

/* A kind that is not served is one of which there is none. */
static int look_for(const struct api_port *api, const struct kind *kind,
	const struct record *record, json **ret_list, json **ret, struct err *err)
{
	struct query query = {.kind = kind, .namespace = record->plan.namespace};
	int code = api->list(api->context, &query, ret_list, err);
	if (code == 0 || code == ERR_NOT_FOUND)
		*ret = pick(*ret_list, record);
	return code == ERR_NOT_FOUND ? 0 : code;
}

static int look(const struct api_port *api, const struct record *record,
	struct autoscaler_lists *ret_lists, struct found *ret, struct str_list *notes,
	struct err *err)
{
	struct err refused = {0};
	int code = look_for(api, &KIND_HORIZONTAL_POD_AUTOSCALER, record, &ret_lists->autoscalers,
		&ret->autoscalers, &refused);
	if (code == ERR_FORBIDDEN) {
		add_note(notes, mem_format("cannot see whether an autoscaler is at work: %s",
					refused.message));
		code = 0;
	}
	if (code != 0)
		return err_set(err, code, "%s", refused.message);
	/* Who may not see them is told so where KEDA is not installed, too. Where it is, it has
	 * made a HorizontalPodAutoscaler of each that is at work. */
	code = look_for(api, &KIND_SCALED_OBJECT, record, &ret_lists->scaled_objects,
		&ret->scaled_objects, &refused);
	ret->forbidden = code == ERR_FORBIDDEN;
	return code == 0 || ret->forbidden ? 0 : err_set(err, code, "%s", refused.message);
}

/* The ScaledObject of which KEDA made this one; NULL where somebody else made it. */
static const char *maker_of(const json *autoscaler)
{
	json_for_each (owner, json_path(autoscaler, "metadata", "ownerReferences", NULL))
		if (str_equal(json_get_text(owner, "kind"), KIND_SCALED_OBJECT.name))
			return json_get_text(owner, "name");
	return NULL;
}

/* --- freezing ------------------------------------------------------------------------------- */

static int check_can_freeze(const json *autoscaler, const struct record *record, struct err *err)
{
	bool asleep = json_get_integer(json_get(autoscaler, "spec"), "minReplicas", 1) == 0;
	json_for_each (condition, json_path(autoscaler, "status", "conditions", NULL))
		asleep = asleep || (str_equal(json_get_text(condition, "type"), "ScaledToZero") &&
					   str_equal(json_get_text(condition, "status"), "True"));
	if (!asleep)
		return 0;
	return err_set(err, ERR_FAILED,
		"horizontalpodautoscaler.autoscaling/%s may scale deployment \"%s\" to 0 and back "
		"from there, and cannot be frozen: set its minReplicas to 1 before, or use --hpa "
		"ignore",
		object_name(autoscaler), record->plan.deployment);
}

/* Lets the API server look at the frozen one without storing it: rights, admission, and defaults,
 * so that what will be there is known. */
static int try_freezing(const struct api_port *api, const json *autoscaler,
	const struct record *record, json **ret_frozen, struct err *err)
{
	AUTO_JSON after = autoscaler_frozen(autoscaler, record->plan.replicas);
	AUTO_JSON answer = NULL;
	struct write write = {.verb = WRITE_UPDATE,
		.kind = &KIND_HORIZONTAL_POD_AUTOSCALER,
		.namespace = record->plan.namespace,
		.name = object_name(autoscaler),
		.before = autoscaler,
		.after = after,
		.dry_run = true};
	int code = api->write(api->context, &write, &answer, err);
	if (code != 0)
		return err_wrap(err, "freezing horizontalpodautoscaler.autoscaling/%s",
			object_name(autoscaler));
	json *spec = json_detach(answer, "spec");
	if (spec == NULL)
		return err_set(err, ERR_FAILED, "the server answered without a spec");
	*ret_frozen = snapshot_of(autoscaler);
	json_set(*ret_frozen, "spec", spec);
	return 0;
}

static int freeze_autoscaler(const struct api_port *api, const json *autoscaler,
	struct record *record, struct str_list *notes, struct err *err)
{
	json *frozen = NULL;
	int code = check_can_freeze(autoscaler, record, err);
	if (code == 0)
		code = try_freezing(api, autoscaler, record, &frozen, err);
	if (code != 0)
		return code;
	json_append(record->autoscalers, snapshot_of(autoscaler));
	json_append(record->frozen_autoscalers, frozen);
	add_note(notes,
		mem_format("horizontalpodautoscaler.autoscaling/%s is frozen for the time of the "
			   "release",
			object_name(autoscaler)));
	return 0;
}

static int freeze_scaled_object(const struct api_port *api, const json *scaled_object,
	struct record *record, struct str_list *notes, struct err *err)
{
	const char *name = object_name(scaled_object);
	if (object_annotation(scaled_object, PAUSED_REPLICAS_ANNOTATION) != NULL)
		return err_set(err, ERR_FAILED,
			"scaledobject.keda.sh/%s keeps deployment \"%s\" at a number of replicas, "
			"by "
			"its annotation " PAUSED_REPLICAS_ANNOTATION
			"; pause it with " PAUSED_ANNOTATION
			"=true in place of that, or use --hpa ignore",
			name, record->plan.deployment);
	if (scaled_object_is_paused(scaled_object)) {
		add_note(
			notes, mem_format("scaledobject.keda.sh/%s is paused, and stays so", name));
		return 0;
	}
	json *after = json_copy(scaled_object);
	object_set_annotation(after, PAUSED_ANNOTATION, "true");
	int code = rehearse(api, &KIND_SCALED_OBJECT, scaled_object, after, err);
	if (code != 0)
		return code;
	json_append(record->scaled_objects, snapshot_of(scaled_object));
	add_note(notes,
		mem_format("scaledobject.keda.sh/%s is paused for the time of the release", name));
	return 0;
}

/* KEDA's own goes with its ScaledObject: KEDA deletes it when that is paused. */
static int check_maker(const json *autoscaler, const struct found *found, struct err *err)
{
	const char *maker = maker_of(autoscaler);
	json_for_each (scaled_object, found->scaled_objects)
		if (str_equal(object_name(scaled_object), maker) &&
			!scaled_object_is_paused(scaled_object))
			return 0;
	return err_set(err, ERR_FAILED,
		"horizontalpodautoscaler.autoscaling/%s was made by KEDA for "
		"scaledobject.keda.sh/%s, "
		"which %s: the release cannot freeze it; use --hpa ignore, or delete it for the "
		"time "
		"of the release",
		object_name(autoscaler), maker,
		found->forbidden ? "you may not see" : "is paused or gone");
}

static int freeze(const struct api_port *api, const struct found *found, struct record *record,
	struct str_list *notes, struct err *err)
{
	record->autoscalers = json_array();
	record->frozen_autoscalers = json_array();
	record->scaled_objects = json_array();
	int code = 0;
	json_for_each (autoscaler, found->autoscalers)
		if (code == 0)
			code = maker_of(autoscaler) != NULL
				       ? check_maker(autoscaler, found, err)
				       : freeze_autoscaler(api, autoscaler, record, notes, err);
	json_for_each (scaled_object, found->scaled_objects)
		if (code == 0)
			code = freeze_scaled_object(api, scaled_object, record, notes, err);
	return code;
}

/* --- the other ways ------------------------------------------------------------------------- */

/* The first autoscaler that is at work: "horizontalpodautoscaler.autoscaling/web"; NULL where there
 * is none. The caller frees. */
static char *name_one(const struct found *found)
{
	json_for_each (autoscaler, found->autoscalers)
		return mem_format(
			"%s/%s", KIND_HORIZONTAL_POD_AUTOSCALER.singular, object_name(autoscaler));
	json_for_each (scaled_object, found->scaled_objects)
		if (!scaled_object_is_paused(scaled_object))
			return mem_format(
				"%s/%s", KIND_SCALED_OBJECT.singular, object_name(scaled_object));
	return NULL;
}

int autoscalers_take(const struct api_port *api, struct record *record,
	struct autoscaler_lists *ret_lists, struct str_list *notes, struct err *err)
{
	CLEANUP(found_release) struct found found = {0};
	struct plan *plan = &record->plan;
	int code = look(api, record, ret_lists, &found, notes, err);
	if (code != 0)
		return code;
	if (plan->hpa == HPA_FREEZE)
		return freeze(api, &found, record, notes, err);
	AUTO_STRING name = name_one(&found);
	if (name == NULL)
		return 0;
	if (plan->hpa == HPA_REFUSE)
		return err_set(err, ERR_FAILED,
			"%s scales deployment \"%s\" and would fight the release; --hpa freeze "
			"holds "
			"it still until the end",
			name, plan->deployment);
	/* Its size is the autoscaler's: whatever the release took away would come back. */
	plan->keep_stable = true;
	add_note(notes,
		mem_format("%s goes on scaling deployment \"%s\", which therefore keeps its size "
			   "beside the copy",
			name, plan->deployment));
	if (handover_keeps_copy(record))
		add_note(notes,
			mem_format(
				"%s is for deployment \"%s\", which is gone at the end: point it "
				"to the copy then",
				name, plan->deployment));
	return 0;
}

/* --- the copy's ----------------------------------------------------------------------------- */

static void refuse_copy(const struct kind *kind, const json *autoscaler, const struct plan *plan,
	struct findings *findings)
{
	add_refusal(findings,
		mem_format("%s/%s is for deployment \"%s\", as the copy is called, and would scale "
			   "it in the middle of the release: delete it, point it to another "
			   "Deployment, or choose another --version",
			kind->singular, object_name(autoscaler), plan->canary_deployment));
}

/* Left over from another release perhaps, of which it was the Deployment. */
void autoscalers_check_copy(
	const struct autoscaler_lists *lists, const struct plan *plan, struct findings *findings)
{
	json_for_each (scaled_object, list_items(lists->scaled_objects))
		if (is_for(scaled_object, plan->canary_deployment) &&
			!scaled_object_is_paused(scaled_object))
			refuse_copy(&KIND_SCALED_OBJECT, scaled_object, plan, findings);
	json_for_each (autoscaler, list_items(lists->autoscalers)) {
		const char *maker = maker_of(autoscaler);
		/* KEDA's own goes with what it was made for. */
		bool told = maker != NULL && list_find(lists->scaled_objects, maker) != NULL;
		if (is_for(autoscaler, plan->canary_deployment) && !told)
			refuse_copy(&KIND_HORIZONTAL_POD_AUTOSCALER, autoscaler, plan, findings);
	}
}
