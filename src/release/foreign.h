/* What somebody else changed of the things that a release manages. */
#ifndef RELEASE_FOREIGN_H
#define RELEASE_FOREIGN_H

#include "base/buf.h"
#include "release/observation.h"

/* Adds a line for each of the routes, the DestinationRules and the stable Deployment's template
 * that is not in a state in which this release ever puts it; nothing where all are. While a release
 * is under way these are what `next` and `abort` refuse to overwrite (exit status 6). */
void foreign_describe(const struct record *record, const struct observation *seen, struct buf *ret);

#endif
