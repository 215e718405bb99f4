/*
 * Conditions of an HTTPMatchRequest of Istio, joined.
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest
 */
#ifndef TRAFFIC_MATCH_H
#define TRAFFIC_MATCH_H

#include "base/err.h"
#include "data/json.h"

/* A copy of `match` (NULL: one that everything matches) with the conditions of `headers` (names to
 * StringMatches) as well. 1 and the new one, which the caller frees; 0 where both can never hold
 * together; ERR_FAILED where Istio cannot express it: it knows one condition for each header. */
int match_and(const json *match, const json *headers, json **ret, struct err *err);

#endif
