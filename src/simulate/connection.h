/*
 * Which tcp or tls route takes a connection. Envoy chooses by what fits most closely, first the
 * address, then the server name (SNI), not by the order of the routes; the order counts where
 * istiod makes the proxy's configuration.
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#TLSRoute
 */
#ifndef SIMULATE_CONNECTION_H
#define SIMULATE_CONNECTION_H

#include "simulate/mesh.h"
#include "simulate/protocol.h"
#include "simulate/request.h"
#include "simulate/visible.h"

struct connection {
	bool found;		    /* false: the proxy has no place for the connection */
	const json *virtualservice; /* NULL: it goes to the Service as it is */
	const json *route;
	size_t index; /* in spec.tcp or spec.tls */
};

/* A connection from a sidecar to a Service. protocol: PROTOCOL_TCP or PROTOCOL_TLS; the host of the
 * request is the server name. passed_over (an array) gets the routes before, with the reasons. */
struct connection sidecar_connection(const struct mesh *mesh, const struct object_list *visible,
	const json *service, enum protocol protocol, const struct request *request,
	json *passed_over);

/* A connection through a gateway's server, which passes TLS on (PROTOCOL_TLS) or does not look at
 * it. */
struct connection gateway_connection(const json *gateway, const struct object_list *visible,
	enum protocol protocol, const struct request *request, json *passed_over);

#endif
