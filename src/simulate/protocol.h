/*
 * What istiod takes the traffic of a Service's port for: by appProtocol, or the port's name up to
 * the first dash.
 * https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
 */
#ifndef SIMULATE_PROTOCOL_H
#define SIMULATE_PROTOCOL_H

#include "data/json.h"

enum protocol {
	PROTOCOL_HTTP,	  /* with HTTP/2 and gRPC */
	PROTOCOL_SNIFFED, /* undeclared: proxies look at what is sent */
	PROTOCOL_TLS,	  /* with HTTPS: routed by SNI */
	PROTOCOL_TCP,
};

/* Of an element of spec.ports. */
enum protocol service_port_protocol(const json *port);

/* Of a name as Gateways have it ("HTTP", "https", "TLS"). */
enum protocol protocol_named(const char *name);

/* Whether the routes for http count. */
bool protocol_is_http(enum protocol protocol);

/* The element of spec.ports with the number, or NULL. One for UDP is none: proxies do not carry it.
 */
const json *service_port(const json *service, int number);

#endif
