/*
 * Istio's objects before a release: which of them it will touch, whether it can, and snapshots of
 * those. Writes nothing.
 */
#ifndef RELEASE_ISTIO_H
#define RELEASE_ISTIO_H

#include "release/record.h"
#include "release/target.h"

/* What there is of Istio in the cluster; served says whether its API is. */
struct istio {
	bool served;
	json *virtualservices; /* lists; of all namespaces where that is allowed */
	json *destinationrules;
};

void istio_release(struct istio *istio); /* NULL-safe */

/* Reads them. Where the user may not list all namespaces, those of the Service's own and of those
 * that --virtualservice names, and says so in notes. */
int istio_look(const struct api_port *api, const struct plan *plan, struct istio *ret,
	struct str_list *notes, struct err *err);

/* A VirtualService that routes to the Service of the plan, or NULL. */
const json *istio_route(const struct istio *istio, const struct plan *plan);

/* Takes the snapshots into the record, and decides whether a VirtualService of our own is needed.
 * Refuses what could not be split correctly. */
int istio_take(const struct istio *istio, const struct target *target, struct record *record,
	struct str_list *notes, struct err *err);

#endif
