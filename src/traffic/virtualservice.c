#include "traffic/virtualservice.h"

#include "base/str.h"
#include "traffic/clone.h"
#include "traffic/destinationrule.h"
#include "traffic/merge.h"
#include "traffic/share.h"

/* --- questions ------------------------------------------------------------------------------ */

bool virtualservice_routes_to(const json *virtualservice, const struct intent *intent)
{
	struct scope scope = scope_of(virtualservice, NULL, intent);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		json_for_each (route, routes_of(virtualservice, PROTOCOLS[i])) {
			json_for_each (entry, json_get(route, "route")) {
				const json *destination = json_get(entry, "destination");
				if (destination_is_service(destination, &scope) ||
					host_is_partial(json_get_text(destination, "host"), intent))
					return true;
			}
		}
	}
	return false;
}

static bool is_for_mesh(const json *virtualservice)
{
	const json *gateways = json_path(virtualservice, "spec", "gateways", NULL);
	json_for_each (gateway, gateways) {
		if (str_equal(json_text(gateway), "mesh"))
			return true;
	}
	return json_count(gateways) == 0;
}

bool virtualservice_serves_mesh(const json *virtualservice, const struct intent *intent)
{
	if (!is_for_mesh(virtualservice))
		return false;
	json_for_each (element, json_path(virtualservice, "spec", "hosts", NULL)) {
		const char *host = json_text(element);
		if (host_is_service(host, namespace_of(virtualservice, intent), intent) ||
			host_covers_service(host, intent))
			return true;
	}
	return false;
}

bool route_delegates_to(const json *route, const json *virtualservice, const json *delegate,
	const struct intent *intent)
{
	const json *reference = json_get(route, "delegate");
	const char *namespace = json_get_text(reference, "namespace");
	if (str_empty(namespace))
		namespace = namespace_of(virtualservice, intent);
	return reference != NULL &&
	       str_equal(json_get_text(reference, "name"),
		       json_path_text(delegate, "metadata", "name", NULL)) &&
	       str_equal(namespace, namespace_of(delegate, intent));
}

bool virtualservice_delegates_to(
	const json *virtualservice, const json *delegate, const struct intent *intent)
{
	json_for_each (route, routes_of(virtualservice, "http")) {
		if (route_delegates_to(route, virtualservice, delegate, intent))
			return true;
	}
	return false;
}

bool virtualservice_is_delegate(const json *virtualservice)
{
	return json_count(json_path(virtualservice, "spec", "hosts", NULL)) == 0;
}

bool virtualservice_is_open(const json *virtualservice, const struct intent *intent)
{
	struct scope scope = scope_of(virtualservice, NULL, intent);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		json_for_each (route, routes_of(virtualservice, PROTOCOLS[i])) {
			json_for_each (entry, json_get(route, "route")) {
				const json *destination = json_get(entry, "destination");
				if (destination_is_service(destination, &scope) &&
					destination_subset(destination) == NULL)
					return true;
			}
		}
	}
	return false;
}

/* --- one of our own ------------------------------------------------------------------------- */

/* The short name: Istio completes it by the cluster's domain, which it knows better. */
static json *route_to_service(const struct intent *intent)
{
	json *entry = json_object();
	json_set_text(json_ensure_object(entry, "destination"), "host", intent->service);
	json *route = json_object();
	json_append(json_ensure_array(route, "route"), entry);
	return route;
}

static json *tcp_route(int64_t port, const struct intent *intent)
{
	json *match = json_object();
	json_set_integer(match, "port", port);
	json *route = route_to_service(intent);
	json_append(json_ensure_array(route, "match"), match);
	json *destination = json_get(json_first(json_get(route, "route")), "destination");
	json_set_integer(json_ensure_object(destination, "port"), "number", port);
	return route;
}

