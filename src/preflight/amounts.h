/* Quantities by name: what a pod asks for, what a node has, what a quota allows. */
#ifndef PREFLIGHT_AMOUNTS_H
#define PREFLIGHT_AMOUNTS_H

#include "preflight/quantity.h"

struct amount {
	char *name; /* "cpu", "memory", "nvidia.com/gpu" */
	quantity value;
};

struct amounts {
	struct amount *items;
	size_t count;
};

void amounts_release(struct amounts *amounts); /* NULL-safe */

/* NULL where there is none of this name. */
const quantity *amounts_find(const struct amounts *amounts, const char *name);
/* 0 where there is none. */
quantity amounts_get(const struct amounts *amounts, const char *name);

void amounts_add(struct amounts *amounts, const char *name, quantity value);
void amounts_add_all(struct amounts *amounts, const struct amounts *others);
void amounts_set(struct amounts *amounts, const char *name, quantity value);
/* To the greater of both. */
void amounts_raise(struct amounts *amounts, const struct amounts *others);

/* Adds a resource list, {"cpu": "500m"}; members that are no quantities are left out. */
void amounts_read(struct amounts *amounts, const json *list);

#endif
