/*
 * What the traffic of a Service is to become, as far as Istio's objects say it. The edits in this
 * folder are pure functions from (the object as it was before the release, intent) to the object
 * as it should be; nothing here reads the cluster.
 */
#ifndef TRAFFIC_INTENT_H
#define TRAFFIC_INTENT_H

#include <stdbool.h>

#include "base/err.h"
#include "data/json.h"

/* The label by which Istio and its tools tell versions apart. */
#define VERSION_LABEL "version"

/* The subsets that this program adds. Their names are its own, so that they never meet a user's. */
#define STABLE_SUBSET "batchrollout-stable"
#define CANARY_SUBSET "batchrollout-canary"

/* With what the names of objects and routes begin that this program adds. */
#define OWN_PREFIX "batchrollout-"

/* Where Istio looks last for DestinationRules, unless its installation says otherwise. */
#define ROOT_NAMESPACE "istio-system"

#define STEPS_MAXIMUM 101

/* The Service whose requests are split, and the two versions behind it. The strings and trees
 * belong to whoever made the intent. */
struct intent {
	const char *service;
	const char *namespace;
	const char *cluster_domain; /* "cluster.local" */
	const char *stable_version; /* values of VERSION_LABEL on the pods */
	const char *canary_version;

	/* --match: the rules of rules_parse (rule.h); NULL or empty: none. */
	const json *match_rules;
	/* --sticky: the weights that the canary has one after the other, none less than the one
	 * before it; the last is 100. No steps: not sticky. */
	int sticky_steps[STEPS_MAXIMUM];
	int sticky_step_count;
	/* With what the values of its cookies begin, and those of no other release. NULL: the
	 * canary version. */
	const char *sticky_round;
	/* --virtualservice: the only VirtualServices to be edited, {"namespace", "name", "routes":
	 * [names]}, the latter empty for all routes. NULL: all of them. */
	const json *selection;
};

/* How requests are split at a time. */
struct split {
	int weight; /* percent to the canary, of those that no rule decides */
	bool rules; /* whether the A/B and sticky rules are there */
};

/* True where Istio takes `host`, as it stands in an object of object_namespace, for the Service:
 * "web" in the Service's own namespace, or "web.shop.svc.cluster.local" anywhere. Istio completes
 * only names without a dot; "web.shop" is another host to it.
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#Destination */
bool host_is_service(const char *host, const char *object_namespace, const struct intent *intent);

/* True for "web.shop" and "web.shop.svc": the Service to DNS, and so to whoever wrote it, but a
 * host that does not exist to Istio. */
bool host_is_partial(const char *host, const struct intent *intent);

/* True where a host with a wildcard ("*", "*.shop.svc.cluster.local") matches the Service. */
bool host_covers_service(const char *host, const struct intent *intent);

/* The full host name of the Service. The caller frees. */
char *service_host(const struct intent *intent);

/* metadata.namespace; the Service's where the object has none. */
const char *namespace_of(const json *object, const struct intent *intent);

/* The domain of the cluster by the full names of this Service in these arrays of objects; the usual
 * "cluster.local" where none has any. ERR_FAILED where they disagree. The caller frees. */
int find_cluster_domain(const json *virtualservices, const json *destinationrules,
	const char *service, const char *namespace, char **ret, struct err *err);

/* True where `exports` (an exportTo) lets every namespace see the object. */
bool is_public(const json *exports);

#endif
