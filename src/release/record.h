/*
 * The record: the release's state in the cluster, the ConfigMap "batchrollout-<service>". It holds
 * the plan, the goal, how far the release has come, everything that the release touches as it was
 * before, and the history of earlier releases. It is written before the change that it announces,
 * always on the condition that nobody has written it since it was read.
 */
#ifndef RELEASE_RECORD_H
#define RELEASE_RECORD_H

#include "api/port.h"
#include "release/plan.h"

/* Objects that this program makes carry the Service's name under this label. */
#define SERVICE_LABEL "batchrollout/service"
/* And those in other namespaces than the Service's, that one's. */
#define NAMESPACE_LABEL "batchrollout/namespace"
#define MANAGED_BY_LABEL "app.kubernetes.io/managed-by"
#define MANAGED_BY "kubectl-batchrollout"

enum phase { PHASE_PROGRESSING, PHASE_PAUSED, PHASE_COMPLETED, PHASE_ABORTED, PHASE_FAILED };
enum goal { GOAL_BATCH, GOAL_FINISH, GOAL_ABORT };

/* Which process drives the release now. Empty strings where nobody does. */
struct holder {
	char id[33];	/* random, new for each process */
	char user[128]; /* "name@host", for people */
	char verb[16];	/* "next" */
	/* To tell, on the same machine, whether the process is still there. */
	char machine[96];
	char process[48];
	int64_t renewals; /* counts up as a sign of life: without a change, a write is none */
};

struct record {
	struct plan plan;
	enum phase phase;
	enum goal goal;
	int goal_batch; /* 1 to batch_count: the batch to reach, for GOAL_BATCH */
	int through;	/* go on without a pause until this batch */
	int batch;	/* the last batch that was reached; 0 before the first */
	/* The record was lost: any batch may have been reached, finish have begun. */
	bool progress_unknown;
	json *settled; /* array: the changes that proxies were given time for (see rung.h) */
	char *message; /* why it failed; or NULL */
	char *started_at, *started_by;
	struct holder holder;

	/* As it was before: the stable Deployment, and arrays of the user's own objects. */
	json *stable;
	json *virtualservices;
	json *destinationrules;
	json *httproutes; /* gateway mode: this, and the Service; NULL otherwise */
	json *service;
	/* HorizontalPodAutoscalers and KEDA's ScaledObjects of the stable Deployment that the
	 * release freezes: arrays, or NULL; and each of the former as the server has it when
	 * frozen. */
	json *autoscalers;
	json *frozen_autoscalers;
	json *scaled_objects;
	/* The VirtualService that we make where no user's serves the mesh, before it is split; or
	 * NULL. Likewise the HTTPRoutes: an array, or NULL. */
	json *own_virtualservice;
	json *own_httproutes;
	/* The pod template of the new version, as the stable Deployment will have it. */
	json *template;
	bool tagged; /* the stable version's label is ours, and goes at the end */
	/* The copies of ConfigMaps and Secrets that the release makes and drops (configs.h), or
	 * NULL; and what is to be in them: an array of objects that only `start` has, never
	 * written into the record. */
	json *configs;
	json *contents;

	json *history;	 /* array of ended releases, the newest last */
	json *configmap; /* as it was read; NULL before it is created */
};

void record_release(struct record *record); /* NULL-safe */

/* From the ConfigMap. ERR_INVALID where it is damaged, ERR_FAILED where it was made by a newer
 * version, whose it stays. */
int record_parse(const json *configmap, struct record *ret, struct err *err);

/* The ConfigMap that holds this record. The caller frees. */
json *record_to_configmap(const struct record *record);

/* Writes it: creates it or, on the condition that it is still as it was read, updates it. Keeps the
 * server's answer for the next write. */
int record_save(struct record *record, const struct api_port *api, struct err *err);

/* The copy carries under this annotation what of the record does not change from the release's
 * begin to its end, so that a release can be taken back whose record was lost. */
#define RELEASE_ANNOTATION "batchrollout/release"

/* The annotation's text; NULL where it would be too long for one. The caller frees. */
char *record_to_annotation(const struct record *record);

/* From an object that carries it: a record that is to be aborted, with progress_unknown and without
 * a history. ERR_NOT_FOUND where the object carries none, ERR_INVALID where that is damaged. */
int record_from_annotation(const json *object, struct record *ret, struct err *err);

/* Reads the record of a Service. ERR_NOT_FOUND, in the words of a user, where there is none. */
int record_load(const struct api_port *api, const char *namespace, const char *service,
	struct record *ret, struct err *err);

/* The goal is reached: decides by the plan what comes next. now: wall time for the history. */
void record_reached(struct record *record, const char *now);

/* What becomes of this release in the history, as it stands now; `now` may be NULL. The caller
 * frees.
 */
json *record_history_entry(const struct record *record, const char *now);

/* Whether proxies were given time for a change, and remembering that they were. */
bool record_has_settled(const struct record *record, const char *change);
void record_set_settled(struct record *record, const char *change);
/* It is made again, and they need time again. That they had it once stays known. */
void record_unset_settled(struct record *record, const char *change);
bool record_had_settled(const struct record *record, const char *change);

/* True where nothing is left to do. */
bool phase_has_ended(enum phase phase);
const char *phase_name(enum phase phase);

#endif
