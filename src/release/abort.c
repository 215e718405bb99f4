/*
 * The way back, from any state: stable is made whole, gets all requests, then everything else goes
 * and every object is as it was before. It never waits for the canary's health.
 */
#include "api/object.h"
#include "base/str.h"
#include "release/handover.h"
#include "release/ladders.h"
#include "release/rungs.h"
#include "release/workload.h"

/* An EndpointSlice controller that has much to do needs no more to learn of a pod. */
#define ENDPOINT_SECONDS 2

/* A deletion that was begun is let come to its end, and an adoption: whose the pods are then is
 * clear. */

static void canary_steady_describe(const struct situation *situation, struct buf *buf)
{
	(void)situation;
	(void)buf;
}

static bool canary_steady_holds(const struct situation *situation)
{
	const json *canary = canary_deployment(situation->seen);
	return (canary == NULL || !object_is_deleting(canary)) && nothing_to_adopt_holds(situation);
}

/* The old template is to be what its ReplicaSet has, which may just have lost its label. As long as
 * the controllers do not know that, they would meet a template that no ReplicaSet has, and make
 * another one for it. */

static void sets_observed_describe(const struct situation *situation, struct buf *buf)
{
	if (situation->record->tagged)
		buf_addf(buf, "the controllers have seen the ReplicaSets of deployment.apps/%s",
			situation->record->plan.deployment);
}

static bool sets_observed_holds(const struct situation *situation)
{
	if (!has_new_template(situation))
		return true;
	json_for_each (set, replica_sets(situation))
		if (is_stables_set(situation->seen, set) && !is_observed(set))
			return false;
	return true;
}

/* Stable runs the old version at its full size. A template that neither the old nor the new version
 * has is somebody's change, and stays. */

static void stable_restored_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s has the template of %s and %d replicas",
		situation->record->plan.deployment, situation->record->plan.stable_version,
		situation->record->plan.replicas);
}

static bool has_all_replicas(const struct situation *situation)
{
	/* More is somebody's wish. */
	return wanted_replicas(stable_deployment(situation->seen)) >=
	       situation->record->plan.replicas;
}

static bool stable_restored_holds(const struct situation *situation)
{
	return !has_new_template(situation) && has_all_replicas(situation);
}

/* Whether the list has a ReplicaSet of the old version that is labeled. */
static bool has_labeled_set(const struct situation *situation, enum source source)
{
	const struct record *record = situation->record;
	json_for_each (set, list_items(situation->seen->lists[source]))
		if ((source == SEEN_RELEASED_SETS || is_stables_set(situation->seen, set)) &&
			str_equal(json_get_text(template_labels(set), VERSION_LABEL),
				record->plan.stable_version) &&
			templates_equal(pod_template(set), pod_template(record->stable), true))
			return true;
	return false;
}

/* The old template as stable had it last: labeled, as long as routes or its old ReplicaSet are. */
static json *old_template(const struct situation *situation)
{
	const struct record *record = situation->record;
	json *template = json_copy(pod_template(record->stable));
	bool labeled = own_rules_exist(situation) ||
		       has_labeled_set(situation, SEEN_REPLICA_SETS) ||
		       has_labeled_set(situation, SEEN_RELEASED_SETS);
	if (record->tagged && labeled)
		map_set_text(json_ensure_object(template, "metadata"), "labels", VERSION_LABEL,
			record->plan.stable_version);
	return template;
}

/* The old version comes back step by step where the new one has taken its place, and never leaves
 * fewer than there are to be, whatever the Deployment's own strategy would allow. */
static json *careful_strategy(const struct record *record)
{
	const json *surge =
		json_path(record->stable, "spec", "strategy", "rollingUpdate", "maxSurge", NULL);
	bool few = surge == NULL || surge_of(record->stable) < (record->plan.replicas + 3) / 4;
	json *strategy = json_object();
	json_set_text(strategy, "type", "RollingUpdate");
	json *update = json_ensure_object(strategy, "rollingUpdate");
	json_set(update, "maxSurge", few ? json_string("25%") : json_copy(surge));
	json_set_integer(update, "maxUnavailable", 0);
	return strategy;
}

/* The controller takes a pod that is Ready for one that serves. So that the ones before do not go
 * until proxies know it, it counts no sooner than they need for that. (It must be less than the
 * deadline, or the API server refuses it.) */
