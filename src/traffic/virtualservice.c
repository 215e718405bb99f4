#include "traffic/virtualservice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "traffic/destinationrule.h"

/* The routes of one VirtualService, and what is needed to tell whose a destination is. */
struct scope {
	const json *virtualservice;
	const char *namespace;
	const json *destinationrules;
	const struct intent *intent;
};

static struct scope scope_of(
	const json *virtualservice, const json *destinationrules, const struct intent *intent)
{
	return (struct scope){
		.virtualservice = virtualservice,
		.namespace = namespace_of(virtualservice, intent),
		.destinationrules = destinationrules,
		.intent = intent,
	};
}

static json *routes_of(const json *virtualservice, const char *protocol)
{
	return json_path(virtualservice, "spec", protocol, NULL);
}

static const char *host_of(const json *destination)
{
	return json_get_text(destination, "host");
}

static bool is_service(const json *destination, const struct scope *scope)
{
	return host_is_service(host_of(destination), scope->namespace, scope->intent);
}

/* The subset that a destination names. NULL for none; an empty name is none to Istio. */
static const char *subset_of(const json *destination)
{
	const char *subset = json_get_text(destination, "subset");
	return str_empty(subset) ? NULL : subset;
}

static bool is_ours(const json *destination, const struct scope *scope)
{
	if (!is_service(destination, scope))
		return false;
	const char *name = subset_of(destination);
	if (name == NULL)
		return true;
	const json *subset = find_subset(scope->destinationrules, name, scope->intent);
	return subset_is_stable(subset, scope->intent);
}

static bool is_share_of_a_release(const json *destination, const struct scope *scope)
{
	const char *subset = subset_of(destination);
	return is_service(destination, scope) &&
	       (str_equal(subset, STABLE_SUBSET) || str_equal(subset, CANARY_SUBSET));
}

/* False for a list that is split already: a share must not be split again. */
static bool has_ours(const json *list, const struct scope *scope)
{
	bool ours = false;
	json_for_each (entry, list) {
		const json *destination = json_get(entry, "destination");
		if (is_share_of_a_release(destination, scope))
			return false;
		ours = ours || is_ours(destination, scope);
	}
	return ours;
}

/* A redirect, a direct response and a delegate answer in the place of destinations. */
static bool has_destinations(const json *route)
{
	return json_get(route, "redirect") == NULL && json_get(route, "directResponse") == NULL &&
	       json_get(route, "delegate") == NULL;
}

/* --- questions ------------------------------------------------------------------------------ */

static bool protocol_routes_to(const struct scope *scope, const char *protocol)
{
	json_for_each (route, routes_of(scope->virtualservice, protocol)) {
		json_for_each (entry, json_get(route, "route")) {
			const json *destination = json_get(entry, "destination");
			if (is_service(destination, scope) ||
				host_is_partial(host_of(destination), scope->intent))
				return true;
		}
	}
	return false;
}

bool virtualservice_routes_to(const json *virtualservice, const struct intent *intent)
{
	struct scope scope = scope_of(virtualservice, NULL, intent);
	return protocol_routes_to(&scope, "http") || protocol_routes_to(&scope, "tcp") ||
	       protocol_routes_to(&scope, "tls");
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
	AUTO_STRING full = service_host(intent);
	json_for_each (element, json_path(virtualservice, "spec", "hosts", NULL)) {
		const char *host = json_text(element);
		if (host_is_service(host, namespace_of(virtualservice, intent), intent))
			return true;
		if (host != NULL && host[0] == '*' && str_ends(full, host + 1))
			return true;
	}
	return false;
}

bool virtualservice_is_open(const json *virtualservice, const struct intent *intent)
{
	struct scope scope = scope_of(virtualservice, NULL, intent);
	json_for_each (route, routes_of(virtualservice, "http")) {
		json_for_each (entry, json_get(route, "route")) {
			const json *destination = json_get(entry, "destination");
			if (is_service(destination, &scope) && subset_of(destination) == NULL)
				return true;
		}
	}
	return false;
}

/* --- weights -------------------------------------------------------------------------------- */

/* Sums of weights beyond int32 are wrong in istiod's own arithmetic. */
#define MAXIMUM_TOTAL INT32_MAX

/* A weight is a share of the list's sum. A destination that is alone gets everything, whatever its
 * weight says. */
static int64_t weight_of(const json *entry, const json *list)
{
	bool alone = json_next(json_first(list)) == NULL;
	return alone ? 100 : json_get_integer(entry, "weight", 0);
}

