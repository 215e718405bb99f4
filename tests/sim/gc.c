/*
 * The garbage collector, after pkg/controller/garbagecollector of Kubernetes 1.36: what an owner
 * that is gone leaves behind, and the finalizers of deletion. Who depends on whom it knows from a
 * graph that is made of what it has seen; before it deletes, it asks the server.
 */
#include "sim/sim.h"

/* As the graph has it. */
static const json *seen(const struct object *object)
{
	const struct kind *kind = object->kind;
	bool cached = kind == &KIND_DEPLOYMENT || kind == &KIND_REPLICA_SET || kind == &KIND_POD ||
		      kind == &KIND_SERVICE;
	return cached ? object->views[VIEW_CONTROLLERS] : object->now;
}

static bool has_finalizer(const json *tree, const char *finalizer)
{
	json_for_each (name, json_path(tree, "metadata", "finalizers", NULL))
		if (str_equal(json_text(name), finalizer))
			return true;
	return false;
}

/* An owner is there, gone (dangling), or waits for its dependents to go first. */
enum owner_state { SOLID, DANGLING, WAITING, STATE_COUNT };

static enum owner_state owner_state(const struct sim *sim, const json *reference)
{
	const struct object *owner = sim_find_uid(sim, json_get_text(reference, "uid"));
	if (owner == NULL || owner->now == NULL)
		return DANGLING;
	bool waits = has_finalizer(owner->now, "foregroundDeletion") &&
		     json_is_true(json_get(reference, "blockOwnerDeletion"));
	return waits ? WAITING : SOLID;
}

/* blocking: only one that holds up the deletion of its owner. */
static struct object *find_dependent(struct sim *sim, const struct object *owner, bool blocking)
{
	for (size_t i = 0; i < sim->object_count; i++) {
		struct object *object = sim->objects[i];
		json_for_each (
			reference, json_path(seen(object), "metadata", "ownerReferences", NULL))
			if (str_equal(json_get_text(reference, "uid"), owner->uid) &&
				(!blocking ||
					json_is_true(json_get(reference, "blockOwnerDeletion"))))
				return object;
	}
	return NULL;
}

/* attemptToDeleteItem; false when it stays as it is. */
static bool collect(struct sim *sim, struct object *object)
{
	const char *uids[STATE_COUNT] = {0};
	json_for_each (reference, json_path(object->now, "metadata", "ownerReferences", NULL))
		uids[owner_state(sim, reference)] = json_get_text(reference, "uid");
	const char *lost = uids[DANGLING] != NULL ? uids[DANGLING] : uids[WAITING];
	if (lost == NULL || object_is_deleting(object->now))
		return false;
	if (uids[SOLID] != NULL) {
		AUTO_STRING uid = mem_strdup(lost);
		sim_release_from(sim, object, uid);
		return true;
	}
	bool first = uids[WAITING] != NULL && find_dependent(sim, object, false) != NULL;
	sim_delete(sim, object, first ? "Foreground" : "Background");
	return true;
}

/* One dependent is freed, any, as long as the graph has one; then the object goes. */
static bool orphan(struct sim *sim, struct object *object)
{
	size_t start = sim_random(sim, sim->object_count);
	for (size_t i = 0; i < sim->object_count; i++) {
		struct object *dependent = sim->objects[(start + i) % sim->object_count];
		if (dependent->now == NULL || !sim_is_owned(seen(dependent), object->uid) ||
			!sim_is_owned(dependent->now, object->uid))
			continue;
		sim_release_from(sim, dependent, object->uid);
		return true;
	}
	sim_remove(sim, object);
	return true;
}

/* processDeletingDependentsItem: the dependents are collected on their own. */
static bool finish_foreground(struct sim *sim, struct object *object)
{
	if (find_dependent(sim, object, true) != NULL)
		return false;
	sim_remove(sim, object);
	return true;
}

bool collect_garbage(struct sim *sim)
{
	size_t start = sim_random(sim, sim->object_count);
	for (size_t i = 0; i < sim->object_count; i++) {
		struct object *object = sim->objects[(start + i) % sim->object_count];
		const json *tree = seen(object);
		if (object->now == NULL || tree == NULL)
			continue;
		if (has_finalizer(tree, "orphan")		    ? orphan(sim, object)
			: has_finalizer(tree, "foregroundDeletion") ? finish_foreground(sim, object)
								    : collect(sim, object))
			return true;
	}
	return false;
}
