/*
 * Rules that let few pods be on a node, or on none: hostPort, required anti-affinity, topology
 * spread. More pods than such rules have places for cannot be scheduled, however much room there
 * is; a node that an autoscaler adds would be a place more.
 */
#include "api/object.h"
#include "api/selector.h"
#include "base/buf.h"
#include "preflight/checks.h"
#include "preflight/nodes.h"

#define HOSTNAME "kubernetes.io/hostname"
/* Labels by which a pod selects only those of its own version, in matchLabelKeys. */
static const char *const OWN_KEYS[] = {"pod-template-hash", "version"};

/* A rule that lets one pod be in each of the places. */
struct exclusion {
	const char *text;	  /* "hostPort 8080", for people */
	const char *topology_key; /* one pod for each value of it */
	bool versions_too;	  /* pods of the one version exclude those of the other */
};

/* --- hostPort ------------------------------------------------------------------------------- */

static bool binds(const json *spec, const json *port)
{
	return json_get_integer(port, "hostPort", 0) != 0 ||
	       json_is_true(json_get(spec, "hostNetwork"));
}

static int64_t bound_port(const json *port)
{
	return json_get_integer(port, "hostPort", json_get_integer(port, "containerPort", 0));
}

static const char *protocol_of(const json *port)
{
	const char *protocol = json_get_text(port, "protocol");
	return protocol == NULL ? "TCP" : protocol;
}

/* The first port of the node that pods of the spec bind; of those only that one of another spec
 * binds too, where that is given. */
static const json *find_host_port(const json *spec, const json *other)
{
	static const char *const LISTS[] = {"containers", "initContainers"};
	for (size_t i = 0; i < COUNT_OF(LISTS); i++)
		json_for_each (container, json_get(spec, LISTS[i]))
			json_for_each (port, json_get(container, "ports")) {
				if (!binds(spec, port))
					continue;
				if (other == NULL)
					return port;
				json_for_each (others, json_get(other, "containers"))
					json_for_each (theirs, json_get(others, "ports"))
						if (binds(other, theirs) &&
							bound_port(theirs) == bound_port(port) &&
							str_equal(protocol_of(theirs),
								protocol_of(port)))
							return port;
			}
	return NULL;
}

/* --- anti-affinity -------------------------------------------------------------------------- */

static const json *anti_affinity(const json *spec)
{
	return json_path(spec, "affinity", "podAntiAffinity",
		"requiredDuringSchedulingIgnoredDuringExecution", NULL);
}

static bool is_in_namespace(const json *term, const char *namespace)
{
	const json *namespaces = json_get(term, "namespaces");
	const json *selector = json_get(term, "namespaceSelector");
	/* By labels that are not read here, but for the empty one, which selects all. */
	if (selector != NULL)
		return json_count(selector) == 0;
	if (json_count(namespaces) == 0)
		return true;
	json_for_each (name, namespaces)
		if (str_equal(json_text(name), namespace))
			return true;
	return false;
}

/* Whether the term looks at pods of its own version only. */
static bool is_of_own_version(const json *term)
{
	json_for_each (key, json_get(term, "matchLabelKeys"))
		if (str_index(OWN_KEYS, COUNT_OF(OWN_KEYS), json_text(key)) >= 0)
			return true;
	return false;
}

/* Whether a term of a spec keeps its pods away from pods of these labels, of another version. */
static bool keeps_off(const struct subject *subject, const json *spec, const char *topology_key,
	const json *labels)
{
	json_for_each (term, anti_affinity(spec))
		if (str_equal(json_get_text(term, "topologyKey"), topology_key) &&
			is_in_namespace(term, subject->namespace) && !is_of_own_version(term) &&
			selector_matches(json_get(term, "labelSelector"), labels))
			return true;
	return false;
}

/* --- places --------------------------------------------------------------------------------- */

static bool is_known(const struct str_list *places, const char *place)
{
	return place == NULL || str_list_has(places, place);
}

