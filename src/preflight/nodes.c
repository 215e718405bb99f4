/*
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
#include "preflight/nodes.h"

#include <string.h>

#include "api/object.h"
#include "base/parse.h"
#include "base/str.h"

#define CORDON "node.kubernetes.io/unschedulable"

static bool values_have(const json *expression, const char *value)
{
	json_for_each (candidate, json_get(expression, "values"))
		if (str_equal(json_text(candidate), value))
			return true;
	return false;
}

/* Gt and Lt: whole numbers on both sides. */
static bool compares(const json *expression, const char *value, bool greater)
{
	int64_t bound, found;
	const char *text = json_text(json_first(json_get(expression, "values")));
	if (text == NULL || value == NULL ||
		parse_int(text, INT64_MIN, INT64_MAX, &bound, NULL) != 0 ||
		parse_int(value, INT64_MIN, INT64_MAX, &found, NULL) != 0)
		return false;
	return greater ? found > bound : found < bound;
}

static bool requirement_holds(const json *expression, const char *value)
{
	const char *op = json_get_text(expression, "operator");
	if (str_equal(op, "In"))
		return value != NULL && values_have(expression, value);
	if (str_equal(op, "NotIn"))
		return value == NULL || !values_have(expression, value);
	if (str_equal(op, "Exists"))
		return value != NULL;
	if (str_equal(op, "DoesNotExist"))
		return value == NULL;
	return compares(expression, value, str_equal(op, "Gt"));
}

/* A term without any requirement selects nothing. */
static bool term_holds(const json *term, const json *node)
{
	const json *labels = json_path(node, "metadata", "labels", NULL);
	const json *expressions = json_get(term, "matchExpressions");
	const json *fields = json_get(term, "matchFields");
	json_for_each (expression, expressions)
		if (!requirement_holds(
			    expression, json_get_text(labels, json_get_text(expression, "key"))))
			return false;
	/* metadata.name is the only field there is. */
	json_for_each (field, fields)
		if (!requirement_holds(field, object_name(node)))
			return false;
	return json_count(expressions) + json_count(fields) > 0;
}

static const json *required_terms(const json *spec)
{
	return json_path(spec, "affinity", "nodeAffinity",
		"requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms", NULL);
}

static bool is_selected(const json *node, const json *spec)
{
	const json *labels = json_path(node, "metadata", "labels", NULL);
	json_for_each (pair, json_get(spec, "nodeSelector"))
		if (!str_equal(json_get_text(labels, json_key(pair)), json_text(pair)))
			return false;
	const json *terms = required_terms(spec);
	if (terms == NULL)
		return true;
	json_for_each (term, terms)
		if (term_holds(term, node))
			return true;
	return false;
}

static bool tolerates(const json *toleration, const json *taint)
{
	const char *effect = json_get_text(toleration, "effect");
	const char *key = json_get_text(toleration, "key");
	const char *value = json_get_text(toleration, "value");
	const char *taint_value = json_get_text(taint, "value");
	bool exists = str_equal(json_get_text(toleration, "operator"), "Exists");
	if (!str_empty(effect) && !str_equal(effect, json_get_text(taint, "effect")))
		return false;
	if (str_empty(key))
		return exists;
	return str_equal(key, json_get_text(taint, "key")) &&
	       (exists || str_equal(value == NULL ? "" : value,
				  taint_value == NULL ? "" : taint_value));
}

static bool is_cordon(const json *taint)
{
	return str_equal(json_get_text(taint, "key"), CORDON);
}

/* Taints of a node that is in trouble for the moment are of this group: it is counted, for it will
 * be back, or another one in its place. */
static bool is_passing(const json *taint)
{
	return str_starts(json_get_text(taint, "key"), "node.kubernetes.io/") && !is_cordon(taint);
}

static bool is_tolerated(const json *taint, const json *spec)
{
	if (str_equal(json_get_text(taint, "effect"), "PreferNoSchedule") || is_passing(taint))
		return true;
	json_for_each (toleration, json_get(spec, "tolerations"))
		if (tolerates(toleration, taint))
			return true;
	return false;
}

bool node_may_have(const json *node, const json *spec)
{
	json_for_each (taint, json_path(node, "spec", "taints", NULL))
		if (!is_cordon(taint) && !is_tolerated(taint, spec))
			return false;
	return is_selected(node, spec);
}

bool node_allows(const json *node, const json *spec)
{
	AUTO_JSON cordon = json_object();
	json_set_text(cordon, "key", CORDON);
	json_set_text(cordon, "effect", "NoSchedule");
	/* `kubectl cordon` adds the taint a moment later. */
	bool cordoned = json_is_true(json_path(node, "spec", "unschedulable", NULL));
	json_for_each (taint, json_path(node, "spec", "taints", NULL))
		cordoned = cordoned || is_cordon(taint);
	return (!cordoned || is_tolerated(cordon, spec)) && node_may_have(node, spec);
}

bool spec_chooses_nodes(const json *spec)
{
	return json_count(json_get(spec, "nodeSelector")) > 0 || required_terms(spec) != NULL;
}

/* "cluster-autoscaler.kubernetes.io/…", "DeletionCandidateOfClusterAutoscaler", "karpenter.sh/…" */
static bool is_sign(const char *key)
{
	static const char *const SIGNS[] = {
		"cluster-autoscaler", "ClusterAutoscaler", "karpenter.sh/"};
	for (size_t i = 0; i < COUNT_OF(SIGNS); i++)
		if (key != NULL && strstr(key, SIGNS[i]) != NULL)
			return true;
	return false;
}

bool nodes_may_grow(const json *nodes)
{
	static const char *const MAPS[] = {"labels", "annotations"};
	json_for_each (node, list_items(nodes)) {
		for (size_t i = 0; i < COUNT_OF(MAPS); i++)
			json_for_each (pair, json_path(node, "metadata", MAPS[i], NULL))
				if (is_sign(json_key(pair)))
					return true;
		json_for_each (taint, json_path(node, "spec", "taints", NULL))
			if (is_sign(json_get_text(taint, "key")))
				return true;
	}
	return false;
}
