#include "simulate/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "simulate/delegate.h"
#include "simulate/hostname.h"

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

const char *object_title(const json *object)
{
	return or_empty(json_path_text(object, "metadata", "name", NULL));
}

const char *object_space(const json *object)
{
	return or_empty(json_path_text(object, "metadata", "namespace", NULL));
}

bool array_has_text(const json *array, const char *text)
{
	json_for_each (element, array)
		if (str_equal(json_text(element), text))
			return true;
	return false;
}

static const char *created(const json *object)
{
	return or_empty(json_path_text(object, "metadata", "creationTimestamp", NULL));
}

int compare_age(const json *a, const json *b)
{
	int order = strcmp(created(a), created(b));
	if (order == 0)
		order = strcmp(object_title(a), object_title(b));
	return order != 0 ? order : strcmp(object_space(a), object_space(b));
}

static int compare_items(const void *a, const void *b)
{
	return compare_age(*(const json *const *)a, *(const json *const *)b);
}

json *sorted_by_age(const json *objects)
{
	size_t count = 0;
	const json **items = mem_alloc(json_count(objects) + 1, sizeof(*items));
	json_for_each (object, objects)
		items[count++] = object;
	qsort(items, count, sizeof(*items), compare_items);
	json *sorted = json_array();
	for (size_t i = 0; i < count; i++)
		json_append(sorted, json_copy(items[i]));
	free(items);
	return sorted;
}

bool is_exported_to(const json *object, const char *namespace)
{
	const json *targets = json_path(object, "spec", "exportTo", NULL);
	if (json_count(targets) == 0 || array_has_text(targets, "*"))
		return true;
	if (array_has_text(targets, "~"))
		return false;
	return array_has_text(targets, namespace) ||
	       (array_has_text(targets, ".") && str_equal(object_space(object), namespace));
}

/* --- names ---------------------------------------------------------------------------------- */

/* The namespace of the object, whose names are completed, and the domain. */
struct names {
	const char *namespace;
	const char *cluster_domain;
};

static void complete_host(json *object, const char *key, const struct names *names)
{
	const char *host = json_get_text(object, key);
	if (host == NULL)
		return;
	AUTO_STRING full = hostname_complete(host, names->namespace, names->cluster_domain);
	json_set_text(object, key, full);
}

static void complete_gateways(json *object, const struct names *names)
{
	json *gateways = json_get(object, "gateways");
	for (size_t i = 0; i < json_count(gateways); i++) {
		AUTO_STRING full = gateway_complete(
			or_empty(json_text(json_at(gateways, i))), names->namespace);
		json_replace_at(gateways, i, json_string(full));
	}
}

static void complete_route(json *route, const struct names *names)
{
	json_for_each (match, json_get(route, "match"))
		complete_gateways(match, names);
	json_for_each (entry, json_get(route, "route"))
		complete_host(json_get(entry, "destination"), "host", names);
}

static json *complete(const json *virtualservice, const char *cluster_domain)
{
	static const char *const PROTOCOLS[] = {"http", "tcp", "tls"};
	json *copy = json_copy(virtualservice);
	json *spec = json_get(copy, "spec");
	struct names names = {object_space(virtualservice), cluster_domain};
	json *hosts = json_get(spec, "hosts");
	for (size_t i = 0; i < json_count(hosts); i++) {
		AUTO_STRING full = hostname_complete(
			json_text(json_at(hosts, i)), names.namespace, cluster_domain);
		json_replace_at(hosts, i, json_string(full));
	}
	complete_gateways(spec, &names);
	for (size_t i = 0; i < COUNT_OF(PROTOCOLS); i++)
		json_for_each (route, json_get(spec, PROTOCOLS[i]))
			complete_route(route, &names);
	return copy;
}

/* --- delegates ------------------------------------------------------------------------------ */

static json *origin_of(size_t index)
{
	json *origin = json_object();
	json_set_integer(origin, "index", (int64_t)index);
	return origin;
}

