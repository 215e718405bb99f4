#include "api/kind.h"

const struct kind KIND_CONFIG_MAP = {"ConfigMap", "v1", "configmaps", "configmap"};
const struct kind KIND_SERVICE = {"Service", "v1", "services", "service"};
const struct kind KIND_POD = {"Pod", "v1", "pods", "pod"};
const struct kind KIND_NAMESPACE = {"Namespace", "v1", "namespaces", "namespace"};
const struct kind KIND_DEPLOYMENT = {"Deployment", "apps/v1", "deployments", "deployment.apps"};
const struct kind KIND_REPLICA_SET = {"ReplicaSet", "apps/v1", "replicasets", "replicaset.apps"};
const struct kind KIND_ENDPOINT_SLICE = {
	"EndpointSlice", "discovery.k8s.io/v1", "endpointslices", "endpointslice.discovery.k8s.io"};
const struct kind KIND_HORIZONTAL_POD_AUTOSCALER = {"HorizontalPodAutoscaler", "autoscaling/v2",
	"horizontalpodautoscalers", "horizontalpodautoscaler.autoscaling"};
const struct kind KIND_VIRTUAL_SERVICE = {"VirtualService", "networking.istio.io/v1",
	"virtualservices", "virtualservice.networking.istio.io"};
const struct kind KIND_DESTINATION_RULE = {"DestinationRule", "networking.istio.io/v1",
	"destinationrules", "destinationrule.networking.istio.io"};
