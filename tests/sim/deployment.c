/*
 * The Deployment controller, after pkg/controller/deployment of Kubernetes 1.36: sync.go,
 * rolling.go, util/deployment_util.go. It sees ReplicaSets and Deployments as its cache has them; a
 * write to an object that has changed meanwhile is a conflict and ends the sync.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/selector.h"
#include "sim/sim.h"

#define HASH_LABEL "pod-template-hash"
#define REVISION "deployment.kubernetes.io/revision"
#define DESIRED "deployment.kubernetes.io/desired-replicas"
#define MAXIMUM "deployment.kubernetes.io/max-replicas"
#define SETS_MAXIMUM 32

/* What a sync works with. */
struct rollout {
	struct sim *sim;
	struct object *object;
	const json *deployment; /* as cached */
	struct object *sets[SETS_MAXIMUM];
	size_t count;
	struct object *new; /* of the current template, or NULL */
	bool conflict;
};

static const json *seen(const struct object *object)
{
	return object->views[VIEW_CONTROLLERS];
}

static int spec_replicas(const json *tree)
{
	return (int)json_integer(json_path(tree, "spec", "replicas", NULL), 1);
}

static int status_of(const struct object *set, const char *field)
{
	return (int)json_integer(json_path(seen(set), "status", field, NULL), 0);
}

static int annotation_number(const json *tree, const char *key)
{
	const char *text = object_annotation(tree, key);
	return text == NULL ? 0 : (int)strtol(text, NULL, 10);
}

/* A copy to edit, if the cache is up to date; else NULL, and the sync is to end. */
static json *begin_write(struct rollout *rollout, struct object *object)
{
	if (!sim_is_current(object, VIEW_CONTROLLERS)) {
		rollout->conflict = true;
		return NULL;
	}
	return json_copy(object->now);
}

static void end_write(struct rollout *rollout, struct object *object, json *tree)
{
	if (json_equal(tree, object->now)) {
		json_free(tree);
		return;
	}
	sim_put(rollout->sim, object, tree);
	/* The informer will bring it; until then the cache is old, as it should be. */
}

static void set_number(json *tree, const char *key, int number)
{
	char text[16];
	(void)snprintf(text, sizeof(text), "%d", number);
	object_set_annotation(tree, key, text);
}

/* --- strategy ------------------------------------------------------------------------------- */

/* A number or a percentage of the replicas; up: rounded up. */
static int resolve(const json *value, int replicas, bool up)
{
	const char *text = json_text(value);
	if (text == NULL)
		return (int)json_integer(value, 0);
	int percent = (int)strtol(text, NULL, 10);
	return (replicas * percent + (up ? 99 : 0)) / 100;
}

static int max_surge(const json *deployment)
{
	return resolve(json_path(deployment, "spec", "strategy", "rollingUpdate", "maxSurge", NULL),
		spec_replicas(deployment), true);
}

static int max_unavailable(const json *deployment)
{
	int replicas = spec_replicas(deployment);
	int number = resolve(
		json_path(deployment, "spec", "strategy", "rollingUpdate", "maxUnavailable", NULL),
		replicas, false);
	return number == 0 && max_surge(deployment) == 0 ? 1 : number;
}

/* --- ReplicaSets ---------------------------------------------------------------------------- */

static json *template_without_hash(const json *template)
{
	json *copy = json_copy(template);
	map_set_text(json_get(copy, "metadata"), "labels", HASH_LABEL, NULL);
	return copy;
}

static bool same_template(const json *a, const json *b)
{
	AUTO_JSON left = template_without_hash(a);
	AUTO_JSON right = template_without_hash(b);
	return json_equal(left, right);
}

static const json *template_of(const json *tree)
{
	return json_path(tree, "spec", "template", NULL);
}

