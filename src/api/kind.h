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
extern const struct kind KIND_VIRTUAL_SERVICE;
extern const struct kind KIND_DESTINATION_RULE;

#endif
