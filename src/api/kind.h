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
extern const struct kind KIND_SECRET;
extern const struct kind KIND_SERVICE;
extern const struct kind KIND_POD;
extern const struct kind KIND_NAMESPACE;
extern const struct kind KIND_DEPLOYMENT;
extern const struct kind KIND_REPLICA_SET;
extern const struct kind KIND_ENDPOINT_SLICE;
extern const struct kind KIND_HORIZONTAL_POD_AUTOSCALER;
extern const struct kind KIND_VIRTUAL_SERVICE;
extern const struct kind KIND_DESTINATION_RULE;
extern const struct kind KIND_GATEWAY;
extern const struct kind KIND_HTTP_ROUTE;
extern const struct kind KIND_REFERENCE_GRANT;

/* Other kinds of the Gateway API that can be about a Service, in all versions that servers have
 * had; a server serves few of them. Routes have rules with backendRefs as HTTPRoutes have. */
#define OTHER_ROUTE_KIND_COUNT 8
extern const struct kind OTHER_ROUTE_KINDS[OTHER_ROUTE_KIND_COUNT];
#define TLS_POLICY_KIND_COUNT 2
extern const struct kind TLS_POLICY_KINDS[TLS_POLICY_KIND_COUNT];

#endif
