/* The garbage collector: what an owner that is gone leaves behind, and the finalizers of deletion.
 */
#include "sim/sim.h"

static bool has_finalizer(const json *tree, const char *finalizer)
{
	json_for_each (name, json_path(tree, "metadata", "finalizers", NULL))
		if (str_equal(json_text(name), finalizer))
			return true;
	return false;
}

/* True where it has owners, and none of them is there any more. */
static bool is_garbage(const struct sim *sim, const json *tree)
{
	const json *owners = json_path(tree, "metadata", "ownerReferences", NULL);
	json_for_each (reference, owners) {
		const struct object *owner = sim_find_uid(sim, json_get_text(reference, "uid"));
		if (owner != NULL && owner->now != NULL)
			return false;
	}
	return json_count(owners) > 0;
}

static struct object *find_dependent(struct sim *sim, const struct object *owner)
{
	for (size_t i = 0; i < sim->object_count; i++)
		if (sim->objects[i]->now != NULL && sim_is_owned(sim->objects[i]->now, owner->uid))
			return sim->objects[i];
	return NULL;
}

/* One step of a deletion with a finalizer: a dependent is freed or deleted, or all are. */
static bool finalize(struct sim *sim, struct object *object)
{
	bool orphan = has_finalizer(object->now, "orphan");
	struct object *dependent = find_dependent(sim, object);
	if (dependent == NULL) {
		sim_remove(sim, object);
		return true;
	}
	if (orphan) {
		json *tree = json_copy(dependent->now);
		json_remove(json_get(tree, "metadata"), "ownerReferences");
		sim_put(sim, dependent, tree);
		return true;
	}
	if (object_is_deleting(dependent->now))
		return false;
	sim_delete(sim, dependent, dependent->kind == &KIND_REPLICA_SET ? "Foreground" : NULL);
	return true;
}

bool collect_garbage(struct sim *sim)
{
	size_t start = sim_random(sim, sim->object_count);
	for (size_t i = 0; i < sim->object_count; i++) {
		struct object *object = sim->objects[(start + i) % sim->object_count];
		if (object->now == NULL)
			continue;
		bool finalizing = has_finalizer(object->now, "orphan") ||
				  has_finalizer(object->now, "foregroundDeletion");
		if (finalizing && finalize(sim, object))
			return true;
		if (!object_is_deleting(object->now) && is_garbage(sim, object->now)) {
			sim_delete(sim, object, "Background");
			return true;
		}
	}
	return false;
}
