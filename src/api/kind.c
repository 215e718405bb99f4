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
const struct kind KIND_SCALED_OBJECT = {
	"ScaledObject", "keda.sh/v1alpha1", "scaledobjects", "scaledobject.keda.sh"};
const struct kind KIND_VIRTUAL_SERVICE = {"VirtualService", "networking.istio.io/v1",
	"virtualservices", "virtualservice.networking.istio.io"};
const struct kind KIND_DESTINATION_RULE = {"DestinationRule", "networking.istio.io/v1",
	"destinationrules", "destinationrule.networking.istio.io"};
const struct kind KIND_GATEWAY = {
	"Gateway", "networking.istio.io/v1", "gateways", "gateway.networking.istio.io"};

#define GATEWAY_API "gateway.networking.k8s.io/"
const struct kind KIND_HTTP_ROUTE = {
	"HTTPRoute", GATEWAY_API "v1", "httproutes", "httproute.gateway.networking.k8s.io"};
/* v1 is younger, and serves the same. */
const struct kind KIND_REFERENCE_GRANT = {"ReferenceGrant", GATEWAY_API "v1beta1",
	"referencegrants", "referencegrant.gateway.networking.k8s.io"};

#define GRPC(version)                                                                              \
	{"GRPCRoute", GATEWAY_API version, "grpcroutes", "grpcroute.gateway.networking.k8s.io"}
#define TLS(version)                                                                               \
	{"TLSRoute", GATEWAY_API version, "tlsroutes", "tlsroute.gateway.networking.k8s.io"}
#define TCP(version)                                                                               \
	{"TCPRoute", GATEWAY_API version, "tcproutes", "tcproute.gateway.networking.k8s.io"}
#define UDP(version)                                                                               \
	{"UDPRoute", GATEWAY_API version, "udproutes", "udproute.gateway.networking.k8s.io"}
const struct kind OTHER_ROUTE_KINDS[OTHER_ROUTE_KIND_COUNT] = {GRPC("v1"), TLS("v1"),
	TLS("v1alpha3"), TLS("v1alpha2"), TCP("v1"), TCP("v1alpha2"), UDP("v1"), UDP("v1alpha2")};

#define TLS_POLICY(version)                                                                        \
	{"BackendTLSPolicy", GATEWAY_API version, "backendtlspolicies",                            \
		"backendtlspolicy.gateway.networking.k8s.io"}
const struct kind TLS_POLICY_KINDS[TLS_POLICY_KIND_COUNT] = {
	TLS_POLICY("v1"), TLS_POLICY("v1alpha3")};

const struct kind KIND_RESOURCE_QUOTA = {"ResourceQuota", "v1", "resourcequotas", "resourcequota"};
const struct kind KIND_LIMIT_RANGE = {"LimitRange", "v1", "limitranges", "limitrange"};
const struct kind KIND_NODE = {"Node", "v1", "nodes", "node"};
const struct kind KIND_PERSISTENT_VOLUME_CLAIM = {
	"PersistentVolumeClaim", "v1", "persistentvolumeclaims", "persistentvolumeclaim"};
const struct kind KIND_POD_DISRUPTION_BUDGET = {
	"PodDisruptionBudget", "policy/v1", "poddisruptionbudgets", "poddisruptionbudget.policy"};
const struct kind KIND_NETWORK_POLICY = {"NetworkPolicy", "networking.k8s.io/v1", "networkpolicies",
	"networkpolicy.networking.k8s.io"};
const struct kind KIND_VERTICAL_POD_AUTOSCALER = {"VerticalPodAutoscaler", "autoscaling.k8s.io/v1",
	"verticalpodautoscalers", "verticalpodautoscaler.autoscaling.k8s.io"};
#define MONITORING "monitoring.coreos.com/v1"
const struct kind KIND_SERVICE_MONITOR = {
	"ServiceMonitor", MONITORING, "servicemonitors", "servicemonitor.monitoring.coreos.com"};
const struct kind KIND_POD_MONITOR = {
	"PodMonitor", MONITORING, "podmonitors", "podmonitor.monitoring.coreos.com"};
#define SECURITY "security.istio.io/v1"
const struct kind KIND_PEER_AUTHENTICATION = {"PeerAuthentication", SECURITY, "peerauthentications",
	"peerauthentication.security.istio.io"};
const struct kind KIND_AUTHORIZATION_POLICY = {"AuthorizationPolicy", SECURITY,
	"authorizationpolicies", "authorizationpolicy.security.istio.io"};
const struct kind KIND_REQUEST_AUTHENTICATION = {"RequestAuthentication", SECURITY,
	"requestauthentications", "requestauthentication.security.istio.io"};
const struct kind KIND_SIDECAR = {
	"Sidecar", "networking.istio.io/v1", "sidecars", "sidecar.networking.istio.io"};
const struct kind KIND_ENVOY_FILTER = {"EnvoyFilter", "networking.istio.io/v1alpha3",
	"envoyfilters", "envoyfilter.networking.istio.io"};
