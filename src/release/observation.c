#include "release/observation.h"

#include <stdlib.h>

#include "api/object.h"
#include "api/selector.h"
#include "base/str.h"
#include "traffic/backend.h"

/* The strings that the queries of one record need. */
struct queries {
	struct query list[SEEN_COUNT];
	char *selector;
	char *slices_selector;
	char *released_selector;
	char *version_slices_selector;
	char *record_name;
};

static void queries_release(struct queries *queries)
{
	free(queries->selector);
	free(queries->slices_selector);
	free(queries->released_selector);
	free(queries->version_slices_selector);
	free(queries->record_name);
}

/* The sources that are watched while a rung waits, where they are read. Routes and autoscalers are
 * read again before each action. */
static const enum source WATCHED[] = {SEEN_STABLE, SEEN_CANARY, SEEN_REPLICA_SETS, SEEN_PODS,
	SEEN_SLICES, SEEN_RECORD, SEEN_RELEASED_SETS, SEEN_VERSION_SLICES};

/* The mode that a source is of; TRAFFIC_REPLICAS, being 0, for those that all modes have. */
static const enum traffic_mode MODES[SEEN_COUNT] = {
	[SEEN_VIRTUAL_SERVICES] = TRAFFIC_ISTIO,
	[SEEN_DESTINATION_RULES] = TRAFFIC_ISTIO,
	[SEEN_HTTP_ROUTES] = TRAFFIC_GATEWAY,
	[SEEN_VERSION_SERVICES] = TRAFFIC_GATEWAY,
	[SEEN_VERSION_SLICES] = TRAFFIC_GATEWAY,
};

static bool is_read(const struct record *record, enum source source)
{
	if (source == SEEN_RELEASED_SETS)
		return record->plan.handover == HANDOVER_TAKEOVER && record->goal != GOAL_BATCH;
	if (source == SEEN_AUTOSCALERS)
		return json_count(record->autoscalers) > 0;
	if (source == SEEN_SCALED_OBJECTS)
		return json_count(record->scaled_objects) > 0;
	return MODES[source] == TRAFFIC_REPLICAS || MODES[source] == record->plan.traffic;
}

#define SERVICE_NAME "kubernetes.io/service-name"

static struct queries make_queries(const struct record *record)
{
	const struct plan *plan = &record->plan;
	struct intent intent = plan_intent(plan);
	AUTO_STRING stable = version_service(&intent, false);
	AUTO_STRING canary = version_service(&intent, true);
	/* The copy's pods are of another version. */
	AUTO_JSON selector = selector_without(
		json_path(record->stable, "spec", "selector", NULL), VERSION_LABEL);
	struct queries queries = {
		.selector = selector_text(selector),
		.slices_selector = mem_format(SERVICE_NAME "=%s", plan->service),
		.released_selector = mem_format(SERVICE_LABEL "=%s", plan->service),
		.version_slices_selector = mem_format(SERVICE_NAME " in (%s,%s)", stable, canary),
		.record_name = own_object_name(plan->service),
	};
	const struct query list[SEEN_COUNT] = {
		[SEEN_STABLE] = {.kind = &KIND_DEPLOYMENT, .name = plan->deployment},
		[SEEN_CANARY] = {.kind = &KIND_DEPLOYMENT, .name = plan->canary_deployment},
		[SEEN_REPLICA_SETS] = {.kind = &KIND_REPLICA_SET,
			.label_selector = queries.selector},
		[SEEN_RELEASED_SETS] = {.kind = &KIND_REPLICA_SET,
			.label_selector = queries.released_selector},
		[SEEN_PODS] = {.kind = &KIND_POD, .label_selector = queries.selector},
		[SEEN_SLICES] = {.kind = &KIND_ENDPOINT_SLICE,
			.label_selector = queries.slices_selector},
		[SEEN_VIRTUAL_SERVICES] = {.kind = &KIND_VIRTUAL_SERVICE},
		[SEEN_DESTINATION_RULES] = {.kind = &KIND_DESTINATION_RULE},
		[SEEN_HTTP_ROUTES] = {.kind = &KIND_HTTP_ROUTE},
		[SEEN_VERSION_SERVICES] = {.kind = &KIND_SERVICE},
		[SEEN_VERSION_SLICES] = {.kind = &KIND_ENDPOINT_SLICE,
			.label_selector = queries.version_slices_selector},
		[SEEN_AUTOSCALERS] = {.kind = &KIND_HORIZONTAL_POD_AUTOSCALER},
		[SEEN_SCALED_OBJECTS] = {.kind = &KIND_SCALED_OBJECT},
		[SEEN_RECORD] = {.kind = &KIND_CONFIG_MAP, .name = queries.record_name},
	};
	for (size_t i = 0; i < SEEN_COUNT; i++) {
		queries.list[i] = list[i];
		queries.list[i].namespace = plan->namespace;
	}
	return queries;
}

