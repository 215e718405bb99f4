/*
 * Quantities of resources: "500m", "1Gi", "1e3", exactly, as the API server counts them: whole
 * multiples of 10^-9, finer ones rounded away from zero, and none beyond 2^63-1.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
#ifndef PREFLIGHT_QUANTITY_H
#define PREFLIGHT_QUANTITY_H

#include <stdint.h>

#include "data/json.h"

/* In 10^-9 of the resource's unit (CPUs, bytes, objects). No number of pods times the maximum
 * overflows. */
__extension__ typedef __int128 quantity;
#define QUANTITY_ONE ((quantity)1000000000)
#define QUANTITY_MAXIMUM ((quantity)INT64_MAX * QUANTITY_ONE)

quantity quantity_of(int64_t whole);

/* ERR_INVALID where the text is no quantity, or has more than 19 digits before the
 * point or 18 behind it. */
int quantity_parse(const char *text, quantity *ret, struct err *err);

/* The same from a tree, where a quantity may also be a plain number. ERR_INVALID for NULL. */
int quantity_read(const json *node, quantity *ret, struct err *err);

/* The shortest exact text with a suffix of the resource's own kind: "1536Mi" for what is counted in
 * bytes ("memory", "limits.memory", "hugepages-2Mi"), "1500m" for what is not. The caller frees. */
char *quantity_text(quantity value, const char *resource);

#endif
