#include "sim/invariants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/patch.h"
#include "sim/configs.h"
#include "sim/routes.h"

void invariants_begin(struct sim *sim, int replicas)
{
	struct object *stable = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web");
	struct invariants *invariants = mem_alloc(1, sizeof(*invariants));
	invariants->replicas = replicas;
	invariants->stable_uid = mem_strdup(stable->uid);
	sim_each(set, sim,
		&KIND_REPLICA_SET) if (set->now != NULL && sim_is_owned(set->now, stable->uid))
		invariants->stable_sets++;
	sim->invariants = invariants;
}

void invariants_free(struct invariants *invariants)
{
	if (invariants == NULL)
		return;
	free(invariants->stable_uid);
	free(invariants);
}

/* --- states --------------------------------------------------------------------------------- */

bool is_record(const struct object *object)
{
	return object->kind == &KIND_CONFIG_MAP && str_equal(object->name, "batchrollout-web");
}

/* Neither a record nor an annotation is a place for what a copy of --config holds. */
static void check_secrecy(const struct sim *sim, const struct event *event)
{
	const char *texts[] = {object_annotation(event->tree, RELEASE_ANNOTATION),
		is_record(event->object) ? json_path_text(event->tree, "data", "release", NULL)
					 : NULL};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (texts[i] != NULL && (strstr(texts[i], NEW_SECRET) != NULL ||
						strstr(texts[i], NEW_SETTING) != NULL))
			sim_fail(sim, "%s/%s holds what only a copy should",
				event->object->kind->singular, event->object->name);
}

/* What the record is to reach, and how it is to end. Looked for in the text: this is asked at each
 * of its events, and the tool parses all of it soon enough. False where a test has damaged it. */
static bool take_goal(struct sim *sim, const json *configmap)
{
	static const struct {
		enum goal goal;
		const char *text;
	} GOALS[] = {{GOAL_BATCH, "\"goal\":\"batch\""}, {GOAL_FINISH, "\"goal\":\"finish\""},
		{GOAL_ABORT, "\"goal\":\"abort\""}};
	static const char *const HANDOVERS[] = {
		[HANDOVER_TAKEOVER] = "\"handover\":\"takeover\"",
		[HANDOVER_SWAP] = "\"handover\":\"swap\"",
		[HANDOVER_ROLLING] = "\"handover\":\"rolling\"",
	};
	struct invariants *invariants = sim->invariants;
	const char *release = json_path_text(configmap, "data", "release", NULL);
	bool found = false;
	for (size_t i = 0; release != NULL && i < COUNT_OF(HANDOVERS); i++)
		if (strstr(release, HANDOVERS[i]) != NULL)
			invariants->handover = (enum handover_mode)i;
	for (size_t i = 0; release != NULL && !found && i < COUNT_OF(GOALS); i++) {
		found = strstr(release, GOALS[i].text) != NULL;
		if (found)
			invariants->goal = GOALS[i].goal;
	}
	if (!found && !invariants->unreadable)
		sim_fail(sim, "the record has no goal");
	return found;
}

static void read_record(struct sim *sim, const struct event *event)
{
	struct invariants *invariants = sim->invariants;
	enum goal before = invariants->goal;
	if (str_equal(event->type, "DELETED"))
		return;
	if (!take_goal(sim, event->tree))
		return;
	invariants->begun = true;
	if (invariants->goal != GOAL_FINISH || before == GOAL_FINISH)
		return;
	/* A second release of the same version leaves another ReplicaSet. */
	invariants->finishing = true;
	invariants->stable_sets++;
}

/* How many pods serve says nothing of the tool now. */
static bool is_wounded(const struct sim *sim)
{
	return sim->invariants->wounded || sim->invariants->hurried;
}

static void check_serving(const struct sim *sim)
{
	if (is_wounded(sim))
		return;
	int serving = count_endpoints_with(sim, VIEW_NOW, "web", NULL);
	if (serving < (sim->invariants->degraded ? 1 : sim->invariants->replicas))
		sim_fail(sim, "only %d pods serve", serving);
}

/* Tagging starts no rollout, and nothing else does before finish. */
static void check_sets(const struct sim *sim)
{
	size_t count = 0;
	sim_each(set, sim,
		&KIND_REPLICA_SET) if (set->now != NULL &&
				       sim_is_owned(set->now, sim->invariants->stable_uid)) count++;
	if (count > sim->invariants->stable_sets)
		sim_fail(sim, "a rollout of the stable Deployment has started");
}

