/*
 * Delegates: a route of a root VirtualService that takes its routes from another VirtualService, as
 * istiod merges them. Both with completed names (resolve.h).
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#Delegate
 */
#ifndef SIMULATE_DELEGATE_H
#define SIMULATE_DELEGATE_H

#include "data/json.h"

/* The delegate's http route under the root's. NULL where none of the delegate's match blocks lies
 * within one of the root's: istiod leaves such a route out. The caller frees. */
json *delegate_merge(const json *root, const json *route);

#endif
