/*
 * Which http routes a proxy has for a host: those of one VirtualService in a sidecar, those of
 * several in a gateway, or the plain route to the Service.
 */
#ifndef SIMULATE_VIRTUALHOST_H
#define SIMULATE_VIRTUALHOST_H

#include "simulate/mesh.h"
#include "simulate/protocol.h"
#include "simulate/request.h"
#include "simulate/routing_table.h"
#include "simulate/visible.h"

struct virtual_host {
	bool found;		    /* the proxy knows the host */
	const json *virtualservice; /* the first whose routes it has; NULL: none has any */
	const json *service;	    /* the Service of the host; NULL: it is none's */
	bool redirects_to_https;    /* a gateway's server does, before any route */
	struct object_list merged;  /* gateways: all VirtualServices, in their order */
	struct routing_table table;
};

void virtual_host_release(struct virtual_host *host);

/* visible: as visible_virtualservices gives it for the request. */
struct virtual_host sidecar_host(
	const struct mesh *mesh, const struct object_list *visible, const struct request *request);

/* gateway: the object, or NULL where it is not known: then any host is taken for one of its. The
 * servers with request->port whose routes are for http count. */
struct virtual_host gateway_host(
	const json *gateway, const struct object_list *visible, const struct request *request);

/* What a gateway's server does with its requests: PROTOCOL_HTTP where their routes are for http,
 * with TLS ended or not; PROTOCOL_TLS where TLS is passed on; PROTOCOL_TCP. */
enum protocol gateway_server_protocol(const json *server);

/* The host of the request as proxies look it up: lower case, no port. The caller frees. */
char *looked_up_host(const struct request *request);

#endif
