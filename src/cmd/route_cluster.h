/* What `route` reads of the cluster. */
#ifndef CMD_ROUTE_CLUSTER_H
#define CMD_ROUTE_CLUSTER_H

#include "cmd/session.h"
#include "release/record.h"
#include "simulate/mesh.h"
#include "simulate/request.h"

struct route_cluster {
	bool has_istio;
	json *virtualservices, *destinationrules, *services, *gateways; /* lists */
	char *cluster_domain;
	struct mesh mesh;	      /* the lists' items */
	struct record record;	      /* of the release, where a batch of it is asked for */
	const struct batch *at_batch; /* that batch; or NULL for what is now */
};

void route_cluster_release(struct route_cluster *cluster);

/* Reads all of it, in all namespaces where that is allowed; a note on standard error says where it
 * is not. gateways: only where the request comes through one. at_batch: as it will be when that
 * batch of the release that is under way is reached (from 1), or 0 for now. ERR_NOT_FOUND where the
 * Service does not exist. */
int route_cluster_read(struct session *session, const char *service, bool gateways, int at_batch,
	struct route_cluster *ret, struct err *err);

/* A pod of a gateway, in whatever namespace it is; NULL where none is to be seen. The caller frees.
 */
json *route_cluster_gateway_pod(struct session *session, const json *gateway);

/* Adds to each destination which versions its ready pods have, and to the answer what that comes to
 * for the request:
 *   destinations[].versions   [{version, pods, share}], see traffic/version_share.h
 *   versions                  [{version, probability}]
 * A destination without a ready pod gets a problem. For a batch to come, the pods are those that it
 * will have. */
void route_cluster_add_versions(
	struct session *session, const struct route_cluster *cluster, json *answer);

#endif
