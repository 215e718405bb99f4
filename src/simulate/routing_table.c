#include "simulate/routing_table.h"

#include <stdlib.h>

#include "base/str.h"
#include "simulate/request_match.h"
#include "simulate/resolve.h"

void routing_table_release(struct routing_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->items[i].unfit);
	free(table->items);
	*table = (struct routing_table){0};
}

static struct candidate *add(
	struct routing_table *table, const json *virtualservice, const json *route)
{
	table->items = mem_grow(table->items, table->count + 1, sizeof(*table->items));
	struct candidate *candidate = &table->items[table->count++];
	*candidate = (struct candidate){.virtualservice = virtualservice, .route = route};
	return candidate;
}

/* Adds one match block. True where the proxy gets it. */
static bool add_match(struct routing_table *table, const json *virtualservice, const json *route,
	const json *match, size_t index, const struct request *request)
{
	struct candidate *candidate = add(table, virtualservice, route);
	candidate->match = match;
	candidate->match_index = index;
	AUTO_BUF reason = BUF_INIT(BUF_OWN_TEXT);
	if (match_is_for_proxy(match, request, &reason))
		return true;
	candidate->unfit = mem_strdup(buf_text(&reason));
	return false;
}

/* Adds a route. ret_last: it matches everything, and istiod leaves out the rest. */
static size_t add_route(struct routing_table *table, const json *virtualservice, const json *route,
	const struct request *request, bool *ret_last)
{
	const char *dropped = json_path_text(route, ROUTE_ORIGIN, "dropped", NULL);
	if (dropped != NULL) {
		add(table, virtualservice, route)->unfit = mem_strdup(dropped);
		return 0;
	}
	const json *matches = json_get(route, "match");
	*ret_last = json_count(matches) == 0;
	if (*ret_last)
		return add_match(table, virtualservice, route, NULL, 0, request) ? 1 : 0;
	size_t index = 0, fit = 0;
	json_for_each (match, matches) {
		if (!add_match(table, virtualservice, route, match, index++, request))
			continue;
		fit++;
		*ret_last = match_is_catch_all(match);
		if (*ret_last)
			break;
	}
	return fit;
}

size_t routing_table_add(
	struct routing_table *table, const json *virtualservice, const struct request *request)
{
	size_t fit = 0;
	bool last = false;
	json_for_each (route, json_path(virtualservice, "spec", "http", NULL)) {
		fit += add_route(table, virtualservice, route, request, &last);
		if (last)
			break;
	}
	return fit;
}

void routing_table_sort(struct routing_table *table)
{
	struct candidate *sorted = mem_alloc(table->count + 1, sizeof(*sorted));
	size_t count = 0;
	for (int catch_alls = 0; catch_alls < 2; catch_alls++)
		for (size_t i = 0; i < table->count; i++) {
			const struct candidate *candidate = &table->items[i];
			bool is_last =
				candidate->unfit == NULL && match_is_catch_all(candidate->match);
			if (is_last == (catch_alls == 1))
				sorted[count++] = *candidate;
		}
	free(table->items);
	table->items = sorted;
}

static void pass_over(json *passed_over, const struct candidate *candidate, const char *reason)
{
	json *entry = candidate_to_json(candidate);
	json_set_text(entry, "reason", reason);
	json_append(passed_over, entry);
}

const struct candidate *routing_table_find(
	const struct routing_table *table, const struct request *request, json *passed_over)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct candidate *candidate = &table->items[i];
		AUTO_BUF reason = BUF_INIT(BUF_OWN_TEXT);
		if (candidate->unfit == NULL &&
			(candidate->match == NULL ||
				match_holds(candidate->match, request, &reason)))
			return candidate;
		pass_over(passed_over, candidate,
			candidate->unfit != NULL ? candidate->unfit : buf_text(&reason));
	}
	return NULL;
}

json *candidate_to_json(const struct candidate *candidate)
{
	json *rule = json_object();
	const json *origin = json_get(candidate->route, ROUTE_ORIGIN);
	json *virtualservice = json_ensure_object(rule, "virtualService");
	json_set_text(virtualservice, "namespace", object_space(candidate->virtualservice));
	json_set_text(virtualservice, "name", object_title(candidate->virtualservice));
	json_set_text(rule, "protocol", "http");
	json_set_integer(rule, "index", json_get_integer(origin, "index", 0));
	json_set_text(rule, "name", json_get_text(candidate->route, "name"));
	if (candidate->match != NULL)
		json_set_integer(rule, "match", (int64_t)candidate->match_index);
	json_set(rule, "delegate", json_copy(json_get(origin, "delegate")));
	return rule;
}
