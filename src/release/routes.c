/*
 * Rungs about Istio's objects. The user's own are taken to a goal that is computed from how they
 * were before the release (never from the last batch), by a merge that keeps what somebody else
 * changed meanwhile; ours are created, updated and deleted as a whole.
 */
#include <stdlib.h>

#include "api/object.h"
#include "release/canary.h"
#include "release/rungs.h"
#include "release/workload.h"
#include "traffic/destinationrule.h"
#include "traffic/merge.h"
#include "traffic/virtualservice.h"

bool uses_istio(const struct situation *situation)
{
	return situation->record->plan.traffic == TRAFFIC_ISTIO;
}

/* A set of trees: the states in which this program may have put an object. */
struct trees {
	json *items[BATCHES_MAXIMUM + 4];
	size_t count;
};

static void trees_release(struct trees *trees)
{
	for (size_t i = 0; i < trees->count; i++)
		json_free(trees->items[i]);
}

static void trees_add(struct trees *trees, json *tree)
{
	trees->items[trees->count++] = tree;
}

/* Adds the update that takes `current` to `goal`, if it is not there. */
static int merge_update(const struct kind *kind, const json *current, const json *goal,
	const struct trees *known, const char *said, struct action *action, struct err *err)
{
	AUTO_JSON merged = json_copy(current);
	int code =
		merge_to_goal(merged, goal, (const json *const *)known->items, known->count, err);
	if (code != 0)
		return err_wrap(err, "%s/%s", kind->singular, object_name(current));
	if (!json_equal(merged, current))
		action_update(action, kind, current, TAKE(merged), "%s", said);
	return 0;
}

static int missing(const struct kind *kind, const json *snapshot, struct err *err)
{
	return err_set(err, ERR_FOREIGN,
		"%s/%s was there when the release began, and is gone: somebody deleted it; "
		"create it again, then go on",
		kind->singular, object_name(snapshot));
}

/* Our own object under this name: NULL where it is not there. */
static int find_own(const struct situation *situation, enum source source, const struct kind *kind,
	const json **ret, struct err *err)
{
	AUTO_STRING name = own_object_name(situation->record->plan.service);
	*ret = list_find(situation->seen->lists[source], name);
	return *ret == NULL ? 0 : check_is_own(kind, *ret, situation->record, err);
}

/* Creates, updates or deletes (goal NULL) our own object, whose spec is all ours. Takes goal. */
static int change_own(const struct situation *situation, enum source source,
	const struct kind *kind, json *goal_taken, const char *said, struct action *action,
	struct err *err)
{
	AUTO_JSON goal = goal_taken;
	const json *current;
	int code = find_own(situation, source, kind, &current, err);
	if (code != 0)
		return code;
	if (goal == NULL) {
		if (current != NULL)
			action_delete(action, kind, current, "Background");
		return 0;
	}
	mark_as_own(goal, situation->record);
	if (current == NULL) {
		action_create(action, kind, TAKE(goal));
	} else if (!json_equal(json_get(current, "spec"), json_get(goal, "spec"))) {
		json *after = json_copy(current);
		json_set(after, "spec", json_detach(goal, "spec"));
		action_update(action, kind, current, after, "%s", said);
	}
	return 0;
}

static json *routed(
	const struct record *record, const json *snapshot, enum routes routes, int weight)
{
	struct intent intent = plan_intent(&record->plan);
	switch (routes) {
	case ROUTES_ORIGINAL:
		return json_copy(snapshot);
	case ROUTES_SPLIT:
		return virtualservice_split(snapshot, record->destinationrules, &intent, weight);
	case ROUTES_FINISHED:
		return virtualservice_finished(snapshot, record->destinationrules, &intent);
	case ROUTES_OPENED:
		return virtualservice_opened(snapshot, record->destinationrules, &intent);
	}
	return NULL;
}

static struct trees known_routes(const struct record *record, const json *snapshot)
{
	struct trees known = {0};
	trees_add(&known, routed(record, snapshot, ROUTES_ORIGINAL, 0));
	trees_add(&known, routed(record, snapshot, ROUTES_FINISHED, 0));
	trees_add(&known, routed(record, snapshot, ROUTES_OPENED, 0));
	trees_add(&known, routed(record, snapshot, ROUTES_SPLIT, 0));
	for (int i = 0; i < record->plan.batch_count; i++)
		trees_add(&known,
			routed(record, snapshot, ROUTES_SPLIT, record->plan.batches[i].weight));
	return known;
}

int routes_change(const struct situation *situation, enum routes routes, int weight,
	struct action *action, struct err *err)
{
	const struct record *record = situation->record;
	if (!uses_istio(situation))
		return 0;
	AUTO_STRING said =
		routes == ROUTES_SPLIT
			? mem_format(
				  "configured: %d%% to %s", weight, record->plan.canary_deployment)
			: mem_strdup(routes == ROUTES_ORIGINAL ? "restored"
				     : routes == ROUTES_OPENED ? "configured: to both versions"
							       : "configured");
	json_for_each (snapshot, record->virtualservices) {
		const json *current = list_find(
			situation->seen->lists[SEEN_VIRTUAL_SERVICES], object_name(snapshot));
		if (current == NULL)
			return missing(&KIND_VIRTUAL_SERVICE, snapshot, err);
		CLEANUP(trees_release) struct trees known = known_routes(record, snapshot);
		AUTO_JSON goal = routed(record, snapshot, routes, weight);
		int code = merge_update(
			&KIND_VIRTUAL_SERVICE, current, goal, &known, said, action, err);
		if (code != 0)
			return code;
	}
	if (!record->own_virtualservice)
		return 0;
	json *goal = NULL;
	if (routes == ROUTES_SPLIT) {
		struct intent intent = plan_intent(&record->plan);
		AUTO_STRING name = own_object_name(record->plan.service);
		goal = virtualservice_new(name, &intent, weight);
	}
	return change_own(
		situation, SEEN_VIRTUAL_SERVICES, &KIND_VIRTUAL_SERVICE, goal, said, action, err);
}

