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
/* As long as no ReplicaSet has the template of the paused Deployment, its controller takes all for
 * old ones, and would delete the last of a full history to make room. What somebody else has set
 * meanwhile stays, but for one more than before: that is taken for ours. */
void change_history_limit(const struct record *record, json *spec, bool room);
/* Whether that would change something. */
bool history_limit_differs(const struct record *record, const json *spec, bool room);
/* The stable Deployment's spec as it was before it was paused. */
void resume(const struct record *record, json *spec);

/* takeover.c: the stable Deployment adopts the copy's ReplicaSet; in the order of the ladder. */
bool has_new_template(const struct situation *situation); /* stable */
bool is_new_set(const struct situation *situation, const json *set);
void stable_emptied_describe(const struct situation *situation, struct buf *buf);
bool stable_emptied_holds(const struct situation *situation);
int stable_emptied_act(const struct situation *situation, struct action *action, struct err *err);
void stable_gone_quiet_describe(const struct situation *situation, struct buf *buf);
bool stable_gone_quiet_holds(const struct situation *situation);
void paused_describe(const struct situation *situation, struct buf *buf);
bool paused_holds(const struct situation *situation);
int paused_act(const struct situation *situation, struct action *action, struct err *err);
void stable_seen_describe(const struct situation *situation, struct buf *buf);
bool stable_seen_holds(const struct situation *situation);
void released_describe(const struct situation *situation, struct buf *buf);
bool released_holds(const struct situation *situation);
int released_act(const struct situation *situation, struct action *action, struct err *err);
bool released_seen_holds(const struct situation *situation);
void adopted_describe(const struct situation *situation, struct buf *buf);
void others_gone_describe(const struct situation *situation, struct buf *buf);
bool others_empty_holds(const struct situation *situation);
bool others_gone_holds(const struct situation *situation);
int others_gone_act(const struct situation *situation, struct action *action, struct err *err);
int orphaned_act(const struct situation *situation, struct action *action, struct err *err);
bool adopted_holds(const struct situation *situation);
/* For abort: no ReplicaSet with pods is about to become stable's. */
bool nothing_to_adopt_holds(const struct situation *situation);
void equal_sets_gone_describe(const struct situation *situation, struct buf *buf);
bool equal_sets_gone_holds(const struct situation *situation);
int equal_sets_gone_act(const struct situation *situation, struct action *action, struct err *err);
/* For abort, before the next: stable is at 0, as long as there are any. Acts as stable_emptied. */
void returning_describe(const struct situation *situation, struct buf *buf);
bool returning_holds(const struct situation *situation);
bool returning_seen_holds(const struct situation *situation);
/* For abort too: the ReplicaSets that were let go of are stable's again. */
void returned_describe(const struct situation *situation, struct buf *buf);
bool returned_holds(const struct situation *situation);
int returned_act(const struct situation *situation, struct action *action, struct err *err);
bool returned_seen_holds(const struct situation *situation);

/* swap.c: the copy takes the place of the stable Deployment; the last six, for abort. */
void carried_over_describe(const struct situation *situation, struct buf *buf);
bool carried_over_holds(const struct situation *situation);
int carried_over_act(const struct situation *situation, struct action *action, struct err *err);
void stable_deleted_describe(const struct situation *situation, struct buf *buf);
bool stable_deleted_holds(const struct situation *situation);
int stable_deleted_act(const struct situation *situation, struct action *action, struct err *err);
bool stable_gone_holds(const struct situation *situation);
/* For finish: a stable that is not the one of before the release is somebody else's, and not for a
 * swap to delete. ERR_FOREIGN with what to do. */
bool stable_is_remade(const struct situation *situation);
int refuse_remade(const struct situation *situation, struct err *err);
void kept_describe(const struct situation *situation, struct buf *buf);
bool kept_holds(const struct situation *situation);
int kept_act(const struct situation *situation, struct action *action, struct err *err);
void stable_there_describe(const struct situation *situation, struct buf *buf);
bool stable_there_holds(const struct situation *situation);
int stable_there_act(const struct situation *situation, struct action *action, struct err *err);
void marked_describe(const struct situation *situation, struct buf *buf);
bool marked_holds(const struct situation *situation);
int marked_act(const struct situation *situation, struct action *action, struct err *err);

