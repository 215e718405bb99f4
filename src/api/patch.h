/* JSON Patch (RFC 6902) from the difference of two trees, and its application. */
#ifndef API_PATCH_H
#define API_PATCH_H

#include "data/json.h"

/* The operations (add, remove, replace; pointers as of RFC 6901) that make `after` of `before`.
 * Arrays of equal length are compared by element, others replaced as a whole. An empty array when
 * both are equal. The caller frees. */
json *patch_from_difference(const json *before, const json *after);

/* Applies add, remove, replace and test operations to *document in place. ERR_INVALID for a path
 * that is not there; the document may then be half patched. */
int patch_apply(json **document, const json *patch, struct err *err);

#endif