static int64_t total_of(const json *list)
{
	int64_t total = 0;
	json_for_each (entry, list)
		total += weight_of(entry, list);
	return total;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
	while (b != 0) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* The least factor for the list's weights that makes canary_weight percent of each of ours a whole
 * number. None needs a larger one than 1 percent. */
static int64_t scale_of(const json *list, const struct scope *scope, int canary_weight)
{
	int64_t divisor = 100;
	json_for_each (entry, list) {
		if (is_ours(json_get(entry, "destination"), scope))
			divisor = common_divisor(divisor, weight_of(entry, list) * canary_weight);
	}
	return 100 / divisor;
}

/* --- what is refused ------------------------------------------------------------------------ */

/* Where a fault is: one route of one protocol. */
struct place {
	const struct scope *scope;
	const char *protocol;
	const json *route;
	size_t index;
};

static int refuse(struct err *err, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct err *err, const struct place *place, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *reason = NULL;
	int length = vasprintf(&reason, format, arguments);
	va_end(arguments);
	AUTO_STRING owned = length < 0 ? NULL : reason;

	const char *name = json_get_text(place->route, "name");
	AUTO_STRING title = name == NULL ? NULL : mem_format("route \"%s\" ", name);
	return err_set(err, ERR_FAILED,
		"virtualservice.networking.istio.io \"%s\" in namespace \"%s\": "
		"%s%sspec.%s[%zu]%s: %s",
		json_path_text(place->scope->virtualservice, "metadata", "name", NULL),
		place->scope->namespace, title != NULL ? title : "", title != NULL ? "(" : "",
		place->protocol, place->index, title != NULL ? ")" : "",
		owned != NULL ? owned : "it cannot be split");
}

static int check_host(const json *destination, const struct place *place, struct err *err)
{
	const struct intent *intent = place->scope->intent;
	if (!host_is_partial(host_of(destination), intent))
		return 0;
	AUTO_STRING full = service_host(intent);
	return refuse(err, place,
		"Istio does not complete the host \"%s\" and sends these requests nowhere; write "
		"\"%s\"",
		host_of(destination), full);
}

static int check_subset(const json *destination, const struct place *place, struct err *err)
{
	const struct scope *scope = place->scope;
	const char *name = subset_of(destination);
	if (!is_service(destination, scope) || name == NULL)
		return 0;
	const json *subset = find_subset(scope->destinationrules, name, scope->intent);
	if (subset == NULL)
		return refuse(err, place,
			"no DestinationRule of the Service defines the subset \"%s\"; define it, "
			"or "
			"take it out of the route",
			name);
	if (subset_version(subset) == NULL)
		return refuse(err, place,
			"the subset \"%s\" has no label \"" VERSION_LABEL
			"\", so that it would select the pods of both versions; add " VERSION_LABEL
			": %s to its labels, or take it out of the route",
			name, scope->intent->stable_version);
	return 0;
}

static bool is_weight(const json *weight)
{
	if (weight == NULL)
		return true;
	double number = json_double(weight, -1);
	return number >= 0 && number <= INT32_MAX && (double)(int64_t)number >= number;
}

static int check_weights(const json *list, const struct place *place, struct err *err)
{
	json_for_each (entry, list) {
		if (!is_weight(json_get(entry, "weight")))
			return refuse(err, place,
				"a weight is not a whole number from 0 to 2147483647; correct it");
	}
	int64_t total = total_of(list);
	if (total == 0)
		return refuse(err, place,
			"the weights of its destinations add up to 0, and Istio accepts no such "
			"list; "
			"give them weights");
	int64_t maximum = MAXIMUM_TOTAL / scale_of(list, place->scope, 1);
	if (total > maximum)
		return refuse(err, place,
			"its weights add up to %" PRId64
			", and to split them exactly the sum may be at "
			"most %" PRId64 "; use smaller weights in the same proportion",
			total, maximum);
	return 0;
}

static int check_http_route(const struct place *place, struct err *err)
{
	const json *list = json_get(place->route, "route");
	json_for_each (entry, list) {
		const json *destination = json_get(entry, "destination");
		int result = check_host(destination, place, err);
		if (result == 0)
			result = check_subset(destination, place, err);
		if (result < 0)
			return result;
	}
	return has_ours(list, place->scope) ? check_weights(list, place, err) : 0;
}

static int check_http(const struct scope *scope, struct err *err)
{
	size_t index = 0;
	json_for_each (route, routes_of(scope->virtualservice, "http")) {
		struct place place = {scope, "http", route, index++};
		int result = has_destinations(route) ? check_http_route(&place, err) : 0;
		if (result < 0)
			return result;
	}
	return 0;
}

/* Connections could be split by weight as well; that comes with the route simulator. */
static int check_connections(const struct scope *scope, const char *protocol, struct err *err)
{
	size_t index = 0;
	json_for_each (route, routes_of(scope->virtualservice, protocol)) {
		struct place place = {scope, protocol, route, index++};
		json_for_each (entry, json_get(route, "route")) {
			const json *destination = json_get(entry, "destination");
			if (is_service(destination, scope) ||
				host_is_partial(host_of(destination), scope->intent))
				return refuse(err, &place,
					"%s routes to the Service cannot be split yet; use "
					"--traffic replicas, or route it by http",
					protocol);
		}
	}
	return 0;
}

int virtualservice_check(const json *virtualservice, const json *destinationrules,
	const struct intent *intent, struct err *err)
{
	struct scope scope = scope_of(virtualservice, destinationrules, intent);
	int result = check_connections(&scope, "tcp", err);
	if (result == 0)
		result = check_connections(&scope, "tls", err);
	if (result == 0)
		result = check_http(&scope, err);
	return result;
}

/* --- the edits ------------------------------------------------------------------------------ */

static json *new_destination(const char *host, const char *subset, int weight)
{
	json *entry = json_object();
	json *destination = json_ensure_object(entry, "destination");
	json_set_text(destination, "host", host);
	json_set_text(destination, "subset", subset);
	json_set_integer(entry, "weight", weight);
	return entry;
}

json *virtualservice_new(const char *name, const struct intent *intent, int canary_weight)
{
	json *virtualservice = json_object();
	json_set_text(virtualservice, "apiVersion", "networking.istio.io/v1");
	json_set_text(virtualservice, "kind", "VirtualService");
	json *metadata = json_ensure_object(virtualservice, "metadata");
	json_set_text(metadata, "name", name);
	json_set_text(metadata, "namespace", intent->namespace);

	AUTO_STRING host = service_host(intent);
	json *spec = json_ensure_object(virtualservice, "spec");
	json_append(json_ensure_array(spec, "hosts"), json_string(host));
	json *route = json_object();
	json_append(json_ensure_array(spec, "http"), route);
	json *list = json_ensure_array(route, "route");
	json_append(list, new_destination(host, STABLE_SUBSET, 100 - canary_weight));
	json_append(list, new_destination(host, CANARY_SUBSET, canary_weight));
	return virtualservice;
}

/* The user's entry as one of the two that replace it. */
static json *share_of(const json *entry, const char *subset, int64_t weight)
{
	json *share = json_copy(entry);
	json *destination = json_get(share, "destination");
	if (subset != NULL)
		json_set_text(destination, "subset", subset);
	json_set_integer(share, "weight", weight);
	return share;
}

static json *split_list(const json *list, const struct scope *scope, int canary_weight)
{
	int64_t scale = scale_of(list, scope, canary_weight);
	json *split = json_array();
	json_for_each (entry, list) {
		const json *destination = json_get(entry, "destination");
		int64_t weight = weight_of(entry, list) * scale;
		if (!is_ours(destination, scope)) {
			json *foreign = json_copy(entry);
			if (weight != 0)
				json_set_integer(foreign, "weight", weight);
			json_append(split, foreign);
			continue;
		}
		const char *stable = subset_of(destination) == NULL ? STABLE_SUBSET : NULL;
		json_append(split, share_of(entry, stable, weight * (100 - canary_weight) / 100));
		json_append(split, share_of(entry, CANARY_SUBSET, weight * canary_weight / 100));
	}
	return split;
}

json *virtualservice_split(const json *snapshot, const json *destinationrules,
	const struct intent *intent, int canary_weight)
{
	json *virtualservice = json_copy(snapshot);
	struct scope scope = scope_of(snapshot, destinationrules, intent);
	json_for_each (route, routes_of(virtualservice, "http")) {
		const json *list = json_get(route, "route");
		if (has_destinations(route) && has_ours(list, &scope))
			json_set(route, "route", split_list(list, &scope, canary_weight));
	}
	return virtualservice;
}

json *virtualservice_opened(
	const json *snapshot, const json *destinationrules, const struct intent *intent)
{
	json *virtualservice = json_copy(snapshot);
	struct scope scope = scope_of(snapshot, destinationrules, intent);
	json_for_each (route, routes_of(virtualservice, "http")) {
		if (!has_destinations(route))
			continue;
		json_for_each (entry, json_get(route, "route")) {
			json *destination = json_get(entry, "destination");
			if (is_ours(destination, &scope))
				json_remove(destination, "subset");
		}
	}
	return virtualservice;
}

static void finish_destination(json *destination, const struct scope *scope)
{
	const char *name = subset_of(destination);
	if (name == NULL || !is_service(destination, scope))
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
	json *virtualservice = json_copy(snapshot);
	struct scope scope = scope_of(snapshot, destinationrules, intent);
	json_for_each (route, routes_of(virtualservice, "http")) {
		finish_list(json_get(route, "route"), &scope);
		finish_list(json_get(route, "mirrors"), &scope);
		finish_destination(json_get(route, "mirror"), &scope);
	}
	return virtualservice;
}
