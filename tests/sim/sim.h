/*
 * A cluster in memory, deterministic: an API server and the controllers that matter, which work
 * from caches that lag, in an order that a seed decides. The same seed plays the same again.
 *
 * Every change to an object is an event in one log; its place there is the resourceVersion. Watches
 * and caches are positions in that log. Trees in the log are never changed: whoever changes an
 * object copies its tree, edits the copy and puts it as a new event.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/object.h"
#include "base/mem.h"
#include "base/str.h"

struct invariants;
struct crowd;

/* How long a pod that is deleted goes on, and the longest that a proxy learns late. */
#define GRACE_MS 4000
#define PROXY_LAG_MS 1500
#define NAMESPACE "shop"

enum view {
	VIEW_CONTROLLERS, /* the caches that all controllers share */
	VIEW_PROXIES,	  /* what proxies know */
	VIEW_COUNT,
};

struct object {
	const struct kind *kind;
	struct object *next; /* of the kind */
	size_t number;	     /* its place among all objects */
	char *namespace, *name, *uid;
	const json *now;	       /* belongs to the log; NULL when it is gone */
	const json *views[VIEW_COUNT]; /* as others see it */
	bool dirty;		       /* its controller has something to look at */
	size_t expected; /* the end of the log after the controller's last write about its pods */
	/* Pods: derived from `now`, for speed. */
	bool ready, deleting;
	bool doomed; /* somebody deleted it, or its node was lost */
	bool lost;   /* no kubelet is there to end it once it is deleted */
	int64_t ready_at, gone_at, ready_since;
	int64_t evicted_at; /* its node was lost */
	uint64_t signature; /* EndpointSlices: of what their endpoints were made of */
	int64_t wake_at;    /* ReplicaSets: when a pod of it will have been ready long enough */
};

struct event {
	struct object *object;
	const char *type;
	json *tree;
	int64_t at;
};

/* What proxies learn each at its own pace: routes, subsets (or Services), endpoints. */
enum xds { XDS_ROUTES, XDS_SUBSETS, XDS_ENDPOINTS, XDS_COUNT };

enum cached_kind { CACHED_DEPLOYMENTS, CACHED_SETS, CACHED_PODS, CACHED_SERVICES, CACHED_COUNT };

#define KINDS_MAXIMUM 16

struct sim {
	uint64_t seed, random;
	int64_t now_ms;
	struct object **objects;
	size_t object_count;
	struct of_kind {
		const struct kind *kind;
		struct object *first, *last;
	} kinds[KINDS_MAXIMUM];
	struct event *events;
	size_t event_count, event_room;
	size_t positions[CACHED_COUNT];
	size_t proxy_positions[XDS_COUNT];
	int64_t proxy_lags_ms[XDS_COUNT];
	size_t calls; /* of the API, by all processes */
	size_t pace;  /* how many steps the cluster does at most while the tool does a call */
	bool endpoints_dirty, garbage;
	const char *broken_image; /* pods with this image never get ready */
	bool istio;		  /* Istio's API is served */
	bool gateway;		  /* the Gateway API is */
	bool autoscaled;	  /* KEDA's API is, and autoscalers are at work */
	int64_t autoscaler_period_ms, autoscaler_next_ms;
	size_t route_changes[VIEW_COUNT + 1]; /* of what routing is made of, in each view */
	struct invariants *invariants;
	struct crowd *crowd; /* who runs at the same time; NULL: one alone */
	jmp_buf *escape;     /* where failures go to; NULL: cmocka's */
	bool trace;
	bool child;	 /* in a process of its own: failures end it */
	char title[128]; /* what is played, for failures */
};

struct sim *sim_new(uint64_t seed);
void sim_free(struct sim *sim);
void sim_cleanup(struct sim **sim);
#define AUTO_SIM CLEANUP(sim_cleanup) struct sim *

