#include "simulate/client_rule.h"

#include <stdlib.h>

#include "base/str.h"
#include "simulate/hostname.h"
#include "simulate/resolve.h"

/* --- pools ---------------------------------------------------------------------------------- */

/* A rule with a workloadSelector is for its own namespace alone. */
static json *exports_of(const json *rule)
{
	if (json_is_object(json_path(rule, "spec", "workloadSelector", NULL))) {
		json *own = json_array();
		json_append(own, json_string("."));
		return own;
	}
	json *exports = json_copy(json_path(rule, "spec", "exportTo", NULL));
	return exports != NULL ? exports : json_array();
}

static bool is_private(const json *rule, const json *exports)
{
	if (json_count(exports) == 0)
		return false;
	json_for_each (target, exports)
		if (!str_equal(json_text(target), json_text(json_first(exports))))
			return false;
	return array_has_text(exports, ".") || array_has_text(exports, object_space(rule));
}

static bool is_local(const json *rule, const json *exports)
{
	return json_count(exports) == 0 || array_has_text(exports, "*") ||
	       array_has_text(exports, ".") || array_has_text(exports, object_space(rule));
}

/* Where istiod looks, in this order; the namespace is the client's, the Service's or the root. */
enum pool {
	POOL_LOCAL,    /* what a namespace has for itself */
	POOL_ROOT,     /* what the root namespace has for itself alone */
	POOL_EXPORTED, /* what a namespace has for others */
};

static bool is_in_pool(const json *rule, enum pool pool, const char *namespace)
{
	AUTO_JSON exports = exports_of(rule);
	if (!str_equal(object_space(rule), namespace))
		return false;
	if (pool == POOL_LOCAL)
		return is_local(rule, exports);
	return is_private(rule, exports) == (pool == POOL_ROOT);
}

/* --- merging -------------------------------------------------------------------------------- */

/* Rules of one host that istiod has merged: the first, and all their subsets. */
struct merged_rule {
	const json *rule; /* borrowed */
	json *exports;
	json *subsets;
};

struct merged_rules {
	struct merged_rule *items;
	size_t count;
};

static void merged_rules_release(struct merged_rules *merged)
{
	for (size_t i = 0; i < merged->count; i++) {
		json_free(merged->items[i].exports);
		json_free(merged->items[i].subsets);
	}
	free(merged->items);
}

static bool contains_all(const json *set, const json *texts)
{
	json_for_each (text, texts)
		if (!array_has_text(set, json_text(text)))
			return false;
	return true;
}

static const json *selector_of(const json *rule)
{
	return json_path(rule, "spec", "workloadSelector", NULL);
}

static void add_subsets(json *subsets, const json *rule)
{
	json_for_each (subset, json_path(rule, "spec", "subsets", NULL)) {
		bool known = false;
		json_for_each (other, subsets)
			known = known || str_equal(json_get_text(other, "name"),
						 json_get_text(subset, "name"));
		if (!known)
			json_append(subsets, json_copy(subset));
	}
}

/* Merges a rule into one that came before where istiod does, and says whether it also stands for
 * itself. The cases are istiod's (mergeDestinationRule), in its order. */
static bool merge_into(struct merged_rule *earlier, const json *rule, const json *exports)
{
	bool equal =
		contains_all(exports, earlier->exports) && contains_all(earlier->exports, exports);
	bool wider = json_count(earlier->exports) > 0 && contains_all(exports, earlier->exports);
	bool has = json_is_object(selector_of(rule));
	bool had = json_is_object(selector_of(earlier->rule));
	bool same = json_equal(json_get(selector_of(rule), "matchLabels"),
		json_get(selector_of(earlier->rule), "matchLabels"));
	if ((!equal && !wider) || (has && had && !same))
		return true;
	add_subsets(earlier->subsets, rule);
	return has == had ? false : !equal;
}

