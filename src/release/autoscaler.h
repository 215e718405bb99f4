/*
 * Autoscalers of the stable Deployment in a release: HorizontalPodAutoscalers, and KEDA's
 * ScaledObjects. While pods move from one Deployment to the other, an autoscaler would fight the
 * release; so it is frozen, and at the end it is what it was. Its target keeps its name. The rungs
 * stand in rungs.h.
 *
 * A HorizontalPodAutoscaler is frozen by behavior.scaleUp and scaleDown.selectPolicy: Disabled, and
 * by minReplicas 1, for that comes before the policies, as maxReplicas does. It goes on reading its
 * metrics, so that one can see what it would like (autoscaler_wish.h). A ScaledObject is frozen by
 * the annotation that KEDA has for it; what KEDA makes of it is KEDA's.
 */
#ifndef RELEASE_AUTOSCALER_H
#define RELEASE_AUTOSCALER_H

#include "release/rung.h"

#define PAUSED_ANNOTATION "autoscaling.keda.sh/paused"

enum autoscaler_state {
	AUTOSCALER_ORIGINAL, /* as before the release */
	AUTOSCALER_FROZEN,
	AUTOSCALER_FINISHED, /* as before, for the Deployment that is there in the end */
};

/* A HorizontalPodAutoscaler that stays where it is, as long as its Deployment has no more than so
 * many replicas. The caller frees. */
json *autoscaler_frozen(const json *autoscaler, int replicas);

/* An autoscaler of either kind with another Deployment as its target. The caller frees. */
json *autoscaler_for(const json *autoscaler, const char *deployment);

/* Whether it is frozen, by whomever. */
bool autoscaler_is_frozen(const json *autoscaler);
bool scaled_object_is_paused(const json *scaled_object);

/* Takes all autoscalers of the record there. What somebody else changed meanwhile stays;
 * ERR_FOREIGN where that is what the release changes too, or where a frozen one would scale for it.
 * One that somebody deleted stays deleted. */
int autoscalers_change(const struct situation *situation, enum autoscaler_state state,
	struct action *action, struct err *err);

/* The least number of replicas of stable that the goal's batch needs, and whether so many will do:
 * more will where an autoscaler is left to itself (--hpa ignore). */
int stable_needed(const struct situation *situation);
bool stable_suffices(const struct situation *situation, int replicas);

/* What stable has when it has everything: the replicas of before the release, or more where an
 * autoscaler is at work on it already and wants more; or fewer, when it has been taken over. */
int stable_whole(const struct situation *situation);

/* Whether there are any that the release freezes. */
bool autoscalers_are_known(const struct record *record);

/* Whether all autoscalers that the release freezes are frozen. */
bool autoscalers_rest(const struct record *record, const struct observation *seen);

/* What status says of the autoscalers, a line each; nothing where there are none. */
void autoscalers_describe(
	const struct record *record, const struct observation *seen, struct buf *ret);

/* Adds a line for each that should be frozen now, and is not. */
void autoscalers_describe_foreign(const struct situation *situation, struct buf *ret);

#endif