static json *careful_seconds(const struct record *record)
{
	const json *spec = json_get(record->stable, "spec");
	int64_t own = json_get_integer(spec, "minReadySeconds", 0);
	int64_t deadline = json_get_integer(spec, "progressDeadlineSeconds", INT32_MAX);
	int64_t seconds = (record->plan.settle_ms + 999) / 1000;
	if (seconds < ENDPOINT_SECONDS)
		seconds = ENDPOINT_SECONDS;
	if (seconds >= deadline)
		seconds = deadline - 1;
	return json_number((double)(seconds > own ? seconds : own));
}

/* What is another way while pods change, and then the user's own again. */
static const struct {
	const char *member;
	json *(*careful)(const struct record *record);
} CAREFUL[] = {{"strategy", careful_strategy}, {"minReadySeconds", careful_seconds}};

static void be_careful(const struct record *record, json *spec)
{
	for (size_t i = 0; i < COUNT_OF(CAREFUL); i++)
		json_set(spec, CAREFUL[i].member, CAREFUL[i].careful(record));
}

static int stable_restored_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const struct plan *plan = &situation->record->plan;
	const json *stable = stable_deployment(situation->seen);
	json *after = json_copy(stable);
	json *spec = json_get(after, "spec");
	bool back = has_new_template(situation);
	if (back) {
		json_set(spec, "template", old_template(situation));
		be_careful(situation->record, spec);
	}
	if (!has_all_replicas(situation))
		json_set_integer(spec, "replicas", plan->replicas);
	action_update(action, &KIND_DEPLOYMENT, stable, after, "%s%s%sscaled to %d",
		back ? "back to " : "", back ? plan->stable_version : "", back ? ", " : "",
		(int)json_get_integer(spec, "replicas", 1));
	return 0;
}

/* While the Deployment is paused, somebody may have changed its template, and perhaps given it
 * back, or deleted its ReplicaSet. Nothing runs that template, and nothing will as long as it is
 * paused: what comes next would wait for it forever. Neither does a rollout go on that was begun
 * before. */

static void unstuck_describe(const struct situation *situation, struct buf *buf)
{
	buf_addf(buf, "deployment.apps/%s is not paused on a template that nothing runs",
		situation->record->plan.deployment);
}

static bool runs_template(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	int needed = situation->record->plan.replicas;
	bool found = false, others = false;
	if (wanted_replicas(stable) < needed)
		needed = wanted_replicas(stable);
	json_for_each (set, replica_sets(situation)) {
		if (!is_stables_set(situation->seen, set))
			continue;
		bool its = templates_equal(pod_template(set), pod_template(stable), true);
		if (its && wanted_replicas(set) >= needed)
			return true;
		found = found || its;
		others = others || (!its && wanted_replicas(set) > 0);
	}
	return found && !others;
}

static bool unstuck_holds(const struct situation *situation)
{
	return situation->now || has_new_template(situation) ||
	       !is_paused(stable_deployment(situation->seen)) || runs_template(situation);
}

static int unstuck_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const struct record *record = situation->record;
	const json *stable = stable_deployment(situation->seen);
	json *after = json_copy(stable);
	json *spec = json_get(after, "spec");
	if (templates_equal(pod_template(stable), pod_template(record->stable), true))
		json_set(spec, "template", old_template(situation));
	resume(record, spec);
	action_update(action, &KIND_DEPLOYMENT, stable, after, "resumed");
	return 0;
}

/* Where it had taken the new version over, it is not paused, so that it changes them for the old
 * one's. (In the middle of tagging it must stay paused.) */

static bool runs_new_version(const struct situation *situation)
{
	json_for_each (set, replica_sets(situation))
		if (is_stables_set(situation->seen, set) && is_new_set(situation, set) &&
			(wanted_replicas(set) > 0 ||
				json_integer(json_path(set, "status", "replicas", NULL), 0) > 0))
			return true;
	return false;
}

static bool resumed_holds(const struct situation *situation)
{
	return !is_paused(stable_deployment(situation->seen)) || !runs_new_version(situation);
}

static void rolled_back_describe(const struct situation *situation, struct buf *buf)
{
	if (situation->record->batch == situation->record->plan.batch_count)
		buf_addf(buf, "deployment.apps/%s has no pods of %s",
			situation->record->plan.deployment, situation->record->plan.canary_version);
}

static bool rolled_back_holds(const struct situation *situation)
{
	return !runs_new_version(situation);
}

