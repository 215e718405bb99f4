#include "release/gateway_check.h"

#include "api/object.h"
#include "base/str.h"
#include "release/users.h"
#include "traffic/destinationrule.h"
#include "traffic/httproute.h"
#include "traffic/route_match.h"

#define GATEWAY_GROUP "gateway.networking.k8s.io"

/* --- routes of other namespaces ------------------------------------------------------------- */

static bool is_from(const json *grant, const char *namespace)
{
	json_for_each (from, json_path(grant, "spec", "from", NULL))
		if (str_equal(json_get_text(from, "group"), GATEWAY_GROUP) &&
			str_equal(json_get_text(from, "kind"), KIND_HTTP_ROUTE.name) &&
			str_equal(json_get_text(from, "namespace"), namespace))
			return true;
	return false;
}

static bool is_to(const json *grant, const char *service)
{
	json_for_each (to, json_path(grant, "spec", "to", NULL))
		if (str_empty(json_get_text(to, "group")) &&
			str_equal(json_get_text(to, "kind"), KIND_SERVICE.name) &&
			(str_empty(json_get_text(to, "name")) ||
				str_equal(json_get_text(to, "name"), service)))
			return true;
	return false;
}

static bool is_granted(const json *grants, const char *namespace, const char *service)
{
	json_for_each (grant, list_items(grants))
		if (is_from(grant, namespace) && is_to(grant, service))
			return true;
	return false;
}

int gateway_check_grants(const struct api_port *api, const json *httproute,
	const struct record *record, struct err *err)
{
	const struct plan *plan = &record->plan;
	struct intent intent = plan_intent(plan);
	const char *namespace = namespace_of(httproute, &intent);
	if (str_equal(namespace, plan->namespace))
		return 0;
	AUTO_JSON grants = NULL;
	struct query query = {.kind = &KIND_REFERENCE_GRANT, .namespace = plan->namespace};
	int code = api->list(api->context, &query, &grants, err);
	if (code != 0 && code != ERR_NOT_FOUND)
		return err_wrap(err,
			"httproute \"%s\" in namespace \"%s\" routes to the Service: whether it "
			"may "
			"name those of the release",
			object_name(httproute), namespace);
	for (int canary = 0; canary < 2; canary++) {
		AUTO_STRING service = version_service(&intent, canary != 0);
		if (is_granted(grants, namespace, service))
			continue;
		return err_set(err, ERR_FAILED,
			"httproute \"%s\" in namespace \"%s\" routes to the Service, and no "
			"ReferenceGrant in namespace \"%s\" lets it name service \"%s\", which the "
			"release will make: let one allow HTTPRoutes of \"%s\" all Services "
			"(without "
			"a name), or also this one",
			object_name(httproute), namespace, plan->namespace, service, namespace);
	}
	return 0;
}

/* --- regular expressions -------------------------------------------------------------------- */

/* Who matches headers by RegularExpression, by name. The API leaves it to each implementation, and
 * no feature in a GatewayClass' status says it. */
static const char *const KNOWN_CONTROLLERS[] = {
	"istio.io/gateway-controller",
	"istio.io/mesh-controller",
	"istio.io/unmanaged-gateway",
	"gateway.envoyproxy.io/gatewayclass-controller",
	"projectcontour.io/gateway-controller",
};

static int check_controllers(const json *httproute, const char *rule, struct err *err)
{
	if (httproute == NULL)
		return err_set(err, ERR_FAILED,
			"--match %s: needs a regular expression, and it is not known whether the "
			"mesh matches headers by them; use header:NAME=VALUE, which all have",
			rule);
	const json *parents = json_path(httproute, "status", "parents", NULL);
	json_for_each (parent, parents) {
		const char *name = json_get_text(parent, "controllerName");
		if (str_index(KNOWN_CONTROLLERS, COUNT_OF(KNOWN_CONTROLLERS), name) >= 0)
			continue;
		return err_set(err, ERR_FAILED,
			"--match %s: needs a regular expression, and it is not known whether %s, "
			"which serves httproute \"%s\" in namespace \"%s\", matches headers by "
			"them: the Gateway API leaves that to each implementation; use "
			"header:NAME=VALUE, which all have",
			rule, name != NULL ? name : "the controller", object_name(httproute),
			object_namespace(httproute));
	}
	if (json_count(parents) > 0)
		return 0;
	return err_set(err, ERR_FAILED,
		"--match %s: needs a regular expression, and nobody serves httproute \"%s\" in "
		"namespace \"%s\" yet (it has no status), so that it is not known whether headers "
		"are matched by them; use header:NAME=VALUE, which all have",
		rule, object_name(httproute), object_namespace(httproute));
}