/* The canary's share is rounded down: --batches rounds its replicas so. */
int invariants_needed(const struct sim *sim, const struct destination *destination)
{
	if (destination->rule)
		return 1;
	int64_t all = destination->weight * sim->invariants->replicas;
	int64_t share =
		(all + (destination->canary ? 0 : destination->total - 1)) / destination->total;
	return share > 0 ? (int)share : 1;
}

static void check_destination(
	const struct sim *sim, const struct destination *destination, enum view view)
{
	const char *name = destination->subset == NULL ? "(none)" : destination->subset;
	const char *who = view == VIEW_PROXIES ? "proxies know" : "there is";
	if (!destination->defined)
		sim_fail(sim, "a route names the subset %s, and no definition of it %s", name,
			view == VIEW_PROXIES ? "has reached the proxies" : "is there");
	if (destination->weight == 0 || is_wounded(sim))
		return;
	int ready = destination->ready;
	bool exact = view == VIEW_NOW && !sim->invariants->degraded;
	if (ready < (exact ? invariants_needed(sim, destination) : 1) &&
		(ready == 0 || count_canary_endpoints(sim, VIEW_NOW) > 0))
		sim_fail(sim,
			"%d of %d of the requests go to subset %s, for which %s %d ready pods",
			(int)destination->weight, (int)destination->total, name, who, ready);
}

/* Where the new version must get only what its weight says, every destination names a subset. */
static void check_pinned(const struct sim *sim, const struct routing *routing, enum view view)
{
	const struct invariants *invariants = sim->invariants;
	bool pinned = invariants->goal == GOAL_BATCH ||
		      (invariants->goal == GOAL_ABORT && view == VIEW_NOW);
	if (!pinned || invariants->finishing || count_canary_endpoints(sim, view) == 0)
		return;
	bool open = !routing->routed;
	for (size_t i = 0; i < routing->count; i++)
		open = open || routing->destinations[i].subset == NULL;
	if (open)
		sim_fail(sim,
			"requests leak to the new version: its pods are ready%s, and a route "
			"names no subset",
			view == VIEW_PROXIES ? " and known to proxies" : "");
}

/* Several destinations are the same one in other routes. */
static void count_destinations(const struct sim *sim, struct routing *routing, enum view view)
{
	for (size_t i = 0; i < routing->count; i++) {
		struct destination *here = &routing->destinations[i];
		here->ready = -1;
		for (size_t j = 0; j < i && here->ready < 0; j++)
			if (routing->destinations[j].labels == here->labels &&
				str_equal(routing->destinations[j].service, here->service))
				here->ready = routing->destinations[j].ready;
		if (here->ready < 0)
			here->ready = count_endpoints_with(sim, view, here->service, here->labels);
	}
}

static void check_routes(const struct sim *sim, enum view view)
{
	struct routing *routing = &sim->invariants->routing[view];
	if (!sim->istio && !sim->gateway)
		return;
	if (sim->invariants->routed_at[view] != sim->route_changes[view])
		find_routing(sim, view, routing);
	sim->invariants->routed_at[view] = sim->route_changes[view];
	count_destinations(sim, routing, view);
	for (size_t i = 0; i < routing->count; i++)
		check_destination(sim, &routing->destinations[i], view);
	check_pinned(sim, routing, view);
}

/* No pod of the version that survives is restarted: from the moment that it carries everything. */
static void check_survivor(const struct sim *sim, const struct event *event)
{
	const struct invariants *invariants = sim->invariants;
	bool survives = invariants->goal == GOAL_FINISH && !is_wounded(sim) &&
			invariants->handover != HANDOVER_ROLLING;
	if (survives && event->object->deleting && !event->object->doomed &&
		str_starts(event->object->name, "web-v2-"))
		sim_fail(sim, "%s is deleted, of the version that survives", event->object->name);
}

void invariants_check(struct sim *sim)
{
	if (sim->invariants == NULL)
		return;
	const struct event *event = &sim->events[sim->event_count - 1];
	const struct kind *kind = event->object->kind;
	check_secrecy(sim, event);
	configs_check(sim, event);
	if (is_record(event->object))
		read_record(sim, event);
	if (!sim->invariants->begun || kind == &KIND_CONFIG_MAP || kind == &KIND_SECRET)
		return;
	if (sim->invariants->undoing) {
		if (kind == &KIND_POD || kind == &KIND_ENDPOINT_SLICE)
			check_serving(sim);
		return;
	}
	if (kind == &KIND_REPLICA_SET)
		check_sets(sim);
	if (kind == &KIND_REPLICA_SET || kind == &KIND_DEPLOYMENT)
		return;
	if (kind == &KIND_POD)
		check_survivor(sim, event);
	check_serving(sim);
	check_routes(sim, VIEW_NOW);
}

