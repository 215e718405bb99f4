/*
 * Taking an object to a goal without losing what somebody else changed meanwhile.
 *
 * `known` are all the states in which this program ever puts the object (the snapshot among them).
 * Where all known states and the goal agree, the field is not ours: what is there now stays. Where
 * they differ, the field is ours. The object is in one of the states, but for what somebody else
 * edited: where all that is ours is as in that state, it becomes as in the goal. Where no state
 * fits, somebody changed a field that we manage, and that is a conflict. Absent is a value like any
 * other.
 *
 * Objects are compared key by key where all have one, arrays element by element where all are of
 * equal length; anything else as one value. Where the length of an array changes from state to
 * state, those who make the states say which elements are the same ones (merge_set_key). Such an
 * array is compared like an object, and merge_array.h says how the elements that are there now are
 * recognised. What somebody else inserted stays behind the element that it followed.
 */
#ifndef TRAFFIC_MERGE_H
#define TRAFFIC_MERGE_H

#include "base/err.h"
#include "data/json.h"

/* The member under which an element of an array says which one it is. No such key may reach the
 * cluster. */
#define MERGE_KEY "\x01"

/* Gives an element a text that no other element of its array has ("0", "1", "0.match"). Either all
 * elements of an array have one, in all states, or none. */
void merge_set_key(json *element, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes all of them away, deep; NULL-safe. */
void merge_strip_keys(json *tree);

/* Whether a tree without keys is just that with keys. */
bool merge_is_state(const json *plain, const json *keyed);

/* Edits `current`, which has no keys, in place; all must be objects. ERR_FOREIGN with the path of
 * the field ("spec.http[0].route[1].weight"), what it is and what it was expected to be, in the
 * state that fits best; current is unchanged then. */
int merge_to_goal(json *current, const json *goal, const json *const *known, size_t known_count,
	struct err *err);

/* The same where the object, but for what somebody else edited, is in the goal's state already or
 * in one of the first `possible` ones of `known`: the others only say what is ours. */
int merge_from_possible(json *current, const json *goal, const json *const *known,
	size_t known_count, size_t possible, struct err *err);

#endif