static int by_age(const void *a, const void *b)
{
	const struct object *left = *(struct object *const *)a;
	const struct object *right = *(struct object *const *)b;
	int order = strcmp(json_path_text(seen(left), "metadata", "creationTimestamp", NULL),
		json_path_text(seen(right), "metadata", "creationTimestamp", NULL));
	return order != 0 ? order : strcmp(left->name, right->name);
}

/* ControllerRefManager: takes orphans that match, lets go what does not match any more. */
static bool claim(struct rollout *rollout, struct object *set)
{
	const json *selector = json_path(rollout->deployment, "spec", "selector", NULL);
	const char *owner = object_controller_uid(seen(set));
	bool matches = selector_matches(selector, json_path(seen(set), "metadata", "labels", NULL));
	if (str_equal(owner, rollout->object->uid)) {
		if (matches)
			return true;
		json *tree = begin_write(rollout, set);
		if (tree != NULL) {
			json_remove(json_get(tree, "metadata"), "ownerReferences");
			end_write(rollout, set, tree);
		}
		return false;
	}
	if (owner != NULL || !matches || object_is_deleting(rollout->deployment) ||
		object_is_deleting(seen(set)) || set->now == NULL ||
		object_controller_uid(set->now) != NULL)
		return false;
	json *tree = begin_write(rollout, set);
	if (tree == NULL)
		return false;
	json *reference = json_object();
	json_set_text(reference, "apiVersion", "apps/v1");
	json_set_text(reference, "kind", "Deployment");
	json_set_text(reference, "name", rollout->object->name);
	json_set_text(reference, "uid", rollout->object->uid);
	json_set_bool(reference, "controller", true);
	json_set_bool(reference, "blockOwnerDeletion", true);
	json_append(json_ensure_array(json_get(tree, "metadata"), "ownerReferences"), reference);
	end_write(rollout, set, tree);
	return true;
}

static void find_sets(struct rollout *rollout)
{
	sim_each(set, rollout->sim,
		&KIND_REPLICA_SET) if (seen(set) != NULL && rollout->count < SETS_MAXIMUM &&
				       claim(rollout, set)) rollout->sets[rollout->count++] = set;
	qsort(rollout->sets, rollout->count, sizeof(rollout->sets[0]), by_age);
	/* The oldest, should there be several. */
	for (size_t i = 0; i < rollout->count && rollout->new == NULL; i++)
		if (same_template(
			    template_of(seen(rollout->sets[i])), template_of(rollout->deployment)))
			rollout->new = rollout->sets[i];
}

static int newest_old_revision(const struct rollout *rollout)
{
	int newest = 0;
	for (size_t i = 0; i < rollout->count; i++) {
		int revision = annotation_number(seen(rollout->sets[i]), REVISION);
		if (rollout->sets[i] != rollout->new && revision > newest)
			newest = revision;
	}
	return newest;
}

static void set_deployment_revision(struct rollout *rollout, int revision)
{
	if (annotation_number(rollout->deployment, REVISION) == revision)
		return;
	json *tree = begin_write(rollout, rollout->object);
	if (tree == NULL)
		return;
	set_number(tree, REVISION, revision);
	end_write(rollout, rollout->object, tree);
	rollout->conflict = true; /* what is cached is old now: the next sync goes on */
}

/* Gives the ReplicaSet of the current template its revision. */
static void sync_revision(struct rollout *rollout)
{
	int revision = newest_old_revision(rollout) + 1;
	int current = annotation_number(seen(rollout->new), REVISION);
	if (current < revision) {
		json *tree = begin_write(rollout, rollout->new);
		if (tree == NULL)
			return;
		set_number(tree, REVISION, revision);
		end_write(rollout, rollout->new, tree);
		rollout->conflict = true;
		return;
	}
	set_deployment_revision(rollout, current);
}

