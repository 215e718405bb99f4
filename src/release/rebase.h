/*
 * The same write on a newer state of its object. A write carries the resourceVersion that was seen,
 * so that it cannot undo what somebody else did; but a status that a controller writes is nobody's
 * decision, and changes it too.
 */
#ifndef RELEASE_REBASE_H
#define RELEASE_REBASE_H

#include "api/port.h"

struct rebased {
	struct write write; /* points to the trees */
	json *before, *after;
};

void rebased_release(struct rebased *rebased); /* NULL-safe */

/* Reads the object of an update or deletion that met ERR_CONFLICT. Gives the same write for the
 * object as it is now where nothing but its status has changed; ERR_CONFLICT where more has. */
int rebase(const struct api_port *api, const struct write *write, struct rebased *ret,
	struct err *err);

#endif
