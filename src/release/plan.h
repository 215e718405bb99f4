/*
 * The plan of a release: what `start` was asked for, worked out to numbers. It is fixed when the
 * release starts; every batch is computed from the replicas before the release, never from the
 * batch before it, so that rounding cannot add up.
 */
#ifndef RELEASE_PLAN_H
#define RELEASE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "data/json.h"
#include "traffic/intent.h"

enum traffic_mode { TRAFFIC_REPLICAS, TRAFFIC_ISTIO, TRAFFIC_GATEWAY };
#define TRAFFIC_MODE_COUNT 3
/* How the new version becomes the user's Deployment at the end (handover.h). */
enum handover_mode { HANDOVER_TAKEOVER, HANDOVER_SWAP, HANDOVER_ROLLING };
enum pause_mode { PAUSE_EACH, PAUSE_FIRST, PAUSE_NONE };
/* What to do with an autoscaler of the Deployment. */
enum hpa_mode { HPA_FREEZE, HPA_IGNORE, HPA_REFUSE };

/* As many as may be asked for; --match puts one more in front. */
#define BATCHES_MAXIMUM 100
#define PLAN_BATCHES_MAXIMUM (BATCHES_MAXIMUM + 1)

/* What holds when a batch is reached. */
struct batch {
	int canary; /* replicas of the new version */
	int stable; /* replicas of the old version */
	int weight; /* percent of the requests that go to the canary */
};

struct plan {
	char *service;
	char *namespace;
	char *deployment;	 /* the stable one */
	char *canary_deployment; /* its copy */
	char *stable_version;	 /* values of VERSION_LABEL */
	char *canary_version;
	char *manager; /* the tool that manages the Deployment (gitops.h); or NULL */
	int replicas;  /* of the stable Deployment before the release */
	/* --batches or --steps, as given; both NULL: neither. For a release that repeats this one.
	 */
	char *asked_batches, *asked_steps;
	struct batch batches[PLAN_BATCHES_MAXIMUM];
	int batch_count;
	enum traffic_mode traffic;
	enum pause_mode pause;
	enum handover_mode handover;
	enum hpa_mode hpa;
	char *cluster_domain;  /* of the Service's full name */
	struct str_list match; /* --match, as given; their requests go to the canary */
	json *match_rules;     /* the same, as the traffic layer takes them */
	json *selection;       /* --virtualservice, likewise; NULL: all */
	bool sticky;	       /* whoever got a version by weight stays on it */
	char *sticky_round;    /* that tells its cookies from those of other releases */
	int64_t settle_ms;     /* how long proxies get to learn of a change */
	int64_t timeout_ms;    /* for one batch, for finish, and for abort */
	bool keep_stable;      /* stable stays at full size until the end */
	bool hold;	       /* stop at 100%, before the hand-over */
};

void plan_release(struct plan *plan); /* NULL-safe */

/* Takes --match and --virtualservice; the namespace must be set. ERR_USAGE with what is wrong. */
int plan_set_match(struct plan *plan, const struct str_list *rules, struct err *err);
int plan_set_selection(struct plan *plan, const struct str_list *names, struct err *err);

/* Fills batches from `--batches COUNT`: floor(N*i/COUNT) replicas, at least 1, and
 * round(100*i/COUNT) percent. replicas, traffic, keep_stable and match must be set: with rules to
 * match, a batch is put in front that sends only their requests to the canary. */
int plan_set_batches(struct plan *plan, int64_t count, struct err *err);

/* Fills batches from `--steps LIST`: comma-separated "3", "25%", "1@5%", "20%@5%": replicas, as a
 * number or percent of N, and perhaps the weight. The steps must not decrease, the last must be
 * everything. */
int plan_set_steps(struct plan *plan, const char *steps, struct err *err);

/* "auto" has no value of its own: the caller decides then. -1 for what is none of the others. */
int traffic_mode_parse(const char *text);
const char *traffic_mode_name(enum traffic_mode mode);
int handover_mode_parse(const char *text); /* likewise */
const char *handover_mode_name(enum handover_mode mode);
const char *pause_mode_name(enum pause_mode mode);
int pause_mode_parse(const char *text, enum pause_mode *ret, struct err *err);
int hpa_mode_parse(const char *text, enum hpa_mode *ret, struct err *err);
const char *hpa_mode_name(enum hpa_mode mode);

/* The Deployment's name without the version that it is called after: "reviews" of "reviews-v1". The
 * caller frees. */
char *plan_name_without_version(const struct plan *plan);

/* The name of a copy for the new version, "<base>-<version>"; what a name may not have becomes '-'.
 * ERR_USAGE where it is none all the same. The caller frees. */
int plan_name_copy(const struct plan *plan, const char *base, char **ret, struct err *err);

/* True where a batch sends only the requests that match to the canary. By the ratio of replicas, a
 * batch with the weight 0 may be less than 1 in 100 pods, too. */
bool batch_is_match_only(const struct plan *plan, const struct batch *batch);

/* The plan as `spec` of the Release object, and back. The caller frees. */
json *plan_to_json(const struct plan *plan);
int plan_from_json(const json *spec, struct plan *ret, struct err *err);

/* What the traffic layer needs to know of it; the strings stay the plan's. */
struct intent plan_intent(const struct plan *plan);

/* The name of every Istio object and of the record that a release of this Service creates:
 * "batchrollout-<service>". The caller frees. */
char *own_object_name(const char *service);

#endif
