/*
 * What a request gets: which VirtualService, which rule, which destination with which probability,
 * and why the rules before it did not match. It follows istiod's source and Envoy; docs/route.md
 * has what is odd in them, and what is not modelled.
 */
#ifndef SIMULATE_SIMULATE_H
#define SIMULATE_SIMULATE_H

#include "simulate/mesh.h"
#include "simulate/request.h"

/*
 * The answer; the caller frees.
 *
 *   outcome       "route", "redirect", "directResponse", "notFound" (no rule matches: 404),
 *                 "passthrough" (the client's proxy does not know the host), "closed" (nothing
 * takes the connection) protocol      "http", "tcp", "tls" status        the status code where the
 * proxy answers itself rule          {virtualService {namespace, name}, protocol, index (in
 * spec.http …), name, match (place of the match block), delegate {namespace, name, index}}; absent
 * where no VirtualService has a part in it redirect, directResponse, fault   as they stand in the
 * rule destinations  see destination.h passedOver    the rules before: as rule, with reason hidden
 * VirtualServices with a host for the request that do not count: {namespace, name, reason}
 */
json *simulate(const struct mesh *mesh, const struct request *asked);

#endif
