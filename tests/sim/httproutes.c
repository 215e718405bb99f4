/* Where HTTPRoutes send requests for the Service: the backends are Services, and of each those pods
 * get requests that are its endpoints. */
#include "sim/routes.h"

#define STABLE "batchrollout-web-stable"
#define CANARY "batchrollout-web-canary"

static bool is_of_web(const char *name)
{
	return str_equal(name, "web") || str_equal(name, STABLE) || str_equal(name, CANARY);
}

static bool is_there(const struct sim *sim, enum view view, const char *name)
{
	sim_each(service, sim,
		&KIND_SERVICE) if (view_of(service, view) != NULL &&
				   str_equal(service->name, name) &&
				   str_equal(service->namespace, NAMESPACE)) return true;
	return false;
}

/* A clone has the requests that a rule of --match is for, which only x-user ever is here. */
static bool is_clone(const json *rule)
{
	json_for_each (match, json_get(rule, "matches"))
		json_for_each (header, json_get(match, "headers"))
			if (str_equal(json_get_text(header, "name"), "x-user"))
				return true;
	return false;
}

static void add_rule(const struct sim *sim, enum view view, const json *rule, struct routing *ret)
{
	int64_t total = 0;
	json_for_each (backend, json_get(rule, "backendRefs"))
		if (is_of_web(json_get_text(backend, "name")))
			total += json_get_integer(backend, "weight", 1);
	json_for_each (backend, json_get(rule, "backendRefs")) {
		const char *name = json_get_text(backend, "name");
		struct destination *destination = is_of_web(name) ? next_destination(ret) : NULL;
		if (destination == NULL)
			continue;
		*destination = (struct destination){
			.subset = str_equal(name, "web") ? NULL : name,
			.canary = str_equal(name, CANARY),
			.service = name,
			.weight = json_get_integer(backend, "weight", 1),
			.total = total,
			.rule = is_clone(rule),
			.defined = is_there(sim, view, name),
		};
	}
}

void add_httproutes(const struct sim *sim, enum view view, struct routing *ret)
{
	sim_each(httproute, sim, &KIND_HTTP_ROUTE)
	{
		const json *tree = view_of(httproute, view);
		json_for_each (parent, json_path(tree, "spec", "parentRefs", NULL))
			ret->routed = ret->routed ||
				      (str_equal(json_get_text(parent, "kind"), "Service") &&
					      str_equal(json_get_text(parent, "name"), "web"));
		json_for_each (rule, json_path(tree, "spec", "rules", NULL))
			add_rule(sim, view, rule, ret);
	}
}