void observation_release(struct observation *seen)
{
	if (seen == NULL)
		return;
	for (size_t i = 0; i < SEEN_COUNT; i++)
		json_free(seen->lists[i]);
	*seen = (struct observation){0};
}

static void add_namespaces(struct str_list *namespaces, const json *objects)
{
	json_for_each (object, objects)
		if (!str_list_has(namespaces, object_namespace(object)))
			str_list_add(namespaces, object_namespace(object));
}

/* Reads a list, and appends it to those before it (or NULL). */
static int list_more(
	const struct api_port *api, const struct query *query, json **whole, struct err *err)
{
	json *list = NULL;
	int code = api->list(api->context, query, &list, err);
	if (code != 0)
		return code;
	if (*whole == NULL) {
		*whole = list;
		return 0;
	}
	AUTO_JSON rest = list;
	for (json *item; (item = json_detach_at(list_items(rest), 0)) != NULL;)
		json_append(list_items(*whole), item);
	return 0;
}

int list_namespaces(const struct api_port *api, const struct query *query,
	const struct str_list *namespaces, json **ret, struct err *err)
{
	AUTO_JSON whole = NULL;
	for (size_t i = 0; i < namespaces->count; i++) {
		struct query one = *query;
		one.namespace = namespaces->items[i];
		int code = list_more(api, &one, &whole, err);
		if (code != 0)
			return code;
	}
	*ret = TAKE(whole);
	return 0;
}

static int list_routes(const struct api_port *api, const struct record *record,
	const json *snapshots, const struct query *query, json **ret, struct err *err)
{
	CLEANUP(str_list_release) struct str_list namespaces = {0};
	str_list_add(&namespaces, record->plan.namespace);
	add_namespaces(&namespaces, snapshots);
	return list_namespaces(api, query, &namespaces, ret, err);
}

/* By name, and whoever made them: what stands in our place must be seen. */
static int list_version_services(const struct api_port *api, const struct record *record,
	const struct query *query, json **ret, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	AUTO_JSON whole = NULL;
	for (int canary = 0; canary < 2; canary++) {
		AUTO_STRING name = version_service(&intent, canary != 0);
		struct query one = *query;
		one.name = name;
		int code = list_more(api, &one, &whole, err);
		if (code != 0)
			return code;
	}
	*ret = TAKE(whole);
	return 0;
}

/* One of the sources, as it is now. */
static int list_source(const struct api_port *api, const struct record *record, enum source source,
	const struct query *query, json **ret, struct err *err)
{
	if (!is_read(record, source)) {
		*ret = json_object();
		return 0;
	}
	if (source == SEEN_VIRTUAL_SERVICES)
		return list_routes(api, record, record->virtualservices, query, ret, err);
	if (source == SEEN_DESTINATION_RULES)
		return list_routes(api, record, record->destinationrules, query, ret, err);
	if (source == SEEN_HTTP_ROUTES)
		return list_routes(api, record, record->httproutes, query, ret, err);
	if (source == SEEN_VERSION_SERVICES)
		return list_version_services(api, record, query, ret, err);
	int code = api->list(api->context, query, ret, err);
	if (code != ERR_NOT_FOUND || source != SEEN_SCALED_OBJECTS)
		return code;
	/* Who uninstalls KEDA has taken them along. */
	*ret = json_object();
	return 0;
}

int observe(const struct api_port *api, const struct record *record, struct observation *ret,
	struct err *err)
{
	CLEANUP(queries_release) struct queries queries = make_queries(record);
	CLEANUP(observation_release) struct observation seen = {0};
	for (enum source i = 0; i < SEEN_COUNT; i++) {
		int code = list_source(api, record, i, &queries.list[i], &seen.lists[i], err);
		if (code != 0)
			return code;
	}
	*ret = seen;
	seen = (struct observation){0};
	return 0;
}

int observation_watch(const struct api_port *api, const struct record *record,
	struct observation *seen, struct watch **ret, struct err *err)
{
	CLEANUP(queries_release) struct queries queries = make_queries(record);
	struct query watched[COUNT_OF(WATCHED)];
	const json *lists[COUNT_OF(WATCHED)];
	size_t count = 0;
	for (size_t i = 0; i < COUNT_OF(WATCHED); i++) {
		/* What was read: the record may have a new goal meanwhile. */
		if (object_version(seen->lists[WATCHED[i]]) == NULL)
			continue;
		watched[count] = queries.list[WATCHED[i]];
		lists[count] = seen->lists[WATCHED[i]];
		seen->watched[count++] = WATCHED[i];
	}
	return api->watch_open(api->context, watched, lists, count, ret, err);
}

enum source observation_apply(struct observation *seen, size_t watch_index, json *event)
{
	enum source source = seen->watched[watch_index];
	list_apply_event(seen->lists[source], event);
	return source;
}
