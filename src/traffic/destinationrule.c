#include "traffic/destinationrule.h"

#include <string.h>

#include "base/str.h"
#include "traffic/merge.h"

static json *subsets_of(const json *destinationrule)
{
	return json_path(destinationrule, "spec", "subsets", NULL);
}

static json *subset_named(const json *destinationrule, const char *name)
{
	json_for_each (subset, subsets_of(destinationrule)) {
		if (str_equal(json_get_text(subset, "name"), name))
			return subset;
	}
	return NULL;
}

bool destinationrule_is_for(const json *destinationrule, const struct intent *intent)
{
	const char *host = json_path_text(destinationrule, "spec", "host", NULL);
	return host_is_service(host, namespace_of(destinationrule, intent), intent);
}

bool destinationrule_covers(const json *destinationrule, const struct intent *intent)
{
	return host_covers_service(json_path_text(destinationrule, "spec", "host", NULL), intent);
}

static bool is_in(const json *destinationrule, const char *namespace, const struct intent *intent)
{
	return str_equal(namespace_of(destinationrule, intent), namespace);
}

/* True where Istio reads `a` before `b`: the older one, or the first by name. Most clients look
 * into the Service's namespace; check_subsets holds that others see the same. */
static bool comes_before(const json *a, const json *b, const struct intent *intent)
{
	bool a_is_near = is_in(a, intent->namespace, intent);
	if (a_is_near != is_in(b, intent->namespace, intent))
		return a_is_near;
	const char *created_a = json_path_text(a, "metadata", "creationTimestamp", NULL);
	const char *created_b = json_path_text(b, "metadata", "creationTimestamp", NULL);
	if (created_a != NULL && created_b != NULL && !str_equal(created_a, created_b))
		return strcmp(created_a, created_b) < 0;
	const char *name_a = json_path_text(a, "metadata", "name", NULL);
	const char *name_b = json_path_text(b, "metadata", "name", NULL);
	return name_a != NULL && name_b != NULL && strcmp(name_a, name_b) < 0;
}

/* The DestinationRule whose subset of that name Istio takes, or NULL. */
static const json *definer_of(
	const json *destinationrules, const char *name, const struct intent *intent)
{
	const json *first = NULL;
	json_for_each (candidate, destinationrules) {
		if (!destinationrule_is_for(candidate, intent) ||
			subset_named(candidate, name) == NULL)
			continue;
		if (first == NULL || comes_before(candidate, first, intent))
			first = candidate;
	}
	return first;
}

const json *find_subset(const json *destinationrules, const char *name, const struct intent *intent)
{
	return subset_named(definer_of(destinationrules, name, intent), name);
}

const char *subset_version(const json *subset)
{
	return json_path_text(subset, "labels", VERSION_LABEL, NULL);
}

bool subset_is_stable(const json *subset, const struct intent *intent)
{
	const char *version = subset_version(subset);
	return version != NULL && str_equal(version, intent->stable_version);
}

/* --- what Istio would not merge ------------------------------------------------------------- */

static int refuse(struct err *err, const json *destinationrule, const struct intent *intent,
	const char *reason)
{
	return err_set(err, ERR_FAILED,
		"destinationrule.networking.istio.io \"%s\" in namespace \"%s\": %s",
		json_path_text(destinationrule, "metadata", "name", NULL),
		namespace_of(destinationrule, intent), reason);
}

static bool has_text(const json *array, const char *text)
{
	json_for_each (element, array) {
		if (str_equal(json_text(element), text))
			return true;
	}
	return false;
}

static bool is_within(const json *array, const json *other)
{
	json_for_each (element, array) {
		if (!has_text(other, json_text(element)))
			return false;
	}
	return true;
}

/* Istio compares exportTo as sets; none and an empty one are the same. */
static bool exported_alike(const json *a, const json *b)
{
	const json *exports_a = json_path(a, "spec", "exportTo", NULL);
	const json *exports_b = json_path(b, "spec", "exportTo", NULL);
	return is_within(exports_a, exports_b) && is_within(exports_b, exports_a);
}

static int check_selector(const json *destinationrule, const struct intent *intent, struct err *err)
{
	if (!json_is_object(json_path(destinationrule, "spec", "workloadSelector", NULL)))
		return 0;
	return refuse(err, destinationrule, intent,
		"it has a workloadSelector, so that the clients that it selects would not see the "
		"subsets of the release; remove the selector for the time of the release");
}

static int check_one(const json *destinationrule, const json *first, const struct intent *intent,
	struct err *err)
{
	if (!exported_alike(destinationrule, first))
		return refuse(err, destinationrule, intent,
			"its exportTo differs from that of the Service's other DestinationRules, "
			"so "
			"that Istio would not merge the subsets of the release into all of them; "
			"give "
			"them the same exportTo");
	if (subset_named(destinationrule, STABLE_SUBSET) != NULL ||
		subset_named(destinationrule, CANARY_SUBSET) != NULL)
		return refuse(err, destinationrule, intent,
			"it has a subset \"" STABLE_SUBSET "\" or \"" CANARY_SUBSET
			"\", a name that belongs to releases; rename or remove it");
	return 0;
}

