/*
 * Whether a request is one that a match block of an http route (HTTPMatchRequest) asks for, and in
 * words why it is not. The blocks are istiod's, with completed names (resolve.h).
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest
 */
#ifndef SIMULATE_REQUEST_MATCH_H
#define SIMULATE_REQUEST_MATCH_H

#include "base/buf.h"
#include "simulate/request.h"

/* What istiod decides when it makes a proxy's routes: port, gateways, client. Where the proxy does
 * not get the block, false and the reason. NULL stands for a route without a match. */
bool match_is_for_proxy(const json *match, const struct request *request, struct buf *reason);

/* The same for the match blocks of tcp and tls routes (L4MatchAttributes, TLSMatchAttributes),
 * where all must hold: a block that names gateways is still for the client that it names. */
bool connection_match_is_for_proxy(
	const json *match, const struct request *request, struct buf *reason);

/* What Envoy decides for each request: path, method, headers … False and the first reason where the
 * request does not match, or where that cannot be told. */
bool match_holds(const json *match, const struct request *request, struct buf *reason);

/* True where Envoy's part matches every request, so that istiod leaves out what comes after. */
bool match_is_catch_all(const json *match);

#endif
