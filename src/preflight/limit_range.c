/*
 * LimitRanges: admission refuses a pod that one does not allow.
 * https://kubernetes.io/docs/concepts/policy/limit-range/
 */
#include "api/object.h"
#include "base/buf.h"
#include "preflight/amounts.h"
#include "preflight/checks.h"
#include "preflight/pod_spec.h"

/* What a limit applies to: a container, or the pod. */
struct bounded {
	const json *range, *item;
	const char *what; /* "container \"web\"", "sum" */
	const struct amounts *requests, *limits;
};

/* which: "limit" or "request". */
static void refuse(const struct bounded *bounded, const char *rule, const char *resource,
	quantity bound, const char *which, const quantity *found, struct findings *findings)
{
	AUTO_STRING bound_text = quantity_text(bound, resource);
	AUTO_STRING found_text = found == NULL ? NULL : quantity_text(*found, resource);
	add_refusal(findings,
		mem_format(
			"limitrange/%s: the %s of %s must be at %s %s for a %s, and the new pods' "
			"%s %s%s",
			object_name(bounded->range), which, resource, rule, bound_text,
			json_get_text(bounded->item, "type"), bounded->what,
			found == NULL ? "has none" : "has ", found == NULL ? "" : found_text));
}

/* A missing limit is boundless, a missing request asks for nothing. */
static void check_maximum(const struct bounded *bounded, const char *resource, quantity bound,
	struct findings *findings)
{
	const quantity *limit = amounts_find(bounded->limits, resource);
	const quantity *request = amounts_find(bounded->requests, resource);
	if (limit == NULL || *limit > bound)
		refuse(bounded, "most", resource, bound, "limit", limit, findings);
	else if (request != NULL && *request > bound)
		refuse(bounded, "most", resource, bound, "request", request, findings);
}

static void check_minimum(const struct bounded *bounded, const char *resource, quantity bound,
	struct findings *findings)
{
	const quantity *limit = amounts_find(bounded->limits, resource);
	const quantity *request = amounts_find(bounded->requests, resource);
	if (request == NULL || *request < bound)
		refuse(bounded, "least", resource, bound, "request", request, findings);
	else if (limit != NULL && *limit < bound)
		refuse(bounded, "least", resource, bound, "limit", limit, findings);
}

static void check_ratio(const struct bounded *bounded, const char *resource, quantity bound,
	struct findings *findings)
{
	quantity limit = amounts_get(bounded->limits, resource);
	quantity request = amounts_get(bounded->requests, resource);
	/* No overflow: no quantity is more than 10^28. */
	quantity found = request > 0 ? limit * QUANTITY_ONE / request : 0;
	bool exact = request > 0 && limit * QUANTITY_ONE % request == 0;
	if (limit > 0 && request > 0 && (found < bound || (found == bound && exact)))
		return;
	AUTO_STRING ratio = quantity_text(bound, "");
	AUTO_STRING limit_text = quantity_text(limit, resource);
	AUTO_STRING request_text = quantity_text(request, resource);
	add_refusal(findings,
		mem_format(
			"limitrange/%s: the limit of %s must be at most %s times the request, and "
			"the new pods' %s has a limit of %s with a request of %s",
			object_name(bounded->range), resource, ratio, bounded->what, limit_text,
			request_text));
}

static void check_bounds(const struct bounded *bounded, struct findings *findings)
{
	static const struct {
		const char *member;
		void (*check)(const struct bounded *bounded, const char *resource, quantity bound,
			struct findings *findings);
	} RULES[] = {
		{"max", check_maximum},
		{"min", check_minimum},
		{"maxLimitRequestRatio", check_ratio},
	};
	for (size_t i = 0; i < COUNT_OF(RULES); i++)
		json_for_each (bound, json_get(bounded->item, RULES[i].member)) {
			quantity value;
			if (quantity_read(bound, &value, NULL) == 0)
				RULES[i].check(bounded, json_key(bound), value, findings);
		}
}

static void check_containers(const struct subject *subject, const json *range, const json *item,
	struct findings *findings)
{
	static const char *const LISTS[] = {"containers", "initContainers"};
	for (size_t i = 0; i < COUNT_OF(LISTS); i++)
		json_for_each (container, json_get(subject->new_spec, LISTS[i])) {
			CLEANUP(amounts_release) struct amounts requests = {0};
			CLEANUP(amounts_release) struct amounts limits = {0};
			amounts_read(
				&requests, json_path(container, "resources", "requests", NULL));
			amounts_read(&limits, json_path(container, "resources", "limits", NULL));
			AUTO_STRING what =
				mem_format("container \"%s\"", json_get_text(container, "name"));
			struct bounded bounded = {range, item, what, &requests, &limits};
			check_bounds(&bounded, findings);
		}
}

static void check_pod(const struct subject *subject, const json *range, const json *item,
	struct findings *findings)
{
	CLEANUP(amounts_release) struct amounts requests = {0};
	CLEANUP(amounts_release) struct amounts limits = {0};
	pod_spec_sum(subject->new_spec, "requests", &requests);
	pod_spec_sum(subject->new_spec, "limits", &limits);
	struct bounded bounded = {range, item, "sum", &requests, &limits};
	check_bounds(&bounded, findings);
}

void check_limit_ranges(
	const struct subject *subject, const json *limit_ranges, struct findings *findings)
{
	json_for_each (range, list_items(limit_ranges))
		json_for_each (item, json_path(range, "spec", "limits", NULL)) {
			const char *type = json_get_text(item, "type");
			if (str_equal(type, "Container"))
				check_containers(subject, range, item, findings);
			else if (str_equal(type, "Pod"))
				check_pod(subject, range, item, findings);
		}
}