/* Says what is wrong with the seed that makes it again, and fails the test. */
void sim_fail(const struct sim *sim, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* A number below `limit`. */
size_t random_below(uint64_t *state, size_t limit);
size_t sim_random(struct sim *sim, size_t limit);
/* The wall clock, "2026-01-31T12:00:00Z". */
void sim_wall_time(const struct sim *sim, char ret[32]);

/* store.c: the objects. sim_put takes the tree over. */
struct object *sim_find(
	const struct sim *sim, const struct kind *kind, const char *namespace, const char *name);
struct object *sim_find_uid(const struct sim *sim, const char *uid);
struct object *sim_create(struct sim *sim, const struct kind *kind, json *tree_taken);
void sim_put(struct sim *sim, struct object *object, json *tree_taken);
/* The same through the status subresource: what changes beside the spec makes no new generation. */
void sim_put_status(struct sim *sim, struct object *object, json *tree_taken);
void sim_remove(struct sim *sim, struct object *object);
/* A DELETE as the API server does it. */
void sim_delete(struct sim *sim, struct object *object, const char *propagation);
/* The object's version in the store is what the controllers' cache holds. */
bool sim_is_current(const struct object *object, enum view view);

/* steps.c: one controller or cache does one thing. False when nobody has anything to do now. */
bool sim_step(struct sim *sim);
/* Nobody has anything to do at this moment. */
bool sim_is_idle(struct sim *sim);
/* No proxy has anything to learn. */
bool sim_proxies_know_all(struct sim *sim);
/* Up to so many steps, and a little time. */
void sim_steps(struct sim *sim, size_t most);
/* Lets the cluster work until nothing is to do any more, at most so long. */
void sim_run_for(struct sim *sim, int64_t ms);
/* Goes on to the next moment at which something happens by itself, but not past `limit`. */
void sim_advance(struct sim *sim, int64_t limit);

/* The controllers: each does one step for one object, from the cache. */
void deployment_sync(struct sim *sim, struct object *deployment);
void replica_set_sync(struct sim *sim, struct object *set);
void endpoints_sync(struct sim *sim);
/* True when an autoscaler has scaled. */
bool autoscalers_sync(struct sim *sim);
bool collect_garbage(struct sim *sim);
/* pods.c: the kubelet is told of a new pod. */
void pods_begin(struct sim *sim, struct object *pod);
/* The kubelet: true when a pod's time had come. */
bool pods_tick(struct sim *sim);
/* A pod is not ready for a while (false: it was not ready); or never again, and its node's
 * controller deletes it later. */
bool pods_crash(struct sim *sim, struct object *pod);
void pods_lose(struct sim *sim, struct object *pod);
/* The broken image is there now; its pods get ready. Nodes are back; what was deleted there goes.
 */
void sim_heal(struct sim *sim);
int64_t pods_next_time(const struct sim *sim);

bool sim_pod_is_ready(const json *pod);
/* Its phase is Succeeded or Failed. */
bool sim_pod_has_ended(const json *pod);
int64_t sim_generation(const json *tree);
/* Objects of this kind say where requests go. */
bool sim_is_of_routes(const struct kind *kind);

/* Whether an owner reference of the tree has this uid. */
bool sim_is_owned(const json *tree, const char *uid);
/* borrow.c: an object with the members of a tree of the log, which must outlive it. To be read
 * only; a copy of it is a real one. */
json *sim_borrow(const json *tree);
/* Makes the owner its controller, in the tree. */
void sim_add_owner(json *tree, const struct object *owner);
/* Takes the owner references with this uid off the object, where it is still there. */
void sim_release_from(struct sim *sim, struct object *object, const char *uid);

/* For each object of a kind; where it is to be there in the store (or in a view), ask. */
#define sim_each(item, sim, of_kind)                                                               \
	for (struct object *item = sim_first(sim, of_kind); item != NULL; item = item->next)

/* NULL where there never was one. */
struct object *sim_first(const struct sim *sim, const struct kind *kind);

#endif