/* forward.c: stable is what the record says it is: nobody edited or scaled it meanwhile. */
void known_describe(const struct situation *situation, struct buf *buf);
bool known_holds(const struct situation *situation);
int known_act(const struct situation *situation, struct action *action, struct err *err);
/* Whether the copy has the new version's template; and ERR_FOREIGN where it has not. */
bool copy_is_known(const struct situation *situation);
int refuse_edited_copy(const struct situation *situation, struct err *err);
/* All pods of stable are endpoints of its own Service, too, where each version has one. */
void stable_reached_describe(const struct situation *situation, struct buf *buf);
bool stable_is_reached(const struct situation *situation);
/* The copy has the replicas of the goal's batch. All its pods serve; for finish, those of the last
 * batch. */
void canary_scaled_describe(const struct situation *situation, struct buf *buf);
int canary_scaled_act(const struct situation *situation, struct action *action, struct err *err);
void canary_ready_describe(const struct situation *situation, struct buf *buf);
bool canary_ready_holds(const struct situation *situation);

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
/* Whether the user's rules name versions, so that finish edits them. */
bool rules_name_versions(const struct situation *situation);
/* Whether any of our own rules is there. */
bool own_rules_exist(const struct situation *situation);

/* autoscaler.c: autoscalers of stable are frozen before anything else is done, for batches and
 * abort; and what they were at the end. */
void autoscalers_frozen_describe(const struct situation *situation, struct buf *buf);
bool autoscalers_frozen_holds(const struct situation *situation);
int autoscalers_frozen_act(
	const struct situation *situation, struct action *action, struct err *err);
void autoscalers_settled_describe(const struct situation *situation, struct buf *buf);
bool autoscalers_settled_holds(const struct situation *situation);
void autoscalers_restored_describe(const struct situation *situation, struct buf *buf);
bool autoscalers_restored_holds(const struct situation *situation);
int autoscalers_restored_act(
	const struct situation *situation, struct action *action, struct err *err);

/* carrier.c: something in the cluster carries what takes the release back without its record; as
 * long as the copy is there, stable's ReplicaSet does, too; and nothing does any more. */
void carried_describe(const struct situation *situation, struct buf *buf);
bool carried_holds(const struct situation *situation);
bool carried_by_stable_holds(const struct situation *situation);
int carried_act(const struct situation *situation, struct action *action, struct err *err);
void forgotten_describe(const struct situation *situation, struct buf *buf);
bool unmarked_holds(const struct situation *situation);
int unmarked_act(const struct situation *situation, struct action *action, struct err *err);
bool unmarked_seen_holds(const struct situation *situation);
bool forgotten_holds(const struct situation *situation);
int forgotten_act(const struct situation *situation, struct action *action, struct err *err);

/* config_rungs.c: the copies that --config makes: there, gone for abort, and older ones gone. */
void configs_there_describe(const struct situation *situation, struct buf *buf);
bool configs_there_holds(const struct situation *situation);
int configs_there_act(const struct situation *situation, struct action *action, struct err *err);
void configs_gone_describe(const struct situation *situation, struct buf *buf);
bool configs_gone_holds(const struct situation *situation);
int configs_gone_act(const struct situation *situation, struct action *action, struct err *err);
void configs_dropped_describe(const struct situation *situation, struct buf *buf);
bool configs_dropped_holds(const struct situation *situation);
int configs_dropped_act(const struct situation *situation, struct action *action, struct err *err);

/* The canary Deployment is gone, and its ReplicaSets. For finish and abort. */
void canary_gone_describe(const struct situation *situation, struct buf *buf);
bool canary_deleted_holds(const struct situation *situation);
int canary_deleted_act(const struct situation *situation, struct action *action, struct err *err);
bool canary_gone_holds(const struct situation *situation);

/* The ReplicaSets that were seen: the array of them, or NULL. */
const json *replica_sets(const struct situation *situation);

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
