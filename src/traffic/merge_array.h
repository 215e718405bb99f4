/*
 * Arrays whose elements have keys, as objects of their elements: so that merging can compare them
 * like objects whatever was inserted or taken out.
 *
 * Which element of the array, as it is now, is which one of a state is found out like this.
 * Elements that are equal, in the same order, are the same. Between those, as many elements here as
 * there are the same ones, edited; otherwise those of the same name, or with half of their members
 * equal. What is left over was inserted, or taken out, by somebody else; but for what looks like an
 * element that only other states have, which is that one.
 */
#ifndef TRAFFIC_MERGE_ARRAY_H
#define TRAFFIC_MERGE_ARRAY_H

#include "data/json.h"

/* Under this name the object has the list of its keys in the order of the array. */
#define MERGE_ORDER "\x01order"

/* A copy of a state with its arrays of elements with keys, below objects only, as objects. The
 * caller frees. */
json *merge_state_to_objects(const json *state);

/* The same for an object without keys, with those that the state `from`, of all that there are
 * (made by the above), shows. In place. by_place: an array that is as long as the state's has the
 * same elements at the same places. Returns how many elements cannot be what they seem to be in
 * that state: inserted by somebody, and just as another state has one. */
size_t merge_current_to_objects(
	json *current, const json *const *states, size_t count, size_t from, bool by_place);

/* True for an object that was such an array. */
bool merge_is_array(const json *object);

/* The other way: current in place, in the order of the goal. */
void merge_objects_to_arrays(json *current, const json *goal);

#endif
