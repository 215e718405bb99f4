/* What a pod asks for. */
#ifndef PREFLIGHT_POD_SPEC_H
#define PREFLIGHT_POD_SPEC_H

#include "preflight/amounts.h"

/* The spec that pods of a template get: requests that follow from limits, of containers and of the
 * pod as a whole, then what LimitRanges (a list; or NULL) give by default, as the API server and
 * its admission do it; and the containers
 * that admission has put into a running pod of the same Deployment (or NULL), such as a sidecar.
 * old: the template of that pod; what it had there is not put in again. The caller frees. */
json *pod_spec_admitted(
	const json *template, const json *limit_ranges, const json *running, const json *old);

/* A container that starts before the others and goes on beside them. */
bool is_sidecar(const json *container);

/* Whether anything is asked for, or limited, for the pod as a whole: spec.resources. */
bool has_pod_resources(const json *spec);

/* The sum over a pod, as scheduler and quota count it: init containers one after another, sidecars
 * beside, the overhead on top. which: "requests" or "limits". */
void pod_spec_sum(const json *spec, const char *which, struct amounts *ret);

#endif
