#include "traffic/merge.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "traffic/merge_array.h"
#include "traffic/merge_text.h"

struct merge {
	size_t count; /* of states: the goal is the first, the known ones follow */
	size_t from;  /* the state in which the object is taken to be, but for what others edited */
	size_t differences; /* of values that are ours, so far */
	struct err *err;    /* set at the first of them */
};

static void walk(struct merge *merge, const struct merge_field *field, json *current,
	const json *const *states);

static void put(const struct merge_field *field, const json *value)
{
	if (field->key != NULL)
		json_set(field->container, field->key, json_copy(value));
	else
		json_replace_at(field->container, field->index, json_copy(value));
}

static bool all_agree(const struct merge *merge, const json *const *states)
{
	for (size_t i = 1; i < merge->count; i++) {
		if (!json_equal(states[0], states[i]))
			return false;
	}
	return true;
}

static void settle_value(struct merge *merge, const struct merge_field *field, json *current,
	const json *const *states)
{
	const json *expected = states[merge->from];
	if (!json_equal(current, expected)) {
		if (merge->differences == 0)
			(void)merge_refuse(field, current, expected, merge->err);
		merge->differences += merge_differences(current, expected);
	} else if (!json_equal(current, states[0])) {
		put(field, states[0]);
	}
}

static bool all_objects(const struct merge *merge, const json *current, const json *const *states)
{
	bool all = json_is_object(current);
	for (size_t i = 0; i < merge->count && all; i++)
		all = json_is_object(states[i]);
	return all;
}

static bool all_equal_arrays(
	const struct merge *merge, const json *current, const json *const *states)
{
	bool all = json_is_array(current);
	for (size_t i = 0; i < merge->count && all; i++)
		all = json_is_array(states[i]) && json_count(states[i]) == json_count(current);
	return all;
}

/* Every key that current or any state has, once. They are copied, because the walk replaces
 * members of current. */
static void collect_keys(const struct merge *merge, const json *current, const json *const *states,
	struct str_list *ret)
{
	json_for_each (member, current) {
		if (!str_equal(json_key(member), MERGE_ORDER))
			str_list_add(ret, json_key(member));
	}
	for (size_t i = 0; i < merge->count; i++) {
		json_for_each (member, states[i]) {
			bool listed = str_equal(json_key(member), MERGE_ORDER) ||
				      json_get(current, json_key(member)) != NULL;
			for (size_t j = 0; j < i && !listed; j++)
				listed = json_get(states[j], json_key(member)) != NULL;
			if (!listed)
				str_list_add(ret, json_key(member));
		}
	}
}

static void walk_members(struct merge *merge, const struct merge_field *field, json *current,
	const json *const *states)
{
	CLEANUP(str_list_release) struct str_list keys = {0};
	collect_keys(merge, current, states, &keys);
	CLEANUP(mem_cleanup) const json **members = mem_alloc(merge->count, sizeof(*members));
	for (size_t k = 0; k < keys.count; k++) {
		struct merge_field member = {field, current, keys.items[k], 0};
		for (size_t i = 0; i < merge->count; i++)
			members[i] = json_get(states[i], keys.items[k]);
		walk(merge, &member, json_get(current, keys.items[k]), members);
	}
}

static void walk_elements(struct merge *merge, const struct merge_field *field, json *current,
	const json *const *states)
{
	CLEANUP(mem_cleanup) const json **elements = mem_alloc(merge->count, sizeof(*elements));
	for (size_t i = 0; i < merge->count; i++)
		elements[i] = json_first(states[i]);
	struct merge_field place = {field, current, NULL, 0};
	json *next = NULL;
	for (json *element = json_first(current); element != NULL; element = next) {
		next = json_next(element); /* the walk may replace the element */
		walk(merge, &place, element, elements);
		for (size_t i = 0; i < merge->count; i++)
			elements[i] = json_next(elements[i]);
		place.index++;
	}
}

static void walk(struct merge *merge, const struct merge_field *field, json *current,
	const json *const *states)
{
	/* What is the same in all states is not ours, whatever it is now. */
	if (all_agree(merge, states))
		return;
	if (all_objects(merge, current, states))
		walk_members(merge, field, current, states);
	else if (all_equal_arrays(merge, current, states))
		walk_elements(merge, field, current, states);
	else
		settle_value(merge, field, current, states);
}

/* --- the state in which the object is --------------------------------------------------------- */

/* The best way to see what somebody else did. */
struct best {
	size_t differences; /* of values that are ours: 0 is a merge */
	json *merged;
	struct err err;
};

/* Takes the object to be in that state. */
static void try_state(const json *current, const json *const *states, size_t count, size_t from,
	bool by_place, struct best *best)
{
	struct err err = {0};
	struct merge merge = {.count = count, .from = from, .err = &err};
	AUTO_JSON merged = json_copy(current);
	size_t suspects = merge_current_to_objects(merged, states, count, from, by_place);
	const struct merge_field root = {0};
	walk(&merge, &root, merged, states);
	if (suspects > 0 && merge.differences == 0)
		(void)err_set(&err, ERR_FOREIGN,
			"somebody else copied or moved a route or subset that this release "
			"manages");
	merge.differences += suspects;
	if (best->merged != NULL && merge.differences >= best->differences)
		return;
	merge_objects_to_arrays(merged, states[0]);
	json_free(best->merged);
	best->merged = TAKE(merged);
	best->differences = merge.differences;
	best->err = err;
}

/* The first `possible` ones. Edits may have made an element look like another one, so that its
 * place tells more. */
static void try_states(const json *current, const json *const *states, size_t count,
	size_t possible, struct best *ret)
{
	*ret = (struct best){.differences = SIZE_MAX};
	for (size_t i = 0; i < possible && ret->differences > 0; i++)
		try_state(current, states, count, i, false, ret);
	for (size_t i = 0; i < possible && ret->differences > 0; i++)
		try_state(current, states, count, i, true, ret);
}

static void take_members(json *object, json *from)
{
	AUTO_JSON keys = json_array();
	json_for_each (member, object)
		json_append(keys, json_string(json_key(member)));
	json_for_each (key, keys) {
		if (json_get(from, json_text(key)) == NULL)
			json_remove(object, json_text(key));
	}
	json_for_each (member, from)
		json_set(object, json_key(member), json_copy(member));
}

static void states_free(json **states, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_free(states[i]);
}

int merge_to_goal(json *current, const json *goal, const json *const *known, size_t known_count,
	struct err *err)
{
	return merge_from_possible(current, goal, known, known_count, known_count, err);
}

int merge_from_possible(json *current, const json *goal, const json *const *known,
	size_t known_count, size_t possible, struct err *err)
{
	size_t count = known_count + 1;
	CLEANUP(mem_cleanup) json **states = mem_alloc(count, sizeof(*states));
	states[0] = merge_state_to_objects(goal);
	for (size_t i = 0; i < known_count; i++)
		states[i + 1] = merge_state_to_objects(known[i]);
	const json *const *seen = (const json *const *)states;
	const struct merge whole = {.count = count};
	int result = 0;
	if (!all_objects(&whole, current, seen)) {
		result = err_set(err, ERR_FAILED, "only objects can be merged");
	} else {
		struct best best;
		try_states(current, seen, count, possible + 1, &best);
		AUTO_JSON merged = best.merged;
		if (best.differences == 0)
			take_members(current, merged);
		else
			result = err_set(err, ERR_FOREIGN, "%s", best.err.message);
	}
	states_free(states, count);
	return result;
}
