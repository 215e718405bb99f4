/*
 * Conditions of --match in the matches of an HTTPRoute.
 * https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.HTTPRouteMatch
 *
 * A match has each header once, so that two conditions on one header can only be said where one of
 * them says both. Of the kinds of conditions, "Exact" is there in all implementations; what
 * "RegularExpression" is, or whether, is each implementation's own business. Patterns are written
 * so that they mean the same in RE2, PCRE and Go, and whether or not the whole value must match.
 */
#ifndef TRAFFIC_ROUTE_MATCH_H
#define TRAFFIC_ROUTE_MATCH_H

#include "base/err.h"
#include "data/json.h"

/* `match` (NULL: everything) and a rule of --match ({"x-user": {"exact": "a"}, …}; rule.h) as one
 * match. Returns 1 and the match, which the caller frees; 0 where both never hold together;
 * ERR_FAILED where the Gateway API cannot say both. */
int route_match_and(const json *match, const json *rule, json **ret, struct err *err);

/* True where a rule needs the type "RegularExpression". */
bool rule_needs_regex(const json *rule);

/* True where one request may have both: nothing in them contradicts. Compares what is exact. */
bool route_matches_overlap(const json *a, const json *b);

#endif
