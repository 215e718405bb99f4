/*
 * VirtualServices as istiod works with them: in its order, with completed names and with the routes
 * of their delegates.
 */
#ifndef SIMULATE_RESOLVE_H
#define SIMULATE_RESOLVE_H

#include <stdbool.h>

#include "data/json.h"

/* Where each http route of a resolved VirtualService comes from, under this key in the route:
 * {"index": place in spec.http, "delegate": {"namespace", "name", "index"} or absent, "dropped":
 * why istiod leaves the route out, or absent}. */
#define ROUTE_ORIGIN "origin"

/* Copies of all VirtualServices that have hosts, the oldest first, as an array; those without are
 * delegates. The caller frees. */
json *virtualservices_resolve(const json *virtualservices, const char *cluster_domain);

const char *object_title(const json *object); /* metadata.name, or "" */
const char *object_space(const json *object); /* metadata.namespace, or "" */
bool array_has_text(const json *array, const char *text);

/* istiod's order: by age, then name, then namespace. Less than 0 where `a` comes first. */
int compare_age(const json *a, const json *b);

/* A copy of an array of objects in that order. The caller frees. */
json *sorted_by_age(const json *objects);

/* True where the object's exportTo reaches the namespace. None at all reaches everywhere. */
bool is_exported_to(const json *object, const char *namespace);

#endif
