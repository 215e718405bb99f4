/*
 * The rungs that more than one ladder has, as the members of struct rung: X_describe, X_holds,
 * X_act. What each makes hold depends on the record's goal where a comment says so.
 */
#ifndef RELEASE_RUNGS_H
#define RELEASE_RUNGS_H

#include "release/rung.h"

/* tagging.c: the version label on the stable Deployment, its ReplicaSet and its pods; set for a
 * batch, taken away for abort; without restarting a pod. */
void tag_describe(const struct situation *situation, struct buf *buf);
void pause_observed_describe(const struct situation *situation, struct buf *buf);
void unpaused_describe(const struct situation *situation, struct buf *buf);
bool template_tagged_holds(const struct situation *situation);
int template_tagged_act(const struct situation *situation, struct action *action, struct err *err);
bool pause_observed_holds(const struct situation *situation);
bool replica_set_tagged_holds(const struct situation *situation);
int replica_set_tagged_act(
	const struct situation *situation, struct action *action, struct err *err);
bool replica_set_observed_holds(const struct situation *situation);
bool pods_tagged_holds(const struct situation *situation);
int pods_tagged_act(const struct situation *situation, struct action *action, struct err *err);
bool unpaused_holds(const struct situation *situation);
int unpaused_act(const struct situation *situation, struct action *action, struct err *err);
/* The stable Deployment's spec as it was before the tagging paused it. */
void resume(const struct record *record, json *spec);

/* routes.c: routes, and what tells the versions apart for them ("rules": DestinationRules with
 * subsets). All hold at once in replicas mode, which has none. */
bool uses_routes(const struct situation *situation);
void subsets_describe(const struct situation *situation, struct buf *buf);
void subsets_settled_describe(const struct situation *situation, struct buf *buf);
bool subsets_hold(const struct situation *situation);
int subsets_act(const struct situation *situation, struct action *action, struct err *err);

enum routes {
	ROUTES_ORIGINAL, /* as before the release */
	ROUTES_PINNED,	 /* all requests to stable */
	ROUTES_BATCH,	 /* as the goal's batch says, with the rules of the release */
	ROUTES_FINISHED, /* in the user's shape, for the new version */
	ROUTES_OPENED,	 /* in the user's shape, for all pods of the Service */
};
bool routes_are(const struct situation *situation, enum routes routes);
int routes_change(const struct situation *situation, enum routes routes, struct action *action,
	struct err *err);

enum rules {
	RULES_ORIGINAL, /* the user's as before, ours gone */
	RULES_RELEASE,	/* the user's as before, ours there */
	RULES_BOTH,	/* the user's name the new version too, ours there */
	RULES_FINISHED, /* the user's name the new version only, ours gone */
	/* The user's name the old version; the new one too where they did before. Ours is there as
	 * long as the canary is, and not looked at afterwards. */
	RULES_RETURNING,
};
bool rules_are(const struct situation *situation, enum rules rules);
int rules_change(const struct situation *situation, enum rules rules, struct action *action,
	struct err *err);
void rules_describe(const struct situation *situation, enum rules rules, struct buf *buf);
/* Takes routes to where all requests go to stable. For batches and abort. */
int pinned_act(const struct situation *situation, struct action *action, struct err *err);
/* Whether the user's rules name versions, so that finish edits them. */
bool rules_name_versions(const struct situation *situation);
/* Whether any of our own rules is there. */
bool own_rules_exist(const struct situation *situation);

/* The canary Deployment is gone, and its ReplicaSets. For finish and abort. */
void canary_gone_describe(const struct situation *situation, struct buf *buf);
bool canary_deleted_holds(const struct situation *situation);
int canary_deleted_act(const struct situation *situation, struct action *action, struct err *err);
bool canary_gone_holds(const struct situation *situation);

/* Adds "3 new pods of deployment.apps/web are Ready and endpoints of the Service"; which is "new "
 * or "". */
void describe_serving(struct buf *buf, int count, const char *which, const char *deployment);

/* Adds "proxies have had 2s to learn of WHAT"; nothing where no time is given. */
void describe_settled(const struct situation *situation, struct buf *buf, const char *what);

/* The record says that the goal is reached. For all ladders. */
void recorded_describe(const struct situation *situation, struct buf *buf);
bool recorded_holds(const struct situation *situation);
int recorded_act(const struct situation *situation, struct action *action, struct err *err);

#endif
