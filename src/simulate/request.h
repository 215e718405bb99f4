/*
 * A request as a proxy sees it when it looks for a route: Envoy's view of it, after its HTTP
 * connection manager has put the path into its normal form (istiod's default,
 * pathNormalization BASE).
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto
 */
#ifndef SIMULATE_REQUEST_H
#define SIMULATE_REQUEST_H

#include <stdbool.h>

#include "data/json.h"

#define MESH_GATEWAY "mesh"

struct request {
	/* What is asked for: a Service, and one of its ports; through a gateway, the port of one of
	 * the gateway's servers. */
	const char *service, *service_namespace;
	int port;
	const char *host;    /* as in the Host header, with a port where the client sends one */
	const char *path;    /* with the query */
	const char *method;  /* "GET" */
	const char *scheme;  /* NULL: what the port is for */
	const json *headers; /* names in lower case; a text, or an array where one is repeated */

	/* Who asks: a sidecar ("mesh") or a gateway ("NAMESPACE/NAME"), and its pods' namespace and
	 * labels. labels NULL: not known. */
	const char *gateway;
	const char *client_namespace;
	const json *labels;
};

bool request_is_from_mesh(const struct request *request);

/* The path without the query, in Envoy's normal form. The caller frees. */
char *request_path(const struct request *request);

/* The first value of a query parameter, as it stands there (not decoded); NULL where there is
 * none. The caller frees. */
char *request_query_value(const struct request *request, const char *name);

/* The values of a header (a name in any case, or ":method", ":authority", ":scheme", ":path"), an
 * array of texts; a null in it is a value that only the proxy knows. Empty where there is none.
 * The caller frees. */
json *request_header_values(const struct request *request, const char *name);

#endif