/* Clients in different namespaces look into different DestinationRules: a subset must be the same
 * version for all. */
static int check_subsets(const json *destinationrule, const json *destinationrules,
	const struct intent *intent, struct err *err)
{
	json_for_each (subset, subsets_of(destinationrule)) {
		const char *name = json_get_text(subset, "name");
		const json *other = find_subset(destinationrules, name, intent);
		if (str_equal(subset_version(subset), subset_version(other)))
			continue;
		AUTO_STRING reason = mem_format(
			"its subset \"%s\" selects another version than the subset of the same "
			"name that clients elsewhere use; give them the same label " VERSION_LABEL,
			name);
		return refuse(err, destinationrule, intent, reason);
	}
	return 0;
}

/* The first of the Service's in that namespace, so that others can be compared with it. */
static const json *first_in(
	const json *destinationrules, const char *namespace, const struct intent *intent)
{
	json_for_each (candidate, destinationrules) {
		if (destinationrule_is_for(candidate, intent) &&
			is_in(candidate, namespace, intent))
			return candidate;
	}
	return NULL;
}

int destinationrules_check(
	const json *destinationrules, const struct intent *intent, struct err *err)
{
	json_for_each (destinationrule, destinationrules) {
		bool exact = destinationrule_is_for(destinationrule, intent);
		if (!exact && !destinationrule_covers(destinationrule, intent))
			continue;
		int result = check_selector(destinationrule, intent, err);
		if (result < 0)
			return result;
		if (!exact)
			continue;
		const char *namespace = namespace_of(destinationrule, intent);
		const json *first = first_in(destinationrules, namespace, intent);
		result = check_one(destinationrule, first, intent, err);
		if (result == 0)
			result = check_subsets(destinationrule, destinationrules, intent, err);
		if (result < 0)
			return result;
	}
	return 0;
}

const json *destinationrules_exports(const json *destinationrules, const struct intent *intent)
{
	const json *first = first_in(destinationrules, intent->namespace, intent);
	return json_path(first, "spec", "exportTo", NULL);
}

/* --- the objects of a release --------------------------------------------------------------- */

/* Where clients look: into a namespace. Clients in the root namespace look there first, but only at
 * what is exported to nobody else (private); all clients look there last, at what is. */
struct place {
	const char *namespace;
	bool private; /* of the root namespace; false elsewhere */
};

static bool is_root(const char *namespace, const struct intent *intent)
{
	return str_equal(namespace, ROOT_NAMESPACE) && !str_equal(namespace, intent->namespace);
}

static bool is_private(const json *destinationrule)
{
	const json *exports = json_path(destinationrule, "spec", "exportTo", NULL);
	return json_count(exports) == 1 && has_text(exports, ".");
}

static struct place place_of(const json *destinationrule, const struct intent *intent)
{
	const char *namespace = namespace_of(destinationrule, intent);
	return (struct place){namespace, is_root(namespace, intent) && is_private(destinationrule)};
}

static bool is_at(
	const json *destinationrule, const struct place *place, const struct intent *intent)
{
	struct place its = place_of(destinationrule, intent);
	return str_equal(its.namespace, place->namespace) && its.private == place->private;
}

/* How close its host is to the Service: the longer the closer; 0: another one. */
static size_t closeness(const json *destinationrule, const struct intent *intent)
{
	if (destinationrule_is_for(destinationrule, intent))
		return SIZE_MAX;
	if (!destinationrule_covers(destinationrule, intent))
		return 0;
	return strlen(json_path_text(destinationrule, "spec", "host", NULL));
}

/* One of those that Istio uses of a place, which are all with the closest host; NULL: none. */
static const json *effective_at(
	const json *destinationrules, const struct place *place, const struct intent *intent)
{
	const json *closest = NULL;
	json_for_each (candidate, destinationrules) {
		if (is_at(candidate, place, intent) &&
			closeness(candidate, intent) > closeness(closest, intent))
			closest = candidate;
	}
	return closest;
}

/* Whether Istio merges both. */
static bool are_alike(const json *a, const json *b, const struct intent *intent)
{
	struct place place = place_of(a, intent);
	return is_at(b, &place, intent) && closeness(a, intent) == closeness(b, intent);
}

static const json *stable_policy_of(const json *destinationrule, const struct intent *intent)
{
	json_for_each (subset, subsets_of(destinationrule)) {
		if (subset_is_stable(subset, intent))
			return json_get(subset, "trafficPolicy");
	}
	return NULL;
}

