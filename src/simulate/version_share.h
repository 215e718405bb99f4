/*
 * Which versions answer where no subset tells them apart: proxies and kube-proxy spread requests
 * over the ready endpoints alike.
 */
#ifndef SIMULATE_VERSION_SHARE_H
#define SIMULATE_VERSION_SHARE_H

#include "data/json.h"

/* Of the pods (an array) that are ready in the EndpointSlices of a Service (an array) and have the
 * labels (NULL: any): [{"version": value of the label or absent, "pods", "share": of them, 0 to
 * 1}], in the order of versions. Empty where no pod is ready. The caller frees. */
json *version_shares(const json *pods, const json *slices, const json *labels);

#endif
