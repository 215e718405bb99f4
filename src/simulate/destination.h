/*
 * What the destinations of a route come to: Service, port, subset, and how likely each is.
 */
#ifndef SIMULATE_DESTINATION_H
#define SIMULATE_DESTINATION_H

#include "simulate/mesh.h"
#include "simulate/request.h"

/* The entries of a route's destination list (completed host names) as an array of {"host", "port",
 * "subset", "version" (the subset's), "labels" (the subset's), "weight", "probability",
 * "problem": why requests to it fail}. Entries that get nothing are left out. is_http: by which of
 * istiod's rules a port is chosen where the route names none. The caller frees. */
json *destinations_of(
	const struct mesh *mesh, const struct request *request, const json *list, bool is_http);

/* The same for a Service that no route splits. */
json *destination_of_service(
	const struct mesh *mesh, const struct request *request, const json *service);

#endif