static void add_dropped(json *routes, const json *route, json *origin, const char *reason)
{
	json *dropped = json_object();
	json_set_text(dropped, "name", json_get_text(route, "name"));
	json_set_text(origin, "dropped", reason);
	json_set(dropped, ROUTE_ORIGIN, origin);
	json_append(routes, dropped);
}

static const json *find_object(const json *objects, const char *namespace, const char *name)
{
	json_for_each (object, objects)
		if (str_equal(object_title(object), name) &&
			str_equal(object_space(object), namespace))
			return object;
	return NULL;
}

static json *delegate_origin(size_t index, const json *delegate, size_t place)
{
	json *origin = origin_of(index);
	json *source = json_ensure_object(origin, "delegate");
	json_set_text(source, "namespace", object_space(delegate));
	json_set_text(source, "name", object_title(delegate));
	json_set_integer(source, "index", (int64_t)place);
	return origin;
}

static void add_delegate_routes(json *routes, const json *root, size_t index, const json *delegate)
{
	size_t place = 0;
	json_for_each (route, json_path(delegate, "spec", "http", NULL)) {
		json *origin = delegate_origin(index, delegate, place++);
		json *merged = delegate_merge(root, route);
		if (merged == NULL) {
			add_dropped(routes, route, origin,
				"Istio leaves it out: what it matches is not within what the route "
				"that delegates to it matches");
			continue;
		}
		json_set(merged, ROUTE_ORIGIN, origin);
		json_append(routes, merged);
	}
}

/* Adds the routes of the delegate that a root's route names, or why there are none. */
static void add_delegated(json *routes, const json *virtualservice, const json *root, size_t index,
	const json *delegates)
{
	const char *name = or_empty(json_path_text(root, "delegate", "name", NULL));
	const char *namespace = json_path_text(root, "delegate", "namespace", NULL);
	if (str_empty(namespace))
		namespace = object_space(virtualservice);
	const json *delegate = find_object(delegates, namespace, name);
	AUTO_STRING reason = NULL;
	if (delegate == NULL || json_count(json_path(delegate, "spec", "hosts", NULL)) > 0)
		reason = mem_format("Istio leaves it out: there is no virtualservice %s/%s without "
				    "hosts to delegate to",
			namespace, name);
	else if (!is_exported_to(delegate, object_space(virtualservice)))
		reason = mem_format(
			"Istio leaves it out: the exportTo of virtualservice %s/%s does not reach "
			"namespace %s",
			namespace, name, object_space(virtualservice));
	if (reason != NULL)
		add_dropped(routes, root, origin_of(index), reason);
	else
		add_delegate_routes(routes, root, index, delegate);
}

static void resolve_routes(json *virtualservice, const json *delegates)
{
	json *spec = json_get(virtualservice, "spec");
	json *routes = json_array();
	size_t index = 0;
	json_for_each (route, json_get(spec, "http")) {
		if (json_is_object(json_get(route, "delegate"))) {
			add_delegated(routes, virtualservice, route, index++, delegates);
			continue;
		}
		json *copy = json_copy(route);
		json_set(copy, ROUTE_ORIGIN, origin_of(index++));
		json_append(routes, copy);
	}
	json_set(spec, "http", routes);
}

json *virtualservices_resolve(const json *virtualservices, const char *cluster_domain)
{
	AUTO_JSON completed = json_array();
	json_for_each (virtualservice, virtualservices)
		json_append(completed, complete(virtualservice, cluster_domain));
	AUTO_JSON sorted = sorted_by_age(completed);
	json *resolved = json_array();
	json_for_each (virtualservice, sorted) {
		if (json_count(json_path(virtualservice, "spec", "hosts", NULL)) == 0)
			continue;
		json *copy = json_copy(virtualservice);
		resolve_routes(copy, sorted);
		json_append(resolved, copy);
	}
	return resolved;
}
