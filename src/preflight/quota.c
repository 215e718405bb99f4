/*
 * ResourceQuotas. status.used counts what is there now, stable's pods among it.
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
#include <string.h>

#include "api/object.h"
#include "base/buf.h"
#include "preflight/amounts.h"
#include "preflight/checks.h"
#include "preflight/pod_spec.h"

#define COUNT_PREFIX "count/"

/* One line of a quota. */
struct row {
	const struct subject *subject;
	const json *quota;
	const char *resource; /* "requests.cpu" */
	quantity hard, used;
};

/* What "requests.cpu" is of: the list and the name in it. "cpu" alone is of requests. */
static bool split_resource(const char *resource, const char **ret_which, const char **ret_name)
{
	static const char *const PLAIN[] = {"cpu", "memory", "ephemeral-storage"};
	static const struct {
		const char *prefix, *which;
	} PREFIXES[] = {{"requests.", "requests"}, {"limits.", "limits"}};
	for (size_t i = 0; i < COUNT_OF(PREFIXES); i++)
		if (str_starts(resource, PREFIXES[i].prefix)) {
			*ret_which = PREFIXES[i].which;
			*ret_name = resource + strlen(PREFIXES[i].prefix);
			/* Of claims, not of pods. */
			return !str_equal(*ret_name, "storage");
		}
	*ret_which = "requests";
	*ret_name = resource;
	return str_index(PLAIN, COUNT_OF(PLAIN), resource) >= 0 ||
	       str_starts(resource, "hugepages-");
}

bool quotas_count_resources(const json *quotas)
{
	const char *which, *name;
	json_for_each (quota, list_items(quotas))
		json_for_each (hard, json_path(quota, "status", "hard", NULL))
			if (split_resource(json_key(hard), &which, &name))
				return true;
	return false;
}

/* --- scopes --------------------------------------------------------------------------------- */

/* A pod without any request or limit of CPU and memory. */
static bool is_best_effort(const json *spec)
{
	static const char *const WHICH[] = {"requests", "limits"};
	for (size_t i = 0; i < COUNT_OF(WHICH); i++) {
		CLEANUP(amounts_release) struct amounts sum = {0};
		pod_spec_sum(spec, WHICH[i], &sum);
		if (amounts_get(&sum, "cpu") > 0 || amounts_get(&sum, "memory") > 0)
			return false;
	}
	return true;
}

static bool values_have(const json *expression, const char *value)
{
	json_for_each (candidate, json_get(expression, "values"))
		if (str_equal(json_text(candidate), value))
			return true;
	return false;
}

static bool priority_matches(const json *expression, const char *class)
{
	const char *op = json_get_text(expression, "operator");
	if (str_equal(op, "In"))
		return class != NULL && values_have(expression, class);
	if (str_equal(op, "NotIn"))
		return class == NULL || !values_have(expression, class);
	if (str_equal(op, "DoesNotExist"))
		return class == NULL;
	/* Exists; in spec.scopes, which has no operators, that is what is meant. */
	return class != NULL;
}

/* Terminating: with activeDeadlineSeconds, which pods of a Deployment cannot have. What is not
 * known here, as CrossNamespacePodAffinity, counts for none: then nothing is said. */
static bool scope_matches(const char *scope, const json *expression, const json *spec)
{
	if (str_equal(scope, "BestEffort"))
		return is_best_effort(spec);
	if (str_equal(scope, "NotBestEffort"))
		return !is_best_effort(spec);
	if (str_equal(scope, "PriorityClass"))
		return priority_matches(expression, json_get_text(spec, "priorityClassName"));
	return str_equal(scope, "NotTerminating");
}

static bool has_scopes(const json *quota)
{
	return json_count(json_path(quota, "spec", "scopes", NULL)) > 0 ||
	       json_path(quota, "spec", "scopeSelector", NULL) != NULL;
}

static bool counts_pods_like(const json *quota, const json *spec)
{
	json_for_each (scope, json_path(quota, "spec", "scopes", NULL))
		if (!scope_matches(json_text(scope), NULL, spec))
			return false;
	json_for_each (
		expression, json_path(quota, "spec", "scopeSelector", "matchExpressions", NULL))
		if (!scope_matches(json_get_text(expression, "scopeName"), expression, spec))
			return false;
	return true;
}

/* --- pods ----------------------------------------------------------------------------------- */

/* How much more than now there is at the moment that needs most; 0 where none needs more. */
static quantity most_needed(const struct subject *subject, const struct moments *moments,
	quantity old_amount, quantity new_amount, struct moment *ret)
{
	quantity most = 0;
	*ret = (struct moment){0};
	for (size_t i = 0; i < moments->count; i++) {
		const struct moment *moment = &moments->items[i];
		quantity needed = (moment->old_pods - subject->replicas) * old_amount +
				  moment->new_pods * new_amount;
		if (needed <= most)
			continue;
		most = needed;
		*ret = *moment;
	}
	return most;
}

