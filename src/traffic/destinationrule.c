#include "traffic/destinationrule.h"

#include <string.h>

#include "base/str.h"

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

/* True where Istio reads `a` before `b`: the older one, or the first by name. */
static bool comes_before(const json *a, const json *b)
{
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
		if (first == NULL || comes_before(candidate, first))
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

static int check_one(const json *destinationrule, const json *first, const struct intent *intent,
	struct err *err)
{
	if (!str_equal(namespace_of(destinationrule, intent), intent->namespace))
		return refuse(err, destinationrule, intent,
			"it is for this Service and in another namespace, where it would hide the "
			"subsets of the release; move it to the Service's namespace");
	if (json_is_object(json_path(destinationrule, "spec", "workloadSelector", NULL)))
		return refuse(err, destinationrule, intent,
			"it has a workloadSelector, so that the clients that it selects would not "
			"see "
			"the subsets of the release; remove the selector for the time of the "
			"release");
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

int destinationrules_check(
	const json *destinationrules, const struct intent *intent, struct err *err)
{
	const json *first = NULL;
	json_for_each (destinationrule, destinationrules) {
		if (!destinationrule_is_for(destinationrule, intent))
			continue;
		if (first == NULL)
			first = destinationrule;
		int result = check_one(destinationrule, first, intent, err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* --- the object of a release ---------------------------------------------------------------- */

bool destinationrule_covers(const json *destinationrule, const struct intent *intent)
{
	AUTO_STRING service = service_host(intent);
	const char *host = json_path_text(destinationrule, "spec", "host", NULL);
	return host != NULL && host[0] == '*' && str_ends(service, host + 1);
}

/* True where Istio looks into `a` before `b` for a host that both cover. */
static bool is_closer(const json *a, const json *b, const struct intent *intent)
{
	bool a_is_near = str_equal(namespace_of(a, intent), intent->namespace);
	bool b_is_near = str_equal(namespace_of(b, intent), intent->namespace);
	if (a_is_near != b_is_near)
		return a_is_near;
	return strlen(json_path_text(a, "spec", "host", NULL)) >
	       strlen(json_path_text(b, "spec", "host", NULL));
}

/* The DestinationRule that Istio uses for the Service now: its own, or the closest for a wildcard
 * host. NULL where there is none. */
static const json *effective_rule(const json *destinationrules, const struct intent *intent)
{
	const json *closest = NULL;
	json_for_each (candidate, destinationrules) {
		if (destinationrule_is_for(candidate, intent))
			return candidate;
		if (destinationrule_covers(candidate, intent) &&
			(closest == NULL || is_closer(candidate, closest, intent)))
			closest = candidate;
	}
	return closest;
}

static const json *stable_policy(const json *destinationrules, const struct intent *intent)
{
	json_for_each (destinationrule, destinationrules) {
		if (!destinationrule_is_for(destinationrule, intent))
			continue;
		json_for_each (subset, subsets_of(destinationrule)) {
			if (subset_is_stable(subset, intent))
				return json_get(subset, "trafficPolicy");
		}
	}
	return NULL;
}

static json *new_subset(const char *name, const char *version, const json *policy)
{
	json *subset = json_object();
	json_set_text(subset, "name", name);
	json_set_text(json_ensure_object(subset, "labels"), VERSION_LABEL, version);
	json_set(subset, "trafficPolicy", json_copy(policy));
	return subset;
}

json *destinationrule_new(
	const char *name, const json *destinationrules, const struct intent *intent)
{
	json *rule = json_object();
	json_set_text(rule, "apiVersion", "networking.istio.io/v1");
	json_set_text(rule, "kind", "DestinationRule");
	json *metadata = json_ensure_object(rule, "metadata");
	json_set_text(metadata, "name", name);
	json_set_text(metadata, "namespace", intent->namespace);

	AUTO_STRING host = service_host(intent);
	json *spec = json_ensure_object(rule, "spec");
	json_set_text(spec, "host", host);
	const json *effective = effective_rule(destinationrules, intent);
	json_set(spec, "exportTo", json_copy(json_path(effective, "spec", "exportTo", NULL)));
	if (!destinationrule_is_for(effective, intent))
		json_set(spec, "trafficPolicy",
			json_copy(json_path(effective, "spec", "trafficPolicy", NULL)));

	json *subsets = json_ensure_array(spec, "subsets");
	json_append(subsets, new_subset(STABLE_SUBSET, intent->stable_version, NULL));
	json_append(subsets, new_subset(CANARY_SUBSET, intent->canary_version,
				     stable_policy(destinationrules, intent)));
	return rule;
}

/* --- the end of a release ------------------------------------------------------------------- */

enum finish {
	STAYS,
	GETS_LABEL,	     /* a name of its own, as "prod": the label changes */
	GETS_NAME_AND_LABEL, /* named after the version */
};

static enum finish finish_of(
	const json *destinationrule, const json *subset, const struct intent *intent)
{
	if (!subset_is_stable(subset, intent))
		return STAYS;
	if (!str_equal(json_get_text(subset, "name"), intent->stable_version))
		return GETS_LABEL;
	const json *taken = subset_named(destinationrule, intent->canary_version);
	if (taken == NULL)
		return GETS_NAME_AND_LABEL;
	return str_equal(subset_version(taken), intent->canary_version) ? STAYS : GETS_LABEL;
}

json *destinationrule_finished(const json *snapshot, const struct intent *intent, bool keep_old)
{
	json *rule = json_copy(snapshot);
	if (!destinationrule_is_for(snapshot, intent) || json_count(subsets_of(snapshot)) == 0)
		return rule;
	json *subsets = json_array();
	json_for_each (before, subsets_of(snapshot)) {
		enum finish finish = finish_of(snapshot, before, intent);
		if (finish == GETS_NAME_AND_LABEL && keep_old)
			json_append(subsets, json_copy(before));
		json *subset = json_copy(before);
		if (finish == GETS_NAME_AND_LABEL)
			json_set_text(subset, "name", intent->canary_version);
		if (finish != STAYS)
			json_set_text(
				json_get(subset, "labels"), VERSION_LABEL, intent->canary_version);
		json_append(subsets, subset);
	}
	json_set(json_get(rule, "spec"), "subsets", subsets);
	return rule;
}

json *destinationrule_returning(const json *snapshot, const struct intent *intent)
{
	json *rule = json_copy(snapshot);
	if (!destinationrule_is_for(snapshot, intent))
		return rule;
	json_for_each (before, subsets_of(snapshot)) {
		if (finish_of(snapshot, before, intent) != GETS_NAME_AND_LABEL)
			continue;
		json *subset = json_copy(before);
		json_set_text(subset, "name", intent->canary_version);
		json_set_text(json_get(subset, "labels"), VERSION_LABEL, intent->canary_version);
		json_append(subsets_of(rule), subset);
	}
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
