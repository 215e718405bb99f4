/* What stands in the way of a merge, in words. For merge.c. */
#ifndef TRAFFIC_MERGE_TEXT_H
#define TRAFFIC_MERGE_TEXT_H

#include "base/err.h"
#include "data/json.h"

/* One field, as a chain of steps from the root that lives on the stack of the walk. */
struct merge_field {
	const struct merge_field *parent; /* NULL at the root */
	json *container;		  /* the object or array; NULL at the root */
	const char *key;		  /* in an object */
	size_t index;			  /* in an array */
};

/* Sets ERR_FOREIGN: the field is `current` and not `expected` (NULL: absent). */
int merge_refuse(const struct merge_field *field, const json *current, const json *expected,
	struct err *err);

/* How many values differ between two trees (NULL: absent). */
size_t merge_differences(const json *a, const json *b);

#endif
