/*
 * What is known of a cluster with Istio, as arrays of objects as the API has them. What the user
 * may not list is missing from them: then answers can be wrong, which only the caller can say.
 */
#ifndef SIMULATE_MESH_H
#define SIMULATE_MESH_H

#include "data/json.h"

struct mesh {
	const json *virtualservices;  /* of all namespaces */
	const json *destinationrules; /* of all namespaces */
	const json *services;	      /* of all namespaces */
	const json *gateways;	      /* NULL: not known */
	const char *cluster_domain;   /* "cluster.local" */
	const char *root_namespace;   /* "istio-system" */
};

/* "NAME.NAMESPACE.svc.DOMAIN". The caller frees. */
char *mesh_service_host(const struct mesh *mesh, const json *service);

/* The Service of that full host name, or NULL. */
const json *mesh_service(const struct mesh *mesh, const char *host);

/* The object of an array with that namespace and name, or NULL. */
const json *mesh_object(const json *objects, const char *namespace, const char *name);

#endif
