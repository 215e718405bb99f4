/*
 * Rungs: the rows of a ladder. A ladder is a table of rungs, in the order in which they must come
 * to hold. The engine (engine.h) looks for the first that does not hold, does the one action that
 * it names, and looks again; so no action depends on what this process did before.
 *
 * All functions here are pure: they look at the situation and say what should be done.
 */
#ifndef RELEASE_RUNG_H
#define RELEASE_RUNG_H

#include "base/buf.h"
#include "release/observation.h"

struct situation {
	const struct record *record;
	const struct observation *seen;
	bool now; /* abort --now: do not wait for the stable version */
};

#define ACTION_WRITES_MAXIMUM 1024

/* What to do when a rung does not hold: writes, one after another; or the news that the goal is
 * reached. */
struct action {
	struct action_write {
		struct write write;
		json *before, *after; /* owned; write points to them */
		char *said;	      /* owned: "deployment.apps/web scaled to 5" */
	} *writes;
	size_t write_count;
	char *summary; /* owned: said once in place of a line for each write; or NULL */
	bool reached;
};

void action_release(struct action *action);

struct rung {
	/* What holds, with the numbers of this situation: "deployment.apps/web-v2 has 3 replicas".
	 * Adds nothing where the rung is not needed in this release. */
	void (*describe)(const struct situation *situation, struct buf *buf);
	/* NULL, with settles: not before the time has passed. */
	bool (*holds)(const struct situation *situation);
	/* Fills ret_action (empty before), or refuses: ERR_FOREIGN and the like. NULL: the cluster
	 * is at work, wait. */
	int (*act)(const struct situation *situation, struct action *ret_action, struct err *err);
	/* In place of act: proxies get the plan's settle time for the change of this name, once in
	 * a release, or once for each batch. `holds` says when that is needless. */
	const char *settles;
	bool each_batch;
	/* It acts twice at most on the way to a goal: who undoes that again does so on purpose, and
	 * each answer costs pods. */
	bool twice;
};

/* The rows of a table: a rung that is acted for, waited for, given time for; and its end. */
#define RUNG_ACT(describe_, holds_, act_)                                                          \
	{.describe = (describe_), .holds = (holds_), .act = (act_)}
#define RUNG_ACT_TWICE(describe_, holds_, act_)                                                    \
	{.describe = (describe_), .holds = (holds_), .act = (act_), .twice = true}
#define RUNG_WAIT(describe_, holds_) {.describe = (describe_), .holds = (holds_)}
#define RUNG_SETTLE(describe_, needless_, name)                                                    \
	{.describe = (describe_), .holds = (needless_), .settles = (name)}
#define RUNG_SETTLE_EACH_BATCH(describe_, needless_, name)                                         \
	{.describe = (describe_), .holds = (needless_), .settles = (name), .each_batch = true}
#define RUNG_END {0}

/* The ladder for the record's goal; ends with a rung without `describe`. */
const struct rung *ladder_for(const struct record *record);

/* The settle that a rung's change needs, the next in its ladder, where the record has it as done:
 * it is to be done again. NULL where there is none, or where it is needless. */
const struct rung *settled_before(const struct rung *rung, const struct situation *situation);

/* The name under which the record remembers that a rung's change has settled. */
void settled_name(const struct rung *rung, const struct record *record, char ret[32]);

/* The first rung that does not hold; NULL when all do. */
const struct rung *first_unmet(const struct rung *ladder, const struct situation *situation);

/* For the makers of actions. All take over the trees that they are given; `said` is a format. */
void action_create(struct action *action, const struct kind *kind, json *object);
void action_delete(struct action *action, const struct kind *kind, const json *object,
	const char *propagation);
void action_update(struct action *action, const struct kind *kind, const json *before, json *after,
	const char *said, ...) __attribute__((format(printf, 5, 6)));

/* The plan's batch that is the goal (the last one for finish and abort). */
const struct batch *goal_batch(const struct situation *situation);

#endif