/* The values that a label has on nodes which allow the new pods, or may have the old ones where
 * that is said; of the nodes themselves by name. */
static size_t count_places(
	const struct subject *subject, const json *nodes, const char *topology_key, bool old_too)
{
	CLEANUP(str_list_release) struct str_list places = {0};
	bool by_node = str_equal(topology_key, HOSTNAME);
	json_for_each (node, list_items(nodes)) {
		const char *place = by_node ? object_name(node) : object_label(node, topology_key);
		if (!is_known(&places, place) &&
			(node_allows(node, subject->new_spec) ||
				(old_too && node_may_have(node, subject->old_spec))))
			str_list_add(&places, place);
	}
	return places.count;
}

/* A refusal; only a note where the nodes may become more. */
static void add_unplaceable(const json *nodes, struct findings *findings, char *text)
{
	if (!nodes_may_grow(nodes)) {
		add_refusal(findings, text);
		return;
	}
	add_finding(findings, mem_format("%s; nodes must be added for it", text));
	mem_cleanup(&text);
}

/* New pods need places that allow them; old ones keep theirs, where new ones may not be perhaps. */
struct places {
	size_t own; /* for the new pods */
	size_t all; /* for those of both versions */
};

static struct places find_places(
	const struct subject *subject, const struct exclusion *exclusion, const json *nodes)
{
	const char *key = exclusion->topology_key;
	return (struct places){
		.own = count_places(subject, nodes, key, false),
		.all = count_places(subject, nodes, key, exclusion->versions_too),
	};
}

/* Of the moments with more pods than places, the one with the most, and which places are too few;
 * false where all fit. */
static bool find_crowded(const struct moments *moments, const struct exclusion *exclusion,
	const struct places *places, struct moment *ret, size_t *ret_places)
{
	int most = 0;
	for (size_t i = 0; i < moments->count; i++) {
		const struct moment *moment = &moments->items[i];
		int pods = moment_pods(moment, exclusion->versions_too);
		bool crowded = (size_t)moment->new_pods > places->own;
		if (pods <= most || (!crowded && (size_t)pods <= places->all))
			continue;
		most = pods;
		*ret = *moment;
		*ret_places = crowded ? places->own : places->all;
	}
	return most > 0;
}

static void check_exclusion(const struct subject *subject, const struct exclusion *exclusion,
	const json *nodes, struct findings *findings)
{
	struct places places = find_places(subject, exclusion, nodes);
	struct moment moment;
	size_t few;
	AUTO_STRING place = str_equal(exclusion->topology_key, HOSTNAME)
				    ? mem_strdup("on each node")
				    : mem_format("in each %s", exclusion->topology_key);
	if (find_crowded(&subject->forward, exclusion, &places, &moment, &few))
		add_unplaceable(nodes, findings,
			mem_format("%s lets only one of the pods be %s: the release has %d "
				   "pods of %s beside %d of %s at a time, and there are %zu places "
				   "for them",
				exclusion->text, place, moment.new_pods, subject->new_version,
				moment.old_pods, subject->old_version, few));
	else if (find_crowded(&subject->back, exclusion, &places, &moment, &few))
		add_finding(findings,
			mem_format(
				"%s lets only one of the pods be %s, and there are %zu "
				"places for them: enough for the release, but an abort at its "
				"end would wait for room for a whole %s beside %s (`abort --now` "
				"does not)",
				exclusion->text, place, few, subject->old_version,
				subject->new_version));
}

static void check_host_ports(
	const struct subject *subject, const json *nodes, struct findings *findings)
{
	const json *port = find_host_port(subject->new_spec, NULL);
	const json *shared = find_host_port(subject->new_spec, subject->old_spec);
	if (port == NULL)
		return;
	AUTO_STRING text =
		mem_format("hostPort %d", (int)bound_port(shared != NULL ? shared : port));
	const struct exclusion exclusion = {text, HOSTNAME, shared != NULL};
	check_exclusion(subject, &exclusion, nodes, findings);
}

