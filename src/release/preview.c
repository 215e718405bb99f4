#include "release/preview.h"

#include "api/object.h"
#include "release/rungs.h"

/* Takes what is written into an array in the place of what was there. */
static void take_write(json *objects, const struct write *write)
{
	size_t index = 0;
	json_for_each (object, objects) {
		if (str_equal(object_name(object), write->name) &&
			str_equal(object_namespace(object), write->namespace)) {
			json_replace_at(objects, index, json_copy(write->after));
			return;
		}
		index++;
	}
	/* What is made then is the youngest, which counts last. */
	json *created = json_copy(write->after);
	json_set_text(json_get(created, "metadata"), "creationTimestamp", "9999-12-31T23:59:59Z");
	json_append(objects, created);
}

static void take_action(json *objects, const struct action *action)
{
	for (size_t i = 0; i < action->write_count; i++)
		if (action->writes[i].write.after != NULL)
			take_write(objects, &action->writes[i].write);
}

int preview_routes(const struct record *record, int batch, const json *virtualservices,
	const json *destinationrules, json **ret_virtualservices, json **ret_destinationrules,
	struct err *err)
{
	struct record then = *record;
	then.goal = GOAL_BATCH;
	then.goal_batch = batch;
	CLEANUP(observation_release) struct observation seen = {0};
	seen.lists[SEEN_VIRTUAL_SERVICES] = json_copy(virtualservices);
	seen.lists[SEEN_DESTINATION_RULES] = json_copy(destinationrules);
	const struct situation situation = {.record = &then, .seen = &seen};
	CLEANUP(action_release) struct action routes = {0};
	CLEANUP(action_release) struct action rules = {0};
	int code = routes_change(&situation, ROUTES_BATCH, &routes, err);
	if (code == 0)
		code = rules_change(&situation, RULES_RELEASE, &rules, err);
	if (code != 0)
		return code;
	AUTO_JSON then_virtualservices = json_copy(list_items(virtualservices));
	AUTO_JSON then_destinationrules = json_copy(list_items(destinationrules));
	take_action(then_virtualservices, &routes);
	take_action(then_destinationrules, &rules);
	*ret_virtualservices = TAKE(then_virtualservices);
	*ret_destinationrules = TAKE(then_destinationrules);
	return 0;
}