static char *template_hash(const json *template, int64_t collisions)
{
	AUTO_STRING text = json_print(template);
	uint32_t hash = 2166136261U ^ (uint32_t)collisions;
	for (const char *p = text; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	return mem_format("%08x", hash);
}

static int total_replicas(const struct rollout *rollout)
{
	int total = 0;
	for (size_t i = 0; i < rollout->count; i++)
		total += spec_replicas(seen(rollout->sets[i]));
	return total;
}

/* NewRSNewReplicas: what the new ReplicaSet may have now. */
static int new_replicas(const struct rollout *rollout, int current)
{
	int wanted = spec_replicas(rollout->deployment);
	int room = wanted + max_surge(rollout->deployment) - total_replicas(rollout);
	if (room <= 0)
		return current;
	return current + (room < wanted - current ? room : wanted - current);
}

static void set_scale_annotations(const struct rollout *rollout, json *tree)
{
	int wanted = spec_replicas(rollout->deployment);
	set_number(tree, DESIRED, wanted);
	set_number(tree, MAXIMUM, wanted + max_surge(rollout->deployment));
}

static json *make_set(struct rollout *rollout, const char *hash)
{
	const json *deployment = rollout->deployment;
	AUTO_STRING name = mem_format("%s-%s", rollout->object->name, hash);
	json *set = object_new(&KIND_REPLICA_SET, rollout->object->namespace, name);
	json *spec = json_ensure_object(set, "spec");
	json *template = json_copy(template_of(deployment));
	map_set_text(json_get(template, "metadata"), "labels", HASH_LABEL, hash);
	json_set(spec, "template", template);
	json_set_integer(spec, "replicas", new_replicas(rollout, 0));
	json_set(spec, "selector", json_copy(json_path(deployment, "spec", "selector", NULL)));
	map_set_text(json_get(spec, "selector"), "matchLabels", HASH_LABEL, hash);
	json_set(json_get(set, "metadata"), "labels",
		json_copy(json_path(template, "metadata", "labels", NULL)));
	set_number(set, REVISION, newest_old_revision(rollout) + 1);
	set_scale_annotations(rollout, set);
	json *reference = json_object();
	json_set_text(reference, "apiVersion", "apps/v1");
	json_set_text(reference, "kind", "Deployment");
	json_set_text(reference, "name", rollout->object->name);
	json_set_text(reference, "uid", rollout->object->uid);
	json_set_bool(reference, "controller", true);
	json_set_bool(reference, "blockOwnerDeletion", true);
	json_append(json_ensure_array(json_get(set, "metadata"), "ownerReferences"), reference);
	return set;
}

/* A name that is taken by another template: counted, so that the next hash differs. */
static void count_collision(struct rollout *rollout)
{
	json *tree = begin_write(rollout, rollout->object);
	if (tree == NULL)
		return;
	json *status = json_ensure_object(tree, "status");
	json_set_integer(
		status, "collisionCount", json_get_integer(status, "collisionCount", 0) + 1);
	end_write(rollout, rollout->object, tree);
}

static void create_set(struct rollout *rollout)
{
	int64_t collisions =
		json_integer(json_path(rollout->deployment, "status", "collisionCount", NULL), 0);
	AUTO_STRING hash = template_hash(template_of(rollout->deployment), collisions);
	json *set = make_set(rollout, hash);
	const struct object *there = sim_find(
		rollout->sim, &KIND_REPLICA_SET, rollout->object->namespace, object_name(set));
	if (there == NULL) {
		(void)sim_create(rollout->sim, &KIND_REPLICA_SET, set);
	} else {
		bool same = str_equal(object_controller_uid(there->now), rollout->object->uid) &&
			    same_template(template_of(there->now), template_of(set));
		json_free(set);
		if (!same)
			count_collision(rollout);
	}
	rollout->conflict = true; /* goes on when the cache has it */
}

/* --- scaling -------------------------------------------------------------------------------- */

static void scale_set(struct rollout *rollout, struct object *set, int replicas)
{
	json *tree = begin_write(rollout, set);
	if (tree == NULL)
		return;
	json_set_integer(json_get(tree, "spec"), "replicas", replicas);
	set_scale_annotations(rollout, tree);
	end_write(rollout, set, tree);
}

static bool is_active(const struct object *set)
{
	return spec_replicas(seen(set)) > 0;
}

static size_t count_active(const struct rollout *rollout, struct object **ret_last)
{
	size_t count = 0;
	for (size_t i = 0; i < rollout->count; i++)
		if (is_active(rollout->sets[i])) {
			count++;
			*ret_last = rollout->sets[i];
		}
	return count;
}

static struct object *active_or_latest(const struct rollout *rollout)
{
	struct object *last = NULL;
	size_t active = count_active(rollout, &last);
	if (active == 1)
		return last;
	if (active > 1)
		return NULL;
	if (rollout->new != NULL)
		return rollout->new;
	return rollout->count > 0 ? rollout->sets[rollout->count - 1] : NULL;
}

static bool is_saturated(const struct rollout *rollout)
{
	int wanted = spec_replicas(rollout->deployment);
	const struct object *set = rollout->new;
	return set != NULL && spec_replicas(seen(set)) == wanted &&
	       annotation_number(seen(set), DESIRED) == wanted &&
	       status_of(set, "availableReplicas") == wanted;
}

/* Scaled in the middle of a rollout: the newest gets more, the oldest gives. (The real one shares
 * proportionally; what matters here is that the total follows.) */
static void scale_several(struct rollout *rollout)
{
	int allowed = spec_replicas(rollout->deployment) + max_surge(rollout->deployment);
	int add = allowed - total_replicas(rollout);
	for (size_t i = 0; i < rollout->count; i++) {
		size_t place = add > 0 ? rollout->count - 1 - i : i;
		struct object *set = rollout->sets[place];
		int current = spec_replicas(seen(set));
		if (current == 0)
			continue;
		int replicas = current + add < 0 ? 0 : current + add;
		add -= replicas - current;
		scale_set(rollout, set, replicas);
	}
}

static void scale(struct rollout *rollout)
{
	struct object *single = active_or_latest(rollout);
	int wanted = spec_replicas(rollout->deployment);
	if (single != NULL) {
		if (spec_replicas(seen(single)) != wanted)
			scale_set(rollout, single, wanted);
		return;
	}
	if (is_saturated(rollout)) {
		for (size_t i = 0; i < rollout->count; i++)
			if (rollout->sets[i] != rollout->new && is_active(rollout->sets[i]))
				scale_set(rollout, rollout->sets[i], 0);
		return;
	}
	scale_several(rollout);
}

static bool is_scaling_event(const struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->count; i++) {
		const json *set = seen(rollout->sets[i]);
		if (is_active(rollout->sets[i]) && object_annotation(set, DESIRED) != NULL &&
			annotation_number(set, DESIRED) != spec_replicas(rollout->deployment))
			return true;
	}
	return false;
}

