/*
 * The parts of which rungs about routes are made, of whatever kind the routes are. The users' own
 * objects are taken to a goal that is computed from how they were before the release (never from
 * the last batch), by a merge that keeps what somebody else changed meanwhile; ours are created and
 * deleted as a whole.
 */
#ifndef RELEASE_EDIT_H
#define RELEASE_EDIT_H

#include "release/rung.h"

/* A set of trees: the goal, and the states in which this program puts an object at some time. Those
 * in which it may have put it by now come first. */
struct trees {
	json *items[PLAN_BATCHES_MAXIMUM + 12];
	size_t count;
	size_t possible; /* so many, the goal among them */
};

void trees_release(struct trees *trees);
/* Unless it is there: many states of an object are the same, and each is tried by the merge. */
void trees_add(struct trees *trees, json *tree_taken);

/* Whether an object is just in one of the states in which it may be, so that nobody else has edited
 * what is ours; and what takes it to the goal then. */
bool is_one_of(const struct trees *states, const json *current);
void exact_update(const struct kind *kind, const json *current, const json *goal, const char *said,
	struct action *action);

/* Takes `current` to the first of the states (keyed trees), and adds the update where that changes
 * anything. said: what is told of it. */
int merge_update(const struct kind *kind, const json *current, const struct trees *states,
	const char *said, struct action *action, struct err *err);

/* Whether an object is just what it should be, which is the usual case and cheap to find out. */
bool is_exactly(const json *current, const json *goal);

/* ERR_FOREIGN: a user's object is gone. */
int missing(const struct kind *kind, const json *snapshot, struct err *err);

/* The object that stands where a goal of ours, or a snapshot, says; or NULL. */
const json *seen_like(const struct situation *situation, enum source source, const json *object);

/* Creates our own object. Takes goal (keyed or not) over. */
void create_own(const struct situation *situation, const struct kind *kind, json *goal_taken,
	struct action *action);

/* Creates our own object where it is not there, and takes it to the goal from any of the states
 * that it has in a release (known: an array, of other objects too; or NULL where it has but one).
 * ERR_FOREIGN where it is in none of them. */
int change_own(const struct situation *situation, enum source source, const struct kind *kind,
	json *goal_taken, const json *known, struct action *action, struct err *err);

/* Deletes our own object that stands where `own` says, where it is there. */
int delete_own(const struct situation *situation, enum source source, const struct kind *kind,
	const json *own, struct action *action, struct err *err);

#endif
