#include "release/autoscaler.h"

#include "api/object.h"
#include "base/str.h"
#include "release/edit.h"
#include "release/handover.h"
#include "release/rungs.h"
#include "release/workload.h"

/* --- states --------------------------------------------------------------------------------- */

static const char *const DIRECTIONS[] = {"scaleUp", "scaleDown"};

json *autoscaler_frozen(const json *autoscaler, int replicas)
{
	json *frozen = json_copy(autoscaler);
	json *spec = json_ensure_object(frozen, "spec");
	json *behavior = json_ensure_object(spec, "behavior");
	for (size_t i = 0; i < COUNT_OF(DIRECTIONS); i++)
		json_set_text(
			json_ensure_object(behavior, DIRECTIONS[i]), "selectPolicy", "Disabled");
	json_set_integer(spec, "minReplicas", 1);
	if (json_get_integer(spec, "maxReplicas", 0) < replicas)
		json_set_integer(spec, "maxReplicas", replicas);
	return frozen;
}

json *autoscaler_for(const json *autoscaler, const char *deployment)
{
	json *copy = json_copy(autoscaler);
	json_set_text(json_path(copy, "spec", "scaleTargetRef", NULL), "name", deployment);
	return copy;
}

bool autoscaler_is_frozen(const json *autoscaler)
{
	const json *spec = json_get(autoscaler, "spec");
	bool frozen = json_get_integer(spec, "minReplicas", 1) <= 1;
	for (size_t i = 0; i < COUNT_OF(DIRECTIONS); i++)
		frozen = frozen && str_equal(json_path_text(spec, "behavior", DIRECTIONS[i],
						     "selectPolicy", NULL),
					   "Disabled");
	return frozen;
}

bool scaled_object_is_paused(const json *scaled_object)
{
	return str_equal(object_annotation(scaled_object, PAUSED_ANNOTATION), "true");
}

/* --- HorizontalPodAutoscalers --------------------------------------------------------------- */

/* The fields in which the frozen one differs. */
static const char *const FROZEN_FIELDS[] = {"minReplicas", "maxReplicas", "behavior"};
#define MIXTURES (1U << COUNT_OF(FROZEN_FIELDS))

/* The original with those fields of the frozen one that the bits of `mixture` say. */
static json *mix(const json *original, const json *frozen, unsigned int mixture)
{
	json *mixed = json_copy(original);
	for (size_t i = 0; i < COUNT_OF(FROZEN_FIELDS); i++)
		if ((mixture & (1U << i)) != 0)
			json_set(json_get(mixed, "spec"), FROZEN_FIELDS[i],
				json_copy(json_path(frozen, "spec", FROZEN_FIELDS[i], NULL)));
	return mixed;
}

/* Each field by itself may be as before or frozen: whoever applies the manifest again takes back
 * what is in it, and leaves the rest. Takes the goal over. */
static struct trees states_of(
	const json *original, const json *frozen, const char *final_target, json *goal)
{
	struct trees states = {0};
	trees_add(&states, goal);
	for (unsigned int i = 0; i < MIXTURES; i++) {
		json *mixed = mix(original, frozen, i);
		trees_add(&states, autoscaler_for(mixed, final_target));
		trees_add(&states, mixed);
	}
	states.possible = states.count;
	return states;
}

/* What is not ours to change can make a frozen one scale all the same. */
static int check_rests(const struct situation *situation, const json *autoscaler, struct err *err)
{
	const struct plan *plan = &situation->record->plan;
	int replicas = wanted_replicas(stable_deployment(situation->seen));
	const json *spec = json_get(autoscaler, "spec");
	int64_t minimum = json_get_integer(spec, "minReplicas", 1);
	int64_t maximum = json_get_integer(spec, "maxReplicas", 0);
	bool low = minimum <= 1;
	if (low && maximum >= replicas)
		return 0;
	return err_set(err, ERR_FOREIGN,
		"horizontalpodautoscaler.autoscaling/%s: spec.%s is %d now, somebody changed it, "
		"and "
		"the autoscaler would scale deployment.apps/%s in the middle of the release; set "
		"it to "
		"%d%s, or `kubectl batchrollout abort %s -n %s`",
		object_name(autoscaler), low ? "maxReplicas" : "minReplicas",
		(int)(low ? maximum : minimum), plan->deployment, low ? replicas : 1,
		low ? " at least" : "", plan->service, plan->namespace);
}

