/* The Deployment controller's sizes: scale and cleanupDeployment of sync.go, rolling.go and
 * recreate.go. */
#include <stdlib.h>
#include <string.h>

#include "sim/deployment.h"

static bool is_new(const struct rollout *rollout, const struct set *set)
{
	return set == rollout->new;
}

static int replicas_of(const struct set *set)
{
	return spec_replicas(set->tree);
}

static bool is_active(const struct set *set)
{
	return replicas_of(set) > 0;
}

/* scaleReplicaSet. forced: also where only the annotations differ. */
static bool scale_set(struct rollout *rollout, struct set *set, int replicas, bool forced)
{
	int wanted = spec_replicas(rollout->deployment);
	int maximum = wanted + max_surge(rollout);
	bool resized = replicas_of(set) != replicas;
	bool annotated = annotation_number(set->tree, DESIRED) == wanted &&
			 annotation_number(set->tree, MAXIMUM) == maximum &&
			 object_annotation(set->tree, DESIRED) != NULL &&
			 object_annotation(set->tree, MAXIMUM) != NULL;
	if (!resized && (!forced || annotated))
		return true;
	json *tree = json_copy(set->tree);
	json_set_integer(json_get(tree, "spec"), "replicas", replicas);
	set_annotation_number(tree, DESIRED, wanted);
	set_annotation_number(tree, MAXIMUM, maximum);
	return update_set(rollout, set, tree);
}

/* --- scaling, and what is paused ------------------------------------------------------------ */

bool is_scaling_event(const struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->count; i++) {
		const json *tree = rollout->sets[i].tree;
		if (is_active(&rollout->sets[i]) && object_annotation(tree, DESIRED) != NULL &&
			annotation_number(tree, DESIRED) != spec_replicas(rollout->deployment))
			return true;
	}
	return false;
}

/* FindActiveOrLatest; NULL where several are active, or there is none at all. */
static struct set *active_or_latest(struct rollout *rollout, size_t *ret_active)
{
	struct set *active = NULL;
	*ret_active = 0;
	for (size_t i = 0; i < rollout->count; i++)
		if (is_active(&rollout->sets[i])) {
			active = &rollout->sets[i];
			++*ret_active;
		}
	if (*ret_active > 0)
		return *ret_active == 1 ? active : NULL;
	if (rollout->new != NULL)
		return rollout->new;
	return rollout->count > 0 ? &rollout->sets[rollout->count - 1] : NULL;
}

static bool is_saturated(const struct rollout *rollout)
{
	int wanted = spec_replicas(rollout->deployment);
	const struct set *set = rollout->new;
	return set != NULL && replicas_of(set) == wanted &&
	       object_annotation(set->tree, DESIRED) != NULL &&
	       annotation_number(set->tree, DESIRED) == wanted &&
	       status_of(set->tree, "availableReplicas") == wanted;
}

/* getReplicaSetFraction, rounded half away from zero. */
static int fraction(const struct rollout *rollout, const struct set *set)
{
	int wanted = spec_replicas(rollout->deployment);
	int size = replicas_of(set);
	if (wanted == 0)
		return -size;
	int before = annotation_number(set->tree, MAXIMUM);
	if (before == 0)
		before = status_of(rollout->deployment, "replicas");
	if (before == 0)
		return 0;
	int whole = size * (wanted + max_surge(rollout));
	return (whole * 2 + before) / (before * 2) - size;
}

static int proportion(const struct rollout *rollout, const struct set *set, int add, int added)
{
	if (add == 0 || add == added)
		return 0;
	int share = fraction(rollout, set);
	int allowed = add - added;
	if (add > 0)
		return share < allowed ? share : allowed;
	return share > allowed ? share : allowed;
}

/* The larger first; of equal ones the newer to grow, the older to shrink. The sets are in the order
 * of their age, which a swap of neighbours keeps. */
