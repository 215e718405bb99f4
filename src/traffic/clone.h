/*
 * The rules of a release that stand in front of a route: clones of it with a condition more, all of
 * whose shares of the Service go to one version. A clone keeps everything else that the route has:
 * its match, to each of which the condition is added, rewrite, retries, timeout, other destinations
 * in its list; so whoever meets a rule of the release gets what the route would have given, from a
 * chosen version.
 */
#ifndef TRAFFIC_CLONE_H
#define TRAFFIC_CLONE_H

#include "traffic/destination.h"

/* Appends to `routes` the clones of an http route that route_is_split: for --match, and for
 * --sticky, in the order in which they must stand. Their names begin with OWN_PREFIX; their keys
 * (merge.h) with index. A condition that can never hold together with the route's own gives none.
 * ERR_FAILED where Istio cannot express both together. */
int clones_append(json *routes, const json *route, size_t index, const struct scope *scope,
	const struct split *split, struct err *err);

/* True for a route that clones_append made. */
bool route_is_clone(const json *route);

#endif
