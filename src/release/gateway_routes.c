/* The Gateway API: HTTPRoutes route, a Service for each version tells them apart. */
#include "api/object.h"
#include "release/edit.h"
#include "release/router.h"
#include "release/version_service.h"
#include "release/workload.h"
#include "traffic/httproute.h"

/* --- HTTPRoutes ----------------------------------------------------------------------------- */

static const json *users_httproutes(const struct record *record)
{
	return record->httproutes;
}

static const json *own_httproute(const struct record *record, size_t index)
{
	return json_at(record->own_httproutes, index);
}

/* They name no versions: what they are at the end is what they were before. */
static json *gateway_routed(const struct record *record, const json *snapshot, enum routes routes,
	const struct batch *batch)
{
	struct intent intent = plan_intent(&record->plan);
	if (routes != ROUTES_PINNED && routes != ROUTES_BATCH)
		return httproute_original(snapshot);
	const struct split split = {
		.weight = routes == ROUTES_BATCH ? batch->weight : 0,
		.rules = routes == ROUTES_BATCH,
	};
	return httproute_split(snapshot, &intent, &split);
}

static int canary_weight(const struct record *record, const json *httproute)
{
	struct intent intent = plan_intent(&record->plan);
	return httproute_canary_weight(httproute, &intent);
}

/* --- the versions' Services ----------------------------------------------------------------- */

static json *new_services(const struct record *record)
{
	json *services = json_array();
	for (int canary = 0; canary < 2; canary++)
		json_append(services, version_service_new(record, canary != 0));
	return services;
}

/* Beside what we ask for, a Service has what the API server gave it, its address first of all. */
static void keep_what_is_given(json *goal, const json *current)
{
	json *spec = json_copy(json_get(current, "spec"));
	json_for_each (member, json_get(goal, "spec"))
		json_set(spec, json_key(member), json_copy(member));
	json_set(goal, "spec", spec);
}

static int change_service(const struct situation *situation, const json *service, bool wanted,
	struct action *action, struct err *err)
{
	if (!wanted)
		return delete_own(
			situation, SEEN_VERSION_SERVICES, &KIND_SERVICE, service, action, err);
	json *goal = json_copy(service);
	const json *current = seen_like(situation, SEEN_VERSION_SERVICES, service);
	if (current != NULL)
		keep_what_is_given(goal, current);
	return change_own(situation, SEEN_VERSION_SERVICES, &KIND_SERVICE, goal, NULL, action, err);
}

static int change_services(
	const struct situation *situation, enum rules rules, struct action *action, struct err *err)
{
	bool canary = canary_deployment(situation->seen) != NULL;
	if (rules == RULES_RETURNING && !canary)
		return 0;
	bool wanted = rules == RULES_RELEASE || rules == RULES_BOTH || rules == RULES_RETURNING;
	AUTO_JSON services = new_services(situation->record);
	json_for_each (service, services) {
		int code = change_service(situation, service, wanted, action, err);
		if (code != 0)
			return code;
	}
	return 0;
}

static bool users_name_versions(const struct record *record)
{
	(void)record;
	return false;
}

static void describe_services(const struct record *record, enum rules rules, struct buf *buf)
{
	const struct plan *plan = &record->plan;
	struct intent intent = plan_intent(plan);
	AUTO_STRING stable = version_service(&intent, false);
	AUTO_STRING canary = version_service(&intent, true);
	if (rules == RULES_RELEASE)
		buf_addf(buf, "service/%s is for the pods of %s, service/%s for those of %s",
			stable, plan->stable_version, canary, plan->canary_version);
	if (rules == RULES_FINISHED || rules == RULES_ORIGINAL)
		buf_addf(buf, "service/%s and service/%s are gone", stable, canary);
}

const struct router GATEWAY_ROUTER = {
	.kind = &KIND_HTTP_ROUTE,
	.source = SEEN_HTTP_ROUTES,
	.users = users_httproutes,
	.routed = gateway_routed,
	.own = own_httproute,
	.canary_weight = canary_weight,
	.versions_kind = &KIND_SERVICE,
	.versions_source = SEEN_VERSION_SERVICES,
	.versions_new = new_services,
	.versions_change = change_services,
	.users_name_versions = users_name_versions,
	.versions_describe = describe_services,
	.versions_called = "the services of both versions",
};
