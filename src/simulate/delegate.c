#include "simulate/delegate.h"

#include "base/str.h"

/* --- conflicts ------------------------------------------------------------------------------ */

static const char *text_of(const json *match, const char *key)
{
	const char *text = json_get_text(match, key);
	return text == NULL ? "" : text;
}

/* Both as json objects that are there. True where what the leaf asks for is not within the root's:
 * of two that are regular expressions, or that ask for presence, istiod cannot tell. */
static bool texts_conflict(const json *root, const json *leaf)
{
	const char *exact = text_of(root, "exact"), *prefix = text_of(root, "prefix");
	const char *leaf_exact = text_of(leaf, "exact"), *leaf_prefix = text_of(leaf, "prefix");
	bool root_has =
		!str_empty(exact) || !str_empty(prefix) || !str_empty(text_of(root, "regex"));
	bool leaf_has = !str_empty(leaf_exact) || !str_empty(leaf_prefix) ||
			!str_empty(text_of(leaf, "regex"));
	if (!str_empty(text_of(root, "regex")) && leaf_has)
		return true;
	if (!str_empty(text_of(leaf, "regex")) && root_has)
		return true;
	if (!str_empty(exact))
		return !str_empty(leaf_prefix) || !str_equal(exact, leaf_exact);
	if (!str_empty(prefix) && !str_empty(leaf_prefix))
		return !str_starts(leaf_prefix, prefix);
	if (!str_empty(prefix) && !str_empty(leaf_exact))
		return !str_starts(leaf_exact, prefix);
	return true;
}

static bool match_conflicts(const json *root, const json *leaf)
{
	return json_is_object(root) && json_is_object(leaf) && texts_conflict(root, leaf);
}

static const char *const TEXT_FIELDS[] = {"uri", "scheme", "method", "authority"};
static const char *const MAP_FIELDS[] = {"headers", "withoutHeaders", "queryParams"};

static bool labels_conflict(const json *root, const json *leaf)
{
	json_for_each (label, leaf) {
		const char *value = json_get_text(root, json_key(label));
		if (value != NULL && !str_equal(value, json_text(label)))
			return true;
	}
	return false;
}

static bool has_text(const json *array, const char *text)
{
	json_for_each (element, array)
		if (str_equal(json_text(element), text))
			return true;
	return false;
}

static bool gateways_conflict(const json *root, const json *leaf)
{
	if (json_count(root) == 0 || json_count(leaf) == 0)
		return false;
	json_for_each (gateway, leaf)
		if (!has_text(root, json_text(gateway)))
			return true;
	return json_count(root) < json_count(leaf);
}

/* A leaf without a namespace conflicts with a root that has one: istiod is stricter here. */
static bool sources_conflict(const json *root, const json *leaf)
{
	const char *namespace = json_get_text(root, "sourceNamespace");
	int64_t port = json_get_integer(root, "port", 0);
	int64_t leaf_port = json_get_integer(leaf, "port", 0);
	if (port > 0 && leaf_port > 0 && port != leaf_port)
		return true;
	if (!str_empty(namespace) && !str_equal(namespace, json_get_text(leaf, "sourceNamespace")))
		return true;
	return labels_conflict(json_get(root, "sourceLabels"), json_get(leaf, "sourceLabels")) ||
	       gateways_conflict(json_get(root, "gateways"), json_get(leaf, "gateways"));
}

static bool blocks_conflict(const json *root, const json *leaf)
{
	for (size_t i = 0; i < COUNT_OF(TEXT_FIELDS); i++)
		if (match_conflicts(json_get(root, TEXT_FIELDS[i]), json_get(leaf, TEXT_FIELDS[i])))
			return true;
	for (size_t i = 0; i < COUNT_OF(MAP_FIELDS); i++)
		json_for_each (wanted, json_get(leaf, MAP_FIELDS[i]))
			if (match_conflicts(
				    json_path(root, MAP_FIELDS[i], json_key(wanted), NULL), wanted))
				return true;
	bool root_ignores = json_is_true(json_get(root, "ignoreUriCase"));
	bool leaf_ignores = json_is_true(json_get(leaf, "ignoreUriCase"));
	return root_ignores != leaf_ignores || sources_conflict(root, leaf);
}

/* --- merging -------------------------------------------------------------------------------- */

static void inherit(json *into, const json *root, const char *key)
{
	if (json_get(into, key) == NULL && json_get(root, key) != NULL)
		json_set(into, key, json_copy(json_get(root, key)));
}

static void join_names(json *into, const json *root)
{
	const char *outer = json_get_text(root, "name");
	const char *inner = json_get_text(into, "name");
	if (str_empty(outer))
		return;
	AUTO_STRING name = str_empty(inner) ? mem_strdup(outer) : mem_format("%s-%s", outer, inner);
	json_set_text(into, "name", name);
}

static void join_maps(json *into, const json *root, const char *key)
{
	if (json_count(json_get(root, key)) == 0)
		return;
	json *map = json_ensure_object(into, key);
	json_for_each (member, json_get(root, key))
		inherit(map, json_get(root, key), json_key(member));
}

static json *merge_blocks(const json *root, const json *leaf)
{
	static const char *const MAPS[] = {
		"headers", "withoutHeaders", "queryParams", "sourceLabels"};
	static const char *const FIELDS[] = {
		"uri", "scheme", "method", "authority", "port", "sourceNamespace"};
	json *block = json_copy(leaf);
	join_names(block, root);
	for (size_t i = 0; i < COUNT_OF(FIELDS); i++)
		inherit(block, root, FIELDS[i]);
	for (size_t i = 0; i < COUNT_OF(MAPS); i++)
		join_maps(block, root, MAPS[i]);
	if (json_count(json_get(block, "gateways")) == 0)
		json_set(block, "gateways", json_copy(json_get(root, "gateways")));
	return block;
}

/* Each of the leaf's blocks under each of the root's that it does not conflict with. NULL where one
 * has none: the whole route is left out then. */
static json *merge_matches(const json *root, const json *leaf)
{
	if (json_count(root) == 0)
		return json_copy(leaf);
	if (json_count(leaf) == 0)
		return json_copy(root);
	AUTO_JSON merged = json_array();
	json_for_each (inner, leaf) {
		size_t before = json_count(merged);
		json_for_each (outer, root)
			if (!blocks_conflict(outer, inner))
				json_append(merged, merge_blocks(outer, inner));
		if (json_count(merged) == before)
			return NULL;
	}
	return TAKE(merged);
}

json *delegate_merge(const json *root, const json *route)
{
	static const char *const FIELDS[] = {"rewrite", "directResponse", "timeout", "retries",
		"fault", "mirror", "mirrorPercent", "mirrorPercentage", "corsPolicy", "mirrors",
		"headers"};
	bool any =
		json_count(json_get(root, "match")) > 0 || json_count(json_get(route, "match")) > 0;
	json *matches = merge_matches(json_get(root, "match"), json_get(route, "match"));
	if (any && matches == NULL)
		return NULL;
	json *merged = json_copy(route);
	json_set(merged, "match", matches);
	join_names(merged, root);
	for (size_t i = 0; i < COUNT_OF(FIELDS); i++)
		inherit(merged, root, FIELDS[i]);
	return merged;
}
