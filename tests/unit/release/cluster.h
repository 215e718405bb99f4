/* A cluster that has some objects, and in which nothing is written. */
#ifndef TESTS_UNIT_RELEASE_CLUSTER_H
#define TESTS_UNIT_RELEASE_CLUSTER_H

#include "api/object.h"
#include "api/port.h"
#include "base/str.h"
#include "unit/traffic/trees.h"

/* By kind and name; of a label selector, only "key=value" is looked at. context: an array. */
static inline int list_objects(
	void *context, const struct query *query, json **ret, struct err *err)
{
	const json *objects = context;
	const char *selector = query->label_selector;
	const char *value = selector == NULL ? NULL : strchr(selector, '=');
	AUTO_STRING key = value == NULL ? NULL : mem_strndup(selector, (size_t)(value - selector));
	(void)err;
	*ret = json_object();
	json *items = json_ensure_array(*ret, "items");
	json_for_each (object, objects) {
		bool found = str_equal(json_get_text(object, "kind"), query->kind->name) &&
			     (query->name == NULL || str_equal(query->name, object_name(object))) &&
			     (key == NULL || str_equal(object_label(object, key), value + 1));
		if (found)
			json_append(items, json_copy(object));
	}
	return 0;
}

static inline int rehearse(
	void *context, const struct write *write, json **ret_object, struct err *err)
{
	(void)context;
	(void)err;
	assert_true(write->dry_run);
	if (ret_object != NULL)
		*ret_object = json_copy(write->after);
	return 0;
}

static inline struct api_port cluster_of(json *objects)
{
	return (struct api_port){.context = objects, .list = list_objects, .write = rehearse};
}

#endif
