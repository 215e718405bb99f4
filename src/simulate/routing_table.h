/*
 * The http routes of a proxy in the order in which Envoy tries them: one for each match block of
 * each route of one VirtualService, or of several where a gateway merges them.
 */
#ifndef SIMULATE_ROUTING_TABLE_H
#define SIMULATE_ROUTING_TABLE_H

#include "simulate/request.h"

struct candidate {
	const json *virtualservice; /* borrowed; resolved */
	const json *route;	    /* of its spec.http */
	const json *match;	    /* NULL where the route has none */
	size_t match_index;
	char *unfit; /* why this proxy does not get it; NULL where it does */
};

struct routing_table {
	struct candidate *items;
	size_t count;
};

void routing_table_release(struct routing_table *table);

/* Adds the routes of a VirtualService, up to the first that matches everything. Returns how many of
 * them the proxy gets. */
size_t routing_table_add(
	struct routing_table *table, const json *virtualservice, const struct request *request);

/* Puts the routes that match everything behind the others, as istiod does for gateways. */
void routing_table_sort(struct routing_table *table);

/* The first route that the request matches, or NULL. passed_over (an array) gets the ones before
 * it, each with the reason. */
const struct candidate *routing_table_find(
	const struct routing_table *table, const struct request *request, json *passed_over);

/* The route as answers name it: {"virtualService": {…}, "protocol": "http", "index", "name",
 * "match", "delegate"}. The caller frees. */
json *candidate_to_json(const struct candidate *candidate);

#endif
