/* Istio: VirtualServices route, the subsets of DestinationRules tell the versions apart. */
#include "api/object.h"
#include "release/edit.h"
#include "release/router.h"
#include "release/workload.h"
#include "traffic/destinationrule.h"
#include "traffic/merge.h"
#include "traffic/virtualservice.h"
#include "traffic/weight.h"

/* --- VirtualServices ------------------------------------------------------------------------ */

static const json *users_virtualservices(const struct record *record)
{
	return record->virtualservices;
}

static const json *own_virtualservice(const struct record *record, size_t index)
{
	return index == 0 ? record->own_virtualservice : NULL;
}

static json *split_to(const struct record *record, const json *snapshot, int weight, bool rules)
{
	struct intent intent = plan_intent(&record->plan);
	const struct split split = {.weight = weight, .rules = rules};
	return virtualservice_split(snapshot, record->destinationrules, &intent, &split);
}

static json *istio_routed(const struct record *record, const json *snapshot, enum routes routes,
	const struct batch *batch)
{
	struct intent intent = plan_intent(&record->plan);
	switch (routes) {
	case ROUTES_ORIGINAL:
		return virtualservice_original(snapshot);
	case ROUTES_PINNED:
		return split_to(record, snapshot, 0, false);
	case ROUTES_BATCH:
		return split_to(record, snapshot, batch->weight, true);
	case ROUTES_FINISHED:
		return virtualservice_finished(snapshot, record->destinationrules, &intent);
	case ROUTES_OPENED:
		return virtualservice_opened(snapshot, record->destinationrules, &intent);
	}
	return NULL;
}

static int canary_weight(const struct record *record, const json *virtualservice)
{
	struct intent intent = plan_intent(&record->plan);
	return virtualservice_canary_weight(virtualservice, record->destinationrules, &intent);
}

/* --- DestinationRules ----------------------------------------------------------------------- */

static json *ruled(const struct record *record, const json *snapshot, enum rules rules)
{
	struct intent intent = plan_intent(&record->plan);
	if (rules == RULES_ORIGINAL || rules == RULES_RELEASE)
		return destinationrule_original(snapshot);
	if (rules == RULES_RETURNING)
		return destinationrule_returning(snapshot, &intent);
	return destinationrule_finished(snapshot, &intent, rules == RULES_BOTH);
}

/* What this release may have written last. */
static void add_possible_rules(
	struct trees *states, const struct record *record, const json *snapshot)
{
	trees_add(states, ruled(record, snapshot, RULES_ORIGINAL));
	if (record->goal != GOAL_BATCH) {
		trees_add(states, ruled(record, snapshot, RULES_BOTH));
		trees_add(states, ruled(record, snapshot, RULES_FINISHED));
	}
	if (record->goal == GOAL_ABORT)
		trees_add(states, ruled(record, snapshot, RULES_RETURNING));
	states->possible = states->count;
}

/* Adds what takes one of the user's DestinationRules there. */
static int change_users_rule(const struct situation *situation, const json *snapshot,
	enum rules rules, struct action *action, struct err *err)
{
	static const enum rules ALL[] = {
		RULES_ORIGINAL, RULES_BOTH, RULES_FINISHED, RULES_RETURNING};
	const struct record *record = situation->record;
	const json *current = seen_like(situation, SEEN_DESTINATION_RULES, snapshot);
	if (current == NULL)
		return missing(&KIND_DESTINATION_RULE, snapshot, err);
	CLEANUP(trees_release) struct trees states = {0};
	trees_add(&states, ruled(record, snapshot, rules));
	if (is_exactly(current, states.items[0]))
		return 0;
	add_possible_rules(&states, record, snapshot);
	for (size_t i = 0; i < COUNT_OF(ALL); i++)
		trees_add(&states, ruled(record, snapshot, ALL[i]));
	return merge_update(&KIND_DESTINATION_RULE, current, &states,
		rules == RULES_ORIGINAL ? "restored" : "configured", action, err);
}