bool routes_are(const struct situation *situation, enum routes routes, int weight)
{
	CLEANUP(action_release) struct action action = {0};
	return routes_change(situation, routes, weight, &action, NULL) == 0 &&
	       action.write_count == 0;
}

static json *ruled(const struct record *record, const json *snapshot, enum rules rules)
{
	struct intent intent = plan_intent(&record->plan);
	if (rules == RULES_ORIGINAL || rules == RULES_RELEASE)
		return json_copy(snapshot);
	if (rules == RULES_RETURNING)
		return destinationrule_returning(snapshot, &intent);
	return destinationrule_finished(snapshot, &intent, rules == RULES_BOTH);
}

/* Adds what takes one of the user's DestinationRules there. */
static int change_users_rule(const struct situation *situation, const json *snapshot,
	enum rules rules, struct action *action, struct err *err)
{
	const struct record *record = situation->record;
	const json *current =
		list_find(situation->seen->lists[SEEN_DESTINATION_RULES], object_name(snapshot));
	if (current == NULL)
		return missing(&KIND_DESTINATION_RULE, snapshot, err);
	CLEANUP(trees_release) struct trees known = {0};
	trees_add(&known, ruled(record, snapshot, RULES_ORIGINAL));
	trees_add(&known, ruled(record, snapshot, RULES_BOTH));
	trees_add(&known, ruled(record, snapshot, RULES_FINISHED));
	trees_add(&known, ruled(record, snapshot, RULES_RETURNING));
	AUTO_JSON goal = ruled(record, snapshot, rules);
	return merge_update(&KIND_DESTINATION_RULE, current, goal, &known,
		rules == RULES_ORIGINAL ? "restored" : "configured", action, err);
}

/* One that was never edited, or is restored, does not go through what lies between. */
static bool is_original(const struct situation *situation, const json *snapshot)
{
	CLEANUP(action_release) struct action action = {0};
	return change_users_rule(situation, snapshot, RULES_ORIGINAL, &action, NULL) == 0 &&
	       action.write_count == 0;
}

int rules_change(
	const struct situation *situation, enum rules rules, struct action *action, struct err *err)
{
	const struct record *record = situation->record;
	if (!uses_istio(situation))
		return 0;
	struct intent intent = plan_intent(&record->plan);
	json_for_each (snapshot, record->destinationrules) {
		/* Rules for wildcard hosts are there to be looked at. */
		if (!destinationrule_is_for(snapshot, &intent) ||
			(rules == RULES_RETURNING && is_original(situation, snapshot)))
			continue;
		int code = change_users_rule(situation, snapshot, rules, action, err);
		if (code != 0)
			return code;
	}
	bool canary = canary_deployment(situation->seen) != NULL;
	if (rules == RULES_RETURNING && !canary)
		return 0;
	json *goal = NULL;
	if (rules == RULES_RELEASE || rules == RULES_BOTH || rules == RULES_RETURNING) {
		AUTO_STRING name = own_object_name(record->plan.service);
		goal = destinationrule_new(name, record->destinationrules, &intent);
	}
	return change_own(situation, SEEN_DESTINATION_RULES, &KIND_DESTINATION_RULE, goal,
		"configured", action, err);
}

bool rules_name_versions(const struct situation *situation)
{
	const struct record *record = situation->record;
	json_for_each (snapshot, record->destinationrules) {
		AUTO_JSON finished = ruled(record, snapshot, RULES_FINISHED);
		if (!json_equal(finished, snapshot))
			return true;
	}
	return false;
}

bool rules_are(const struct situation *situation, enum rules rules)
{
	CLEANUP(action_release) struct action action = {0};
	return rules_change(situation, rules, &action, NULL) == 0 && action.write_count == 0;
}

bool own_rule_exists(const struct situation *situation)
{
	const json *rule;
	return uses_istio(situation) &&
	       find_own(situation, SEEN_DESTINATION_RULES, &KIND_DESTINATION_RULE, &rule, NULL) ==
		       0 &&
	       rule != NULL;
}

void subsets_describe(const struct situation *situation, struct buf *buf)
{
	const struct record *record = situation->record;
	if (uses_istio(situation))
		buf_addf(buf, "subsets for %s and %s are in destinationrule/batchrollout-%s",
			record->plan.stable_version, record->plan.canary_version,
			record->plan.service);
}

bool subsets_hold(const struct situation *situation)
{
	return rules_are(situation, RULES_RELEASE);
}

int subsets_act(const struct situation *situation, struct action *action, struct err *err)
{
	return rules_change(situation, RULES_RELEASE, action, err);
}

int pinned_act(const struct situation *situation, struct action *action, struct err *err)
{
	return routes_change(situation, ROUTES_SPLIT, 0, action, err);
}
