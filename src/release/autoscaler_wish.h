/*
 * What a frozen HorizontalPodAutoscaler would do if it could: computed from the metrics that it
 * still shows in its status, as its controller does it
 * (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details).
 */
#ifndef RELEASE_AUTOSCALER_WISH_H
#define RELEASE_AUTOSCALER_WISH_H

#include "data/json.h"

/* What the autoscaler counts. It looks at all pods that its Deployment's selector matches, and so
 * at those of the canary, too. */
struct scaled {
	int pods;   /* wanted, of both Deployments */
	int ready;  /* pods of both */
	int stable; /* pods that the stable Deployment has, of any state */
};

/* autoscaler: as it is now; limits: as it will be afterwards, with minReplicas and maxReplicas.
 * Returns how many pods it would like, or -1 and the reason why that is not known, in the words of
 * its conditions; the caller frees. */
int autoscaler_wish(
	const json *autoscaler, const json *limits, const struct scaled *scaled, char **ret_reason);

#endif
