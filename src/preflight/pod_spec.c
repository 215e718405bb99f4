#include "preflight/pod_spec.h"

#include "api/object.h"
#include "base/str.h"

static const char *const CONTAINER_LISTS[] = {"containers", "initContainers"};

bool is_sidecar(const json *container)
{
	return str_equal(json_get_text(container, "restartPolicy"), "Always");
}

static bool has_container(const json *spec, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(CONTAINER_LISTS); i++)
		json_for_each (container, json_get(spec, CONTAINER_LISTS[i]))
			if (str_equal(json_get_text(container, "name"), name))
				return true;
	return false;
}

/* Init containers that admission adds are over when the others run, and small. */
static void add_injected(json *spec, const json *running, const json *old)
{
	const json *old_spec = json_get(old, "spec");
	const json *pod_spec = json_get(running, "spec");
	for (size_t i = 0; i < COUNT_OF(CONTAINER_LISTS); i++)
		json_for_each (container, json_get(pod_spec, CONTAINER_LISTS[i])) {
			const char *name = json_get_text(container, "name");
			if (!has_container(old_spec, name) && !has_container(spec, name) &&
				(i == 0 || is_sidecar(container)))
				json_append(json_ensure_array(spec, CONTAINER_LISTS[i]),
					json_copy(container));
		}
}

/* Sets what is not set yet. */
static void fill(json *resources, const char *which, const json *values)
{
	json_for_each (value, values) {
		if (json_path(resources, which, json_key(value), NULL) != NULL)
			continue;
		json_set(json_ensure_object(resources, which), json_key(value), json_copy(value));
	}
}

static void sum_init(const json *spec, const char *which, struct amounts *ret)
{
	CLEANUP(amounts_release) struct amounts sidecars = {0};
	CLEANUP(amounts_release) struct amounts most = {0};
	json_for_each (container, json_get(spec, "initContainers")) {
		const json *list = json_path(container, "resources", which, NULL);
		if (is_sidecar(container)) {
			amounts_read(&sidecars, list);
			continue;
		}
		CLEANUP(amounts_release) struct amounts now = {0};
		amounts_read(&now, list);
		amounts_add_all(&now, &sidecars);
		amounts_raise(&most, &now);
	}
	amounts_add_all(ret, &sidecars);
	amounts_raise(ret, &most);
}

/* Without what is said of the whole pod. */
static void sum_containers(const json *spec, const char *which, struct amounts *ret)
{
	json_for_each (container, json_get(spec, "containers"))
		amounts_read(ret, json_path(container, "resources", which, NULL));
	sum_init(spec, which, ret);
}

bool has_pod_resources(const json *spec)
{
	const json *resources = json_get(spec, "resources");
	return json_count(json_get(resources, "requests")) +
		       json_count(json_get(resources, "limits")) >
	       0;
}

/* Of what a pod as a whole can ask for. */
static bool is_for_pods(const char *resource)
{
	return str_equal(resource, "cpu") || str_equal(resource, "memory") ||
	       str_starts(resource, "hugepages-");
}

/* A pod with limits as a whole asks for what its containers ask for, or else for its limits. */
static void fill_pod(json *spec)
{
	json *resources = json_get(spec, "resources");
	if (json_count(json_get(resources, "limits")) == 0)
		return;
	CLEANUP(amounts_release) struct amounts sum = {0};
	sum_containers(spec, "requests", &sum);
	AUTO_JSON asked = json_object();
	for (size_t i = 0; i < sum.count; i++) {
		const struct amount *amount = &sum.items[i];
		AUTO_STRING text = quantity_text(amount->value, amount->name);
		if (is_for_pods(amount->name))
			json_set_text(asked, amount->name, text);
	}
	fill(resources, "requests", asked);
	fill(resources, "requests", json_get(resources, "limits"));
}

static void fill_by_ranges(json *resources, const json *limit_ranges)
{
	json_for_each (range, list_items(limit_ranges))
		json_for_each (item, json_path(range, "spec", "limits", NULL)) {
			if (!str_equal(json_get_text(item, "type"), "Container"))
				continue;
			fill(resources, "requests", json_get(item, "defaultRequest"));
			fill(resources, "limits", json_get(item, "default"));
		}
}

/* Admission, and its LimitRanges, come after the defaults of the API itself. */
static void fill_spec(json *spec, const json *limit_ranges)
{
	for (size_t i = 0; i < COUNT_OF(CONTAINER_LISTS); i++)
		json_for_each (container, json_get(spec, CONTAINER_LISTS[i])) {
			json *resources = json_ensure_object(container, "resources");
			fill(resources, "requests", json_get(resources, "limits"));
		}
	fill_pod(spec);
	for (size_t i = 0; i < COUNT_OF(CONTAINER_LISTS); i++)
		json_for_each (container, json_get(spec, CONTAINER_LISTS[i]))
			fill_by_ranges(json_get(container, "resources"), limit_ranges);
}

json *pod_spec_admitted(
	const json *template, const json *limit_ranges, const json *running, const json *old)
{
	json *spec = json_copy(json_get(template, "spec"));
	fill_spec(spec, limit_ranges);
	if (running != NULL)
		add_injected(spec, running, old);
	return spec;
}

void pod_spec_sum(const json *spec, const char *which, struct amounts *ret)
{
	sum_containers(spec, which, ret);
	/* What is said of the whole pod counts in place of the sum. */
	CLEANUP(amounts_release) struct amounts pod = {0};
	amounts_read(&pod, json_path(spec, "resources", which, NULL));
	for (size_t i = 0; i < pod.count; i++)
		amounts_set(ret, pod.items[i].name, pod.items[i].value);
	/* Limits get it only where there are any, and no quota asks for more precision than that.
	 */
	CLEANUP(amounts_release) struct amounts overhead = {0};
	amounts_read(&overhead, json_get(spec, "overhead"));
	for (size_t i = 0; i < overhead.count; i++)
		if (str_equal(which, "requests") ||
			amounts_find(ret, overhead.items[i].name) != NULL)
			amounts_add(ret, overhead.items[i].name, overhead.items[i].value);
}
