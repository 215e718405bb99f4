/* Rungs about routes, and about what tells the versions apart for them, in all traffic modes. */
#include "api/object.h"
#include "release/canary.h"
#include "release/edit.h"
#include "release/router.h"

const struct router *router_of(const struct record *record)
{
	static const struct router *const ROUTERS[TRAFFIC_MODE_COUNT] = {
		[TRAFFIC_REPLICAS] = NULL,
		[TRAFFIC_ISTIO] = &ISTIO_ROUTER,
		[TRAFFIC_GATEWAY] = &GATEWAY_ROUTER,
	};
	return ROUTERS[record->plan.traffic];
}

bool uses_routes(const struct situation *situation)
{
	return router_of(situation->record) != NULL;
}

/* --- routes --------------------------------------------------------------------------------- */

/* What this release may have written last. Weights of another batch are somebody else's, who sends
 * the requests back to the old version, perhaps. */
static void add_possible(struct trees *states, const struct record *record, const json *snapshot)
{
	const struct router *router = router_of(record);
	bool aborts = record->goal == GOAL_ABORT;
	const int batches[] = {record->batch, record->goal_batch};
	for (int i = 0; record->progress_unknown && i < record->plan.batch_count; i++)
		trees_add(states,
			router->routed(record, snapshot, ROUTES_BATCH, &record->plan.batches[i]));
	for (size_t i = 0; i < COUNT_OF(batches); i++)
		if (batches[i] > 0)
			trees_add(states, router->routed(record, snapshot, ROUTES_BATCH,
						  &record->plan.batches[batches[i] - 1]));
	if (record->batch == 0 || aborts) {
		trees_add(states, router->routed(record, snapshot, ROUTES_ORIGINAL, NULL));
		trees_add(states, router->routed(record, snapshot, ROUTES_PINNED, NULL));
	}
	if (record->goal == GOAL_FINISH || aborts)
		trees_add(states, router->routed(record, snapshot, ROUTES_FINISHED, NULL));
	if (aborts)
		trees_add(states, router->routed(record, snapshot, ROUTES_OPENED, NULL));
	states->possible = states->count;
}

/* All other states in which a release puts this route. */
static void add_others(struct trees *states, const struct record *record, const json *snapshot)
{
	static const enum routes OTHERS[] = {
		ROUTES_ORIGINAL, ROUTES_FINISHED, ROUTES_OPENED, ROUTES_PINNED};
	const struct router *router = router_of(record);
	for (size_t i = 0; i < COUNT_OF(OTHERS); i++)
		trees_add(states, router->routed(record, snapshot, OTHERS[i], NULL));
	for (int i = 0; i < record->plan.batch_count; i++)
		trees_add(states,
			router->routed(record, snapshot, ROUTES_BATCH, &record->plan.batches[i]));
}

static char *routes_said(const struct situation *situation, enum routes routes)
{
	const struct plan *plan = &situation->record->plan;
	const struct batch *batch = goal_batch(situation);
	switch (routes) {
	case ROUTES_ORIGINAL:
		return mem_strdup("restored");
	case ROUTES_OPENED:
		return mem_strdup("configured: to both versions");
	case ROUTES_FINISHED:
		return mem_strdup("configured");
	case ROUTES_PINNED:
		return mem_format("configured: 0%% to %s", plan->canary_deployment);
	case ROUTES_BATCH:
		break;
	}
	if (plan->match.count == 0 || batch->weight == 100)
		return mem_format("configured: %d%% to %s", batch->weight, plan->canary_deployment);
	if (batch_is_match_only(plan, batch))
		return mem_format("configured: requests that match to %s", plan->canary_deployment);
	return mem_format("configured: requests that match, and %d%% of the others, to %s",
		batch->weight, plan->canary_deployment);
}

/* Takes a route, the user's or ours, to where it should be. */
static int change_route(const struct situation *situation, const json *snapshot,
	const json *current, enum routes routes, struct action *action, struct err *err)
{
	const struct record *record = situation->record;
	const struct router *router = router_of(record);
	AUTO_JSON goal = router->routed(record, snapshot, routes, goal_batch(situation));
	if (is_exactly(current, goal))
		return 0;
	AUTO_STRING said = routes_said(situation, routes);
	CLEANUP(trees_release) struct trees states = {0};
	trees_add(&states, TAKE(goal));
	add_possible(&states, record, snapshot);
	if (is_one_of(&states, current)) {
		exact_update(router->kind, current, states.items[0], said, action);
		return 0;
	}
	add_others(&states, record, snapshot);
	return merge_update(router->kind, current, &states, said, action, err);
}

