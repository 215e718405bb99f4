/*
 * What is refused before a release edits an HTTPRoute: whatever the Gateway API has no room for, or
 * what would send requests elsewhere than its rules say. Each error names the object, the rule, the
 * reason, and what to do.
 */
#ifndef TRAFFIC_ROUTE_CHECK_H
#define TRAFFIC_ROUTE_CHECK_H

#include "base/err.h"
#include "traffic/intent.h"

/* Refuses an HTTPRoute that routes to the Service. What passes can be split at every weight. `all`
 * are the HTTPRoutes whose rules may compete with its own. */
int httproute_check(
	const json *httproute, const json *all, const struct intent *intent, struct err *err);

#endif