static void sort_by_size(struct set **sets, size_t count, bool newer_first)
{
	for (size_t i = 0; newer_first && i < count / 2; i++) {
		struct set *other = sets[i];
		sets[i] = sets[count - 1 - i];
		sets[count - 1 - i] = other;
	}
	for (size_t end = count; end > 1; end--)
		for (size_t i = 0; i + 1 < end; i++)
			if (replicas_of(sets[i]) < replicas_of(sets[i + 1])) {
				struct set *other = sets[i];
				sets[i] = sets[i + 1];
				sets[i + 1] = other;
			}
}

static bool scale_proportionally(struct rollout *rollout)
{
	struct set *active[SETS_MAXIMUM];
	int sizes[SETS_MAXIMUM];
	size_t count = 0;
	for (size_t i = 0; i < rollout->count; i++)
		if (is_active(&rollout->sets[i]))
			active[count++] = &rollout->sets[i];
	int wanted = spec_replicas(rollout->deployment);
	int add = (wanted > 0 ? wanted + max_surge(rollout) : 0) - total_replicas(rollout);
	int added = 0;
	sort_by_size(active, count, add > 0);
	for (size_t i = 0; i < count; i++) {
		int share = proportion(rollout, active[i], add, added);
		sizes[i] = replicas_of(active[i]) + share;
		added += share;
	}
	/* The largest gets what is left over. */
	sizes[0] = sizes[0] + add - added > 0 ? sizes[0] + add - added : 0;
	for (size_t i = 0; i < count; i++)
		if (!scale_set(rollout, active[i], sizes[i], true))
			return false;
	return true;
}

bool scale(struct rollout *rollout)
{
	size_t active = 0;
	struct set *single = active_or_latest(rollout, &active);
	if (single != NULL)
		return scale_set(rollout, single, spec_replicas(rollout->deployment), false);
	if (is_saturated(rollout)) {
		for (size_t i = 0; i < rollout->count; i++)
			if (!is_new(rollout, &rollout->sets[i]) && is_active(&rollout->sets[i]) &&
				!scale_set(rollout, &rollout->sets[i], 0, false))
				return false;
		return true;
	}
	return active == 0 || !is_rolling_update(rollout) || scale_proportionally(rollout);
}

/* --- history -------------------------------------------------------------------------------- */

/* By revision; of equal ones the older first, as they are. */
static void sort_by_revision(struct set **sets, size_t count)
{
	for (size_t end = count; end > 1; end--)
		for (size_t i = 0; i + 1 < end; i++)
			if (annotation_number(sets[i]->tree, REVISION) >
				annotation_number(sets[i + 1]->tree, REVISION)) {
				struct set *other = sets[i];
				sets[i] = sets[i + 1];
				sets[i + 1] = other;
			}
}

bool clean_history(struct rollout *rollout)
{
	struct set *old[SETS_MAXIMUM];
	size_t count = 0;
	const json *limit = json_path(rollout->deployment, "spec", "revisionHistoryLimit", NULL);
	for (size_t i = 0; i < rollout->count; i++)
		if (!is_new(rollout, &rollout->sets[i]) &&
			!object_is_deleting(rollout->sets[i].tree))
			old[count++] = &rollout->sets[i];
	size_t kept = (size_t)json_integer(limit, 10);
	sort_by_revision(old, count);
	for (size_t i = 0; i + kept < count; i++) {
		const json *tree = old[i]->tree;
		if (status_of(tree, "replicas") == 0 && replicas_of(old[i]) == 0 &&
			sim_generation(tree) <= status_of(tree, "observedGeneration") &&
			old[i]->object->now != NULL)
			sim_delete(rollout->sim, old[i]->object, "Background");
	}
	return true;
}

static bool clean_when_complete(struct rollout *rollout)
{
	return !is_complete(rollout, json_get(rollout->deployment, "status")) ||
	       clean_history(rollout);
}

/* --- rolling update ------------------------------------------------------------------------- */

/* reconcileNewReplicaSet */
static bool scale_new(struct rollout *rollout, bool *ret_scaled)
{
	int current = replicas_of(rollout->new);
	int wanted = spec_replicas(rollout->deployment);
	int room = wanted + max_surge(rollout) - total_replicas(rollout);
	int replicas = current;
	if (current > wanted)
		replicas = wanted;
	else if (room > 0)
		replicas = current + (room < wanted - current ? room : wanted - current);
	*ret_scaled = replicas != current;
	return scale_set(rollout, rollout->new, replicas, false);
}

