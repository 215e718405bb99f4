/*
 * The kinds of API objects that this program deals with: how their URLs, their messages and their
 * RBAC resources are named. One table, in kind.c.
 */
#ifndef API_KIND_H
#define API_KIND_H

struct kind {
	const char *name;     /* "Deployment" */
	const char *version;  /* apiVersion: "apps/v1", "v1" */
	const char *plural;   /* in URLs and RBAC: "deployments" */
	const char *singular; /* in messages, with the group: "deployment.apps" */
};

extern const struct kind KIND_CONFIG_MAP;
extern const struct kind KIND_SERVICE;
extern const struct kind KIND_POD;
extern const struct kind KIND_NAMESPACE;
extern const struct kind KIND_DEPLOYMENT;
extern const struct kind KIND_REPLICA_SET;
extern const struct kind KIND_ENDPOINT_SLICE;
extern const struct kind KIND_HORIZONTAL_POD_AUTOSCALER;
extern const struct kind KIND_SCALED_OBJECT; /* KEDA's */
extern const struct kind KIND_VIRTUAL_SERVICE;
extern const struct kind KIND_DESTINATION_RULE;
extern const struct kind KIND_GATEWAY;
extern const struct kind KIND_HTTP_ROUTE;
extern const struct kind KIND_REFERENCE_GRANT;
/* Read by the preflight only. */
extern const struct kind KIND_RESOURCE_QUOTA;
extern const struct kind KIND_LIMIT_RANGE;
extern const struct kind KIND_NODE;
extern const struct kind KIND_PERSISTENT_VOLUME_CLAIM;
extern const struct kind KIND_POD_DISRUPTION_BUDGET;
extern const struct kind KIND_NETWORK_POLICY;
extern const struct kind KIND_VERTICAL_POD_AUTOSCALER;
extern const struct kind KIND_SERVICE_MONITOR;
extern const struct kind KIND_POD_MONITOR;
extern const struct kind KIND_PEER_AUTHENTICATION;
extern const struct kind KIND_AUTHORIZATION_POLICY;
extern const struct kind KIND_REQUEST_AUTHENTICATION;
extern const struct kind KIND_SIDECAR;
extern const struct kind KIND_ENVOY_FILTER;

/* Other kinds of the Gateway API that can be about a Service, in all versions that servers have
 * had; a server serves few of them. Routes have rules with backendRefs as HTTPRoutes have. */
#define OTHER_ROUTE_KIND_COUNT 8
extern const struct kind OTHER_ROUTE_KINDS[OTHER_ROUTE_KIND_COUNT];
#define TLS_POLICY_KIND_COUNT 2
extern const struct kind TLS_POLICY_KINDS[TLS_POLICY_KIND_COUNT];

#endif
