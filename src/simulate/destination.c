#include "simulate/destination.h"

#include <string.h>

#include "base/str.h"
#include "simulate/client_rule.h"
#include "simulate/protocol.h"
#include "simulate/resolve.h"
#include "traffic/intent.h"

static const json *subset_named(const json *subsets, const char *name)
{
	json_for_each (subset, subsets)
		if (str_equal(json_get_text(subset, "name"), name))
			return subset;
	return NULL;
}

/* Where the route names no port: a sidecar's http listener knows each Service by the listener's own
 * port only; everywhere else the single port of a Service is taken. */
static int port_of(
	const json *destination, const json *service, const struct request *request, bool is_http)
{
	int64_t named = json_get_integer(json_get(destination, "port"), "number", 0);
	const json *ports = json_path(service, "spec", "ports", NULL);
	if (named > 0)
		return (int)named;
	if (json_count(ports) == 1 && !(is_http && request_is_from_mesh(request)))
		return (int)json_get_integer(json_first(ports), "port", request->port);
	return request->port;
}

static void describe_subset(json *entry, const struct mesh *mesh, const struct request *request,
	const json *service, const char *name)
{
	AUTO_JSON subsets =
		client_subsets(mesh, request, json_get_text(entry, "host"), object_space(service));
	const json *subset = subset_named(subsets, name);
	if (subset == NULL) {
		AUTO_STRING problem = mem_format("no DestinationRule that this client uses has the "
						 "subset \"%s\"",
			name);
		json_set_text(entry, "problem", problem);
		return;
	}
	const json *labels = json_get(subset, "labels");
	json_set(entry, "labels", json_copy(labels));
	json_set_text(entry, "version", json_get_text(labels, VERSION_LABEL));
}

static void check_service(json *entry, const json *service, int port)
{
	const char *host = json_get_text(entry, "host");
	AUTO_STRING problem = NULL;
	if (service == NULL)
		problem = mem_format("there is no Service %s, and Istio completes only names "
				     "without a dot; a ServiceEntry was not looked for",
			host);
	else if (service_port(service, port) == NULL)
		problem = mem_format("the Service %s has no port %d", host, port);
	json_set_text(entry, "problem", problem);
}

static json *describe(const struct mesh *mesh, const struct request *request,
	const json *destination, bool is_http)
{
	json *entry = json_object();
	const char *host = json_get_text(destination, "host");
	const char *subset = json_get_text(destination, "subset");
	const json *service = mesh_service(mesh, host);
	int port = port_of(destination, service, request, is_http);
	json_set_text(entry, "host", host == NULL ? "" : host);
	json_set_integer(entry, "port", port);
	check_service(entry, service, port);
	if (str_empty(subset))
		return entry;
	json_set_text(entry, "subset", subset);
	if (service != NULL)
		describe_subset(entry, mesh, request, service, subset);
	return entry;
}

/* A destination that is alone gets everything, whatever its weight says. */
static int64_t weight_of(const json *entry, const json *list)
{
	return json_count(list) == 1 ? 1 : json_get_integer(entry, "weight", 0);
}

json *destinations_of(
	const struct mesh *mesh, const struct request *request, const json *list, bool is_http)
{
	json *destinations = json_array();
	int64_t total = 0;
	json_for_each (entry, list)
		total += weight_of(entry, list);
	json_for_each (entry, list) {
		int64_t weight = weight_of(entry, list);
		if (weight <= 0)
			continue;
		json *one = describe(mesh, request, json_get(entry, "destination"), is_http);
		json_set_integer(one, "weight", weight);
		json_set(one, "probability", json_number((double)weight / (double)total));
		json_append(destinations, one);
	}
	return destinations;
}

json *destination_of_service(
	const struct mesh *mesh, const struct request *request, const json *service)
{
	AUTO_JSON list = json_array();
	AUTO_STRING host = mesh_service_host(mesh, service);
	json *entry = json_object();
	json *destination = json_ensure_object(entry, "destination");
	json_set_text(destination, "host", host);
	json_set_integer(json_ensure_object(destination, "port"), "number", request->port);
	json_append(list, entry);
	return destinations_of(mesh, request, list, true);
}