void invariants_check_proxies(struct sim *sim)
{
	if (sim->invariants != NULL && sim->invariants->begun && !sim->invariants->undoing)
		check_routes(sim, VIEW_PROXIES);
}

void invariants_wound(struct sim *sim, bool heals)
{
	struct invariants *invariants = sim->invariants;
	invariants->heals = heals && (invariants->heals || !invariants->wounded);
	invariants->wounded = true;
	invariants->wounded_at = sim->event_count;
}

/* A pod that crashed and comes back later than this is not known to proxies again, though it may
 * have got no requests until then. */
static bool is_whole(struct sim *sim)
{
	struct routing *routing = &sim->invariants->routing[VIEW_NOW];
	sim_each(pod, sim, &KIND_POD) if (pod->now != NULL && !pod->deleting &&
					  !sim_pod_is_ready(pod->now)) return false;
	if (count_endpoints_with(sim, VIEW_NOW, "web", NULL) < sim->invariants->replicas)
		return false;
	if (!sim->istio && !sim->gateway)
		return true;
	find_routing(sim, VIEW_NOW, routing);
	sim->invariants->routed_at[VIEW_NOW] = sim->route_changes[VIEW_NOW];
	count_destinations(sim, routing, VIEW_NOW);
	for (size_t i = 0; i < routing->count; i++)
		if (routing->destinations[i].weight > 0 &&
			routing->destinations[i].ready <
				invariants_needed(sim, &routing->destinations[i]))
			return false;
	return true;
}

void invariants_heal(struct sim *sim)
{
	struct invariants *invariants = sim->invariants;
	if (invariants != NULL && invariants->wounded && invariants->heals && sim_is_idle(sim) &&
		sim_proxies_know_all(sim) && is_whole(sim)) {
		invariants->wounded = false;
		if (sim->trace)
			(void)fprintf(
				stderr, "%6lld all pods serve again\n", (long long)sim->now_ms);
	}
}

/* --- writes --------------------------------------------------------------------------------- */

static bool is_ours(const struct write *write)
{
	static const char *const NAMES[] = {"batchrollout-web", "batchrollout-web.shop",
		"batchrollout-web-stable", "batchrollout-web-canary"};
	return str_index(NAMES, COUNT_OF(NAMES), write->name) >= 0 || is_config(write) ||
	       (write->kind == &KIND_DEPLOYMENT && str_equal(write->name, "web-v2"));
}

/* The fields that the tool may edit; all below them, too. Ends with NULL. */
static const char *const *paths_for(const struct sim *sim, const struct write *write)
{
	static const char *const NOTHING[] = {NULL};
	static const char *const OWN[] = {"/spec", NULL};
	static const char *const RECORD[] = {"/data", "/metadata/labels", NULL};
	static const char *const CANARY[] = {"/spec/replicas", NULL};
	static const char *const STABLE[] = {"/spec/replicas", "/spec/paused",
		"/spec/revisionHistoryLimit", "/spec/template/metadata/labels/version", NULL};
	static const char *const RENEWED[] = {"/spec/replicas", "/spec/paused",
		"/spec/revisionHistoryLimit", "/spec/template", "/spec/strategy",
		"/spec/minReadySeconds", NULL};
	static const char *const SET[] = {"/metadata/labels/version",
		"/spec/template/metadata/labels/version", "/metadata/labels/app",
		"/metadata/labels/batchrollout~1service",
		"/metadata/annotations/batchrollout~1release", NULL};
	static const char *const KEPT[] = {"/spec/replicas",
		"/metadata/annotations/batchrollout~1release",
		"/metadata/annotations/example.com~1other",
		"/metadata/labels/batchrollout~1service",
		"/metadata/labels/app.kubernetes.io~1managed-by", NULL};
	static const char *const POD[] = {"/metadata/labels/version", NULL};
	static const char *const ROUTES[] = {"/spec/http/1/route", "/spec/http/2/route", NULL};
	static const char *const ROUTES_WITH_RULES[] = {"/spec/http", NULL};
	static const char *const BACKENDS[] = {
		"/spec/rules/1/backendRefs", "/spec/rules/2/backendRefs", NULL};
	static const char *const RULES[] = {"/spec/rules", NULL};
	static const char *const SUBSETS[] = {"/spec/subsets", NULL};
	static const char *const AUTOSCALER[] = {"/spec/minReplicas", "/spec/maxReplicas",
		"/spec/behavior", "/spec/scaleTargetRef/name", NULL};
	static const char *const SCALED_OBJECT[] = {
		"/metadata/annotations/autoscaling.keda.sh~1paused", "/spec/scaleTargetRef/name",
		NULL};
	const struct kind *kind = write->kind;
	if (kind == &KIND_HORIZONTAL_POD_AUTOSCALER && str_equal(write->name, "web"))
		return AUTOSCALER;
	if (kind == &KIND_SCALED_OBJECT)
		return SCALED_OBJECT;
	if (is_config(write))
		return NOTHING;
	if (kind == &KIND_CONFIG_MAP && is_ours(write))
		return RECORD;
	if (kind == &KIND_DEPLOYMENT && is_ours(write))
		return sim->invariants->handover == HANDOVER_SWAP ? KEPT : CANARY;
	if (is_ours(write))
		return OWN;
	if (kind == &KIND_DEPLOYMENT && str_equal(write->name, "web"))
		return sim->invariants->finishing ? RENEWED : STABLE;
	if (kind == &KIND_REPLICA_SET)
		return SET;
	if (kind == &KIND_POD)
		return POD;
	/* Rules of the release stand in front of the routes: the final comparison sees what of them
	 * stays. */
	bool rules = sim_find(sim, &KIND_VIRTUAL_SERVICE, "edge", "edge") != NULL;
	if (kind == &KIND_VIRTUAL_SERVICE && rules)
		return ROUTES_WITH_RULES;
	if (kind == &KIND_VIRTUAL_SERVICE && str_equal(write->name, "web"))
		return ROUTES;
	if (kind == &KIND_HTTP_ROUTE && sim_find(sim, &KIND_HTTP_ROUTE, NAMESPACE, "edge") != NULL)
		return RULES;
	if (kind == &KIND_HTTP_ROUTE && str_equal(write->name, "web"))
		return BACKENDS;
	if (kind == &KIND_DESTINATION_RULE && str_equal(write->name, "web"))
		return sim->invariants->finishing ? SUBSETS : NOTHING;
	return NOTHING;
}

