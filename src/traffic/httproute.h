/*
 * Edits of HTTPRoutes (gateway.networking.k8s.io/v1).
 * https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.HTTPRoute
 *
 * A backendRef of ours (backend.h) becomes neighbours that share its part of the list's weight
 * (portion.h): one to the stable version's Service, one to the canary's. For A/B releases, clones
 * of the rule stand in front of it. Everything else of the object stays what it is.
 *
 * The rules of the trees that are made here are keyed for merge_to_goal (merge.h), which takes the
 * keys away again. The backendRefs of a rule that is split are not: weights are relative, so that
 * the list is ours as a whole.
 */
#ifndef TRAFFIC_HTTPROUTE_H
#define TRAFFIC_HTTPROUTE_H

#include <stdint.h>

#include "base/err.h"
#include "traffic/backend.h"
#include "traffic/portion.h"

/* Of backendRefs, as portion_list takes them; the scope is a struct route_scope. */
extern const struct entry_kind BACKENDS;

/* True where a rule sends requests to the Service, or to one of a release (httproute_check refuses
 * that). */
bool httproute_routes_to(const json *httproute, const struct intent *intent);

/* True where it is for everybody in the mesh who asks for the Service: it has the Service as its
 * parent, and is in the Service's namespace (elsewhere it is for that namespace only). */
bool httproute_serves_mesh(const json *httproute, const struct intent *intent);

/* An HTTPRoute with the Service as its parent, for a port of it, and one rule that sends everything
 * there; for a mesh in which the user has none. only_port: the Service has no other. Not split yet:
 * it is the snapshot of which httproute_split makes what is written. The caller frees. */
json *httproute_new(const char *name, int64_t port, bool only_port, const struct intent *intent);

/* The snapshot itself, keyed. The caller frees. */
json *httproute_original(const json *snapshot);

/* The snapshot with the Service's requests split. Both versions stay in each list at 0 and 100
 * percent. Mirrors stay as they are. The snapshot must have passed httproute_check (route_check.h).
 * The caller frees. */
json *httproute_split(const json *snapshot, const struct intent *intent, const struct split *split);

/* Appends the clones of a rule: the rule with a condition of --match in each of its matches, and
 * all of ours to the canary. A condition that can never hold together with the rule's own gives
 * none. Usually one clone; one for each match where a filter of the rule allows only one match. The
 * keys (merge.h) begin with index. ERR_FAILED where the API cannot say both together. */
int rule_clones_append(json *rules, const json *rule, size_t index, const struct route_scope *scope,
	struct err *err);

/* The percentage of the Service's requests that the HTTPRoute sends to the canary now, by its first
 * rule that is split; -1 where there is none. Clones do not count. */
int httproute_canary_weight(const json *httproute, const struct intent *intent);

#endif