/* One that was never edited, or is restored, does not go through what lies between. */
static bool is_original(const struct situation *situation, const json *snapshot)
{
	CLEANUP(action_release) struct action action = {0};
	return change_users_rule(situation, snapshot, RULES_ORIGINAL, &action, NULL) == 0 &&
	       action.write_count == 0;
}

/* Ours beside the users' as they are then: they differ from time to time only where they hide one
 * that names versions. */
static json *own_rules(const struct record *record, enum rules rules)
{
	struct intent intent = plan_intent(&record->plan);
	AUTO_JSON now = json_array();
	json_for_each (snapshot, record->destinationrules)
		json_append(now, ruled(record, snapshot, rules));
	merge_strip_keys(now);
	return destinationrules_beside(record->destinationrules, now, &intent);
}

static json *new_rules(const struct record *record)
{
	return own_rules(record, RULES_RELEASE);
}

/* Ours as a release makes them at any time. */
static json *known_rules(const struct record *record)
{
	static const enum rules TIMES[] = {RULES_RELEASE, RULES_BOTH, RULES_RETURNING};
	json *known = json_array();
	for (size_t i = 0; i < COUNT_OF(TIMES); i++) {
		AUTO_JSON own = own_rules(record, TIMES[i]);
		for (json *rule; (rule = json_detach_at(own, 0)) != NULL;)
			json_append(known, rule);
	}
	return known;
}

static int change_own_rules(const struct situation *situation, enum rules rules, bool wanted,
	struct action *action, struct err *err)
{
	AUTO_JSON own = own_rules(situation->record, rules);
	AUTO_JSON known = NULL;
	json_for_each (rule, own) {
		const json *current = seen_like(situation, SEEN_DESTINATION_RULES, rule);
		if (wanted && current != NULL && known == NULL && !is_exactly(current, rule))
			known = known_rules(situation->record);
		int code = wanted ? change_own(situation, SEEN_DESTINATION_RULES,
					    &KIND_DESTINATION_RULE, json_copy(rule), known, action,
					    err)
				  : delete_own(situation, SEEN_DESTINATION_RULES,
					    &KIND_DESTINATION_RULE, rule, action, err);
		if (code != 0)
			return code;
	}
	return 0;
}

static int change_rules(
	const struct situation *situation, enum rules rules, struct action *action, struct err *err)
{
	const struct record *record = situation->record;
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
	bool wanted = rules == RULES_RELEASE || rules == RULES_BOTH || rules == RULES_RETURNING;
	return change_own_rules(situation, rules, wanted, action, err);
}

static bool users_name_versions(const struct record *record)
{
	json_for_each (snapshot, record->destinationrules) {
		AUTO_JSON finished = ruled(record, snapshot, RULES_FINISHED);
		if (!is_exactly(snapshot, finished))
			return true;
	}
	return false;
}

static void describe_rules(const struct record *record, enum rules rules, struct buf *buf)
{
	const struct plan *plan = &record->plan;
	AUTO_STRING name = own_object_name(plan->service);
	switch (rules) {
	case RULES_RELEASE:
		buf_addf(buf, "subsets for %s and %s are in destinationrule/%s",
			plan->stable_version, plan->canary_version, name);
		return;
	case RULES_BOTH:
		if (users_name_versions(record))
			buf_add_text(buf, "destination rules name the new version");
		return;
	case RULES_FINISHED:
		buf_addf(buf, "destinationrule/%s is gone", name);
		return;
	case RULES_RETURNING:
		buf_addf(buf, "destination rules name %s", plan->stable_version);
		return;
	case RULES_ORIGINAL:
		buf_add_text(buf, "destination rules are as they were before");
		return;
	}
}

const struct router ISTIO_ROUTER = {
	.kind = &KIND_VIRTUAL_SERVICE,
	.source = SEEN_VIRTUAL_SERVICES,
	.users = users_virtualservices,
	.routed = istio_routed,
	.own = own_virtualservice,
	.canary_weight = canary_weight,
	.versions_kind = &KIND_DESTINATION_RULE,
	.versions_source = SEEN_DESTINATION_RULES,
	.versions_new = new_rules,
	.versions_change = change_rules,
	.users_name_versions = users_name_versions,
	.versions_describe = describe_rules,
	.versions_called = "the subsets",
};
