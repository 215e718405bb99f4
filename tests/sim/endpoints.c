/* The EndpointSlice controller: one slice for each Service, from pods and Services as cached. */
#include "api/selector.h"
#include "sim/sim.h"

static const json *seen(const struct object *object)
{
	return object->views[VIEW_CONTROLLERS];
}

static json *make_endpoint(const struct object *pod)
{
	const json *tree = seen(pod);
	bool ready = sim_pod_is_ready(tree);
	bool deleting = object_is_deleting(tree);
	json *endpoint = json_object();
	json_append(json_ensure_array(endpoint, "addresses"),
		json_string(json_path_text(tree, "status", "podIP", NULL)));
	json *conditions = json_ensure_object(endpoint, "conditions");
	json_set_bool(conditions, "ready", ready && !deleting);
	json_set_bool(conditions, "serving", ready);
	json_set_bool(conditions, "terminating", deleting);
	json *reference = json_ensure_object(endpoint, "targetRef");
	json_set_text(reference, "kind", "Pod");
	json_set_text(reference, "name", pod->name);
	json_set_text(reference, "uid", pod->uid);
	return endpoint;
}

static bool is_endpoint(
	const struct object *pod, const struct object *service, const json *selector)
{
	const json *tree = seen(pod);
	return tree != NULL && str_equal(pod->namespace, service->namespace) &&
	       !sim_pod_has_ended(tree) && json_path(tree, "status", "podIP", NULL) != NULL &&
	       selector_map_matches(selector, json_path(tree, "metadata", "labels", NULL));
}

static json *make_endpoints(struct sim *sim, const struct object *service)
{
	const json *selector = json_path(seen(service), "spec", "selector", NULL);
	json *endpoints = json_array();
	sim_each(pod, sim, &KIND_POD) if (is_endpoint(pod, service, selector))
		json_append(endpoints, make_endpoint(pod));
	return endpoints;
}

/* Of what the endpoints are made of: mostly, nothing is different. */
static uint64_t signature(struct sim *sim, const struct object *service)
{
	const json *selector = json_path(seen(service), "spec", "selector", NULL);
	uint64_t sum = 1469598103934665603U;
	uint64_t number = 0;
	sim_each(pod, sim, &KIND_POD)
	{
		number++;
		if (!is_endpoint(pod, service, selector))
			continue;
		uint64_t state = number * 4 + (sim_pod_is_ready(seen(pod)) ? 2 : 0) +
				 (object_is_deleting(seen(pod)) ? 1 : 0);
		sum = (sum ^ state) * 1099511628211U;
	}
	return sum;
}

static void sync_service(struct sim *sim, const struct object *service)
{
	AUTO_STRING name = mem_format("%s-slice", service->name);
	struct object *slice = sim_find(sim, &KIND_ENDPOINT_SLICE, service->namespace, name);
	uint64_t now = signature(sim, service);
	if (slice != NULL && slice->signature == now)
		return;
	json *endpoints = make_endpoints(sim, service);
	if (slice == NULL) {
		json *tree = object_new(&KIND_ENDPOINT_SLICE, service->namespace, name);
		object_set_label(tree, "kubernetes.io/service-name", service->name);
		json *owner = json_object();
		json_set_text(owner, "kind", service->kind->name);
		json_set_text(owner, "name", service->name);
		json_set_text(owner, "uid", service->uid);
		json_append(
			json_ensure_array(json_get(tree, "metadata"), "ownerReferences"), owner);
		sim->garbage = true; /* the Service may be gone already */
		json_set(tree, "endpoints", endpoints);
		sim_create(sim, &KIND_ENDPOINT_SLICE, tree)->signature = now;
		return;
	}
	slice->signature = now;
	json *tree = json_copy(slice->now);
	json_set(tree, "endpoints", endpoints);
	sim_put(sim, slice, tree);
}

void endpoints_sync(struct sim *sim)
{
	sim_each(service, sim, &KIND_SERVICE) if (seen(service) != NULL) sync_service(sim, service);
}