static int change_users_route(const struct situation *situation, const json *snapshot,
	enum routes routes, struct action *action, struct err *err)
{
	const struct router *router = router_of(situation->record);
	const json *current = seen_like(situation, router->source, snapshot);
	if (current == NULL)
		return missing(router->kind, snapshot, err);
	return change_route(situation, snapshot, current, routes, action, err);
}

static int change_own_route(const struct situation *situation, const json *own, enum routes routes,
	struct action *action, struct err *err)
{
	const struct record *record = situation->record;
	const struct router *router = router_of(record);
	if (routes != ROUTES_PINNED && routes != ROUTES_BATCH)
		return delete_own(situation, router->source, router->kind, own, action, err);
	const json *current = seen_like(situation, router->source, own);
	if (current == NULL) {
		create_own(situation, router->kind,
			router->routed(record, own, routes, goal_batch(situation)), action);
		return 0;
	}
	int code = check_is_own(router->kind, current, record, err);
	return code != 0 ? code : change_route(situation, own, current, routes, action, err);
}

int routes_change(const struct situation *situation, enum routes routes, struct action *action,
	struct err *err)
{
	const struct record *record = situation->record;
	const struct router *router = router_of(record);
	if (router == NULL)
		return 0;
	int code = 0;
	json_for_each (snapshot, router->users(record))
		if (code == 0)
			code = change_users_route(situation, snapshot, routes, action, err);
	for (size_t i = 0; code == 0 && router->own(record, i) != NULL; i++)
		code = change_own_route(situation, router->own(record, i), routes, action, err);
	return code;
}

bool routes_are(const struct situation *situation, enum routes routes)
{
	CLEANUP(action_release) struct action action = {0};
	return routes_change(situation, routes, &action, NULL) == 0 && action.write_count == 0;
}

/* --- what tells the versions apart ---------------------------------------------------------- */

int rules_change(
	const struct situation *situation, enum rules rules, struct action *action, struct err *err)
{
	const struct router *router = router_of(situation->record);
	return router == NULL ? 0 : router->versions_change(situation, rules, action, err);
}

bool rules_are(const struct situation *situation, enum rules rules)
{
	CLEANUP(action_release) struct action action = {0};
	return rules_change(situation, rules, &action, NULL) == 0 && action.write_count == 0;
}

void rules_describe(const struct situation *situation, enum rules rules, struct buf *buf)
{
	const struct router *router = router_of(situation->record);
	if (router != NULL)
		router->versions_describe(situation->record, rules, buf);
}

bool rules_name_versions(const struct situation *situation)
{
	const struct router *router = router_of(situation->record);
	return router != NULL && router->users_name_versions(situation->record);
}

bool own_rules_exist(const struct situation *situation)
{
	const struct router *router = router_of(situation->record);
	if (router == NULL)
		return false;
	AUTO_JSON own = router->versions_new(situation->record);
	json_for_each (rule, own) {
		const json *current = seen_like(situation, router->versions_source, rule);
		if (current != NULL &&
			check_is_own(router->versions_kind, current, situation->record, NULL) == 0)
			return true;
	}
	return false;
}

/* --- rungs ---------------------------------------------------------------------------------- */

void subsets_describe(const struct situation *situation, struct buf *buf)
{
	rules_describe(situation, RULES_RELEASE, buf);
}

void subsets_settled_describe(const struct situation *situation, struct buf *buf)
{
	const struct router *router = router_of(situation->record);
	if (router != NULL)
		describe_settled(situation, buf, router->versions_called);
}

bool subsets_hold(const struct situation *situation)
{
	return rules_are(situation, RULES_RELEASE);
}

int subsets_act(const struct situation *situation, struct action *action, struct err *err)
{
	return rules_change(situation, RULES_RELEASE, action, err);
}