json *virtualservice_new(
	const char *name, const json *tcp_ports, const json *exports, const struct intent *intent)
{
	json *virtualservice = json_object();
	json_set_text(virtualservice, "apiVersion", "networking.istio.io/v1");
	json_set_text(virtualservice, "kind", "VirtualService");
	json *metadata = json_ensure_object(virtualservice, "metadata");
	json_set_text(metadata, "name", name);
	json_set_text(metadata, "namespace", intent->namespace);
	json *spec = json_ensure_object(virtualservice, "spec");
	json_append(json_ensure_array(spec, "hosts"), json_string(intent->service));
	if (json_count(exports) > 0)
		json_set(spec, "exportTo", json_copy(exports));
	json_append(json_ensure_array(spec, "http"), route_to_service(intent));
	json_for_each (port, tcp_ports)
		json_append(
			json_ensure_array(spec, "tcp"), tcp_route(json_integer(port, 0), intent));
	return virtualservice;
}

/* --- the states of a user's ----------------------------------------------------------------- */

json *virtualservice_original(const json *snapshot)
{
	json *virtualservice = json_copy(snapshot);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		size_t index = 0;
		json_for_each (route, routes_of(virtualservice, PROTOCOLS[i]))
			merge_set_key(route, "%zu", index++);
	}
	return virtualservice;
}

/* Takes over route, and appends it in its new shape, with the rules that stand in front of it.
 * Connections have no headers: there, no rules, and no cookies in the list. */
static void append_split(json *routes, json *route, size_t index, const struct scope *scope,
	const struct split *split, bool http)
{
	const struct split here = {.weight = split->weight, .rules = split->rules && http};
	if (route_is_split(route, scope)) {
		(void)clones_append(routes, route, index, scope, &here, NULL);
		json_set(route, "route", split_list(json_get(route, "route"), scope, &here));
	}
	merge_set_key(route, "%zu", index);
	json_append(routes, route);
}

json *virtualservice_split(const json *snapshot, const json *destinationrules,
	const struct intent *intent, const struct split *split)
{
	json *virtualservice = json_copy(snapshot);
	json *spec = json_get(virtualservice, "spec");
	struct scope scope = scope_of(snapshot, destinationrules, intent);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		bool http = str_equal(PROTOCOLS[i], "http");
		const json *before = json_get(spec, PROTOCOLS[i]);
		if (json_count(before) == 0)
			continue;
		json *routes = json_array();
		size_t index = 0;
		json_for_each (route, before)
			append_split(routes, json_copy(route), index++, &scope, split, http);
		json_set(spec, PROTOCOLS[i], routes);
	}
	return virtualservice;
}

json *virtualservice_opened(
	const json *snapshot, const json *destinationrules, const struct intent *intent)
{
	json *virtualservice = virtualservice_original(snapshot);
	struct scope scope = scope_of(snapshot, destinationrules, intent);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		json_for_each (route, routes_of(virtualservice, PROTOCOLS[i])) {
			if (!route_is_split(route, &scope))
				continue;
			json_for_each (entry, json_get(route, "route")) {
				json *destination = json_get(entry, "destination");
				if (destination_is_ours(destination, &scope))
					json_remove(destination, "subset");
			}
		}
	}
	return virtualservice;
}

static void finish_destination(json *destination, const struct scope *scope)
{
	const char *name = destination_subset(destination);
	if (name == NULL || !destination_is_service(destination, scope))
		return;
	AUTO_STRING before = mem_strdup(name);
	const char *after = finished_subset(scope->destinationrules, before, scope->intent);
	if (!str_equal(before, after))
		json_set_text(destination, "subset", after);
}

static void finish_list(json *list, const struct scope *scope)
{
	json_for_each (entry, list)
		finish_destination(json_get(entry, "destination"), scope);
}

json *virtualservice_finished(
	const json *snapshot, const json *destinationrules, const struct intent *intent)
{
	json *virtualservice = virtualservice_original(snapshot);
	struct scope scope = scope_of(snapshot, destinationrules, intent);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		json_for_each (route, routes_of(virtualservice, PROTOCOLS[i])) {
			finish_list(json_get(route, "route"), &scope);
			finish_list(json_get(route, "mirrors"), &scope);
			finish_destination(json_get(route, "mirror"), &scope);
		}
	}
	return virtualservice;
}
