/* Who does something next: chosen by chance among all who have something to do. */
#include "api/selector.h"
#include "sim/invariants.h"
#include "sim/sim.h"

static const struct kind *const CACHED[CACHED_COUNT] = {
	[CACHED_DEPLOYMENTS] = &KIND_DEPLOYMENT,
	[CACHED_SETS] = &KIND_REPLICA_SET,
	[CACHED_PODS] = &KIND_POD,
	[CACHED_SERVICES] = &KIND_SERVICE,
};

/* Moves on to the next event of the cache's kind; false when there is none. */
static bool skip_to_event(struct sim *sim, enum cached_kind cache)
{
	size_t *position = &sim->positions[cache];
	while (*position < sim->event_count && sim->events[*position].object->kind != CACHED[cache])
		(*position)++;
	return *position < sim->event_count;
}

static void wake(struct sim *sim, const char *uid)
{
	struct object *owner = sim_find_uid(sim, uid);
	if (owner != NULL)
		owner->dirty = true;
}

static const json *labels_of(const json *tree)
{
	return json_path(tree, "metadata", "labels", NULL);
}

/* Who might adopt it. */
static void wake_matching(struct sim *sim, const struct kind *owners, const json *tree)
{
	sim_each(owner, sim, owners)
	{
		const json *selector =
			json_path(owner->views[VIEW_CONTROLLERS], "spec", "selector", NULL);
		if (selector_matches(selector, labels_of(tree)))
			owner->dirty = true;
	}
}

/* Whose queue a change of a dependent goes into, exactly: what wakes nobody is acted on by nobody.
 * addReplicaSet, updateReplicaSet, deleteReplicaSet, and the same for pods. */
static void wake_owners(
	struct sim *sim, const struct kind *owners, const json *old, const json *new, bool deleted)
{
	const char *before = object_controller_uid(old);
	const char *now = object_controller_uid(new);
	bool changed = !str_equal(before, now);
	if (before != NULL && changed)
		wake(sim, before);
	if (now != NULL)
		wake(sim, now);
	else if (!deleted &&
		 (changed || old == NULL || !json_equal(labels_of(old), labels_of(new))))
		wake_matching(sim, owners, new);
}

/* A Deployment that recreates waits until the last old pod is gone. */
static void wake_deployment_of(struct sim *sim, const json *pod)
{
	const struct object *set = sim_find_uid(sim, object_controller_uid(pod));
	const json *tree = set == NULL ? NULL : set->views[VIEW_CONTROLLERS];
	struct object *deployment = sim_find_uid(sim, object_controller_uid(tree));
	if (deployment != NULL && str_equal(json_path_text(deployment->views[VIEW_CONTROLLERS],
						    "spec", "strategy", "type", NULL),
					  "Recreate"))
		deployment->dirty = true;
}

/* The cache takes one event in, and the controllers of what it is about get to know. */
static void advance_cache(struct sim *sim, enum cached_kind cache)
{
	const struct event *event = &sim->events[sim->positions[cache]++];
	struct object *object = event->object;
	const json *old = object->views[VIEW_CONTROLLERS];
	bool deleted = str_equal(event->type, "DELETED");
	object->views[VIEW_CONTROLLERS] = deleted ? NULL : event->tree;
	object->dirty = true;
	if (cache == CACHED_SETS)
		wake_owners(sim, &KIND_DEPLOYMENT, old, event->tree, deleted);
	if (cache == CACHED_PODS)
		wake_owners(sim, &KIND_REPLICA_SET, old, event->tree, deleted);
	if (cache == CACHED_PODS && deleted)
		wake_deployment_of(sim, event->tree);
	if (cache == CACHED_PODS || cache == CACHED_SERVICES)
		sim->endpoints_dirty = true;
	/* The garbage collector's graph is made of what it has seen. */
	if (old == NULL || deleted || object_is_deleting(event->tree))
		sim->garbage = true;
}

/* What a candidate would do. */
struct candidate {
	enum { ADVANCE, DEPLOYMENT, REPLICA_SET, ENDPOINTS, GARBAGE } what;
	enum cached_kind cache;
	struct object *object;
};

#define CANDIDATES_MAXIMUM 64

static size_t find_candidates(struct sim *sim, struct candidate *ret)
{
	size_t count = 0;
	for (enum cached_kind cache = 0; cache < CACHED_COUNT; cache++)
		if (skip_to_event(sim, cache))
			ret[count++] = (struct candidate){.what = ADVANCE, .cache = cache};
	for (size_t i = 0; i < sim->object_count && count < CANDIDATES_MAXIMUM - 2; i++) {
		struct object *object = sim->objects[i];
		if (!object->dirty)
			continue;
		bool deployment = object->kind == &KIND_DEPLOYMENT;
		if (object->views[VIEW_CONTROLLERS] == NULL ||
			(!deployment && object->kind != &KIND_REPLICA_SET)) {
			object->dirty = false;
			continue;
		}
		ret[count++] = (struct candidate){
			.what = deployment ? DEPLOYMENT : REPLICA_SET, .object = object};
	}
	if (sim->endpoints_dirty)
		ret[count++] = (struct candidate){.what = ENDPOINTS};
	if (sim->garbage)
		ret[count++] = (struct candidate){.what = GARBAGE};
	return count;
}