static void check_room(
	const struct row *row, quantity old_amount, quantity new_amount, struct findings *findings)
{
	const struct subject *subject = row->subject;
	const char *name = object_name(row->quota);
	struct moment moment;
	AUTO_STRING hard = quantity_text(row->hard, row->resource);
	AUTO_STRING used = quantity_text(row->used, row->resource);
	quantity free = row->hard - row->used;
	quantity needed = most_needed(subject, &subject->forward, old_amount, new_amount, &moment);
	/* One that is full by others' doing says nothing of a release that needs nothing of it. */
	if (needed > 0 && needed > free) {
		AUTO_STRING more = quantity_text(needed, row->resource);
		add_refusal(findings,
			mem_format("resourcequota/%s allows %s of %s, %s are used, and the release "
				   "needs %s more when there are %d pods of %s and %d of %s: raise "
				   "the quota",
				name, hard, row->resource, used, more, moment.old_pods,
				subject->old_version, moment.new_pods, subject->new_version));
		return;
	}
	needed = most_needed(subject, &subject->back, old_amount, new_amount, &moment);
	if (needed == 0 || needed <= free)
		return;
	AUTO_STRING more = quantity_text(needed, row->resource);
	add_finding(findings,
		mem_format(
			"resourcequota/%s allows %s of %s and %s are used: enough for the release, "
			"but an abort at its end would need %s more, for a whole %s beside %s, "
			"and wait for the quota (`abort --now` does not)",
			name, hard, row->resource, used, more, subject->old_version,
			subject->new_version));
}

/* With a quota for it, admission refuses pods whose containers do not say how much they want; not
 * those that say anything of the pod as a whole. */
static void check_said(
	const struct row *row, const char *which, const char *name, struct findings *findings)
{
	static const char *const MUST_BE_SAID[] = {"cpu", "memory"};
	static const char *const LISTS[] = {"containers", "initContainers"};
	const json *spec = row->subject->new_spec;
	if (str_index(MUST_BE_SAID, COUNT_OF(MUST_BE_SAID), name) < 0 || has_pod_resources(spec))
		return;
	for (size_t i = 0; i < COUNT_OF(LISTS); i++)
		json_for_each (container, json_get(spec, LISTS[i]))
			if (json_path(container, "resources", which, name, NULL) == NULL) {
				add_refusal(findings,
					mem_format("resourcequota/%s limits %s, so that pods must "
						   "say how much they want, and container \"%s\" "
						   "has no resources.%s.%s",
						object_name(row->quota), row->resource,
						json_get_text(container, "name"), which, name));
				return;
			}
}

static void check_resource(const struct row *row, struct findings *findings)
{
	const struct subject *subject = row->subject;
	const char *which, *name;
	bool old_counts = counts_pods_like(row->quota, subject->old_spec);
	bool new_counts = counts_pods_like(row->quota, subject->new_spec);
	if (str_equal(row->resource, "pods") || str_equal(row->resource, COUNT_PREFIX "pods")) {
		check_room(row, old_counts ? QUANTITY_ONE : 0, new_counts ? QUANTITY_ONE : 0,
			findings);
		return;
	}
	if (!split_resource(row->resource, &which, &name))
		return;
	CLEANUP(amounts_release) struct amounts old_sum = {0};
	CLEANUP(amounts_release) struct amounts new_sum = {0};
	pod_spec_sum(subject->old_spec, which, &old_sum);
	pod_spec_sum(subject->new_spec, which, &new_sum);
	if (new_counts)
		check_said(row, which, name, findings);
	check_room(row, old_counts ? amounts_get(&old_sum, name) : 0,
		new_counts ? amounts_get(&new_sum, name) : 0, findings);
}

/* --- other objects -------------------------------------------------------------------------- */

/* "count/deployments.apps"; Services, ConfigMaps and the like also without "count/". */
static bool counts_kind(const char *resource, const struct kind *kind)
{
	const char *slash = strchr(kind->version, '/');
	if (slash == NULL && str_equal(resource, kind->plural))
		return true;
	AUTO_STRING group =
		mem_strndup(kind->version, slash == NULL ? 0 : (size_t)(slash - kind->version));
	AUTO_STRING name = mem_format(COUNT_PREFIX "%s%s%s", kind->plural, slash == NULL ? "" : ".",
		slash == NULL ? "" : group);
	return str_equal(resource, name);
}

static void check_objects(const struct row *row, struct findings *findings)
{
	for (size_t i = 0; i < row->subject->creation_count; i++) {
		const struct creation *creation = &row->subject->creations[i];
		quantity needed = quantity_of(creation->count);
		if (!counts_kind(row->resource, creation->kind) || needed <= row->hard - row->used)
			continue;
		AUTO_STRING hard = quantity_text(row->hard, row->resource);
		AUTO_STRING used = quantity_text(row->used, row->resource);
		add_refusal(findings,
			mem_format("resourcequota/%s allows %s of %s, %s are used, and the release "
				   "makes %d more: raise the quota",
				object_name(row->quota), hard, row->resource, used,
				creation->count));
	}
}

void check_quotas(const struct subject *subject, const json *quotas, struct findings *findings)
{
	json_for_each (quota, list_items(quotas))
		json_for_each (hard, json_path(quota, "status", "hard", NULL)) {
			struct row row = {subject, quota, json_key(hard), 0, 0};
			if (quantity_read(hard, &row.hard, NULL) != 0)
				continue;
			(void)quantity_read(json_path(quota, "status", "used", row.resource, NULL),
				&row.used, NULL);
			check_resource(&row, findings);
			if (!has_scopes(quota))
				check_objects(&row, findings);
		}
}
