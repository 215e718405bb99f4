/* The ReplicaSet controller, after pkg/controller/replicaset of Kubernetes 1.36. */
#include <stdlib.h>

#include "api/selector.h"
#include "sim/sim.h"

#define PODS_MAXIMUM 512

static const json *seen(const struct object *object)
{
	return object->views[VIEW_CONTROLLERS];
}

struct owned {
	struct object *pods[PODS_MAXIMUM];
	size_t count;
	int64_t terminating;
};

/* --- pods ----------------------------------------------------------------------------------- */

static void create_pod(struct sim *sim, struct object *set)
{
	AUTO_STRING name = mem_format("%s-%05zu", set->name, sim->object_count);
	json *pod = json_copy(json_path(seen(set), "spec", "template", NULL));
	json_set_text(pod, "apiVersion", "v1");
	json_set_text(pod, "kind", "Pod");
	json *metadata = json_ensure_object(pod, "metadata");
	json_set_text(metadata, "name", name);
	json_set_text(metadata, "namespace", set->namespace);
	sim_add_owner(pod, set);
	json_set_text(json_ensure_object(pod, "status"), "phase", "Pending");
	pods_begin(sim, sim_create(sim, &KIND_POD, pod));
}

/* Takes an orphan that the selector matches: asked of the server, whether it still may. False after
 * a conflict. */
static bool adopt(struct sim *sim, const struct object *set, struct object *pod)
{
	if (set->now == NULL || object_is_deleting(set->now) || pod->now == NULL ||
		object_controller_uid(pod->now) != NULL)
		return false;
	json *tree = json_copy(pod->now);
	sim_add_owner(tree, set);
	sim_put(sim, pod, tree);
	return true;
}

/* ControllerRefManager for a pod that is not over: whether it is the set's. */
static bool claim(struct sim *sim, struct object *set, struct object *pod, bool *ret_done)
{
	const json *selector = json_path(seen(set), "spec", "selector", NULL);
	const char *owner = object_controller_uid(seen(pod));
	bool deleting = object_is_deleting(seen(set));
	bool matches = selector_matches(selector, json_path(seen(pod), "metadata", "labels", NULL));
	if (owner == NULL) {
		if (deleting || !matches)
			return false;
		*ret_done = adopt(sim, set, pod);
		return *ret_done;
	}
	if (!matches && !deleting)
		sim_release_from(sim, pod, set->uid);
	return matches;
}

/* False after a conflict. */
static bool find_pods(struct sim *sim, struct object *set, struct owned *ret)
{
	bool done = true;
	ret->count = 0;
	ret->terminating = 0;
	sim_each(pod, sim, &KIND_POD)
	{
		if (seen(pod) == NULL || sim_pod_has_ended(seen(pod)))
			continue;
		const char *owner = object_controller_uid(seen(pod));
		if (owner != NULL && !str_equal(owner, set->uid))
			continue;
		if (object_is_deleting(seen(pod)))
			ret->terminating += owner != NULL;
		else if (ret->count < PODS_MAXIMUM && claim(sim, set, pod, &done))
			ret->pods[ret->count++] = pod;
	}
	return done;
}

/* Those not ready go first, then by chance: on which node a pod is and how long it has been ready,
 * which decide then, may be anything. */
static struct object *choose_victim(struct sim *sim, struct owned *owned)
{
	size_t chosen = sim_random(sim, owned->count);
	for (size_t i = 0; i < owned->count; i++)
		if (!sim_pod_is_ready(seen(owned->pods[i])))
			chosen = i;
	struct object *victim = owned->pods[chosen];
	owned->pods[chosen] = owned->pods[--owned->count];
	return victim;
}

static void manage(struct sim *sim, struct object *set, struct owned owned)
{
	size_t wanted = (size_t)json_integer(json_path(seen(set), "spec", "replicas", NULL), 1);
	if (owned.count == wanted)
		return;
	for (size_t i = owned.count; i < wanted; i++)
		create_pod(sim, set);
	while (owned.count > wanted) {
		struct object *victim = choose_victim(sim, &owned);
		if (victim->now != NULL)
			sim_delete(sim, victim, NULL);
	}
	set->expected = sim->event_count;
}

/* --- status --------------------------------------------------------------------------------- */

/* Ready for minReadySeconds; wakes the set when the next one will be. */
static bool is_available(struct sim *sim, struct object *set, const struct object *pod)
{
	int64_t seconds = json_integer(json_path(seen(set), "spec", "minReadySeconds", NULL), 0);
	int64_t at = pod->ready_since + seconds * 1000;
	if (at <= sim->now_ms)
		return true;
	if (set->wake_at < 0 || at < set->wake_at)
		set->wake_at = at;
	return false;
}

static json *make_status(struct sim *sim, struct object *set, const struct owned *owned)
{
	int64_t ready = 0, available = 0;
	for (size_t i = 0; i < owned->count; i++) {
		if (!sim_pod_is_ready(seen(owned->pods[i])))
			continue;
		ready++;
		available += is_available(sim, set, owned->pods[i]);
	}
	json *status = json_object();
	json_set_integer(status, "replicas", (int64_t)owned->count);
	json_set_integer(status, "readyReplicas", ready);
	json_set_integer(status, "availableReplicas", available);
	json_set_integer(status, "terminatingReplicas", owned->terminating);
	json_set_integer(status, "observedGeneration", sim_generation(seen(set)));
	return status;
}

/* updateReplicaSetStatus: after a conflict, what was counted is written into what is there now. */
static void sync_status(struct sim *sim, struct object *set, const struct owned *owned)
{
	AUTO_JSON status = make_status(sim, set, owned);
	if (json_equal(status, json_get(seen(set), "status")) || set->now == NULL)
		return;
	json *tree = json_copy(set->now);
	json_set(tree, "status", TAKE(status));
	sim_put_status(sim, set, tree);
}

void replica_set_sync(struct sim *sim, struct object *set)
{
	struct owned owned;
	set->dirty = !find_pods(sim, set, &owned);
	if (set->dirty)
		return;
	/* Expectations: its own pods must be in the cache before it counts again. */
	if (sim->positions[CACHED_PODS] >= set->expected && !object_is_deleting(seen(set)))
		manage(sim, set, owned);
	sync_status(sim, set, &owned);
}
