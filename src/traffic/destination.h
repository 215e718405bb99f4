/*
 * Whose the destinations of a VirtualService are.
 *
 * A destination is "ours" when its host is the Service and it names no subset, or one that selects
 * the stable version's pods (subset_is_stable, destinationrule.h). Only ours are ever changed.
 */
#ifndef TRAFFIC_DESTINATION_H
#define TRAFFIC_DESTINATION_H

#include "traffic/intent.h"

/* One VirtualService, and what is needed to tell whose a destination in it is. */
struct scope {
	const json *virtualservice;
	const char *namespace;
	const json *destinationrules; /* array: the users', as they were before the release */
	const struct intent *intent;
};

struct scope scope_of(
	const json *virtualservice, const json *destinationrules, const struct intent *intent);

/* The kinds of routes: members of spec, each an array. */
#define PROTOCOL_COUNT 3
extern const char *const PROTOCOLS[PROTOCOL_COUNT];
json *routes_of(const json *virtualservice, const char *protocol);

/* `destination` is {"host", "subset", "port"}, as in an entry of a route's list. */
bool destination_is_service(const json *destination, const struct scope *scope);
bool destination_is_ours(const json *destination, const struct scope *scope);

/* The subset that a destination names. NULL for none; an empty name is none to Istio. */
const char *destination_subset(const json *destination);

/* False for a redirect, a direct response and a delegate, which answer in the place of
 * destinations. */
bool route_has_destinations(const json *route);

/* True where a release changes this route: a destination is ours, and the user did not choose
 * others (--virtualservice). False for a list that is split already: a share must not be split
 * again. */
bool route_is_split(const json *route, const struct scope *scope);

/* The same, whether the user chose it or not. */
bool route_has_ours(const json *route, const struct scope *scope);

/* True where the user chose this route, or did not choose. */
bool route_is_chosen(const json *route, const struct scope *scope);

/* The entry of intent->selection for a VirtualService; NULL where there is none. */
const json *selection_of(const json *virtualservice, const struct intent *intent);

#endif