static void strategy_describe(const struct situation *situation, struct buf *buf)
{
	if (situation->record->batch == situation->record->plan.batch_count)
		buf_addf(buf, "deployment.apps/%s has its own strategy",
			situation->record->plan.deployment);
}

/* Somebody else's value stays. */
static bool is_to_be_own(const struct situation *situation, size_t index)
{
	const char *member = CAREFUL[index].member;
	AUTO_JSON careful = CAREFUL[index].careful(situation->record);
	const json *now = json_path(stable_deployment(situation->seen), "spec", member, NULL);
	const json *own = json_path(situation->record->stable, "spec", member, NULL);
	return json_equal(now, careful) && !json_equal(own, careful);
}

static bool strategy_holds(const struct situation *situation)
{
	for (size_t i = 0; i < COUNT_OF(CAREFUL); i++)
		if (is_to_be_own(situation, i))
			return false;
	return true;
}

static int strategy_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	const json *stable = stable_deployment(situation->seen);
	json *after = json_copy(stable);
	for (size_t i = 0; i < COUNT_OF(CAREFUL); i++)
		if (is_to_be_own(situation, i))
			json_set(json_get(after, "spec"), CAREFUL[i].member,
				json_copy(json_path(situation->record->stable, "spec",
					CAREFUL[i].member, NULL)));
	action_update(action, &KIND_DEPLOYMENT, stable, after, "has its own strategy again");
	return 0;
}

/* How many pods of stable must serve: as many as before the release. Where the copy was scaled up
 * beyond that, as many as it has, as far as stable is to have them: it carries all their requests.
 */
static int replicas_needed(const struct situation *situation)
{
	const json *canary = canary_deployment(situation->seen);
	const json *stable = stable_deployment(situation->seen);
	int before = situation->record->plan.replicas;
	if (canary == NULL || stable == NULL)
		return before;
	int copy = wanted_replicas(canary);
	int own = wanted_replicas(stable);
	int both = copy < own ? copy : own;
	return both > before ? both : before;
}

static void stable_ready_describe(const struct situation *situation, struct buf *buf)
{
	describe_serving(buf, replicas_needed(situation), "", situation->record->plan.deployment);
}

/* The ReplicaSet of stable's template has its full size, and its controller knows that. */
static bool set_is_whole(const struct situation *situation, const json *template)
{
	json_for_each (set, replica_sets(situation))
		if (is_stables_set(situation->seen, set) &&
			templates_equal(pod_template(set), template, true) && is_observed(set) &&
			wanted_replicas(set) >= replicas_needed(situation))
			return true;
	return false;
}

/* Pods that are Ready now do not count before both controllers have seen what is wanted: one that
 * has still to act on the smaller number that was wanted before would take some of them away. */
static bool stable_is_ready(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	const json *template = pod_template(stable);
	return is_observed(stable) && set_is_whole(situation, template) &&
	       count_serving_pods(situation->seen, stable, template) >= replicas_needed(situation);
}

/* When nothing of a canary that is there serves, or the user is in a hurry, stable gets the
 * requests at once. Where there is no canary any more, stable itself is what serves, and changes.
 */
static bool stable_ready_or_better_holds(const struct situation *situation)
{
	const struct observation *seen = situation->seen;
	const json *canary = canary_deployment(seen);
	return situation->now || stable_is_ready(situation) ||
	       (canary != NULL && count_serving_pods(seen, canary, NULL) == 0);
}

static bool stable_ready_holds(const struct situation *situation)
{
	return situation->now || stable_is_ready(situation);
}

/* Somebody made stable again, whose pods have not the label by which a release tells them: no route
 * can name them apart from the canary's. */
static bool is_unlabeled(const struct situation *situation)
{
	const json *stable = stable_deployment(situation->seen);
	return situation->record->tagged && stable != NULL &&
	       json_get_text(template_labels(stable), VERSION_LABEL) == NULL;
}

static enum routes routes_to_stable(const struct situation *situation)
{
	return is_unlabeled(situation) ? ROUTES_OPENED : ROUTES_PINNED;
}

/* Where stable was at 0, proxies must know a pod of it before it gets all requests. */

static void endpoints_settled_describe(const struct situation *situation, struct buf *buf)
{
	describe_settled(situation, buf, "the pods that are back");
}

