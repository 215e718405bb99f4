/* Where requests for the Service go, by the routes of one view of the cluster: VirtualServices, or
 * HTTPRoutes (httproutes.c). */
#ifndef SIM_ROUTES_H
#define SIM_ROUTES_H

#include "sim/sim.h"

/* The object as a view has it: VIEW_COUNT stands for the store itself. */
#define VIEW_NOW VIEW_COUNT
const json *view_of(const struct object *object, enum view view);

/* One destination of the Service in one route. */
struct destination {
	const char *subset;    /* or Service of a version; NULL: none, so all pods of the Service */
	bool canary;	       /* it is the canary's */
	bool defined;	       /* the subset is there */
	const char *service;   /* whose endpoints count */
	const json *labels;    /* that the subset selects */
	bool rule;	       /* only for requests that a rule of the release matches */
	int64_t weight, total; /* of all destinations of the Service in this route */
};

#define DESTINATIONS_MAXIMUM 128

struct routing {
	bool routed; /* clients in the mesh have a route for the Service */
	struct destination destinations[DESTINATIONS_MAXIMUM];
	size_t count;
};

/* The place for another one; NULL where there is no room. */
struct destination *next_destination(struct routing *routing);
void add_httproutes(const struct sim *sim, enum view view, struct routing *ret);

void find_routing(const struct sim *sim, enum view view, struct routing *ret);

/* How many pods are ready endpoints of a Service in this view and have the labels (NULL: all). In
 * the store itself, deleted and unready pods do not count. */
int count_endpoints_with(
	const struct sim *sim, enum view view, const char *service, const json *labels);
/* The same for the canary's pods, of the user's Service. */
int count_canary_endpoints(const struct sim *sim, enum view view);

#endif
