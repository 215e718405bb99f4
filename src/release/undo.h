/*
 * The way back from a release that has ended: another release, of the version before it (or of a
 * revision in the Deployment's history), by the same plan.
 */
#ifndef RELEASE_UNDO_H
#define RELEASE_UNDO_H

#include "release/prepare.h"

struct undo_options {
	const char
		*revision;   /* of the Deployment's history; NULL: the version before the release */
	const char *version; /* what to call the version that comes back; NULL: as before */
	bool at_once;	     /* in one batch, without a pause */
	struct str_list *refusals; /* as in start_options */
	bool force;		   /* go on with what cannot work */
	const char *now;	   /* "2026-01-31T12:00:00Z" */
};

/* As prepare_release; last: the record of the release that is undone. Refuses where that is on its
 * way, where it was aborted or the Deployment runs something else since then (unless the revision
 * is said), and a revision that there is not. */
int undo_prepare(const struct api_port *api, const struct record *last,
	const struct undo_options *options, struct record *ret, struct str_list *ret_notes,
	struct err *err);

#endif