static bool endpoints_settled_holds(const struct situation *situation)
{
	const struct record *record = situation->record;
	const struct observation *seen = situation->seen;
	bool was_empty = record->plan.batches[record->goal_batch - 1].stable == 0 ||
			 record->batch == record->plan.batch_count;
	return !was_empty || situation->now || !uses_routes(situation) ||
	       count_serving_pods(seen, canary_deployment(seen), NULL) == 0 ||
	       routes_are(situation, routes_to_stable(situation));
}

/* As long as the canary exists, all requests go to stable; when it is gone, routes are restored. */

static bool canary_is_absent(const struct situation *situation)
{
	return canary_deployment(situation->seen) == NULL;
}

/* When the release was finished, or nearly, the user's own routes and rules name the new version.
 * They have no copy to fall back on while stable changes under them, one pod after the other: until
 * it is the old version again, requests may go to both. */

static bool is_to_be_opened(const struct situation *situation)
{
	return canary_is_absent(situation) && has_new_template(situation) &&
	       rules_name_versions(situation);
}

static void opened_describe(const struct situation *situation, struct buf *buf)
{
	if (rules_name_versions(situation))
		buf_add_text(buf, "routes name no version while pods change from one to the other");
}

static bool opened_holds(const struct situation *situation)
{
	return !is_to_be_opened(situation) || routes_are(situation, ROUTES_OPENED);
}

static int opened_act(const struct situation *situation, struct action *action, struct err *err)
{
	return routes_change(situation, ROUTES_OPENED, action, err);
}

static bool open_settled_holds(const struct situation *situation)
{
	return !is_to_be_opened(situation);
}

/* The old version's subsets are there again, beside those that routes may name now. */

static void rules_returning_describe(const struct situation *situation, struct buf *buf)
{
	rules_describe(situation, RULES_RETURNING, buf);
}

static bool rules_returning_holds(const struct situation *situation)
{
	return rules_are(situation, RULES_RETURNING);
}

static int rules_returning_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	return rules_change(situation, RULES_RETURNING, action, err);
}

/* Only finish edits the user's rules, and it begins behind the last batch. Where a copy was to
 * stay, ours may have been gone, too. */
static bool rules_settled_holds(const struct situation *situation)
{
	const struct record *record = situation->record;
	return record->batch < record->plan.batch_count ||
	       (!rules_name_versions(situation) && !handover_keeps_copy(record));
}

static void pinned_describe(const struct situation *situation, struct buf *buf)
{
	if (uses_routes(situation))
		buf_addf(buf, "routes send all requests to %s", situation->record->plan.deployment);
}

static bool pinned_holds(const struct situation *situation)
{
	return canary_is_absent(situation) || routes_are(situation, routes_to_stable(situation));
}

static int pinned_act(const struct situation *situation, struct action *action, struct err *err)
{
	return routes_change(situation, routes_to_stable(situation), action, err);
}

/* A swap that is taken back has made stable's own Service again. */
static bool stable_reached_holds(const struct situation *situation)
{
	return situation->now || is_unlabeled(situation) || pinned_holds(situation) ||
	       stable_is_reached(situation);
}

static void settled_describe(const struct situation *situation, struct buf *buf)
{
	describe_settled(situation, buf, "where the requests go now");
}

static void routes_restored_describe(const struct situation *situation, struct buf *buf)
{
	if (uses_routes(situation))
		buf_add_text(buf, "routes are as they were before");
}

static bool routes_restored_holds(const struct situation *situation)
{
	return routes_are(situation, ROUTES_ORIGINAL);
}

static int routes_restored_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	return routes_change(situation, ROUTES_ORIGINAL, action, err);
}

/* Before the subsets go, no proxy may use them. None does where the release never came so far that
 * a route named them. */
static bool routes_settled_holds(const struct situation *situation)
{
	return rules_are(situation, RULES_ORIGINAL) ||
	       !record_had_settled(situation->record, "subsets");
}

static void rules_restored_describe(const struct situation *situation, struct buf *buf)
{
	rules_describe(situation, RULES_ORIGINAL, buf);
}

static bool rules_restored_holds(const struct situation *situation)
{
	return rules_are(situation, RULES_ORIGINAL);
}

static int rules_restored_act(
	const struct situation *situation, struct action *action, struct err *err)
{
	return rules_change(situation, RULES_ORIGINAL, action, err);
}

