/* What the version that runs is called during a release. */
#ifndef RELEASE_STABLE_VERSION_H
#define RELEASE_STABLE_VERSION_H

#include "release/record.h"

/* "v1-2" of "v1": the name of a version whose own is taken. The caller frees. */
char *numbered_version(const char *version, int number);

/* Changes plan.stable_version where the Deployment's history has the same template with this very
 * version label, from an earlier release: labeled like it, the running template would be taken for
 * that one, whose ReplicaSet is the older, and all pods would be replaced. "v1" becomes "v1-2". */
int stable_version_choose(const struct api_port *api, struct record *record, struct err *err);

#endif
