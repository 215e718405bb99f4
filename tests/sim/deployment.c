/* The Deployment controller: deployment_controller.go, sync.go and progress.go. */
#include "sim/deployment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/selector.h"

static const json *seen(const struct object *object)
{
	return object->views[VIEW_CONTROLLERS];
}

int spec_replicas(const json *tree)
{
	return (int)json_integer(json_path(tree, "spec", "replicas", NULL), 1);
}

int status_of(const json *tree, const char *field)
{
	return (int)json_integer(json_path(tree, "status", field, NULL), 0);
}

int annotation_number(const json *tree, const char *key)
{
	const char *text = object_annotation(tree, key);
	return text == NULL ? 0 : (int)strtol(text, NULL, 10);
}

void set_annotation_number(json *tree, const char *key, int number)
{
	char text[16];
	(void)snprintf(text, sizeof(text), "%d", number);
	object_set_annotation(tree, key, text);
}

/* --- strategy ------------------------------------------------------------------------------- */

bool is_rolling_update(const struct rollout *rollout)
{
	return !str_equal(
		json_path_text(rollout->deployment, "spec", "strategy", "type", NULL), "Recreate");
}

/* A number or a percentage of the replicas; up: rounded up. */
static int resolve(const struct rollout *rollout, const char *field, bool up)
{
	const json *value =
		json_path(rollout->deployment, "spec", "strategy", "rollingUpdate", field, NULL);
	const char *text = json_text(value);
	if (text == NULL)
		return (int)json_integer(value, 0);
	int percent = (int)strtol(text, NULL, 10);
	return (spec_replicas(rollout->deployment) * percent + (up ? 99 : 0)) / 100;
}

int max_surge(const struct rollout *rollout)
{
	return is_rolling_update(rollout) ? resolve(rollout, "maxSurge", true) : 0;
}

int max_unavailable(const struct rollout *rollout)
{
	int replicas = spec_replicas(rollout->deployment);
	if (!is_rolling_update(rollout) || replicas == 0)
		return 0;
	int number = resolve(rollout, "maxUnavailable", false);
	if (number == 0 && max_surge(rollout) == 0)
		number = 1;
	return number < replicas ? number : replicas;
}

int total_replicas(const struct rollout *rollout)
{
	int total = 0;
	for (size_t i = 0; i < rollout->count; i++)
		total += spec_replicas(rollout->sets[i].tree);
	return total;
}

/* --- writes --------------------------------------------------------------------------------- */

bool update_set(struct rollout *rollout, struct set *set, json *tree_taken)
{
	if (set->object->now != set->tree) {
		json_free(tree_taken);
		return false;
	}
	sim_put(rollout->sim, set->object, tree_taken);
	set->tree = set->object->now;
	return true;
}

json *draft_of(struct rollout *rollout)
{
	if (rollout->draft == NULL)
		rollout->draft = json_copy(rollout->deployment);
	return rollout->draft;
}

bool update_status(struct rollout *rollout)
{
	/* What an earlier write of this sync has made is a later version, too. */
	if (rollout->object->now != rollout->deployment)
		return false;
	sim_put_status(rollout->sim, rollout->object, json_copy(draft_of(rollout)));
	return true;
}

/* --- ReplicaSets ---------------------------------------------------------------------------- */

static int by_age(const void *a, const void *b)
{
	const struct set *left = a;
	const struct set *right = b;
	int order = strcmp(json_path_text(left->tree, "metadata", "creationTimestamp", NULL),
		json_path_text(right->tree, "metadata", "creationTimestamp", NULL));
	return order != 0 ? order : strcmp(left->object->name, right->object->name);
}

/* A patch of what is there now. An owner that controls it already stays the only one. */
static bool adopt(struct rollout *rollout, struct object *set, bool *ret_claimed)
{
	const struct object *self = rollout->object;
	/* Asked of the server, not of the cache. */
	if (self->now == NULL || object_is_deleting(self->now))
		return false;
	if (set->now == NULL)
		return true;
	if (object_controller_uid(set->now) != NULL)
		return false;
	json *tree = json_copy(set->now);
	sim_add_owner(tree, self);
	sim_put(rollout->sim, set, tree);
	*ret_claimed = true;
	return true;
}

