/*
 * Edits of VirtualServices (networking.istio.io/v1).
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/
 *
 * A destination of ours (destination.h) becomes neighbours that share its part of the list's weight
 * (share.h); for A/B and sticky releases, clones of the route stand in front of it (clone.h).
 * Everything else of the object stays what it is.
 *
 * The lists of routes of the trees that are made here are keyed for merge_to_goal (merge.h), which
 * takes the keys away again. The list of destinations of a route that is split is not: weights are
 * relative, so that it is ours as a whole. `destinationrules` are always the users' as they were
 * before the release.
 */
#ifndef TRAFFIC_VIRTUALSERVICE_H
#define TRAFFIC_VIRTUALSERVICE_H

#include "base/err.h"
#include "data/json.h"
#include "traffic/intent.h"

/* True where any destination of any http, tcp or tls route is the Service, or was meant to be
 * (host_is_partial: virtualservice_check refuses it). */
bool virtualservice_routes_to(const json *virtualservice, const struct intent *intent);

/* True where the mesh's sidecars may use this VirtualService for the Service: the Service is among
 * its hosts (by name or wildcard) and "mesh" among its gateways (or there are none). */
bool virtualservice_serves_mesh(const json *virtualservice, const struct intent *intent);

/* True where one of its http routes is a delegate's, and `delegate` is it. */
bool virtualservice_delegates_to(
	const json *virtualservice, const json *delegate, const struct intent *intent);

/* The same for one of its http routes. */
bool route_delegates_to(const json *route, const json *virtualservice, const json *delegate,
	const struct intent *intent);

/* True where it has no hosts: only what delegates to it uses it. */
bool virtualservice_is_delegate(const json *virtualservice);

/* True where a route sends requests to the Service without naming a subset, so to any pod. */
bool virtualservice_is_open(const json *virtualservice, const struct intent *intent);

/* A VirtualService for a Service that has none, with one http route to it, and a tcp route for each
 * of tcp_ports (array of numbers, or NULL). exports: its exportTo, or NULL. Not split yet: it is
 * the snapshot of which virtualservice_split makes what is written. The caller frees. */
json *virtualservice_new(
	const char *name, const json *tcp_ports, const json *exports, const struct intent *intent);

/* The snapshot itself, keyed. The caller frees. */
json *virtualservice_original(const json *snapshot);

/* The snapshot with the Service's requests split. Both versions stay in each list at 0 and 100
 * percent, so that lists keep their length. Mirrors stay as they are. The snapshot must have passed
 * virtualservice_check. The caller frees. */
json *virtualservice_split(const json *snapshot, const json *destinationrules,
	const struct intent *intent, const struct split *split);

/* The snapshot with no subset at the Service's destinations that split divides, so that they reach
 * all of its pods: for the time in which one version replaces the other behind them. The caller
 * frees. */
json *virtualservice_opened(
	const json *snapshot, const json *destinationrules, const struct intent *intent);

/* The snapshot in the user's own shape, pointing to the new version: equal to the snapshot where no
 * destination and no mirror names a subset; otherwise with the names that destinationrule_finished
 * gives. The caller frees. */
json *virtualservice_finished(
	const json *snapshot, const json *destinationrules, const struct intent *intent);

#endif
