#include "traffic/httproute.h"

#include "base/str.h"
#include "traffic/merge.h"
#include "traffic/route_match.h"

static json *rules_of(const json *httproute)
{
	return json_path(httproute, "spec", "rules", NULL);
}

/* --- questions ------------------------------------------------------------------------------ */

bool httproute_routes_to(const json *httproute, const struct intent *intent)
{
	struct route_scope scope = route_scope_of(httproute, intent);
	json_for_each (rule, rules_of(httproute)) {
		if (rule_has_ours(rule, &scope) || rule_names_versions(rule, &scope))
			return true;
	}
	return false;
}

bool httproute_serves_mesh(const json *httproute, const struct intent *intent)
{
	struct route_scope scope = route_scope_of(httproute, intent);
	if (!str_equal(scope.namespace, intent->namespace))
		return false;
	json_for_each (parent, json_path(httproute, "spec", "parentRefs", NULL)) {
		if (parent_is_service(parent, &scope))
			return true;
	}
	return false;
}

static int weight_of_rule(const json *rule, const struct route_scope *scope)
{
	int64_t stable = 0, canary = 0;
	bool has_stable = false;
	json_for_each (backend, json_get(rule, "backendRefs")) {
		int64_t weight = json_get_integer(backend, "weight", 1);
		if (backend_is_of_version(backend, true, scope)) {
			canary += weight;
		} else if (backend_is_of_version(backend, false, scope)) {
			stable += weight;
			has_stable = true;
		}
	}
	if (!has_stable || stable + canary <= 0)
		return -1;
	return (int)((200 * canary + stable + canary) / (2 * (stable + canary)));
}

int httproute_canary_weight(const json *httproute, const struct intent *intent)
{
	struct route_scope scope = route_scope_of(httproute, intent);
	json_for_each (rule, rules_of(httproute)) {
		int weight = weight_of_rule(rule, &scope);
		if (weight >= 0)
			return weight;
	}
	return -1;
}

/* --- one of our own ------------------------------------------------------------------------- */

static json *reference_to_service(const struct intent *intent)
{
	json *reference = json_object();
	json_set_text(reference, "group", "");
	json_set_text(reference, "kind", "Service");
	json_set_text(reference, "name", intent->service);
	return reference;
}

/* With all that the API server would add. */
static json *everything(void)
{
	json *match = json_object();
	json *path = json_ensure_object(match, "path");
	json_set_text(path, "type", "PathPrefix");
	json_set_text(path, "value", "/");
	return match;
}

json *httproute_new(const char *name, int64_t port, bool only_port, const struct intent *intent)
{
	json *httproute = json_object();
	json_set_text(httproute, "apiVersion", "gateway.networking.k8s.io/v1");
	json_set_text(httproute, "kind", "HTTPRoute");
	json *metadata = json_ensure_object(httproute, "metadata");
	json_set_text(metadata, "name", name);
	json_set_text(metadata, "namespace", intent->namespace);
	json *spec = json_ensure_object(httproute, "spec");

	json *parent = reference_to_service(intent);
	/* Not all implementations look at it. */
	if (!only_port)
		json_set_integer(parent, "port", port);
	json_append(json_ensure_array(spec, "parentRefs"), parent);

	json *rule = json_object();
	json_append(json_ensure_array(spec, "rules"), rule);
	json_append(json_ensure_array(rule, "matches"), everything());
	json *backend = reference_to_service(intent);
	json_set_integer(backend, "port", port);
	json_set_integer(backend, "weight", 1);
	json_append(json_ensure_array(rule, "backendRefs"), backend);
	return httproute;
}

/* --- shares --------------------------------------------------------------------------------- */

/* https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.BackendRef: 1 where
 * it is absent; 0 where it is 0, also for the only one. */
static int64_t weight_of(const json *backend, const json *list)
{
	(void)list;
	return json_get_integer(backend, "weight", 1);
}

static bool is_ours(const json *backend, const void *scope)
{
	return backend_is_ours(backend, scope);
}

static json *make_share(const json *backend, const struct part *part, const void *scope)
{
	const struct route_scope *route_scope = scope;
	AUTO_STRING name = version_service(route_scope->intent, part->canary);
	json *share = json_copy(backend);
	json_set_text(share, "name", name);
	return share;
}

const struct entry_kind BACKENDS = {weight_of, is_ours, make_share};

/* --- clones --------------------------------------------------------------------------------- */

