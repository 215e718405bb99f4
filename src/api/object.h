/* What all API objects have in common: metadata, labels, and lists of them. */
#ifndef API_OBJECT_H
#define API_OBJECT_H

#include "api/kind.h"
#include "data/json.h"

const char *object_name(const json *object);
const char *object_namespace(const json *object);
const char *object_uid(const json *object);
const char *object_version(const json *object); /* metadata.resourceVersion: opaque */
const char *object_label(const json *object, const char *key);
const char *object_annotation(const json *object, const char *key);

/* A new object with apiVersion, kind, metadata.name and metadata.namespace. The caller frees. */
json *object_new(const struct kind *kind, const char *namespace, const char *name);

/* Sets a label (or annotation) in metadata; NULL removes it, and an emptied map with it. */
void object_set_label(json *object, const char *key, const char *value);
void object_set_annotation(json *object, const char *key, const char *value);

/* Sets members[key] under the map `name` of parent (e.g. "labels" of metadata), removing the map
 * when the last member goes. */
void map_set_text(json *parent, const char *name, const char *key, const char *value);

/* The controlling owner reference (controller: true), and its uid; or NULL. */
const json *object_controller(const json *object);
const char *object_controller_uid(const json *object);

/* The object with this name in a list's items; NULL where there is none. */
json *list_find(const json *list, const char *name);
/* The same where a list is of several namespaces. */
json *list_find_in(const json *list, const char *namespace, const char *name);
/* The items array of a list (or NULL). */
json *list_items(const json *list);

/* Takes a watch event ({"type","object"}) into a list: added, replaced, or removed by uid. The
 * object goes out of the event. */
void list_apply_event(json *list, json *event);

/* True where metadata.deletionTimestamp is set. */
bool object_is_deleting(const json *object);

/* Removes what only the server sets: status, and from metadata uid, resourceVersion, generation,
 * creationTimestamp, managedFields, selfLink, ownerReferences, deletion*. */
void object_strip_server_fields(json *object);

#endif