/* cleanupUnhealthyReplicas; the number that was taken away, or -1 after a conflict. */
static int scale_unhealthy(struct rollout *rollout, int most)
{
	int taken = 0;
	for (size_t i = 0; i < rollout->count && taken < most; i++) {
		struct set *set = &rollout->sets[i];
		int unhealthy = replicas_of(set) - status_of(set->tree, "availableReplicas");
		if (is_new(rollout, set) || !is_active(set) || unhealthy == 0)
			continue;
		int less = unhealthy < most - taken ? unhealthy : most - taken;
		if (less < 0 || !scale_set(rollout, set, replicas_of(set) - less, false))
			return -1;
		taken += less;
	}
	return taken;
}

/* scaleDownOldReplicaSetsForRollingUpdate; the same. */
static int scale_healthy(struct rollout *rollout)
{
	int available = 0, taken = 0;
	for (size_t i = 0; i < rollout->count; i++)
		available += status_of(rollout->sets[i].tree, "availableReplicas");
	int most = available - (spec_replicas(rollout->deployment) - max_unavailable(rollout));
	for (size_t i = 0; i < rollout->count && taken < most; i++) {
		struct set *set = &rollout->sets[i];
		if (is_new(rollout, set) || !is_active(set))
			continue;
		int less = replicas_of(set) < most - taken ? replicas_of(set) : most - taken;
		if (!scale_set(rollout, set, replicas_of(set) - less, false))
			return -1;
		taken += less;
	}
	return taken;
}

/* reconcileOldReplicaSets: a conflict is no error here; the ReplicaSet's next event wakes up. */
static bool scale_old(struct rollout *rollout)
{
	int total = total_replicas(rollout);
	int least = spec_replicas(rollout->deployment) - max_unavailable(rollout);
	int unavailable =
		replicas_of(rollout->new) - status_of(rollout->new->tree, "availableReplicas");
	int most = total - least - unavailable;
	if (total == replicas_of(rollout->new) || most <= 0)
		return false;
	int unhealthy = scale_unhealthy(rollout, most);
	int healthy = unhealthy < 0 ? -1 : scale_healthy(rollout);
	return healthy >= 0 && unhealthy + healthy > 0;
}

bool roll(struct rollout *rollout)
{
	bool scaled = false;
	if (!sync_new_set(rollout, true) || !scale_new(rollout, &scaled))
		return false;
	return scaled || scale_old(rollout) || clean_when_complete(rollout);
}

/* --- recreate ------------------------------------------------------------------------------- */

/* oldPodsRunning: as cached, and deleted ones too, until they are gone. */
static bool has_old_pods(const struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->count; i++) {
		const struct set *set = &rollout->sets[i];
		if (is_new(rollout, set))
			continue;
		if (status_of(set->tree, "replicas") > 0)
			return true;
		sim_each(pod, rollout->sim, &KIND_POD)
		{
			const json *tree = pod->views[VIEW_CONTROLLERS];
			if (tree != NULL && !sim_pod_has_ended(tree) &&
				str_equal(object_controller_uid(tree), set->object->uid))
				return true;
		}
	}
	return false;
}

bool recreate(struct rollout *rollout)
{
	bool scaled = false;
	if (!sync_new_set(rollout, false))
		return false;
	for (size_t i = 0; i < rollout->count; i++) {
		struct set *set = &rollout->sets[i];
		if (is_new(rollout, set) || !is_active(set))
			continue;
		if (!scale_set(rollout, set, 0, false))
			return false;
		scaled = true;
	}
	if (scaled || has_old_pods(rollout))
		return true;
	if (rollout->new == NULL && !sync_new_set(rollout, true))
		return false;
	return scale_set(rollout, rollout->new, spec_replicas(rollout->deployment), false) &&
	       clean_when_complete(rollout);
}
