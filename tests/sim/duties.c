#include "sim/duties.h"

#include <stdlib.h>

#include "api/selector.h"
#include "sim/invariants.h"

enum whose { STABLE, CANARY, BOTH };

static bool is_whose(const struct object *pod, enum whose whose)
{
	bool canary = str_starts(pod->name, "web-v2-");
	return whose == BOTH || canary == (whose == CANARY);
}

/* The ready pods that the tool saw at its last look. labels: NULL, of all. */
static int count_seen(const struct client *client, enum whose whose, const json *labels)
{
	const struct sim *sim = client->sim;
	CLEANUP(mem_cleanup) const json **trees = mem_alloc(sim->object_count, sizeof(*trees));
	for (size_t i = 0; i < client->pods_at && i < sim->event_count; i++) {
		const struct event *event = &sim->events[i];
		if (event->object->kind == &KIND_POD)
			trees[event->object->number] =
				str_equal(event->type, "DELETED") ? NULL : event->tree;
	}
	int count = 0;
	sim_each(pod, sim, &KIND_POD)
	{
		const json *tree = trees[pod->number];
		const json *own = json_path(tree, "metadata", "labels", NULL);
		count += tree != NULL && is_whose(pod, whose) && sim_pod_is_ready(tree) &&
			 !object_is_deleting(tree) && str_equal(json_get_text(own, "app"), "web") &&
			 (labels == NULL || selector_map_matches(labels, own));
	}
	return count;
}

/* --- pods ----------------------------------------------------------------------------------- */

static void check_scale(const struct client *client, const struct write *write)
{
	int before = (int)json_integer(json_path(write->before, "spec", "replicas", NULL), 1);
	int after = (int)json_integer(json_path(write->after, "spec", "replicas", NULL), 1);
	if (after >= before || !str_equal(write->name, "web"))
		return;
	int stable = count_seen(client, STABLE, NULL);
	int canary = count_seen(client, CANARY, NULL);
	if (stable > after && after + canary < client->sim->invariants->replicas)
		sim_fail(client->sim,
			"stable is scaled to %d while %d of its pods and %d of the canary's serve",
			after, stable, canary);
}

static void check_deletion(const struct client *client, const struct write *write)
{
	/* Its pods stay, and are stable's then. */
	if (str_equal(write->propagation, "Orphan"))
		return;
	bool canary = str_equal(write->name, "web-v2");
	int others = count_seen(client, canary ? STABLE : CANARY, NULL);
	if (others < client->sim->invariants->replicas)
		sim_fail(client->sim, "%s is deleted while %d pods of %s serve",
			canary ? "the canary" : "stable", others, canary ? "stable" : "the canary");
}

/* --- requests ------------------------------------------------------------------------------- */

static int ready_pods(const struct client *client, const struct destination *destination)
{
	if (str_equal(destination->service, "web"))
		return count_seen(client, BOTH, destination->labels);
	return count_seen(client, destination->canary ? CANARY : STABLE, NULL);
}

static int share(const struct destination *destination)
{
	if (destination->rule || destination->total == 0)
		return 0;
	return (int)(destination->weight * 100 / destination->total);
}

static const struct destination *largest(const struct routing *routing)
{
	const struct destination *found = NULL;
	for (size_t i = 0; i < routing->count; i++)
		if (found == NULL || share(&routing->destinations[i]) > share(found))
			found = &routing->destinations[i];
	return found;
}

static bool is_route(const struct write *write)
{
	return write->kind == &KIND_VIRTUAL_SERVICE || write->kind == &KIND_HTTP_ROUTE;
}

void duty_begin(struct client *client, const struct write *write, struct duty *ret)
{
	ret->routes = false;
	if (client->sim->invariants == NULL || write->dry_run || !is_route(write))
		return;
	find_routing(client->sim, VIEW_NOW, &ret->before);
	const struct destination *before = largest(&ret->before);
	if (before == NULL)
		return;
	ret->routes = true;
	ret->ready = ready_pods(client, before);
}

/* The largest share that went there. */
static int share_before(const struct duty *duty, const struct destination *destination)
{
	int found = 0;
	for (size_t i = 0; i < duty->before.count; i++) {
		const struct destination *before = &duty->before.destinations[i];
		if (str_equal(before->subset, destination->subset) &&
			str_equal(before->service, destination->service) && share(before) > found)
			found = share(before);
	}
	return found;
}

/* Whoever gets more of the requests now can serve them, or is not worse off than who got most of
 * them before. Abort does not wait for stable where nothing of the canary serves. */
static void check_requests(const struct client *client, const struct duty *duty)
{
	struct sim *sim = client->sim;
	struct routing routing;
	find_routing(sim, VIEW_NOW, &routing);
	for (size_t i = 0; i < routing.count; i++) {
		const struct destination *destination = &routing.destinations[i];
		if (destination->weight == 0 || destination->rule ||
			(sim->invariants->goal == GOAL_ABORT && !destination->canary &&
				count_seen(client, CANARY, NULL) == 0))
			continue;
		int ready = ready_pods(client, destination);
		if (ready < invariants_needed(sim, destination) && ready < duty->ready &&
			share(destination) > share_before(duty, destination))
			sim_fail(sim,
				"%d%% of the requests are given to subset %s, of which %d pods "
				"serve",
				share(destination),
				destination->subset == NULL ? "(none)" : destination->subset,
				ready);
	}
}

void duty_check(struct client *client, const struct write *write, const struct duty *duty)
{
	const struct invariants *invariants = client->sim->invariants;
	if (invariants == NULL || write->dry_run || !invariants->begun || invariants->hurried)
		return;
	if (write->kind == &KIND_DEPLOYMENT && write->verb == WRITE_UPDATE)
		check_scale(client, write);
	if (write->kind == &KIND_DEPLOYMENT && write->verb == WRITE_DELETE)
		check_deletion(client, write);
	if (duty->routes)
		check_requests(client, duty);
}
