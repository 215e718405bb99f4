/* The answer of `route` for people. */
#ifndef CMD_ROUTE_PRINT_H
#define CMD_ROUTE_PRINT_H

#include "base/buf.h"
#include "simulate/request.h"

/* The protocol of an answer where the cluster has no Istio. */
#define ROUTE_BY_KUBE_PROXY "kube-proxy"

/* answer: as traffic/simulate.h describes it, with the versions of cmd/route_cluster.h. */
void route_print(const struct request *request, const json *answer, struct buf *buf);

#endif