/* ControllerRefManager: takes orphans that match, lets go what does not match any more. */
static bool claim(struct rollout *rollout, struct object *set, bool *ret_claimed)
{
	const json *selector = json_path(rollout->deployment, "spec", "selector", NULL);
	const char *owner = object_controller_uid(seen(set));
	bool deleting = object_is_deleting(rollout->deployment);
	bool matches = selector_matches(selector, json_path(seen(set), "metadata", "labels", NULL));
	*ret_claimed = owner != NULL && matches && str_equal(owner, rollout->object->uid);
	if (owner == NULL)
		return deleting || !matches || object_is_deleting(seen(set)) ||
		       adopt(rollout, set, ret_claimed);
	if (!matches && !deleting && str_equal(owner, rollout->object->uid))
		sim_release_from(rollout->sim, set, owner);
	return true;
}

static bool find_sets(struct rollout *rollout)
{
	bool done = true;
	sim_each(set, rollout->sim, &KIND_REPLICA_SET)
	{
		bool claimed = false;
		if (seen(set) == NULL || !str_equal(set->namespace, rollout->object->namespace))
			continue;
		done = claim(rollout, set, &claimed) && done;
		if (claimed && rollout->count < SETS_MAXIMUM)
			rollout->sets[rollout->count++] = (struct set){set, seen(set)};
	}
	qsort(rollout->sets, rollout->count, sizeof(rollout->sets[0]), by_age);
	find_new_set(rollout);
	return done;
}

/* --- status --------------------------------------------------------------------------------- */

static json *find_condition(const json *deployment, const char *type)
{
	json_for_each (condition, json_path(deployment, "status", "conditions", NULL))
		if (str_equal(json_get_text(condition, "type"), type))
			return condition;
	return NULL;
}

static const char *progress_of(const struct rollout *rollout)
{
	const json *deployment = rollout->draft != NULL ? rollout->draft : rollout->deployment;
	return json_get_text(find_condition(deployment, "Progressing"), "reason");
}

bool set_condition(json *deployment, const char *type, const char *status, const char *reason)
{
	json *condition = find_condition(deployment, type);
	if (str_equal(json_get_text(condition, "status"), status) &&
		str_equal(json_get_text(condition, "reason"), reason))
		return false;
	if (condition == NULL) {
		condition = json_object();
		json_append(
			json_ensure_array(json_ensure_object(deployment, "status"), "conditions"),
			condition);
	}
	json_set_text(condition, "type", type);
	json_set_text(condition, "status", status);
	json_set_text(condition, "reason", reason);
	return true;
}

bool has_deadline(const struct rollout *rollout)
{
	return json_path(rollout->deployment, "spec", "progressDeadlineSeconds", NULL) != NULL;
}

bool is_complete(const struct rollout *rollout, const json *status)
{
	int wanted = spec_replicas(rollout->deployment);
	return json_get_integer(status, "updatedReplicas", 0) == wanted &&
	       json_get_integer(status, "replicas", 0) == wanted &&
	       json_get_integer(status, "availableReplicas", 0) == wanted &&
	       json_get_integer(status, "observedGeneration", 0) >=
		       sim_generation(rollout->deployment);
}