/* All that is to be taken back. */
#define WAY_BACK                                                                                   \
	RUNG_ACT(autoscalers_frozen_describe, autoscalers_frozen_holds, autoscalers_frozen_act),   \
		RUNG_SETTLE(autoscalers_settled_describe, autoscalers_settled_holds,               \
			"abort-autoscalers"),                                                      \
		RUNG_WAIT(canary_steady_describe, canary_steady_holds),                            \
		RUNG_ACT(marked_describe, marked_holds, marked_act),                               \
		RUNG_ACT(stable_there_describe, stable_there_holds, stable_there_act),             \
		RUNG_ACT(opened_describe, opened_holds, opened_act),                               \
		RUNG_SETTLE(settled_describe, open_settled_holds, "abort-opened"),                 \
		RUNG_ACT(returning_describe, returning_holds, stable_emptied_act),                 \
		RUNG_WAIT(returning_describe, returning_seen_holds),                               \
		RUNG_ACT(returned_describe, returned_holds, returned_act),                         \
		RUNG_WAIT(returned_describe, returned_seen_holds),                                 \
		RUNG_WAIT(sets_observed_describe, sets_observed_holds),                            \
		RUNG_ACT(unstuck_describe, unstuck_holds, unstuck_act),                            \
		RUNG_ACT(stable_restored_describe, stable_restored_holds, stable_restored_act),    \
		RUNG_ACT(unpaused_describe, resumed_holds, unpaused_act),                          \
		RUNG_WAIT(stable_ready_describe, stable_ready_or_better_holds),                    \
		RUNG_SETTLE(                                                                       \
			endpoints_settled_describe, endpoints_settled_holds, "abort-endpoints"),   \
		RUNG_ACT(rules_returning_describe, rules_returning_holds, rules_returning_act),    \
		RUNG_WAIT(stable_reached_describe, stable_reached_holds),                          \
		RUNG_SETTLE(settled_describe, rules_settled_holds, "abort-rules"),                 \
		RUNG_ACT(pinned_describe, pinned_holds, pinned_act),                               \
		RUNG_SETTLE(settled_describe, canary_is_absent, "abort-pinned"),                   \
		RUNG_WAIT(stable_ready_describe, stable_ready_holds),                              \
		RUNG_ACT(carried_describe, carried_by_stable_holds, carried_act),                  \
		RUNG_ACT(canary_gone_describe, canary_deleted_holds, canary_deleted_act),          \
		RUNG_WAIT(canary_gone_describe, canary_gone_holds),                                \
		RUNG_ACT(routes_restored_describe, routes_restored_holds, routes_restored_act),    \
		RUNG_SETTLE(settled_describe, routes_settled_holds, "abort-routes"),               \
		RUNG_ACT(rules_restored_describe, rules_restored_holds, rules_restored_act),       \
		RUNG_WAIT(rolled_back_describe, rolled_back_holds),                                \
		RUNG_ACT(configs_gone_describe, configs_gone_holds, configs_gone_act),             \
		RUNG_ACT(strategy_describe, strategy_holds, strategy_act),                         \
		RUNG_ACT(tag_describe, template_tagged_holds, template_tagged_act),                \
		RUNG_WAIT(pause_observed_describe, pause_observed_holds),                          \
		RUNG_ACT(tag_describe, replica_set_tagged_holds, replica_set_tagged_act),          \
		RUNG_WAIT(pause_observed_describe, replica_set_observed_holds),                    \
		RUNG_ACT(tag_describe, pods_tagged_holds, pods_tagged_act),                        \
		RUNG_ACT(unpaused_describe, unpaused_holds, unpaused_act),                         \
		RUNG_WAIT(stable_ready_describe, stable_ready_holds),                              \
		RUNG_ACT(autoscalers_restored_describe, autoscalers_restored_holds,                \
			autoscalers_restored_act)

static const struct rung WAY_BACK_LADDER[] = {WAY_BACK, RUNG_END};

/* When all is taken back, nothing need carry the release any more. */
static bool carried_to_end_holds(const struct situation *situation)
{
	return carried_holds(situation) || first_unmet(WAY_BACK_LADDER, situation) == NULL;
}

const struct rung ABORT_LADDER[] = {
	RUNG_ACT(carried_describe, carried_to_end_holds, carried_act),
	WAY_BACK,
	RUNG_ACT(forgotten_describe, unmarked_holds, unmarked_act),
	RUNG_WAIT(forgotten_describe, unmarked_seen_holds),
	RUNG_ACT(forgotten_describe, forgotten_holds, forgotten_act),
	RUNG_ACT(recorded_describe, recorded_holds, recorded_act),
	RUNG_END,
};
