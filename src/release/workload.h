/*
 * Questions about Deployments, their ReplicaSets and pods, as the Deployment controller sees them:
 * a Deployment owns ReplicaSets, a ReplicaSet owns pods, both by controller reference.
 */
#ifndef RELEASE_WORKLOAD_H
#define RELEASE_WORKLOAD_H

#include <stdbool.h>

#include "base/buf.h"
#include "release/observation.h"

/* The label by which a ReplicaSet tells its pods from those of others. */
#define POD_TEMPLATE_HASH "pod-template-hash"
/* The annotation that counts the versions of a Deployment, on its ReplicaSets. */
#define REVISION_ANNOTATION "deployment.kubernetes.io/revision"

/* The Deployments of the release, or NULL where there is none. */
json *stable_deployment(const struct observation *seen);
json *canary_deployment(const struct observation *seen);

/* The pod template of a Deployment or ReplicaSet. */
json *pod_template(const json *workload);

/* spec.replicas; 1 where it is absent, as the API has it. */
int wanted_replicas(const json *workload);

/* How many pods a rolling update of the Deployment adds: a number or a percentage, rounded up; 25%
 * by default. */
int surge_of(const json *deployment);

/* What the kubelet says of it; it may be on its way out all the same. */
bool pod_is_ready(const json *pod);

/* The labels of a pod template's metadata; NULL where there are none. */
json *template_labels(const json *workload);

/* True where two pod templates are equal but for pod-template-hash and, if that is asked, the
 * version label. */
bool templates_equal(const json *a, const json *b, bool ignore_version);

/* Whether the stable Deployment owns a ReplicaSet. */
bool is_stables_set(const struct observation *seen, const json *set);

/* Whether the Deployment (not NULL) is paused. */
bool is_paused(const json *deployment);

/* Pods of a Deployment that serve: Ready, not being deleted, and ready in the EndpointSlices of the
 * Service, and of each Service of the release's own that selects them. template (may be NULL): only
 * those of the ReplicaSet with this template. */
int count_serving_pods(
	const struct observation *seen, const json *deployment, const json *template);

/* True where no ReplicaSet of the Deployment is to have pods but that with this template: its
 * controller is not on the way from one template to another. */
bool wants_only(const struct observation *seen, const json *deployment, const json *template);

/* All endpoints of a Deployment's pods in the EndpointSlices that may get requests, of whichever
 * Service. */
int count_endpoints(const struct observation *seen, const json *deployment);

/* Pods of a Deployment of this name whose ReplicaSet is gone, and which are endpoints, or may still
 * become that because nobody has deleted them yet and they have not ended: what a deleted copy has
 * left behind. */
int count_endpoints_left(const struct observation *seen, const char *deployment);

/* Pods of a Deployment that are endpoints of the user's Service and of none of the release's own.
 */
int count_endpoints_of_one(const struct observation *seen, const json *deployment);

/* True where the controller has seen the object's newest spec. */
bool is_observed(const json *object);

/* Why pods of the Deployment do not get Ready, in the words of the kubelet, the scheduler and the
 * ReplicaSet controller: one line for each reason, "ImagePullBackOff: 3 pods (web-v2-…): …". Adds
 * nothing where there is no reason to see. */
void explain_pods(const struct observation *seen, const json *deployment, struct buf *buf);

#endif
