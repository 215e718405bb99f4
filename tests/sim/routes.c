#include "sim/routes.h"

#include "traffic/intent.h"

static bool is_web(const char *host)
{
	return str_equal(host, "web") || str_equal(host, "web." NAMESPACE ".svc.cluster.local");
}

const json *view_of(const struct object *object, enum view view)
{
	return view == VIEW_NOW ? object->now : object->views[view];
}

static const json *labels_in(
	const struct sim *sim, enum view view, const char *namespace, const char *subset)
{
	sim_each(rule, sim, &KIND_DESTINATION_RULE)
	{
		const json *tree = view_of(rule, view);
		if (!is_web(json_path_text(tree, "spec", "host", NULL)) ||
			!str_equal(rule->namespace, namespace))
			continue;
		json_for_each (candidate, json_path(tree, "spec", "subsets", NULL))
			if (str_equal(json_get_text(candidate, "name"), subset))
				return json_get(candidate, "labels");
	}
	return NULL;
}

static bool has_rule_in(const struct sim *sim, enum view view, const char *namespace)
{
	sim_each(rule, sim, &KIND_DESTINATION_RULE) if (str_equal(rule->namespace, namespace) &&
							is_web(json_path_text(view_of(rule, view),
								"spec", "host", NULL))) return true;
	return false;
}

/* Clients look into their own namespace first, and into the Service's where there is nothing. */
static const json *find_labels(
	const struct sim *sim, enum view view, const char *client, const char *subset)
{
	return labels_in(sim, view, has_rule_in(sim, view, client) ? client : NAMESPACE, subset);
}

struct destination *next_destination(struct routing *routing)
{
	if (routing->count == DESTINATIONS_MAXIMUM)
		return NULL;
	return &routing->destinations[routing->count++];
}

static void add_route(const struct sim *sim, enum view view, const char *client, const json *route,
	struct routing *ret)
{
	const char *name = json_get_text(route, "name");
	const json *list = json_get(route, "route");
	int64_t total = 0;
	json_for_each (entry, list)
		if (is_web(json_path_text(entry, "destination", "host", NULL)))
			total += json_count(list) == 1 ? 1 : json_get_integer(entry, "weight", 0);
	json_for_each (entry, list) {
		const json *place = json_get(entry, "destination");
		struct destination *destination =
			is_web(json_get_text(place, "host")) ? next_destination(ret) : NULL;
		if (destination == NULL)
			continue;
		const char *subset = json_get_text(place, "subset");
		*destination = (struct destination){
			.subset = subset,
			.canary = str_equal(subset, CANARY_SUBSET),
			.service = "web",
			.weight = json_count(list) == 1 ? 1 : json_get_integer(entry, "weight", 0),
			.total = total,
			.rule = name != NULL && str_starts(name, "batchrollout-"),
			.defined = true,
		};
		if (destination->subset == NULL)
			continue;
		destination->labels = find_labels(sim, view, client, destination->subset);
		destination->defined = destination->labels != NULL;
	}
}

void find_routing(const struct sim *sim, enum view view, struct routing *ret)
{
	ret->routed = false;
	ret->count = 0;
	add_httproutes(sim, view, ret);
	sim_each(service, sim, &KIND_VIRTUAL_SERVICE)
	{
		const json *tree = view_of(service, view);
		json_for_each (host, json_path(tree, "spec", "hosts", NULL))
			ret->routed = ret->routed || is_web(json_text(host));
		json_for_each (route, json_path(tree, "spec", "http", NULL))
			add_route(sim, view, service->namespace, route, ret);
	}
}

static bool has_labels(const json *pod, const json *labels)
{
	json_for_each (pair, labels)
		if (!str_equal(object_label(pod, json_key(pair)), json_text(pair)))
			return false;
	return true;
}

static int count(
	const struct sim *sim, enum view view, const char *service, const json *labels, bool canary)
{
	int found = 0;
	AUTO_STRING name = mem_format("%s-slice", service);
	sim_each(slice, sim, &KIND_ENDPOINT_SLICE)
		json_for_each (endpoint, json_get(view_of(slice, view), "endpoints"))
	{
		if (!str_equal(slice->name, name))
			continue;
		const char *uid = json_path_text(endpoint, "targetRef", "uid", NULL);
		const struct object *pod = sim_find_uid(sim, uid);
		const json *tree = view_of(pod, view);
		if (tree == NULL || !has_labels(tree, labels) ||
			!json_is_true(json_path(endpoint, "conditions", "ready", NULL)))
			continue;
		if (view == VIEW_NOW && (!pod->ready || pod->deleting))
			continue;
		found += !canary || str_starts(pod->name, "web-v2-");
	}
	return found;
}

int count_endpoints_with(
	const struct sim *sim, enum view view, const char *service, const json *labels)
{
	return count(sim, view, service, labels, false);
}

int count_canary_endpoints(const struct sim *sim, enum view view)
{
	return count(sim, view, "web", NULL, true);
}