static json *goal_of(const struct record *record, const json *original, const json *frozen,
	enum autoscaler_state state)
{
	switch (state) {
	case AUTOSCALER_FROZEN:
		return json_copy(frozen);
	case AUTOSCALER_FINISHED:
		return autoscaler_for(original, handover_final_name(record));
	case AUTOSCALER_ORIGINAL:
		break;
	}
	return json_copy(original);
}

static int change_autoscaler(const struct situation *situation, size_t index,
	enum autoscaler_state state, struct action *action, struct err *err)
{
	const struct record *record = situation->record;
	const json *original = json_at(record->autoscalers, index);
	const json *frozen = json_at(record->frozen_autoscalers, index);
	const json *current = seen_like(situation, SEEN_AUTOSCALERS, original);
	AUTO_JSON goal = goal_of(record, original, frozen, state);
	if (current == NULL || is_exactly(current, goal))
		return 0;
	size_t before = action->write_count;
	CLEANUP(trees_release)
	struct trees states = states_of(original, frozen, handover_final_name(record), TAKE(goal));
	int code = merge_update(&KIND_HORIZONTAL_POD_AUTOSCALER, current, &states,
		state == AUTOSCALER_FROZEN ? "frozen" : "restored", action, err);
	if (code != 0 || state != AUTOSCALER_FROZEN)
		return code;
	bool changed = action->write_count > before;
	return check_rests(situation, changed ? action->writes[before].after : current, err);
}

/* --- ScaledObjects -------------------------------------------------------------------------- */

static void aim(json *scaled_object, const struct record *record, const char *target)
{
	json *reference = json_path(scaled_object, "spec", "scaleTargetRef", NULL);
	const char *name = json_get_text(reference, "name");
	if (str_equal(name, record->plan.deployment) ||
		str_equal(name, handover_final_name(record)))
		json_set_text(reference, "name", target);
}

static int change_scaled_object(const struct situation *situation, const json *original,
	enum autoscaler_state state, struct action *action)
{
	const struct record *record = situation->record;
	const json *current = seen_like(situation, SEEN_SCALED_OBJECTS, original);
	if (current == NULL)
		return 0;
	bool freeze = state == AUTOSCALER_FROZEN;
	AUTO_JSON after = json_copy(current);
	/* Another value than ours is somebody's wish. */
	if (freeze)
		object_set_annotation(after, PAUSED_ANNOTATION, "true");
	else if (scaled_object_is_paused(current))
		object_set_annotation(
			after, PAUSED_ANNOTATION, object_annotation(original, PAUSED_ANNOTATION));
	aim(after, record,
		state == AUTOSCALER_FINISHED ? handover_final_name(record)
					     : record->plan.deployment);
	if (!json_equal(after, current))
		action_update(action, &KIND_SCALED_OBJECT, current, TAKE(after), "%s",
			freeze ? "paused" : "restored");
	return 0;
}

/* --- both ----------------------------------------------------------------------------------- */

int autoscalers_change(const struct situation *situation, enum autoscaler_state state,
	struct action *action, struct err *err)
{
	const struct record *record = situation->record;
	int code = 0;
	for (size_t i = 0; code == 0 && i < json_count(record->autoscalers); i++)
		code = change_autoscaler(situation, i, state, action, err);
	json_for_each (scaled_object, record->scaled_objects)
		if (code == 0)
			code = change_scaled_object(situation, scaled_object, state, action);
	return code;
}

bool autoscalers_are_known(const struct record *record)
{
	return json_count(record->autoscalers) + json_count(record->scaled_objects) > 0;
}

bool autoscalers_rest(const struct record *record, const struct observation *seen)
{
	const struct situation situation = {.record = record, .seen = seen};
	json_for_each (original, record->autoscalers) {
		const json *current = seen_like(&situation, SEEN_AUTOSCALERS, original);
		if (current != NULL && !autoscaler_is_frozen(current))
			return false;
	}
	json_for_each (original, record->scaled_objects) {
		const json *current = seen_like(&situation, SEEN_SCALED_OBJECTS, original);
		if (current != NULL && !scaled_object_is_paused(current))
			return false;
	}
	return true;
}

/* --- how many replicas of stable there must be ---------------------------------------------- */

int stable_needed(const struct situation *situation)
{
	const struct plan *plan = &situation->record->plan;
	const struct batch *batch = goal_batch(situation);
	int64_t share = ((int64_t)plan->replicas * (100 - batch->weight) + 99) / 100;
	return plan->hpa == HPA_IGNORE && share < batch->stable ? (int)share : batch->stable;
}

bool stable_suffices(const struct situation *situation, int replicas)
{
	int needed = stable_needed(situation);
	return replicas == needed ||
	       (situation->record->plan.hpa == HPA_IGNORE && replicas > needed);
}

