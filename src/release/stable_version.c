#include "release/stable_version.h"

#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "api/selector.h"
#include "release/workload.h"

#define LABEL_MAXIMUM 63

char *numbered_version(const char *version, int number)
{
	AUTO_STRING suffix = mem_format("-%d", number);
	int room = LABEL_MAXIMUM - (int)strlen(suffix);
	return mem_format("%.*s%s", room, version, suffix);
}

/* Whether an old ReplicaSet is that version already. */
static bool is_taken(const struct record *record, const json *sets, const char *version)
{
	json_for_each (set, list_items(sets))
		if (str_equal(object_controller_uid(set), object_uid(record->stable)) &&
			str_equal(json_get_text(template_labels(set), VERSION_LABEL), version) &&
			templates_equal(pod_template(set), pod_template(record->stable), true))
			return true;
	return false;
}

int stable_version_choose(const struct api_port *api, struct record *record, struct err *err)
{
	AUTO_JSON sets = NULL;
	AUTO_STRING selector = selector_text(json_path(record->stable, "spec", "selector", NULL));
	struct query query = {.kind = &KIND_REPLICA_SET,
		.namespace = record->plan.namespace,
		.label_selector = selector};
	if (!record->tagged)
		return 0;
	int code = api->list(api->context, &query, &sets, err);
	if (code != 0)
		return code;
	AUTO_STRING base = record->plan.stable_version;
	record->plan.stable_version = mem_strdup(base);
	for (int i = 2;
		is_taken(record, sets, record->plan.stable_version) ||
		(i > 2 && str_equal(record->plan.stable_version, record->plan.canary_version));
		i++) {
		free(record->plan.stable_version);
		record->plan.stable_version = numbered_version(base, i);
	}
	return 0;
}