/* A filter that replaces the prefix of the path is allowed only where there is one match. */
static bool replaces_prefix(const json *filters)
{
	static const char *const FILTERS[] = {"urlRewrite", "requestRedirect"};
	json_for_each (filter, filters)
		for (size_t i = 0; i < COUNT_OF(FILTERS); i++)
			if (json_path(filter, FILTERS[i], "path", "replacePrefixMatch", NULL) !=
				NULL)
				return true;
	return false;
}

static bool allows_one_match(const json *rule)
{
	bool replaces = replaces_prefix(json_get(rule, "filters"));
	json_for_each (backend, json_get(rule, "backendRefs"))
		replaces = replaces || replaces_prefix(json_get(backend, "filters"));
	return replaces;
}

/* Adds what `match` (NULL: everything) and any of the conditions say together. */
static int append_matches(
	json *matches, const json *match, const struct intent *intent, struct err *err)
{
	json_for_each (condition, intent->match_rules) {
		json *joined = NULL;
		int code = route_match_and(match, condition, &joined, err);
		if (code < 0)
			return code;
		if (code > 0)
			json_append(matches, joined);
	}
	return 0;
}

static int make_matches(const json *rule, const struct intent *intent, json **ret, struct err *err)
{
	AUTO_JSON matches = json_array();
	const json *list = json_get(rule, "matches");
	int code = json_count(list) == 0 ? append_matches(matches, NULL, intent, err) : 0;
	json_for_each (match, list) {
		if (code == 0)
			code = append_matches(matches, match, intent, err);
	}
	if (code != 0)
		return code;
	*ret = TAKE(matches);
	return 0;
}

static void append_clone(json *rules, const json *rule, size_t index, size_t number,
	json *matches_taken, const struct route_scope *scope)
{
	json *clone = json_copy(rule);
	const char *name = json_get_text(rule, "name");
	/* Names are unique in an object, and not known to older versions of the API. */
	if (name != NULL) {
		AUTO_STRING own = number == 1 ? mem_format(OWN_PREFIX "match-%s", name)
					      : mem_format(OWN_PREFIX "match-%zu-%s", number, name);
		json_set_text(clone, "name", own);
	}
	json_set(clone, "matches", matches_taken);
	json_set(clone, "backendRefs",
		portion_pointed(json_get(rule, "backendRefs"), true, &BACKENDS, scope));
	merge_set_key(clone, "%zu.match.%zu", index, number);
	json_append(rules, clone);
}

int rule_clones_append(json *rules, const json *rule, size_t index, const struct route_scope *scope,
	struct err *err)
{
	AUTO_JSON matches = NULL;
	int code = make_matches(rule, scope->intent, &matches, err);
	if (code != 0 || json_count(matches) == 0)
		return code;
	if (!allows_one_match(rule)) {
		append_clone(rules, rule, index, 1, TAKE(matches), scope);
		return 0;
	}
	size_t number = 0;
	json_for_each (match, matches) {
		json *alone = json_array();
		json_append(alone, json_copy(match));
		append_clone(rules, rule, index, ++number, alone, scope);
	}
	return 0;
}

/* --- states --------------------------------------------------------------------------------- */

json *httproute_original(const json *snapshot)
{
	json *httproute = json_copy(snapshot);
	size_t index = 0;
	json_for_each (rule, rules_of(httproute))
		merge_set_key(rule, "%zu", index++);
	return httproute;
}

/* Takes over rule, and appends it in its new shape, with its clones in front. */
static void append_split(json *rules, json *rule, size_t index, const struct route_scope *scope,
	const struct split *split)
{
	struct parts parts = parts_of_versions(split->weight);
	if (rule_has_ours(rule, scope)) {
		if (split->rules)
			(void)rule_clones_append(rules, rule, index, scope, NULL);
		json_set(rule, "backendRefs",
			portion_list(json_get(rule, "backendRefs"), &parts, &BACKENDS, scope));
	}
	merge_set_key(rule, "%zu", index);
	json_append(rules, rule);
}

json *httproute_split(const json *snapshot, const struct intent *intent, const struct split *split)
{
	struct route_scope scope = route_scope_of(snapshot, intent);
	json *httproute = json_copy(snapshot);
	const json *before = rules_of(snapshot);
	if (json_count(before) == 0)
		return httproute;
	json *rules = json_array();
	size_t index = 0;
	json_for_each (rule, before)
		append_split(rules, json_copy(rule), index++, &scope, split);
	json_set(json_get(httproute, "spec"), "rules", rules);
	return httproute;
}
