#include "traffic/destination.h"

#include "base/str.h"
#include "traffic/destinationrule.h"

const char *const PROTOCOLS[PROTOCOL_COUNT] = {"http", "tls", "tcp"};

struct scope scope_of(
	const json *virtualservice, const json *destinationrules, const struct intent *intent)
{
	return (struct scope){
		.virtualservice = virtualservice,
		.namespace = namespace_of(virtualservice, intent),
		.destinationrules = destinationrules,
		.intent = intent,
	};
}

json *routes_of(const json *virtualservice, const char *protocol)
{
	return json_path(virtualservice, "spec", protocol, NULL);
}

bool destination_is_service(const json *destination, const struct scope *scope)
{
	return host_is_service(json_get_text(destination, "host"), scope->namespace, scope->intent);
}

const char *destination_subset(const json *destination)
{
	const char *subset = json_get_text(destination, "subset");
	return str_empty(subset) ? NULL : subset;
}

bool destination_is_ours(const json *destination, const struct scope *scope)
{
	if (!destination_is_service(destination, scope))
		return false;
	const char *name = destination_subset(destination);
	if (name == NULL)
		return true;
	const json *subset = find_subset(scope->destinationrules, name, scope->intent);
	return subset_is_stable(subset, scope->intent);
}

static bool is_share_of_a_release(const json *destination, const struct scope *scope)
{
	const char *subset = destination_subset(destination);
	return destination_is_service(destination, scope) &&
	       (str_equal(subset, STABLE_SUBSET) || str_equal(subset, CANARY_SUBSET));
}

bool route_has_destinations(const json *route)
{
	return json_get(route, "redirect") == NULL && json_get(route, "directResponse") == NULL &&
	       json_get(route, "delegate") == NULL;
}

bool route_has_ours(const json *route, const struct scope *scope)
{
	if (!route_has_destinations(route))
		return false;
	bool ours = false;
	json_for_each (entry, json_get(route, "route")) {
		const json *destination = json_get(entry, "destination");
		if (is_share_of_a_release(destination, scope))
			return false;
		ours = ours || destination_is_ours(destination, scope);
	}
	return ours;
}

const json *selection_of(const json *virtualservice, const struct intent *intent)
{
	const char *name = json_path_text(virtualservice, "metadata", "name", NULL);
	json_for_each (selected, intent->selection) {
		if (str_equal(json_get_text(selected, "name"), name) &&
			str_equal(json_get_text(selected, "namespace"),
				namespace_of(virtualservice, intent)))
			return selected;
	}
	return NULL;
}

bool route_is_chosen(const json *route, const struct scope *scope)
{
	if (scope->intent->selection == NULL)
		return true;
	const json *selected = selection_of(scope->virtualservice, scope->intent);
	const json *names = json_get(selected, "routes");
	if (selected == NULL || json_count(names) == 0)
		return selected != NULL;
	json_for_each (name, names) {
		if (str_equal(json_text(name), json_get_text(route, "name")))
			return true;
	}
	return false;
}

bool route_is_split(const json *route, const struct scope *scope)
{
	return route_is_chosen(route, scope) && route_has_ours(route, scope);
}
