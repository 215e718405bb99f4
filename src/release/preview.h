/* Istio's objects as they will be later in a release: for `route --at-batch`. */
#ifndef RELEASE_PREVIEW_H
#define RELEASE_PREVIEW_H

#include "release/record.h"

/* Makes of the lists of all VirtualServices and DestinationRules, as they are now, arrays of what
 * they will be when `batch` (from 1) is reached: edits that others made meanwhile are kept, as the
 * release will keep them. ERR_FOREIGN where it would stop instead. The caller frees both. */
int preview_routes(const struct record *record, int batch, const json *virtualservices,
	const json *destinationrules, json **ret_virtualservices, json **ret_destinationrules,
	struct err *err);

#endif
