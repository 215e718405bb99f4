/*
 * The ReplicaSet controller, after pkg/controller/replicaset of Kubernetes 1.36, and a kubelet that
 * makes pods ready after a while and removes deleted ones after their grace.
 */
#include <stdlib.h>

#include "api/selector.h"
#include "sim/sim.h"

#define PODS_MAXIMUM 512
#define START_MS 1500

static const json *seen(const struct object *object)
{
	return object->views[VIEW_CONTROLLERS];
}

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
	json *reference = json_object();
	json_set_text(reference, "apiVersion", "apps/v1");
	json_set_text(reference, "kind", "ReplicaSet");
	json_set_text(reference, "name", set->name);
	json_set_text(reference, "uid", set->uid);
	json_set_bool(reference, "controller", true);
	json_append(json_ensure_array(metadata, "ownerReferences"), reference);
	json_set_text(json_ensure_object(pod, "status"), "phase", "Pending");
	struct object *object = sim_create(sim, &KIND_POD, pod);
	object->ready_at = sim->now_ms + 100 + (int64_t)sim_random(sim, START_MS);
}

static const char *image_of(const json *pod)
{
	return json_get_text(json_first(json_path(pod, "spec", "containers", NULL)), "image");
}

static json *condition(const char *type, bool status)
{
	json *node = json_object();
	json_set_text(node, "type", type);
	json_set_text(node, "status", status ? "True" : "False");
	return node;
}

static void start_pod(struct sim *sim, struct object *pod)
{
	json *tree = json_copy(pod->now);
	json_remove(tree, "status");
	bool broken = sim->broken_image != NULL && str_equal(image_of(tree), sim->broken_image);
	json *status = json_ensure_object(tree, "status");
	AUTO_STRING address = mem_format("10.0.%s", pod->uid);
	json_set_text(status, "podIP", address);
	json_append(json_ensure_array(status, "conditions"), condition("PodScheduled", true));
	json_append(json_ensure_array(status, "conditions"), condition("Ready", !broken));
	if (broken) {
		json *container = json_object();
		json_set_text(container, "name", "web");
		json *waiting =
			json_ensure_object(json_ensure_object(container, "state"), "waiting");
		json_set_text(waiting, "reason", "ImagePullBackOff");
		json_set_text(waiting, "message", "Back-off pulling image");
		json_append(json_ensure_array(status, "containerStatuses"), container);
	} else {
		json_set_text(status, "phase", "Running");
	}
	sim_put(sim, pod, tree);
}

void sim_heal(struct sim *sim)
{
	sim->broken_image = NULL;
	sim_each(pod, sim, &KIND_POD) if (pod->now != NULL && !pod->ready && !pod->deleting &&
					  pod->ready_at < 0) pod->ready_at = sim->now_ms + 1;
}

bool pods_tick(struct sim *sim)
{
	sim_each(pod, sim, &KIND_POD)
	{
		if (pod->now == NULL)
			continue;
		if (pod->gone_at >= 0 && pod->gone_at <= sim->now_ms) {
			pod->gone_at = -1;
			sim_remove(sim, pod);
			return true;
		}
		if (pod->ready_at >= 0 && pod->ready_at <= sim->now_ms) {
			pod->ready_at = -1;
			start_pod(sim, pod);
			return true;
		}
	}
	return false;
}

int64_t pods_next_time(const struct sim *sim)
{
	int64_t next = -1;
	sim_each(pod, sim, &KIND_POD)
	{
		if (pod->now == NULL)
			continue;
		if (pod->gone_at >= 0 && (next < 0 || pod->gone_at < next))
			next = pod->gone_at;
		if (pod->ready_at >= 0 && (next < 0 || pod->ready_at < next))
			next = pod->ready_at;
	}
	return next;
}

/* --- the controller ------------------------------------------------------------------------- */

struct owned {
	struct object *pods[PODS_MAXIMUM];
	size_t count;
};

static void find_pods(struct sim *sim, const struct object *set, struct owned *ret)
{
	ret->count = 0;
	sim_each(pod, sim, &KIND_POD) if (seen(pod) != NULL && !object_is_deleting(seen(pod)) &&
					  ret->count < PODS_MAXIMUM &&
					  str_equal(object_controller_uid(seen(pod)), set->uid))
		ret->pods[ret->count++] = pod;
}

/* Not ready ones go first, then by chance. */
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

static void sync_status(struct sim *sim, struct object *set, const struct owned *owned)
{
	int64_t ready = 0;
	for (size_t i = 0; i < owned->count; i++)
		ready += sim_pod_is_ready(seen(owned->pods[i]));
	AUTO_JSON tree = json_copy(seen(set));
	json *status = json_ensure_object(tree, "status");
	json_set_integer(status, "replicas", (int64_t)owned->count);
	json_set_integer(status, "readyReplicas", ready);
	json_set_integer(status, "availableReplicas", ready);
	json_set_integer(status, "observedGeneration",
		json_integer(json_path(seen(set), "metadata", "generation", NULL), 0));
	if (json_equal(tree, seen(set)))
		return;
	if (sim_is_current(set, VIEW_CONTROLLERS))
		sim_put(sim, set, TAKE(tree));
	else
		set->dirty = true; /* a conflict: again, when the cache has caught up */
}

void replica_set_sync(struct sim *sim, struct object *set)
{
	struct owned owned;
	if (set->now == NULL || object_is_deleting(seen(set)))
		return;
	find_pods(sim, set, &owned);
	/* Expectations: its own pods must be in the cache before it counts again. */
	if (sim->positions[CACHED_PODS] >= set->expected)
		manage(sim, set, owned);
	sync_status(sim, set, &owned);
}
