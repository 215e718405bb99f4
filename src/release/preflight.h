/*
 * The preflight: what of the cluster will not let this release happen, or is touched by it. Reads
 * what src/preflight looks at, as little of it as the release makes necessary, and writes nothing.
 * docs/preflight.md says what is looked for.
 */
#ifndef RELEASE_PREFLIGHT_H
#define RELEASE_PREFLIGHT_H

#include "preflight/subject.h"
#include "release/autoscaler_take.h"
#include "release/prepare.h"

/* The record must be complete; autoscalers: as they were read for it. Adds what the user should
 * know to notes. What cannot work is an error; with options->force it is a note, and where
 * options->refusals is given it goes there. Kinds that are not served, or that the user may not
 * read, are done without. */
int preflight(const struct api_port *api, const struct start_options *options,
	const struct record *record, const struct autoscaler_lists *autoscalers,
	struct str_list *notes, struct err *err);

/* How many pods there are in the course of a release. The caller releases both. */
void preflight_moments(
	const struct record *record, struct moments *ret_forward, struct moments *ret_back);

#endif
