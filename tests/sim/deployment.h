/*
 * The Deployment controller, after pkg/controller/deployment of Kubernetes 1.36, in three parts:
 * deployment.c (the sync, its ReplicaSets, the status), deployment_set.c (the ReplicaSet of the
 * current template), deployment_scale.c (sizes and history).
 *
 * It sees what its cache has. An update carries the version that it was made from; where the object
 * has changed meanwhile, that is a conflict, the sync ends, and is done again. Functions that
 * return bool say false then.
 */
#ifndef SIM_DEPLOYMENT_H
#define SIM_DEPLOYMENT_H

#include "sim/sim.h"

#define REVISION "deployment.kubernetes.io/revision"
#define REVISION_HISTORY "deployment.kubernetes.io/revision-history"
#define DESIRED "deployment.kubernetes.io/desired-replicas"
#define MAXIMUM "deployment.kubernetes.io/max-replicas"
#define SETS_MAXIMUM 32

/* A ReplicaSet as the sync has it: as cached, or as its own last write left it. */
struct set {
	struct object *object;
	const json *tree;
};

/* What a sync works with. */
struct rollout {
	struct sim *sim;
	struct object *object;
	const json *deployment; /* as cached */
	json *draft;		/* the same with a new status and revision; NULL: unchanged */
	struct set sets[SETS_MAXIMUM]; /* the oldest first */
	size_t count;
	struct set *new; /* of the current template, or NULL */
};

int spec_replicas(const json *tree);
int status_of(const json *tree, const char *field);
int annotation_number(const json *tree, const char *key);
void set_annotation_number(json *tree, const char *key, int number);
bool is_rolling_update(const struct rollout *rollout);
int max_surge(const struct rollout *rollout);
int max_unavailable(const struct rollout *rollout);
int total_replicas(const struct rollout *rollout);

/* Updates a ReplicaSet; takes the tree over. */
bool update_set(struct rollout *rollout, struct set *set, json *tree_taken);
/* The Deployment to edit: of this, status and annotations are written by update_status. */
json *draft_of(struct rollout *rollout);
bool update_status(struct rollout *rollout);
bool set_condition(json *deployment, const char *type, const char *status, const char *reason);
bool has_deadline(const struct rollout *rollout);
/* By the status that is given. */
bool is_complete(const struct rollout *rollout, const json *status);

/* deployment_set.c: getNewReplicaSet. */
void find_new_set(struct rollout *rollout);
bool sync_new_set(struct rollout *rollout, bool create);
bool same_template(const json *a, const json *b);

/* deployment_scale.c */
bool is_scaling_event(const struct rollout *rollout);
bool scale(struct rollout *rollout);
bool clean_history(struct rollout *rollout);
bool roll(struct rollout *rollout);
bool recreate(struct rollout *rollout);

#endif