/* The trafficPolicy of the stable version's own subset, where clients find `effective`. */
static const json *stable_policy(
	const json *destinationrules, const json *effective, const struct intent *intent)
{
	const json *policy = stable_policy_of(effective, intent);
	json_for_each (other, destinationrules) {
		if (policy == NULL && effective != NULL && are_alike(other, effective, intent))
			policy = stable_policy_of(other, intent);
	}
	return policy;
}

static json *new_subset(const char *name, const char *version, const json *policy)
{
	json *subset = json_object();
	json_set_text(subset, "name", name);
	json_set_text(json_ensure_object(subset, "labels"), VERSION_LABEL, version);
	json_set(subset, "trafficPolicy", json_copy(policy));
	return subset;
}

/* In the namespace of the Service the short name does, and Istio knows the domain better. */
static char *rule_host(const char *namespace, const struct intent *intent)
{
	return str_equal(namespace, intent->namespace) ? mem_strdup(intent->service)
						       : service_host(intent);
}

/* Elsewhere the name must tell from which namespace the Service is. */
static char *rule_name(const char *namespace, const struct intent *intent)
{
	if (str_equal(namespace, intent->namespace))
		return mem_format(OWN_PREFIX "%s", intent->service);
	return mem_format(OWN_PREFIX "%s.%s", intent->service, intent->namespace);
}

/* The next, in Istio's order, of those that are merged with `like`. */
static const json *next_alike(const json *destinationrules, const json *like, const json *previous,
	const struct intent *intent)
{
	const json *next = NULL;
	json_for_each (candidate, destinationrules) {
		if (are_alike(candidate, like, intent) &&
			(previous == NULL || comes_before(previous, candidate, intent)) &&
			(next == NULL || comes_before(candidate, next, intent)))
			next = candidate;
	}
	return next;
}

static void add_rule(json *spec, const json *destinationrule)
{
	if (json_get(spec, "trafficPolicy") == NULL)
		json_set(spec, "trafficPolicy",
			json_copy(json_path(destinationrule, "spec", "trafficPolicy", NULL)));
	json_for_each (subset, subsets_of(destinationrule)) {
		bool known = false;
		json_for_each (other, json_get(spec, "subsets"))
			known = known || str_equal(json_get_text(other, "name"),
						 json_get_text(subset, "name"));
		if (!known)
			json_append(json_ensure_array(spec, "subsets"), json_copy(subset));
	}
}

/* One that Istio uses in place of those like `hidden`, and therefore says what they say now. */
static void take_place_of(
	json *spec, const json *now, const json *hidden, const struct intent *intent)
{
	const json *rule = NULL;
	for (size_t i = 0; hidden != NULL && i < json_count(now); i++) {
		rule = next_alike(now, hidden, rule, intent);
		if (rule == NULL)
			return;
		add_rule(spec, rule);
	}
}

static void set_exports(json *spec, const json *effective, const struct place *place, bool merged)
{
	if (merged)
		json_set(spec, "exportTo",
			json_copy(json_path(effective, "spec", "exportTo", NULL)));
	else if (place->private)
		json_append(json_ensure_array(spec, "exportTo"), json_string("."));
}

static json *new_rule(const json *destinationrules, const json *now, struct place place,
	const struct intent *intent)
{
	json *rule = json_object();
	json_set_text(rule, "apiVersion", "networking.istio.io/v1");
	json_set_text(rule, "kind", "DestinationRule");
	json *metadata = json_ensure_object(rule, "metadata");
	AUTO_STRING name = rule_name(place.namespace, intent);
	json_set_text(metadata, "name", name);
	json_set_text(metadata, "namespace", place.namespace);

	AUTO_STRING host = rule_host(place.namespace, intent);
	json *spec = json_ensure_object(rule, "spec");
	json_set_text(spec, "host", host);
	const struct place last = {ROOT_NAMESPACE, false};
	const json *effective = effective_at(destinationrules, &place, intent);
	bool merged = destinationrule_is_for(effective, intent);
	if (effective == NULL && str_equal(place.namespace, intent->namespace))
		effective = effective_at(destinationrules, &last, intent);
	set_exports(spec, effective, &place, merged);
	if (!merged)
		take_place_of(spec, now, effective, intent);

	json *subsets = json_ensure_array(spec, "subsets");
	const json *policy = stable_policy(destinationrules, effective, intent);
	json_append(subsets, new_subset(STABLE_SUBSET, intent->stable_version, NULL));
	json_append(subsets, new_subset(CANARY_SUBSET, intent->canary_version, policy));
	return rule;
}

static bool has_rule_in(const json *rules, const char *namespace, const struct intent *intent)
{
	json_for_each (rule, rules) {
		if (is_in(rule, namespace, intent))
			return true;
	}
	return false;
}

