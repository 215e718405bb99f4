/*
 * The Gateway API's objects before a release: which HTTPRoutes it will touch, whether it can, and
 * snapshots of those. Writes nothing.
 */
#ifndef RELEASE_GATEWAY_H
#define RELEASE_GATEWAY_H

#include "release/record.h"
#include "release/target.h"

/* What there is of HTTPRoutes in the cluster; served says whether their API is. */
struct gateway {
	bool served;
	json *httproutes; /* array: the users', of all namespaces where that is allowed */
};

void gateway_release(struct gateway *gateway); /* NULL-safe */

/* Reads them. Where the user may not list all namespaces, those of the Service's own, and says so
 * in notes. */
int gateway_look(const struct api_port *api, const struct plan *plan, struct gateway *ret,
	struct str_list *notes, struct err *err);

/* An HTTPRoute that routes to the Service of the plan, or NULL. */
const json *gateway_route(const struct gateway *gateway, const struct plan *plan);

/* Takes the snapshots into the record, and decides whether HTTPRoutes of our own are needed for a
 * mesh. Refuses what could not be split correctly. */
int gateway_take(const struct api_port *api, const struct gateway *gateway,
	const struct target *target, struct record *record, struct str_list *notes,
	struct err *err);

#endif
