/*
 * Which of two matches gets a request that both are for.
 *
 * The Gateway API has no order of rules as VirtualServices have: the most specific match of all
 * rules of all HTTPRoutes of a host wins (https://gateway-api.sigs.k8s.io/reference/spec/,
 * "Matches" of HTTPRouteRule). A clone has a condition more than its rule, and so may be more
 * specific than a third rule that was, until then, more specific than both.
 */
#ifndef TRAFFIC_PRECEDENCE_H
#define TRAFFIC_PRECEDENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "data/json.h"

/* A match, and where it stands. */
struct ranked {
	const json *httproute;
	size_t rule;	   /* its place among the rules of the HTTPRoute */
	const json *match; /* NULL: everything */
};

/* True where requests may come to both: a parent and a host in common, as far as can be told. */
bool httproutes_compete(const json *a, const json *b);

/* True where path and method do not tell which of the two wins, so that headers do. What precedence
 * regular expressions of paths have is each implementation's own: they count as equal. */
bool ranks_by_headers(const struct ranked *a, const struct ranked *b);

/* Which of two that rank by their headers wins: true for a. */
bool wins(const struct ranked *a, const struct ranked *b);

#endif