/* --- rolling update ------------------------------------------------------------------------- */

static bool scale_new(struct rollout *rollout)
{
	int current = spec_replicas(seen(rollout->new));
	int wanted = spec_replicas(rollout->deployment);
	int replicas = current > wanted ? wanted : new_replicas(rollout, current);
	if (current == replicas)
		return false;
	scale_set(rollout, rollout->new, replicas);
	return true;
}

/* Takes away from old sets: unhealthy ones first, then from the oldest. */
static void scale_old(struct rollout *rollout)
{
	int available = 0;
	for (size_t i = 0; i < rollout->count; i++)
		available += status_of(rollout->sets[i], "availableReplicas");
	int least = spec_replicas(rollout->deployment) - max_unavailable(rollout->deployment);
	int new_unavailable =
		spec_replicas(seen(rollout->new)) - status_of(rollout->new, "availableReplicas");
	int most = total_replicas(rollout) - least - new_unavailable;
	if (most <= 0)
		return;
	for (size_t i = 0; i < rollout->count && most > 0; i++) {
		struct object *set = rollout->sets[i];
		int current = spec_replicas(seen(set));
		int unhealthy = current - status_of(set, "availableReplicas");
		if (set == rollout->new || unhealthy <= 0)
			continue;
		int less = unhealthy < most ? unhealthy : most;
		scale_set(rollout, set, current - less);
		most -= less;
		if (rollout->conflict)
			return;
	}
	int give = available - least;
	for (size_t i = 0; i < rollout->count && give > 0; i++) {
		struct object *set = rollout->sets[i];
		/* One write for each set and sync; the next sync goes on. */
		if (set == rollout->new || !is_active(set) ||
			!sim_is_current(set, VIEW_CONTROLLERS))
			continue;
		int current = spec_replicas(seen(set));
		int less = current < give ? current : give;
		scale_set(rollout, set, current - less);
		give -= less;
		if (rollout->conflict)
			return;
	}
}