int stable_whole(const struct situation *situation)
{
	int before = situation->record->plan.replicas;
	int now = wanted_replicas(stable_deployment(situation->seen));
	bool still = situation->record->plan.hpa != HPA_IGNORE &&
		     autoscalers_rest(situation->record, situation->seen);
	bool renewed = has_new_template(situation);
	/* Once it has the new version, whoever wants more may have them. */
	if (now > before)
		return !still || renewed ? now : before;
	/* And an autoscaler that is at work again may want fewer, once nothing of the release needs
	 * the others: it has been given back, and this is not the first look since. */
	bool alone = renewed && canary_deployment(situation->seen) == NULL;
	return alone && !still && now > 0 ? now : before;
}

/* --- rungs ---------------------------------------------------------------------------------- */

/* "horizontalpodautoscaler.autoscaling/web and scaledobject.keda.sh/web" */
static void add_names(const struct record *record, struct buf *buf)
{
	size_t count = 0;
	json_for_each (autoscaler, record->autoscalers)
		buf_addf(buf, "%s%s/%s", count++ > 0 ? " and " : "",
			KIND_HORIZONTAL_POD_AUTOSCALER.singular, object_name(autoscaler));
	json_for_each (scaled_object, record->scaled_objects)
		buf_addf(buf, "%s%s/%s", count++ > 0 ? " and " : "", KIND_SCALED_OBJECT.singular,
			object_name(scaled_object));
}

void autoscalers_frozen_describe(const struct situation *situation, struct buf *buf)
{
	const struct record *record = situation->record;
	if (!autoscalers_are_known(record))
		return;
	add_names(record, buf);
	buf_addf(buf, " %s deployment.apps/%s as it is",
		json_count(record->autoscalers) + json_count(record->scaled_objects) > 1 ? "leave"
											 : "leaves",
		record->plan.deployment);
}

/* Nothing is left for abort for which the autoscalers would have to be still. */
static bool stable_is_back(const struct situation *situation)
{
	const struct record *record = situation->record;
	const json *stable = stable_deployment(situation->seen);
	return stable == NULL ||
	       (canary_deployment(situation->seen) == NULL && !has_new_template(situation) &&
		       wanted_replicas(stable) >= record->plan.replicas);
}

bool autoscalers_frozen_holds(const struct situation *situation)
{
	const struct record *record = situation->record;
	bool aborts = record->goal == GOAL_ABORT;
	if (!autoscalers_are_known(record) || (aborts && stable_is_back(situation)))
		return true;
	CLEANUP(action_release) struct action action = {0};
	int code = autoscalers_change(situation, AUTOSCALER_FROZEN, &action, NULL);
	/* The way back is not held up by what can be said at its end. */
	return code == 0 ? action.write_count == 0 : aborts;
}

int autoscalers_frozen_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	return autoscalers_change(situation, AUTOSCALER_FROZEN, action, err);
}

/* An autoscaler that is in the middle of its work goes by what it has read before, and nothing that
 * it shows tells when it has read again. */

void autoscalers_settled_describe(const struct situation *situation, struct buf *buf)
{
	if (autoscalers_are_known(situation->record) && situation->record->plan.settle_ms > 0) {
		add_names(situation->record, buf);
		buf_add_text(buf, " had the time to finish what was begun before");
	}
}

bool autoscalers_settled_holds(const struct situation *situation)
{
	const struct record *record = situation->record;
	if (!autoscalers_are_known(record))
		return true;
	/* Only where the release was completed, they were at work again. */
	return record->goal == GOAL_ABORT &&
	       (canary_deployment(situation->seen) != NULL || !has_new_template(situation));
}

void autoscalers_restored_describe(const struct situation *situation, struct buf *buf)
{
	const struct record *record = situation->record;
	if (!autoscalers_are_known(record))
		return;
	size_t count = json_count(record->autoscalers) + json_count(record->scaled_objects);
	add_names(record, buf);
	buf_addf(buf, " %s as before", count > 1 ? "are" : "is");
}

static enum autoscaler_state restored_state(const struct record *record)
{
	return record->goal == GOAL_ABORT ? AUTOSCALER_ORIGINAL : AUTOSCALER_FINISHED;
}

bool autoscalers_restored_holds(const struct situation *situation)
{
	CLEANUP(action_release) struct action action = {0};
	return autoscalers_change(situation, restored_state(situation->record), &action, NULL) ==
		       0 &&
	       action.write_count == 0;
}

int autoscalers_restored_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	return autoscalers_change(situation, restored_state(situation->record), action, err);
}
