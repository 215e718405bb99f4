/* Where requests for the Service go, by the Istio objects of one view of the cluster. */
#ifndef SIM_ROUTES_H
#define SIM_ROUTES_H

#include "sim/sim.h"

/* The object as a view has it: VIEW_COUNT stands for the store itself. */
#define VIEW_NOW VIEW_COUNT
const json *view_of(const struct object *object, enum view view);

/* One destination of the Service in one route. */
struct destination {
	const char *subset;    /* NULL: none, so all pods of the Service */
	bool defined;	       /* the subset is there */
	const json *labels;    /* that the subset selects */
	int64_t weight, total; /* of all destinations of the Service in this route */
};

#define DESTINATIONS_MAXIMUM 16

struct routing {
	bool routed; /* a VirtualService is for the Service */
	struct destination destinations[DESTINATIONS_MAXIMUM];
	size_t count;
};

struct routing find_routing(const struct sim *sim, enum view view);

/* How many pods are ready endpoints of the Service in this view and have the labels (NULL: all).
 * In the store itself, deleted and unready pods do not count. */
int count_endpoints_with(const struct sim *sim, enum view view, const json *labels);
/* The same for the canary's pods. */
int count_canary_endpoints(const struct sim *sim, enum view view);

#endif