static void add_rule(struct merged_rules *merged, const json *rule)
{
	AUTO_JSON exports = exports_of(rule);
	bool alone = true;
	for (size_t i = 0; i < merged->count; i++)
		alone = merge_into(&merged->items[i], rule, exports);
	if (!alone)
		return;
	merged->items = mem_grow(merged->items, merged->count + 1, sizeof(*merged->items));
	struct merged_rule *item = &merged->items[merged->count++];
	*item = (struct merged_rule){rule, TAKE(exports), json_array()};
	add_subsets(item->subsets, rule);
}

/* --- looking up ----------------------------------------------------------------------------- */

static char *host_of(const struct mesh *mesh, const json *rule)
{
	return hostname_complete(json_path_text(rule, "spec", "host", NULL), object_space(rule),
		mesh->cluster_domain);
}

/* The closest host of the pool's rules that covers the Service. The caller frees; NULL: none. */
static char *closest_host(const struct mesh *mesh, const json *rules, enum pool pool,
	const char *namespace, const char *service_host)
{
	char *closest = NULL;
	json_for_each (rule, rules) {
		AUTO_STRING host = host_of(mesh, rule);
		if (!is_in_pool(rule, pool, namespace) || !hostname_is_within(service_host, host) ||
			(closest != NULL && !hostname_is_closer(host, closest)))
			continue;
		free(closest);
		closest = TAKE(host);
	}
	return closest;
}

/* Those with a workloadSelector first, as istiod sorts them; each by age. */
static struct merged_rules merge_pool(const struct mesh *mesh, const json *rules, enum pool pool,
	const char *namespace, const char *host)
{
	struct merged_rules merged = {0};
	for (int plain = 0; plain < 2; plain++)
		json_for_each (rule, rules) {
			AUTO_STRING own = host_of(mesh, rule);
			if (is_in_pool(rule, pool, namespace) && str_equal(own, host) &&
				json_is_object(selector_of(rule)) == (plain == 0))
				add_rule(&merged, rule);
		}
	return merged;
}

static bool selects_client(const json *rule, const struct request *request)
{
	json_for_each (label, json_get(selector_of(rule), "matchLabels"))
		if (!str_equal(json_get_text(request->labels, json_key(label)), json_text(label)))
			return false;
	return str_equal(object_space(rule), request->client_namespace);
}

static bool reaches_client(const json *exports, const struct request *request)
{
	return json_count(exports) == 0 || array_has_text(exports, "*") ||
	       array_has_text(exports, request->client_namespace);
}

/* Of the merged rules that reach the client, the first that selects it, or else the last without a
 * selector. ret_any: whether there are some, so that no further place is looked at. */
static const struct merged_rule *choose(const struct merged_rules *merged, enum pool pool,
	const struct request *request, bool *ret_any)
{
	const struct merged_rule *chosen = NULL;
	*ret_any = false;
	for (size_t i = 0; i < merged->count; i++) {
		const struct merged_rule *item = &merged->items[i];
		if (pool == POOL_EXPORTED && !reaches_client(item->exports, request))
			continue;
		*ret_any = true;
		if (!json_is_object(selector_of(item->rule)))
			chosen = item;
		else if (selects_client(item->rule, request))
			return item;
	}
	return chosen;
}

json *client_subsets(const struct mesh *mesh, const struct request *request,
	const char *service_host, const char *service_namespace)
{
	bool in_root = str_equal(request->client_namespace, mesh->root_namespace);
	const struct {
		enum pool pool;
		const char *namespace;
	} places[] = {
		{in_root ? POOL_ROOT : POOL_LOCAL, request->client_namespace},
		{POOL_EXPORTED, service_namespace},
		{POOL_EXPORTED, mesh->root_namespace},
	};
	AUTO_JSON rules = sorted_by_age(mesh->destinationrules);
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		AUTO_STRING host = closest_host(
			mesh, rules, places[i].pool, places[i].namespace, service_host);
		if (host == NULL)
			continue;
		CLEANUP(merged_rules_release)
		struct merged_rules merged =
			merge_pool(mesh, rules, places[i].pool, places[i].namespace, host);
		bool any = false;
		const struct merged_rule *chosen = choose(&merged, places[i].pool, request, &any);
		if (any)
			return chosen == NULL ? json_array() : json_copy(chosen->subsets);
	}
	return json_array();
}
