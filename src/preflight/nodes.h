/* Which nodes pods of a template may be on. */
#ifndef PREFLIGHT_NODES_H
#define PREFLIGHT_NODES_H

#include <stdbool.h>

#include "data/json.h"

/* By the node's taints and readiness, and the pod's nodeSelector, required node affinity and
 * tolerations; without regard to room and to other pods. */
bool node_allows(const json *node, const json *spec);
/* The same of pods that are there already: a cordon keeps only new ones off. */
bool node_may_have(const json *node, const json *spec);

/* Whether the spec says anything of nodes at all. */
bool spec_chooses_nodes(const json *spec);

/* Whether an autoscaler that adds nodes has left a sign on any of them (a list). */
bool nodes_may_grow(const json *nodes);

#endif