static void calculate_status(struct rollout *rollout, json *draft)
{
	static const char *const SUMS[] = {
		"replicas", "readyReplicas", "availableReplicas", "terminatingReplicas"};
	json *status = json_ensure_object(draft, "status");
	json_set_integer(status, "observedGeneration", sim_generation(rollout->deployment));
	for (size_t field = 0; field < COUNT_OF(SUMS); field++) {
		int sum = 0;
		for (size_t i = 0; i < rollout->count; i++)
			sum += status_of(rollout->sets[i].tree, SUMS[field]);
		json_set_integer(status, SUMS[field], sum);
	}
	json_set_integer(status, "updatedReplicas",
		rollout->new == NULL ? 0 : status_of(rollout->new->tree, "replicas"));
	bool enough = json_get_integer(status, "availableReplicas", 0) >=
		      spec_replicas(rollout->deployment) - max_unavailable(rollout);
	(void)set_condition(draft, "Available", enough ? "True" : "False",
		enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable");
}

static bool has_progressed(const json *old, const json *new)
{
	int64_t old_left =
		json_get_integer(old, "replicas", 0) - json_get_integer(old, "updatedReplicas", 0);
	int64_t left =
		json_get_integer(new, "replicas", 0) - json_get_integer(new, "updatedReplicas", 0);
	static const char *const GROWING[] = {
		"updatedReplicas", "readyReplicas", "availableReplicas"};
	for (size_t i = 0; i < COUNT_OF(GROWING); i++)
		if (json_get_integer(new, GROWING[i], 0) > json_get_integer(old, GROWING[i], 0))
			return true;
	return left < old_left;
}

/* The deadline itself is not simulated: nothing depends on a rollout that is said to be late. */
static void report_progress(struct rollout *rollout, json *draft)
{
	const json *status = json_get(draft, "status");
	const char *reason = progress_of(rollout);
	bool done = str_equal(reason, "NewReplicaSetAvailable") &&
		    json_get_integer(status, "replicas", 0) ==
			    json_get_integer(status, "updatedReplicas", 0);
	if (!has_deadline(rollout) || done)
		return;
	if (is_complete(rollout, status))
		(void)set_condition(draft, "Progressing", "True", "NewReplicaSetAvailable");
	else if (has_progressed(json_get(rollout->deployment, "status"), status))
		(void)set_condition(draft, "Progressing", "True", "ReplicaSetUpdated");
}

static bool sync_status(struct rollout *rollout, bool rolling)
{
	const json *now = rollout->draft != NULL ? rollout->draft : rollout->deployment;
	AUTO_JSON draft = json_object();
	json_set(draft, "status", json_copy(json_get(now, "status")));
	calculate_status(rollout, draft);
	if (rolling)
		report_progress(rollout, draft);
	if (json_equal(json_get(draft, "status"), json_get(rollout->deployment, "status")))
		return true;
	json_set(draft_of(rollout), "status", json_detach(draft, "status"));
	return update_status(rollout);
}

/* --- the sync ------------------------------------------------------------------------------- */

static bool is_paused(const struct rollout *rollout)
{
	return json_is_true(json_path(rollout->deployment, "spec", "paused", NULL));
}

static bool check_paused_condition(struct rollout *rollout)
{
	bool noted = str_equal(progress_of(rollout), "DeploymentPaused");
	if (!has_deadline(rollout) || noted == is_paused(rollout))
		return true;
	(void)set_condition(draft_of(rollout), "Progressing", "Unknown",
		noted ? "DeploymentResumed" : "DeploymentPaused");
	return update_status(rollout);
}

/* `sync`: scaling, and what is paused. */
static bool sync_sizes(struct rollout *rollout)
{
	return sync_new_set(rollout, false) && scale(rollout) &&
	       (!is_paused(rollout) || clean_history(rollout)) && sync_status(rollout, false);
}

static bool sync(struct rollout *rollout)
{
	if (!find_sets(rollout))
		return false;
	if (object_is_deleting(rollout->deployment))
		return sync_new_set(rollout, false) && sync_status(rollout, false);
	if (!check_paused_condition(rollout))
		return false;
	if (is_paused(rollout))
		return sync_sizes(rollout);
	if (!sync_new_set(rollout, false))
		return false;
	if (is_scaling_event(rollout))
		return sync_sizes(rollout);
	return (is_rolling_update(rollout) ? roll(rollout) : recreate(rollout)) &&
	       sync_status(rollout, true);
}

void deployment_sync(struct sim *sim, struct object *deployment)
{
	struct rollout rollout = {.sim = sim, .object = deployment, .deployment = seen(deployment)};
	if (!sync(&rollout))
		deployment->dirty = true;
	json_free(rollout.draft);
}
