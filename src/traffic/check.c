#include "traffic/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/str.h"
#include "traffic/clone.h"
#include "traffic/destinationrule.h"
#include "traffic/share.h"
#include "traffic/sticky.h"
#include "traffic/virtualservice.h"

/* Where a fault is: one route of one protocol; or, without a route, the object. */
struct place {
	const struct scope *scope;
	const char *protocol;
	const json *route;
	size_t index;
};

static char *place_text(const struct place *place)
{
	if (place->route == NULL)
		return mem_strdup("");
	const char *name = json_get_text(place->route, "name");
	if (name == NULL)
		return mem_format("spec.%s[%zu]: ", place->protocol, place->index);
	return mem_format("route \"%s\" (spec.%s[%zu]): ", name, place->protocol, place->index);
}

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
	AUTO_STRING where = place_text(place);
	return err_set(err, ERR_FAILED,
		"virtualservice.networking.istio.io \"%s\" in namespace \"%s\": %s%s",
		json_path_text(place->scope->virtualservice, "metadata", "name", NULL),
		place->scope->namespace, where, owned != NULL ? owned : "it cannot be split");
}

/* --- destinations --------------------------------------------------------------------------- */

static int check_host(const json *destination, const struct place *place, struct err *err)
{
	const struct intent *intent = place->scope->intent;
	const char *host = json_get_text(destination, "host");
	if (!host_is_partial(host, intent))
		return 0;
	AUTO_STRING full = service_host(intent);
	return refuse(err, place,
		"Istio does not complete the host \"%s\" and sends these requests nowhere; write "
		"\"%s\"",
		host, full);
}

static int check_subset(const json *destination, const struct place *place, struct err *err)
{
	const struct scope *scope = place->scope;
	const char *name = destination_subset(destination);
	if (!destination_is_service(destination, scope) || name == NULL)
		return 0;
	const json *subset = find_subset(scope->destinationrules, name, scope->intent);
	if (subset == NULL)
		return refuse(err, place,
			"no DestinationRule of the Service defines the subset \"%s\"; define it, "
			"or take it out of the route",
			name);
	if (subset_version(subset) == NULL)
		return refuse(err, place,
			"the subset \"%s\" has no label \"" VERSION_LABEL
			"\", so that it would select the pods of both versions; add " VERSION_LABEL
			": %s to its labels, or take it out of the route",
			name, scope->intent->stable_version);
	return 0;
}

