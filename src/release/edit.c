#include "release/edit.h"

#include "api/object.h"
#include "release/canary.h"
#include "release/gitops.h"
#include "traffic/merge.h"

void trees_release(struct trees *trees)
{
	for (size_t i = 0; i < trees->count; i++)
		json_free(trees->items[i]);
}

void trees_add(struct trees *trees, json *tree_taken)
{
	for (size_t i = 0; i < trees->count; i++)
		if (json_equal(trees->items[i], tree_taken)) {
			json_free(tree_taken);
			return;
		}
	trees->items[trees->count++] = tree_taken;
}

bool is_one_of(const struct trees *states, const json *current)
{
	for (size_t i = 0; i < states->possible; i++)
		if (is_exactly(current, states->items[i]))
			return true;
	return false;
}

void exact_update(const struct kind *kind, const json *current, const json *goal, const char *said,
	struct action *action)
{
	json *after = json_copy(current);
	json *spec = json_copy(json_get(goal, "spec"));
	merge_strip_keys(spec);
	json_set(after, "spec", spec);
	action_update(action, kind, current, after, "%s", said);
}

int merge_update(const struct kind *kind, const json *current, const struct trees *states,
	const char *said, struct action *action, struct err *err)
{
	AUTO_JSON merged = json_copy(current);
	int code = merge_from_possible(merged, states->items[0],
		(const json *const *)&states->items[1], states->count - 1, states->possible - 1,
		err);
	if (code != 0) {
		code = err_wrap(err, "%s/%s", kind->singular, object_name(current));
		return gitops_explain(code, current, err);
	}
	if (!json_equal(merged, current))
		action_update(action, kind, current, TAKE(merged), "%s", said);
	return 0;
}

bool is_exactly(const json *current, const json *goal)
{
	return merge_is_state(json_get(current, "spec"), json_get(goal, "spec"));
}

int missing(const struct kind *kind, const json *snapshot, struct err *err)
{
	return err_set(err, ERR_FOREIGN,
		"%s/%s was there when the release began, and is gone: somebody deleted it; "
		"create it again, then go on",
		kind->singular, object_name(snapshot));
}

const json *seen_like(const struct situation *situation, enum source source, const json *object)
{
	return list_find_in(
		situation->seen->lists[source], object_namespace(object), object_name(object));
}

void create_own(const struct situation *situation, const struct kind *kind, json *goal_taken,
	struct action *action)
{
	merge_strip_keys(goal_taken);
	mark_as_own(goal_taken, situation->record);
	action_create(action, kind, goal_taken);
}

int delete_own(const struct situation *situation, enum source source, const struct kind *kind,
	const json *own, struct action *action, struct err *err)
{
	const json *current = seen_like(situation, source, own);
	if (current == NULL)
		return 0;
	int code = check_is_own(kind, current, situation->record, err);
	if (code == 0)
		action_delete(action, kind, current, "Background");
	return code;
}

/* Whether `known` has an object of this place that the current one is. */
static bool is_known(const json *known, const json *current)
{
	json_for_each (state, known)
		if (str_equal(object_name(state), object_name(current)) &&
			str_equal(object_namespace(state), object_namespace(current)) &&
			is_exactly(current, state))
			return true;
	return false;
}

int change_own(const struct situation *situation, enum source source, const struct kind *kind,
	json *goal_taken, const json *known, struct action *action, struct err *err)
{
	AUTO_JSON goal = goal_taken;
	const json *current = seen_like(situation, source, goal);
	if (current == NULL) {
		create_own(situation, kind, TAKE(goal), action);
		return 0;
	}
	int code = check_is_own(kind, current, situation->record, err);
	if (code != 0 || is_exactly(current, goal))
		return code;
	if (!is_known(known, current))
		return err_set(err, ERR_FOREIGN,
			"%s/%s is of this release, and somebody else changed it; take that change "
			"back",
			kind->singular, object_name(goal));
	merge_strip_keys(goal);
	json *after = json_copy(current);
	json_set(after, "spec", json_detach(goal, "spec"));
	action_update(action, kind, current, after, "configured");
	return 0;
}