static void check_anti_affinity(
	const struct subject *subject, const json *nodes, struct findings *findings)
{
	const json *own = subject->labels[LABELS_COPY];
	const json *others = subject->labels[LABELS_TAGGED];
	json_for_each (term, anti_affinity(subject->new_spec)) {
		const char *key = json_get_text(term, "topologyKey");
		if (key == NULL || !is_in_namespace(term, subject->namespace) ||
			!selector_matches(json_get(term, "labelSelector"), own))
			continue;
		const struct exclusion exclusion = {"required podAntiAffinity", key,
			keeps_off(subject, subject->new_spec, key, others) ||
				keeps_off(subject, subject->old_spec, key, own)};
		check_exclusion(subject, &exclusion, nodes, findings);
	}
}

/* --- topology spread ------------------------------------------------------------------------ */

static bool must_spread(const json *constraint)
{
	const char *otherwise = json_get_text(constraint, "whenUnsatisfiable");
	return otherwise == NULL || str_equal(otherwise, "DoNotSchedule");
}

/* With fewer domains than minDomains, each may have no more than maxSkew pods. */
static void check_spread(const struct subject *subject, const json *constraint, const json *nodes,
	struct findings *findings)
{
	const char *key = json_get_text(constraint, "topologyKey");
	size_t domains = key == NULL ? 0 : count_places(subject, nodes, key, false);
	int64_t minimum = json_get_integer(constraint, "minDomains", 1);
	int64_t skew = json_get_integer(constraint, "maxSkew", 1);
	const json *selector = json_get(constraint, "labelSelector");
	if (!must_spread(constraint) || key == NULL ||
		!selector_matches(selector, subject->labels[LABELS_COPY]))
		return;
	/* Old pods in a domain where new ones may not be are in nobody's way. */
	bool old_too = !is_of_own_version(constraint) &&
		       selector_matches(selector, subject->labels[LABELS_TAGGED]) &&
		       count_places(subject, nodes, key, true) == domains;
	struct moment most = moments_most(&subject->forward, old_too);
	int pods = moment_pods(&most, old_too);
	if (domains == 0)
		add_unplaceable(nodes, findings,
			mem_format("topologySpreadConstraints: no node that the new pods may be on "
				   "has the label %s",
				key));
	else if ((int64_t)domains < minimum && pods > skew * (int64_t)domains)
		add_unplaceable(nodes, findings,
			mem_format("topologySpreadConstraints: with %zu of %d domains by %s there "
				   "may be no more than %d pods in each, and the release has %d at "
				   "a time",
				domains, (int)minimum, key, (int)skew, pods));
}

/* --- all of it ------------------------------------------------------------------------------ */

bool is_one_per_node(const struct subject *subject, const json *spec, const json *labels)
{
	return find_host_port(spec, NULL) != NULL || keeps_off(subject, spec, HOSTNAME, labels);
}

bool needs_placement(const struct subject *subject)
{
	const json *spec = subject->new_spec;
	json_for_each (constraint, json_get(spec, "topologySpreadConstraints"))
		if (must_spread(constraint))
			return true;
	return find_host_port(spec, NULL) != NULL || json_count(anti_affinity(spec)) > 0 ||
	       spec_chooses_nodes(spec);
}

void check_placement(const struct subject *subject, const json *nodes, struct findings *findings)
{
	size_t allowed = 0;
	json_for_each (node, list_items(nodes))
		allowed += node_allows(node, subject->new_spec);
	if (json_count(list_items(nodes)) == 0)
		return;
	if (allowed == 0) {
		add_unplaceable(nodes, findings,
			mem_format("none of the %zu nodes may have the new pods, by their "
				   "nodeSelector, node affinity and tolerations",
				json_count(list_items(nodes))));
		return;
	}
	check_host_ports(subject, nodes, findings);
	check_anti_affinity(subject, nodes, findings);
	json_for_each (constraint, json_get(subject->new_spec, "topologySpreadConstraints"))
		check_spread(subject, constraint, nodes, findings);
}
