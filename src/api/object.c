#include "api/object.h"

#include "base/mem.h"
#include "base/str.h"

const char *object_name(const json *object)
{
	return json_path_text(object, "metadata", "name", NULL);
}

const char *object_namespace(const json *object)
{
	return json_path_text(object, "metadata", "namespace", NULL);
}

const char *object_uid(const json *object)
{
	return json_path_text(object, "metadata", "uid", NULL);
}

const char *object_version(const json *object)
{
	return json_path_text(object, "metadata", "resourceVersion", NULL);
}

const char *object_label(const json *object, const char *key)
{
	return json_path_text(object, "metadata", "labels", key, NULL);
}

const char *object_annotation(const json *object, const char *key)
{
	return json_path_text(object, "metadata", "annotations", key, NULL);
}

json *object_new(const struct kind *kind, const char *namespace, const char *name)
{
	json *object = json_object();
	json_set_text(object, "apiVersion", kind->version);
	json_set_text(object, "kind", kind->name);
	json *metadata = json_ensure_object(object, "metadata");
	json_set_text(metadata, "name", name);
	json_set_text(metadata, "namespace", namespace);
	return object;
}

void map_set_text(json *parent, const char *name, const char *key, const char *value)
{
	if (value != NULL) {
		json_set_text(json_ensure_object(parent, name), key, value);
		return;
	}
	json *map = json_get(parent, name);
	if (json_get(map, key) == NULL)
		return;
	json_remove(map, key);
	if (json_count(map) == 0)
		json_remove(parent, name);
}

void object_set_label(json *object, const char *key, const char *value)
{
	map_set_text(json_ensure_object(object, "metadata"), "labels", key, value);
}

void object_set_annotation(json *object, const char *key, const char *value)
{
	map_set_text(json_ensure_object(object, "metadata"), "annotations", key, value);
}

const json *object_controller(const json *object)
{
	json_for_each (reference, json_path(object, "metadata", "ownerReferences", NULL))
		if (json_is_true(json_get(reference, "controller")))
			return reference;
	return NULL;
}

const char *object_controller_uid(const json *object)
{
	return json_get_text(object_controller(object), "uid");
}

json *list_items(const json *list)
{
	return json_get(list, "items");
}

json *list_find(const json *list, const char *name)
{
	json_for_each (item, list_items(list))
		if (str_equal(object_name(item), name))
			return item;
	return NULL;
}

json *list_find_in(const json *list, const char *namespace, const char *name)
{
	json_for_each (object, list_items(list))
		if (str_equal(object_name(object), name) &&
			str_equal(object_namespace(object), namespace))
			return object;
	return NULL;
}

void list_apply_event(json *list, json *event)
{
	AUTO_JSON object = json_detach(event, "object");
	bool deleted = str_equal(json_get_text(event, "type"), "DELETED");
	json *items = json_ensure_array(list, "items");
	size_t index = 0;
	json_for_each (item, items) {
		if (str_equal(object_uid(item), object_uid(object))) {
			if (deleted)
				json_free(json_detach_at(items, index));
			else
				json_replace_at(items, index, TAKE(object));
			return;
		}
		index++;
	}
	if (!deleted)
		json_append(items, TAKE(object));
}

bool object_is_deleting(const json *object)
{
	return json_path_text(object, "metadata", "deletionTimestamp", NULL) != NULL;
}

void object_strip_server_fields(json *object)
{
	static const char *const METADATA[] = {"uid", "resourceVersion", "generation",
		"creationTimestamp", "managedFields", "selfLink", "ownerReferences",
		"deletionTimestamp", "deletionGracePeriodSeconds"};
	json_remove(object, "status");
	json *metadata = json_get(object, "metadata");
	for (size_t i = 0; i < COUNT_OF(METADATA); i++)
		json_remove(metadata, METADATA[i]);
}
