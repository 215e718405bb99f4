#include "release/version_service.h"

#include "api/object.h"
#include "base/str.h"
#include "release/canary.h"
#include "traffic/backend.h"

/* What the user's Service has for itself. Everything else of its spec says how its pods are
 * reached, and holds for the version's too: ports with their protocols, IP families, affinity. */
static const char *const NOT_COPIED[] = {"clusterIP", "clusterIPs", "externalIPs", "externalName",
	"externalTrafficPolicy", "healthCheckNodePort", "loadBalancerIP", "loadBalancerClass",
	"loadBalancerSourceRanges", "allocateLoadBalancerNodePorts"};

/* Annotations by which others would do for the copy what they do for the Service: give it a DNS
 * name or a load balancer, scrape its pods a second time. Others say how to speak to the pods. */
static const char *const ANNOTATIONS_NOT_COPIED[] = {"external-dns.alpha.kubernetes.io/",
	"service.beta.kubernetes.io/", "prometheus.io/", "cloud.google.com/neg-status",
	"metallb.io/", "metallb.universe.tf/", "io.cilium/", "lbipam.cilium.io/"};

static void copy_annotations(const json *service, json *copy)
{
	AUTO_JSON kept = json_object();
	json_set(kept, "metadata", json_copy(json_get(service, "metadata")));
	drop_annotations(kept);
	json_for_each (annotation, json_path(kept, "metadata", "annotations", NULL)) {
		bool copied = true;
		for (size_t i = 0; i < COUNT_OF(ANNOTATIONS_NOT_COPIED); i++)
			copied = copied &&
				 !str_starts(json_key(annotation), ANNOTATIONS_NOT_COPIED[i]);
		if (copied)
			object_set_annotation(copy, json_key(annotation), json_text(annotation));
	}
}

json *version_service_new(const struct record *record, bool canary)
{
	const struct plan *plan = &record->plan;
	struct intent intent = plan_intent(plan);
	AUTO_STRING name = version_service(&intent, canary);
	json *copy = object_new(&KIND_SERVICE, plan->namespace, name);
	copy_annotations(record->service, copy);
	/* Its labels are what others find the Service by: monitoring, GitOps. */
	mark_as_own(copy, record);

	json *spec = json_copy(json_get(record->service, "spec"));
	for (size_t i = 0; i < COUNT_OF(NOT_COPIED); i++)
		json_remove(spec, NOT_COPIED[i]);
	json_set_text(spec, "type", "ClusterIP");
	json_for_each (port, json_get(spec, "ports"))
		json_remove(port, "nodePort");
	json_set_text(json_ensure_object(spec, "selector"), VERSION_LABEL,
		canary ? plan->canary_version : plan->stable_version);
	json_set(copy, "spec", spec);
	return copy;
}