bool sim_step(struct sim *sim)
{
	if (pods_tick(sim) || autoscalers_sync(sim))
		return true;
	struct candidate candidates[CANDIDATES_MAXIMUM];
	size_t count = find_candidates(sim, candidates);
	if (count == 0)
		return false;
	struct candidate chosen = candidates[sim_random(sim, count)];
	switch (chosen.what) {
	case ADVANCE:
		advance_cache(sim, chosen.cache);
		break;
	case DEPLOYMENT:
		chosen.object->dirty = false;
		deployment_sync(sim, chosen.object);
		break;
	case REPLICA_SET:
		chosen.object->dirty = false;
		replica_set_sync(sim, chosen.object);
		break;
	case ENDPOINTS:
		sim->endpoints_dirty = false;
		endpoints_sync(sim);
		break;
	case GARBAGE:
		sim->garbage = collect_garbage(sim);
		break;
	}
	return true;
}

bool sim_is_idle(struct sim *sim)
{
	struct candidate candidates[CANDIDATES_MAXIMUM];
	int64_t next = pods_next_time(sim);
	return (next < 0 || next > sim->now_ms) && find_candidates(sim, candidates) == 0;
}

static enum xds xds_of(const struct kind *kind)
{
	if (kind == &KIND_VIRTUAL_SERVICE || kind == &KIND_HTTP_ROUTE)
		return XDS_ROUTES;
	return kind == &KIND_DESTINATION_RULE || kind == &KIND_SERVICE ? XDS_SUBSETS
								       : XDS_ENDPOINTS;
}

/* When proxies learn something next of one kind; -1 when they know all. */
static int64_t next_lesson(struct sim *sim, enum xds xds)
{
	size_t *position = &sim->proxy_positions[xds];
	while (*position < sim->event_count && xds_of(sim->events[*position].object->kind) != xds)
		(*position)++;
	return *position < sim->event_count ? sim->events[*position].at + sim->proxy_lags_ms[xds]
					    : -1;
}

bool sim_proxies_know_all(struct sim *sim)
{
	for (enum xds xds = 0; xds < XDS_COUNT; xds++)
		if (next_lesson(sim, xds) >= 0)
			return false;
	return true;
}

/* In the order of time, one thing after the other. */
static bool learn(struct sim *sim)
{
	enum xds first = XDS_COUNT;
	int64_t first_at = sim->now_ms + 1;
	for (enum xds xds = 0; xds < XDS_COUNT; xds++) {
		int64_t at = next_lesson(sim, xds);
		if (at >= 0 && at < first_at) {
			first = xds;
			first_at = at;
		}
	}
	if (first == XDS_COUNT)
		return false;
	const struct event *event = &sim->events[sim->proxy_positions[first]++];
	bool deleted = str_equal(event->type, "DELETED");
	event->object->views[VIEW_PROXIES] = deleted ? NULL : event->tree;
	sim->route_changes[VIEW_PROXIES] += sim_is_of_routes(event->object->kind);
	return true;
}

static void let_time_pass(struct sim *sim, int64_t to)
{
	if (to > sim->now_ms)
		sim->now_ms = to;
	bool changed = false;
	while (learn(sim))
		changed = true;
	if (changed)
		invariants_check_proxies(sim);
	invariants_heal(sim);
}

void sim_steps(struct sim *sim, size_t most)
{
	for (size_t count = sim_random(sim, most + 1); count > 0 && sim_step(sim); count--)
		let_time_pass(sim, sim->now_ms + (int64_t)sim_random(sim, 10));
	let_time_pass(sim, sim->now_ms + 1);
}

void sim_advance(struct sim *sim, int64_t limit)
{
	if (sim_step(sim)) {
		int64_t later = sim->now_ms + (int64_t)sim_random(sim, 10);
		let_time_pass(sim, later < limit ? later : limit);
		return;
	}
	int64_t next = pods_next_time(sim);
	for (enum xds xds = 0; xds < XDS_COUNT; xds++) {
		int64_t at = next_lesson(sim, xds);
		if (at >= 0 && (next < 0 || at < next))
			next = at;
	}
	let_time_pass(sim, next < 0 || next > limit ? limit : next);
}

void sim_run_for(struct sim *sim, int64_t ms)
{
	int64_t end = sim->now_ms + ms;
	while (sim->now_ms < end)
		sim_advance(sim, end);
}
