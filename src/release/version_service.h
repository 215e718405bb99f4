/* The Services of a release's own in gateway mode: one for the pods of each version. */
#ifndef RELEASE_VERSION_SERVICE_H
#define RELEASE_VERSION_SERVICE_H

#include "release/record.h"

/* The user's Service as it was before, for the pods of one version: under a name of its own
 * (backend.h), reachable within the cluster only, with the version added to its selector. What is
 * the user's Service's alone (addresses, ports of nodes) is left out. The caller frees. */
json *version_service_new(const struct record *record, bool canary);

#endif
