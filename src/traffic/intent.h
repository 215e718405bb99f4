/*
 * What the traffic of a Service is to become, as far as Istio's objects say it. The edits in this
 * folder are pure functions from (the object as it was before the release, intent) to the object
 * as it should be; nothing here reads the cluster.
 */
#ifndef TRAFFIC_INTENT_H
#define TRAFFIC_INTENT_H

#include <stdbool.h>

#include "data/json.h"

/* The label by which Istio and its tools tell versions apart. */
#define VERSION_LABEL "version"

/* The subsets that this program adds. Their names are its own, so that they never meet a user's. */
#define STABLE_SUBSET "batchrollout-stable"
#define CANARY_SUBSET "batchrollout-canary"

/* The Service whose requests are split, and the two versions behind it. */
struct intent {
	const char *service;
	const char *namespace;
	const char *cluster_domain; /* "cluster.local" */
	const char *stable_version; /* values of VERSION_LABEL on the pods */
	const char *canary_version;
};

/* True where Istio takes `host`, as it stands in an object of object_namespace, for the Service:
 * "web" in the Service's own namespace, or "web.shop.svc.cluster.local" anywhere. Istio completes
 * only names without a dot; "web.shop" is another host to it.
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#Destination */
bool host_is_service(const char *host, const char *object_namespace, const struct intent *intent);

/* True for "web.shop" and "web.shop.svc": the Service to DNS, and so to whoever wrote it, but a
 * host that does not exist to Istio. */
bool host_is_partial(const char *host, const struct intent *intent);

/* The full host name of the Service. The caller frees. */
char *service_host(const struct intent *intent);

/* metadata.namespace; the Service's where the object has none. */
const char *namespace_of(const json *object, const struct intent *intent);

#endif