static bool is_below(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);
	return str_starts(path, prefix) && (path[length] == '\0' || path[length] == '/');
}

static void check_patch(const struct sim *sim, const struct write *write)
{
	AUTO_JSON patch = patch_from_difference(write->before, write->after);
	const char *const *paths = paths_for(sim, write);
	json_for_each (operation, patch) {
		const char *path = json_get_text(operation, "path");
		bool allowed = false;
		for (size_t i = 0; paths[i] != NULL; i++)
			allowed = allowed || is_below(path, paths[i]);
		if (!allowed)
			sim_fail(sim, "%s/%s: the field %s is not ours", write->kind->singular,
				write->name, path);
	}
}

/* A ReplicaSet of the same template, left by a release that was taken back after its end: a
 * takeover deletes it, as a rolling update would use it up. */
static bool is_equal_set(const struct sim *sim, const struct write *write)
{
	const json *container = json_first(
		json_path(write->before, "spec", "template", "spec", "containers", NULL));
	return sim->invariants->finishing && sim->invariants->handover == HANDOVER_TAKEOVER &&
	       write->kind == &KIND_REPLICA_SET && write->verb == WRITE_DELETE &&
	       json_get_integer(json_get(write->before, "spec"), "replicas", 1) == 0 &&
	       str_equal(object_label(write->before, SERVICE_LABEL), "web") &&
	       str_equal(json_get_text(container, "image"), "registry/web:v2");
}

/* What an edit of the copy has left goes before the copy does. */
static bool is_set_of_copy(const struct sim *sim, const struct write *write)
{
	const struct object *owner = sim_find_uid(sim, object_controller_uid(write->before));
	return sim->invariants->finishing && sim->invariants->handover == HANDOVER_TAKEOVER &&
	       write->kind == &KIND_REPLICA_SET && write->verb == WRITE_DELETE &&
	       json_get_integer(json_get(write->before, "spec"), "replicas", 1) == 0 &&
	       owner != NULL && owner->kind == &KIND_DEPLOYMENT && str_equal(owner->name, "web-v2");
}

void invariants_check_write(struct sim *sim, const struct write *write)
{
	if (sim->invariants == NULL || write->dry_run || sim->invariants->undoing)
		return;
	const struct invariants *known = sim->invariants;
	bool swaps = write->kind == &KIND_DEPLOYMENT && str_equal(write->name, "web") &&
		     (known->remade || (known->handover == HANDOVER_SWAP && known->finishing));
	sim->invariants->swapped = sim->invariants->swapped || swaps;
	if (write->verb == WRITE_UPDATE)
		check_patch(sim, write);
	else if (!is_ours(write) && !swaps && !is_equal_set(sim, write) &&
		 !is_set_of_copy(sim, write))
		sim_fail(sim, "%s/%s is not ours to create or delete", write->kind->singular,
			write->name);
}
