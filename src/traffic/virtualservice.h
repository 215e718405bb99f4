/*
 * Edits of VirtualServices (networking.istio.io/v1).
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/
 *
 * A destination is "ours" when its host is the Service and it names no subset, or one that selects
 * the stable version's pods (subset_is_stable, destinationrule.h). Only ours are changed: each
 * becomes two neighbours, the stable and the canary one, that share its part of the list's weight.
 * Where the user's numbers are too small for an exact share, all weights of that list are
 * multiplied by the least factor that makes it exact. Everything else of the object stays what it
 * is.
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

/* True where an http route sends requests to the Service without naming a subset, so to any pod. */
bool virtualservice_is_open(const json *virtualservice, const struct intent *intent);

/* Refuses what cannot be split correctly yet (tcp and tls routes to the Service, a subset that
 * selects both versions or is not defined, weights that cannot be split exactly, …), naming the
 * object, the route and the reason. What it lets pass can be split at every weight. */
int virtualservice_check(const json *virtualservice, const json *destinationrules,
	const struct intent *intent, struct err *err);

/* A VirtualService for a Service that has none: one http route to both subsets. With
 * canary_weight percent on the canary. The caller frees. */
json *virtualservice_new(const char *name, const struct intent *intent, int canary_weight);

/* The snapshot with canary_weight percent (0 to 100) of the Service's requests on the canary
 * subset. Both destinations stay in the list at 0 and 100, so that the list keeps its length.
 * Mirrors stay as they are. The snapshot must have passed virtualservice_check with the same
 * destinationrules: those of the Service as they were before. The caller frees. */
json *virtualservice_split(const json *snapshot, const json *destinationrules,
	const struct intent *intent, int canary_weight);

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