int gateway_check_regex(const json *httproute, const struct record *record, struct err *err)
{
	size_t index = 0;
	json_for_each (rule, record->plan.match_rules) {
		const char *text = record->plan.match.items[index++];
		int code = rule_needs_regex(rule) ? check_controllers(httproute, text, err) : 0;
		if (code != 0)
			return code;
	}
	return 0;
}

/* --- what else the Service has -------------------------------------------------------------- */

/* Not seen are versions that are not served, and what the user may not read. */
static json *list_if_possible(
	const struct api_port *api, const struct kind *kind, const char *namespace)
{
	json *list = NULL;
	struct query query = {.kind = kind};
	if (api->list(api->context, &query, &list, NULL) == 0)
		return list;
	query.namespace = namespace;
	return api->list(api->context, &query, &list, NULL) == 0 ? list : NULL;
}

static int check_other_routes(
	const struct api_port *api, const struct record *record, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	for (size_t i = 0; i < OTHER_ROUTE_KIND_COUNT; i++) {
		const struct kind *kind = &OTHER_ROUTE_KINDS[i];
		AUTO_JSON list = list_if_possible(api, kind, record->plan.namespace);
		json_for_each (route, list_items(list))
			if (httproute_routes_to(route, &intent))
				return err_set(err, ERR_FAILED,
					"%s \"%s\" in namespace \"%s\" routes to the Service too, "
					"and only HTTPRoutes are split: its requests would reach "
					"pods of both versions; use --traffic replicas, or give it "
					"a Service of its own",
					kind->singular, object_name(route),
					object_namespace(route));
	}
	return 0;
}

static bool is_policy_for(const json *policy, const struct record *record)
{
	json_for_each (reference, json_path(policy, "spec", "targetRefs", NULL))
		if (str_empty(json_get_text(reference, "group")) &&
			str_equal(json_get_text(reference, "kind"), KIND_SERVICE.name) &&
			str_equal(json_get_text(reference, "name"), record->plan.service))
			return true;
	return false;
}

static int check_policies(const struct api_port *api, const struct record *record, struct err *err)
{
	for (size_t i = 0; i < TLS_POLICY_KIND_COUNT; i++) {
		AUTO_JSON list = NULL;
		struct query query = {
			.kind = &TLS_POLICY_KINDS[i], .namespace = record->plan.namespace};
		if (api->list(api->context, &query, &list, NULL) != 0)
			continue;
		json_for_each (policy, list_items(list))
			if (is_policy_for(policy, record))
				return err_set(err, ERR_FAILED,
					"%s \"%s\" says that the Service is spoken to by TLS, and "
					"would not be for the Services that the release makes: "
					"use --traffic replicas",
					query.kind->singular, object_name(policy));
	}
	return 0;
}

int gateway_check_others(const struct api_port *api, const struct target *target,
	const struct record *record, struct err *err)
{
	if (target->shared)
		return err_set(err, ERR_FAILED,
			"other Deployments than \"%s\" are behind service \"%s\" too, and would "
			"get "
			"none of its requests during the release: use --traffic replicas",
			record->plan.deployment, record->plan.service);
	int code = check_other_routes(api, record, err);
	return code == 0 ? check_policies(api, record, err) : code;
}

/* TLS of the application's own; what Istio does between sidecars it does for each Service. */
static bool speaks_tls(const json *policy)
{
	const char *mode = json_path_text(policy, "tls", "mode", NULL);
	return str_equal(mode, "SIMPLE") || str_equal(mode, "MUTUAL");
}

static bool rule_speaks_tls(const json *destinationrule)
{
	const json *policy = json_path(destinationrule, "spec", "trafficPolicy", NULL);
	bool speaks = speaks_tls(policy);
	json_for_each (port, json_get(policy, "portLevelSettings"))
		speaks = speaks || speaks_tls(port);
	return speaks;
}

int gateway_check_istio(const json *destinationrules, const struct record *record,
	struct str_list *notes, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	json_for_each (rule, list_items(destinationrules)) {
		if (!destinationrule_is_for(rule, &intent))
			continue;
		if (rule_speaks_tls(rule))
			return err_set(err, ERR_FAILED,
				"%s \"%s\" in namespace \"%s\" says that the Service is spoken to "
				"by TLS, and would not be for the Services that the release makes: "
				"use --traffic istio, or replicas",
				KIND_DESTINATION_RULE.singular, object_name(rule),
				object_namespace(rule));
		if (json_path(rule, "spec", "trafficPolicy", NULL) != NULL)
			add_note(notes,
				mem_format("the trafficPolicy of destinationrule \"%s\" in "
					   "namespace \"%s\" is for the Service, and not for "
					   "those of the release",
					object_name(rule), object_namespace(rule)));
	}
	return 0;
}