static int check_destinations(const struct place *place, struct err *err)
{
	json_for_each (entry, json_get(place->route, "route")) {
		const json *destination = json_get(entry, "destination");
		int result = check_host(destination, place, err);
		if (result == 0)
			result = check_subset(destination, place, err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* --- weights -------------------------------------------------------------------------------- */

static bool is_weight(const json *weight)
{
	if (weight == NULL)
		return true;
	double number = json_double(weight, -1);
	return number >= 0 && number <= INT32_MAX && (double)(int64_t)number >= number;
}

static int check_weights(const struct place *place, struct err *err)
{
	/* The factor that makes any share exact. */
	static const int64_t FACTOR = 100;
	const json *list = json_get(place->route, "route");
	json_for_each (entry, list) {
		if (!is_weight(json_get(entry, "weight")))
			return refuse(err, place,
				"a weight is not a whole number from 0 to 2147483647; correct it");
	}
	int64_t total = weights_total(list);
	if (total == 0)
		return refuse(err, place,
			"the weights of its destinations add up to 0, and Istio accepts no such "
			"list; give them weights");
	if (total > WEIGHTS_MAXIMUM / FACTOR)
		return refuse(err, place,
			"its weights add up to %" PRId64
			", and to split them exactly the sum may be at most %" PRId64
			"; use smaller weights in the same proportion",
			total, WEIGHTS_MAXIMUM / FACTOR);
	return 0;
}

/* --- rules in front of a route -------------------------------------------------------------- */

static bool has_rules(const struct intent *intent)
{
	return json_count(intent->match_rules) > 0 || intent->sticky_step_count > 0;
}

static int check_clones(const struct place *place, struct err *err)
{
	const struct intent *intent = place->scope->intent;
	const char *obstacle =
		intent->sticky_step_count > 0 ? sticky_obstacle(place->route, place->scope) : NULL;
	if (obstacle != NULL)
		return refuse(err, place, "%s", obstacle);
	static const int WEIGHTS[] = {0, 100};
	for (size_t i = 0; i < COUNT_OF(WEIGHTS); i++) {
		AUTO_JSON clones = json_array();
		const struct split split = {.weight = WEIGHTS[i], .rules = true};
		struct err reason = {0};
		if (clones_append(
			    clones, place->route, place->index, place->scope, &split, &reason) != 0)
			return refuse(err, place, "%s", reason.message);
	}
	return 0;
}

/* What a rule asks of a header, and what is asked in all of --sticky's. */
static bool is_asked(const char *header, const struct intent *intent)
{
	if (intent->sticky_step_count > 0 && strcasecmp(header, "cookie") == 0)
		return true;
	json_for_each (rule, intent->match_rules) {
		json_for_each (condition, rule) {
			if (strcasecmp(header, json_key(condition)) == 0)
				return true;
		}
	}
	return false;
}

/* Istio drops a delegate's route whose match it cannot join with that of the route which delegates
 * to it; and what is not repeated counts as different for some fields. */
static int check_root_match(
	const json *match, const json *root, const struct place *place, struct err *err)
{
	const char *name = json_path_text(root, "metadata", "name", NULL);
	json_for_each (header, json_get(match, "headers")) {
		if (is_asked(json_key(header), place->scope->intent))
			return refuse(err, place,
				"virtualservice \"%s\", which delegates to it, matches the header "
				"\"%s\" already, and Istio cannot join that with a rule of the "
				"release; ask for another header or cookie",
				name, json_key(header));
	}
	bool inherits = json_count(json_get(place->route, "match")) == 0;
	static const char *const REPEATED[] = {"ignoreUriCase", "sourceNamespace"};
	for (size_t i = 0; inherits && i < COUNT_OF(REPEATED); i++)
		if (json_get(match, REPEATED[i]) != NULL)
			return refuse(err, place,
				"virtualservice \"%s\", which delegates to it, matches by %s, and "
				"Istio would ignore a rule of the release that does not; give this "
				"route a match with the same %s",
				name, REPEATED[i], REPEATED[i]);
	return 0;
}

/* A route without headers of its own has those of the route that delegates to it. */
static int check_root_headers(
	const json *route, const json *root, const struct place *place, struct err *err)
{
	bool inherits = json_get(place->route, "headers") == NULL;
	if (place->scope->intent->sticky_step_count == 0 || !inherits ||
		sticky_obstacle(route, place->scope) == NULL)
		return 0;
	return refuse(err, place,
		"virtualservice \"%s\", which delegates to it, sets or removes the header "
		"Set-Cookie of answers, which --sticky needs",
		json_path_text(root, "metadata", "name", NULL));
}

static int check_root(const json *root, const struct place *place, struct err *err)
{
	const struct scope *scope = place->scope;
	json_for_each (route, routes_of(root, "http")) {
		if (!route_delegates_to(route, root, scope->virtualservice, scope->intent))
			continue;
		int result = check_root_headers(route, root, place, err);
		json_for_each (match, json_get(route, "match")) {
			if (result == 0)
				result = check_root_match(match, root, place, err);
		}
		if (result < 0)
			return result;
	}
	return 0;
}

static int check_roots(const json *all, const struct place *place, struct err *err)
{
	json_for_each (root, all) {
		int result = check_root(root, place, err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* --- routes --------------------------------------------------------------------------------- */

/* One that keeps the old version's name would be left without pods. */
static int check_not_chosen(const struct place *place, struct err *err)
{
	const struct scope *scope = place->scope;
	if (!route_has_ours(place->route, scope))
		return 0;
	json_for_each (entry, json_get(place->route, "route")) {
		const json *destination = json_get(entry, "destination");
		const char *subset = destination_subset(destination);
		if (subset != NULL && destination_is_ours(destination, scope))
			return refuse(err, place,
				"it names the subset \"%s\", which will have no pods in the end, "
				"and --virtualservice leaves it alone; choose it too",
				subset);
	}
	return 0;
}

static int check_route(const struct place *place, const json *all, struct err *err)
{
	const struct scope *scope = place->scope;
	if (!route_has_destinations(place->route))
		return 0;
	int result = check_destinations(place, err);
	if (result < 0)
		return result;
	if (!route_is_split(place->route, scope))
		return check_not_chosen(place, err);
	if (route_is_clone(place->route))
		return refuse(err, place,
			"its name begins with \"" OWN_PREFIX
			"\", as those of routes that releases add do; rename it");
	result = check_weights(place, err);
	if (result < 0 || !str_equal(place->protocol, "http") || !has_rules(scope->intent))
		return result;
	result = check_clones(place, err);
	return result == 0 ? check_roots(all, place, err) : result;
}

/* Clients that see the routes must see the subsets that they name. */
static int check_exports(const struct scope *scope, struct err *err)
{
	const struct place object = {.scope = scope};
	const json *exports = destinationrules_exports(scope->destinationrules, scope->intent);
	const json *seen_by = json_path(scope->virtualservice, "spec", "exportTo", NULL);
	if (is_public(exports) || virtualservice_is_delegate(scope->virtualservice))
		return 0;
	AUTO_STRING shown = json_print(exports);
	if (is_public(seen_by))
		return refuse(err, &object,
			"all namespaces see it, and the DestinationRule of the Service is exported "
			"to %s only: clients elsewhere would not know the subsets of the release; "
			"give both the same exportTo",
			shown);
	json_for_each (element, seen_by) {
		const char *namespace = json_text(element);
		if (str_equal(namespace, "."))
			namespace = scope->namespace;
		bool sees = false;
		json_for_each (other, exports)
			sees = sees || str_equal(json_text(other), namespace) ||
			       (str_equal(json_text(other), ".") &&
				       str_equal(namespace, scope->intent->namespace));
		if (!sees)
			return refuse(err, &object,
				"it is exported to \"%s\", and the DestinationRule of the Service "
				"to %s only: clients there would not know the subsets of the "
				"release; give both the same exportTo",
				namespace, shown);
	}
	return 0;
}

int virtualservice_check(const json *virtualservice, const json *all, const json *destinationrules,
	const struct intent *intent, struct err *err)
{
	struct scope scope = scope_of(virtualservice, destinationrules, intent);
	int result = check_exports(&scope, err);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		size_t index = 0;
		json_for_each (route, routes_of(virtualservice, PROTOCOLS[i])) {
			struct place place = {&scope, PROTOCOLS[i], route, index++};
			if (result == 0)
				result = check_route(&place, all, err);
		}
	}
	return result;
}

int virtualservice_check_left_alone(const json *virtualservice, const json *destinationrules,
	const struct intent *intent, struct err *err)
{
	struct scope scope = scope_of(virtualservice, destinationrules, intent);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		size_t index = 0;
		json_for_each (route, routes_of(virtualservice, PROTOCOLS[i])) {
			struct place place = {&scope, PROTOCOLS[i], route, index++};
			int result = check_not_chosen(&place, err);
			if (result < 0)
				return result;
		}
	}
	return 0;
}
