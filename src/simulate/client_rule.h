/*
 * Which DestinationRule a client uses for a Service: the one in its own namespace, in the
 * Service's, or in the root namespace, merged from those with one host.
 * https://istio.io/latest/docs/reference/config/networking/destination-rule/
 */
#ifndef SIMULATE_CLIENT_RULE_H
#define SIMULATE_CLIENT_RULE_H

#include "simulate/mesh.h"
#include "simulate/request.h"

/* The subsets that the request's client knows of the Service with that full host name, an array;
 * empty where no DestinationRule has any. The caller frees. */
json *client_subsets(const struct mesh *mesh, const struct request *request,
	const char *service_host, const char *service_namespace);

#endif
