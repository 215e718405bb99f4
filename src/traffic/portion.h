/*
 * Exact shares of a list of weighted entries, whatever the entries are. Weights are relative: each
 * entry has its part of the list's sum. Entries of ours are replaced by one for each part; where
 * the user's numbers are too small for whole ones, all weights of the list are multiplied by the
 * least factor that makes them whole.
 */
#ifndef TRAFFIC_PORTION_H
#define TRAFFIC_PORTION_H

#include <stdint.h>

#include "traffic/intent.h"

/* What one version, or one step of a sticky release, gets of an entry. */
struct part {
	int percent;
	bool canary;
	int step; /* of a sticky release, from 1; 0: none */
};

struct parts {
	struct part items[STEPS_MAXIMUM];
	size_t count;
};

/* The two versions' parts; not sticky. */
struct parts parts_of_versions(int canary_percent);

/* What a list is of: Istio's destinations, the Gateway API's backendRefs. scope is handed on. */
struct entry_kind {
	int64_t (*weight_of)(const json *entry, const json *list);
	bool (*is_ours)(const json *entry, const void *scope);
	/* The entry as one version has it; the weight is not its business. The caller frees. */
	json *(*make_share)(const json *entry, const struct part *part, const void *scope);
};

/* The least factor for the list's weights with which all parts of ours are whole numbers. */
int64_t portion_scale(const json *list, const struct parts *parts, const struct entry_kind *kind,
	const void *scope);

/* The list with each of ours in parts, neighbours; also those of 0 percent. The caller frees. */
json *portion_list(const json *list, const struct parts *parts, const struct entry_kind *kind,
	const void *scope);

/* The list with all of ours for one version, and with the weights that it has. The caller frees. */
json *portion_pointed(
	const json *list, bool canary, const struct entry_kind *kind, const void *scope);

#endif
