/*
 * What is refused before a release edits a VirtualService: whatever could not be split exactly,
 * would send requests nowhere, or could not be taken back. Each error names the object, the route,
 * the reason, and what to do.
 */
#ifndef TRAFFIC_CHECK_H
#define TRAFFIC_CHECK_H

#include "base/err.h"
#include "data/json.h"
#include "traffic/intent.h"

/* Refuses a VirtualService that routes to the Service: a subset that selects both versions or is
 * not defined, weights that cannot be split exactly, conditions that Istio cannot join with those
 * of --match, and the like. What passes can be split at every weight. `all` are the
 * VirtualServices that may delegate to it. */
int virtualservice_check(const json *virtualservice, const json *all, const json *destinationrules,
	const struct intent *intent, struct err *err);

/* Refuses a VirtualService that routes to the Service and that the user did not choose
 * (--virtualservice), where it names the stable version's subset, of which there will be no pods.
 */
int virtualservice_check_left_alone(const json *virtualservice, const json *destinationrules,
	const struct intent *intent, struct err *err);

#endif