/* --- status --------------------------------------------------------------------------------- */

static void sync_status(struct rollout *rollout)
{
	int replicas = 0, ready = 0, available = 0;
	for (size_t i = 0; i < rollout->count; i++) {
		replicas += status_of(rollout->sets[i], "replicas");
		ready += status_of(rollout->sets[i], "readyReplicas");
		available += status_of(rollout->sets[i], "availableReplicas");
	}
	json *tree = begin_write(rollout, rollout->object);
	if (tree == NULL)
		return;
	json *status = json_ensure_object(tree, "status");
	json_set_integer(status, "observedGeneration",
		json_integer(json_path(rollout->deployment, "metadata", "generation", NULL), 0));
	json_set_integer(status, "replicas", replicas);
	json_set_integer(status, "updatedReplicas",
		rollout->new == NULL ? 0 : status_of(rollout->new, "replicas"));
	json_set_integer(status, "readyReplicas", ready);
	json_set_integer(status, "availableReplicas", available);
	end_write(rollout, rollout->object, tree);
}

/* Old empty ReplicaSets beyond spec.revisionHistoryLimit go, the oldest first. */
static void clean_history(struct rollout *rollout)
{
	size_t limit = (size_t)json_integer(
		json_path(rollout->deployment, "spec", "revisionHistoryLimit", NULL), 10);
	size_t old = 0;
	for (size_t i = 0; i < rollout->count; i++)
		old += rollout->sets[i] != rollout->new && !is_active(rollout->sets[i]);
	for (size_t i = 0; i < rollout->count && old > limit; i++) {
		struct object *set = rollout->sets[i];
		if (set == rollout->new || is_active(set) || status_of(set, "replicas") > 0 ||
			set->now == NULL)
			continue;
		sim_delete(rollout->sim, set, "Background");
		old--;
	}
}

static void roll(struct rollout *rollout)
{
	if (rollout->new == NULL) {
		create_set(rollout);
		return;
	}
	sync_revision(rollout);
	if (rollout->conflict)
		return;
	if (!scale_new(rollout))
		scale_old(rollout);
	if (!rollout->conflict && status_of(rollout->new, "replicas") == total_replicas(rollout))
		clean_history(rollout);
}

void deployment_sync(struct sim *sim, struct object *deployment)
{
	struct rollout rollout = {.sim = sim, .object = deployment, .deployment = seen(deployment)};
	if (deployment->now == NULL)
		return;
	find_sets(&rollout);
	bool paused = json_is_true(json_path(rollout.deployment, "spec", "paused", NULL));
	if (object_is_deleting(rollout.deployment)) {
		/* only the status */
	} else if (paused || is_scaling_event(&rollout)) {
		if (rollout.new != NULL)
			sync_revision(&rollout);
		if (!rollout.conflict)
			scale(&rollout);
		if (paused && !rollout.conflict)
			clean_history(&rollout);
	} else {
		roll(&rollout);
	}
	if (rollout.conflict)
		deployment->dirty = true;
	else
		sync_status(&rollout);
	if (rollout.conflict)
		deployment->dirty = true;
}
