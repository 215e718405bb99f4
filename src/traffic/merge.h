/*
 * Taking an object to a goal without losing what somebody else changed meanwhile.
 *
 * `known` are all the states in which this program ever puts the object (the snapshot among them).
 * Where all known states and the goal agree, the field is not ours: what is there now stays. Where
 * they differ, the field is ours: it gets the goal's value, if what is there now is one of the
 * known values; anything else is somebody's change to a field that we manage, and a conflict.
 * Absent is a value like any other. Objects are compared key by key where all have one, arrays
 * element by element where all are of equal length; anything else as one value.
 */
#ifndef TRAFFIC_MERGE_H
#define TRAFFIC_MERGE_H

#include "base/err.h"
#include "data/json.h"

/* Edits `current` in place; all must be objects. ERR_FOREIGN with the path of the field
 * ("spec.http[0].route[1].weight"), what it is and what it was expected to be; current is unchanged
 * then. */
int merge_to_goal(json *current, const json *goal, const json *const *known, size_t known_count,
	struct err *err);

#endif
