/*
 * DestinationRules (networking.istio.io/v1): which pods a subset is.
 * https://istio.io/latest/docs/reference/config/networking/destination-rule/
 *
 * Istio merges several DestinationRules of one host: the subsets add up, and ours inherit the top
 * trafficPolicy of the user's. So the subsets of a release stand in an object of our own, and the
 * user's is not touched, except at the end where it names the old version.
 */
#ifndef TRAFFIC_DESTINATIONRULE_H
#define TRAFFIC_DESTINATIONRULE_H

#include "base/err.h"
#include "data/json.h"
#include "traffic/intent.h"

/* True where its host is the Service. */
bool destinationrule_is_for(const json *destinationrule, const struct intent *intent);

/* The subset of that name among the DestinationRules (an array) of the Service, or NULL. */
const json *find_subset(
	const json *destinationrules, const char *name, const struct intent *intent);

/* True where a user's subset stands for the stable version: its labels hold VERSION_LABEL with the
 * stable version's value. */
bool subset_is_stable(const json *subset, const struct intent *intent);

/* The DestinationRule of a release: subsets for the stable and the canary version; exportTo as in
 * the user's (else Istio would not merge them), the canary with the trafficPolicy of the user's own
 * stable subset where there is one. destinationrules: array of the user's. The caller frees. */
json *destinationrule_new(
	const char *name, const json *destinationrules, const struct intent *intent);

/* The user's DestinationRule at the end of a release: a subset that names the stable version names
 * the new one: its label changes, and its name too where the name is the version (v1 -> v2). With
 * keep_old a renamed subset's old entry stays beside the new one, for the time in which proxies may
 * still use it. Equal to the snapshot where it names no version. The caller frees. */
json *destinationrule_finished(
	const json *snapshot, const struct intent *intent, bool keep_old);

#endif