json *destinationrules_beside(
	const json *destinationrules, const json *now, const struct intent *intent)
{
	json *rules = json_array();
	const struct place own = {intent->namespace, false};
	json_append(rules, new_rule(destinationrules, now, own, intent));
	json_for_each (destinationrule, destinationrules) {
		struct place place = place_of(destinationrule, intent);
		bool last = is_root(place.namespace, intent) && !place.private;
		if (closeness(destinationrule, intent) > 0 && !last &&
			!has_rule_in(rules, place.namespace, intent))
			json_append(rules, new_rule(destinationrules, now, place, intent));
	}
	return rules;
}

json *destinationrules_new(const json *destinationrules, const struct intent *intent)
{
	return destinationrules_beside(destinationrules, destinationrules, intent);
}

/* --- the end of a release ------------------------------------------------------------------- */

enum finish {
	STAYS,
	GETS_LABEL,	     /* a name of its own, as "prod": the label changes */
	GETS_NAME_AND_LABEL, /* named after the version */
};

/* Whether istiod takes it for the name of a subset: letters, digits, and "-" within. A version, as
 * the value of a label, may have "." and "_" too. */
static bool is_subset_name(const char *version)
{
	static const char ALLOWED[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t length = strlen(version);
	return length > 0 && strspn(version, ALLOWED) == length && version[0] != '-' &&
	       version[length - 1] != '-';
}

static enum finish finish_of(
	const json *destinationrule, const json *subset, const struct intent *intent)
{
	if (!subset_is_stable(subset, intent))
		return STAYS;
	if (!str_equal(json_get_text(subset, "name"), intent->stable_version))
		return GETS_LABEL;
	const json *taken = subset_named(destinationrule, intent->canary_version);
	if (taken == NULL)
		return is_subset_name(intent->canary_version) ? GETS_NAME_AND_LABEL : GETS_LABEL;
	return str_equal(subset_version(taken), intent->canary_version) ? STAYS : GETS_LABEL;
}

/* The new version's subset in place of one that is named after the stable version. */
static json *renamed(const json *before, size_t index, const struct intent *intent)
{
	json *subset = json_copy(before);
	json_set_text(subset, "name", intent->canary_version);
	json_set_text(json_get(subset, "labels"), VERSION_LABEL, intent->canary_version);
	merge_set_key(subset, "%zu.new", index);
	return subset;
}

static json *unchanged(const json *before, size_t index)
{
	json *subset = json_copy(before);
	merge_set_key(subset, "%zu", index);
	return subset;
}

json *destinationrule_original(const json *snapshot)
{
	json *rule = json_copy(snapshot);
	size_t index = 0;
	json_for_each (subset, subsets_of(rule))
		merge_set_key(subset, "%zu", index++);
	return rule;
}

json *destinationrule_finished(const json *snapshot, const struct intent *intent, bool keep_old)
{
	json *rule = destinationrule_original(snapshot);
	if (!destinationrule_is_for(snapshot, intent) || json_count(subsets_of(snapshot)) == 0)
		return rule;
	json *subsets = json_array();
	size_t index = 0;
	json_for_each (before, subsets_of(snapshot)) {
		enum finish finish = finish_of(snapshot, before, intent);
		if (finish != GETS_NAME_AND_LABEL || keep_old)
			json_append(subsets, unchanged(before, index));
		if (finish == GETS_NAME_AND_LABEL)
			json_append(subsets, renamed(before, index, intent));
		if (finish == GETS_LABEL)
			json_set_text(json_get(json_at(subsets, json_count(subsets) - 1), "labels"),
				VERSION_LABEL, intent->canary_version);
		index++;
	}
	json_set(json_get(rule, "spec"), "subsets", subsets);
	return rule;
}

json *destinationrule_returning(const json *snapshot, const struct intent *intent)
{
	json *rule = destinationrule_original(snapshot);
	if (!destinationrule_is_for(snapshot, intent) || json_count(subsets_of(snapshot)) == 0)
		return rule;
	json *subsets = json_array();
	size_t index = 0;
	json_for_each (before, subsets_of(snapshot)) {
		json_append(subsets, unchanged(before, index));
		if (finish_of(snapshot, before, intent) == GETS_NAME_AND_LABEL)
			json_append(subsets, renamed(before, index, intent));
		index++;
	}
	json_set(json_get(rule, "spec"), "subsets", subsets);
	return rule;
}

const char *finished_subset(
	const json *destinationrules, const char *name, const struct intent *intent)
{
	const json *definer = definer_of(destinationrules, name, intent);
	const json *subset = subset_named(definer, name);
	if (!subset_is_stable(subset, intent) || !str_equal(name, intent->stable_version))
		return name;
	return finish_of(definer, subset, intent) == GETS_LABEL ? name : intent->canary_version;
}
