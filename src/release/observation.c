#include "release/observation.h"

#include <stdlib.h>

#include "api/object.h"
#include "api/selector.h"
#include "base/str.h"

/* The strings that the queries of one record need. */
struct queries {
	struct query list[SEEN_COUNT];
	char *selector;
	char *slices_selector;
	char *record_name;
};

static void queries_release(struct queries *queries)
{
	free(queries->selector);
	free(queries->slices_selector);
	free(queries->record_name);
}

/* The sources that are watched while a rung waits. Routes are read again before each action. */
static const enum source WATCHED[] = {
	SEEN_STABLE, SEEN_CANARY, SEEN_REPLICA_SETS, SEEN_PODS, SEEN_SLICES, SEEN_RECORD};

static struct queries make_queries(const struct record *record)
{
	const struct plan *plan = &record->plan;
	struct queries queries = {
		.selector = selector_text(json_path(record->stable, "spec", "selector", NULL)),
		.slices_selector = mem_format("kubernetes.io/service-name=%s", plan->service),
		.record_name = own_object_name(plan->service),
	};
	const struct query list[SEEN_COUNT] = {
		[SEEN_STABLE] = {.kind = &KIND_DEPLOYMENT, .name = plan->deployment},
		[SEEN_CANARY] = {.kind = &KIND_DEPLOYMENT, .name = plan->canary_deployment},
		[SEEN_REPLICA_SETS] = {.kind = &KIND_REPLICA_SET,
			.label_selector = queries.selector},
		[SEEN_PODS] = {.kind = &KIND_POD, .label_selector = queries.selector},
		[SEEN_SLICES] = {.kind = &KIND_ENDPOINT_SLICE,
			.label_selector = queries.slices_selector},
		[SEEN_VIRTUAL_SERVICES] = {.kind = &KIND_VIRTUAL_SERVICE},
		[SEEN_DESTINATION_RULES] = {.kind = &KIND_DESTINATION_RULE},
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

int observe(const struct api_port *api, const struct record *record, struct observation *ret,
	struct err *err)
{
	CLEANUP(queries_release) struct queries queries = make_queries(record);
	CLEANUP(observation_release) struct observation seen = {0};
	for (size_t i = 0; i < SEEN_COUNT; i++) {
		bool routes = i == SEEN_VIRTUAL_SERVICES || i == SEEN_DESTINATION_RULES;
		if (routes && record->plan.traffic != TRAFFIC_ISTIO) {
			seen.lists[i] = json_object();
			continue;
		}
		int code = api->list(api->context, &queries.list[i], &seen.lists[i], err);
		if (code != 0)
			return code;
	}
	*ret = seen;
	seen = (struct observation){0};
	return 0;
}

int observation_watch(const struct api_port *api, const struct record *record,
	const struct observation *seen, struct watch **ret, struct err *err)
{
	CLEANUP(queries_release) struct queries queries = make_queries(record);
	struct query watched[COUNT_OF(WATCHED)];
	const json *lists[COUNT_OF(WATCHED)];
	for (size_t i = 0; i < COUNT_OF(WATCHED); i++) {
		watched[i] = queries.list[WATCHED[i]];
		lists[i] = seen->lists[WATCHED[i]];
	}
	return api->watch_open(api->context, watched, lists, COUNT_OF(WATCHED), ret, err);
}

enum source observation_apply(struct observation *seen, size_t watch_index, const json *event)
{
	enum source source = WATCHED[watch_index];
	list_apply_event(seen->lists[source], event);
	return source;
}
