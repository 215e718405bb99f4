/*
 * Objects that find pods by labels. A release gives pods a version label, so that what selects by
 * it may hold for the one version and not for the other: a policy that does not protect, a network
 * that does not let in. Only those are named.
 */
#include "api/object.h"
#include "api/selector.h"
#include "base/buf.h"
#include "preflight/checks.h"

/* How a kind selects, and what that means to pods, after its name. */
struct selecting {
	const struct kind *kind;
	const char *path[2]; /* of the selector, under spec */
	bool is_map;	     /* plain pairs, in place of a LabelSelector */
	bool empty_is_all;   /* as of a LabelSelector; also where there is none */
	const char *does;
};

static const struct selecting ROWS[] = {
	{&KIND_POD_DISRUPTION_BUDGET, {"selector"}, false, false, "protects"},
	{&KIND_NETWORK_POLICY, {"podSelector"}, false, true, "is for"},
	{&KIND_SERVICE, {"selector"}, true, false, "sends requests to"},
	{&KIND_POD_MONITOR, {"selector"}, false, false, "scrapes"},
	{&KIND_PEER_AUTHENTICATION, {"selector", "matchLabels"}, true, true, "is for"},
	{&KIND_AUTHORIZATION_POLICY, {"selector", "matchLabels"}, true, true, "is for"},
	{&KIND_REQUEST_AUTHENTICATION, {"selector", "matchLabels"}, true, true, "is for"},
	{&KIND_SIDECAR, {"workloadSelector", "labels"}, true, true, "is for"},
	{&KIND_ENVOY_FILTER, {"workloadSelector", "labels"}, true, true, "is for"},
};

/* A selector, of either form. */
struct pattern {
	const json *selector;
	bool is_map, empty_is_all;
};

static bool matches(const struct pattern *pattern, const json *labels)
{
	if (json_count(pattern->selector) == 0)
		return pattern->empty_is_all || (!pattern->is_map && pattern->selector != NULL);
	return pattern->is_map ? selector_map_matches(pattern->selector, labels)
			       : selector_matches(pattern->selector, labels);
}

static void add_once(struct findings *findings, char *text)
{
	if (!str_list_has(&findings->notes, text))
		str_list_add(&findings->notes, text);
	mem_cleanup(&text);
}

/* does: what it is to the pods that it selects. */
static void compare(const struct subject *subject, const struct pattern *pattern,
	const json *object, const struct kind *kind, const char *does, struct findings *findings)
{
	bool before = matches(pattern, subject->labels[LABELS_BEFORE]);
	bool tagged = matches(pattern, subject->labels[LABELS_TAGGED]);
	bool copy = matches(pattern, subject->labels[LABELS_COPY]);
	if (before == tagged && before == copy)
		return;
	AUTO_STRING text = pattern->is_map ? selector_map_text(pattern->selector)
					   : selector_text(pattern->selector);
	AUTO_STRING start = mem_format(
		"%s/%s %s pods by the labels %s", kind->singular, object_name(object), does, text);
	if (before != copy)
		add_once(findings,
			mem_format("%s: it selects the pods of %s and not those of %s", start,
				before ? subject->old_version : subject->new_version,
				before ? subject->new_version : subject->old_version));
	if (before != tagged)
		add_once(findings,
			mem_format("%s: it selects the pods of %s %s, when they are labeled with "
				   "their version",
				start, subject->old_version,
				before ? "now, and not during the release"
				       : "during the release, and not now"));
}

/* --- the other side of a NetworkPolicy ------------------------------------------------------ */

/* Who is let in, or may be talked to: a peer of this namespace by labels. */
static void compare_peers(const struct subject *subject, const json *policy, const char *direction,
	const char *list, const char *does, struct findings *findings)
{
	json_for_each (rule, json_path(policy, "spec", direction, NULL))
		json_for_each (peer, json_get(rule, list)) {
			const json *selector = json_get(peer, "podSelector");
			const json *namespaces = json_get(peer, "namespaceSelector");
			struct pattern pattern = {.selector = selector};
			if (selector != NULL && json_count(namespaces) == 0)
				compare(subject, &pattern, policy, &KIND_NETWORK_POLICY, does,
					findings);
		}
}

/* --- monitors ------------------------------------------------------------------------------- */

/* A rule that keeps or drops targets by the version label of the pod. */
static bool drops_by_version(const json *rule)
{
	const char *action = json_get_text(rule, "action");
	if (!str_equal(action, "keep") && !str_equal(action, "drop"))
		return false;
	json_for_each (label, json_get(rule, "sourceLabels"))
		if (str_equal(json_text(label), "__meta_kubernetes_pod_label_version"))
			return true;
	return false;
}

/* Without one, as Prometheus has it. */
static const char *regex_of(const json *rule)
{
	const char *regex = json_get_text(rule, "regex");
	return regex == NULL ? "(.*)" : regex;
}

static void check_relabelings(const json *monitor, const struct kind *kind, const char *endpoints,
	struct findings *findings)
{
	json_for_each (endpoint, json_path(monitor, "spec", endpoints, NULL))
		json_for_each (rule, json_get(endpoint, "relabelings"))
			if (drops_by_version(rule))
				add_once(findings,
					mem_format(
						"%s/%s keeps or drops pods by their label version "
						"(regex \"%s\"): see that it scrapes both versions",
						kind->singular, object_name(monitor),
						regex_of(rule)));
}

void check_selectors(const struct subject *subject, const struct kind *kind, const json *objects,
	struct findings *findings)
{
	json_for_each (object, list_items(objects)) {
		for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
			const struct selecting *row = &ROWS[i];
			const json *at = json_path(object, "spec", row->path[0], NULL);
			struct pattern pattern = {
				.selector = row->path[1] == NULL ? at : json_get(at, row->path[1]),
				.is_map = row->is_map,
				.empty_is_all = row->empty_is_all,
			};
			if (row->kind == kind)
				compare(subject, &pattern, object, kind, row->does, findings);
		}
		if (kind == &KIND_NETWORK_POLICY) {
			compare_peers(subject, object, "ingress", "from", "lets in", findings);
			compare_peers(subject, object, "egress", "to", "lets out to", findings);
		}
		if (kind == &KIND_SERVICE_MONITOR)
			check_relabelings(object, kind, "endpoints", findings);
		if (kind == &KIND_POD_MONITOR)
			check_relabelings(object, kind, "podMetricsEndpoints", findings);
	}
}
