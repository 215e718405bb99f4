/*
 * Whose the backendRefs of an HTTPRoute are, and the names of a release's own Services.
 *
 * The backends of the Gateway API are Services: it knows no subsets. So each version has a Service
 * of its own for the time of a release, with the ports of the user's and the version's pods, and a
 * backendRef to the user's Service ("ours") becomes two.
 * https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.HTTPBackendRef
 */
#ifndef TRAFFIC_BACKEND_H
#define TRAFFIC_BACKEND_H

#include "traffic/intent.h"

/* "batchrollout-<service>-stable" and "-canary"; a longer name of a Service than fits (63 in all)
 * is cut, and has a hash of the whole in place of what is missing. The caller frees. */
char *version_service(const struct intent *intent, bool canary);

/* One HTTPRoute. */
struct route_scope {
	const char *namespace;
	const struct intent *intent;
};

struct route_scope route_scope_of(const json *route, const struct intent *intent);

/* True for a parentRef to the Service: the route is for those who ask for it in the mesh (GAMMA).
 */
bool parent_is_service(const json *parent, const struct route_scope *scope);

/* True for a backendRef to the Service. */
bool backend_is_ours(const json *backend, const struct route_scope *scope);

/* True for a backendRef to one of the release's own Services. */
bool backend_is_of_version(const json *backend, bool canary, const struct route_scope *scope);

/* True where a release changes this rule. */
bool rule_has_ours(const json *rule, const struct route_scope *scope);

/* True where it names one of the release's own Services. */
bool rule_names_versions(const json *rule, const struct route_scope *scope);

#endif
