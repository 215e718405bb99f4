/* What a release looks like now, for people and for scripts. */
#ifndef RELEASE_STATUS_H
#define RELEASE_STATUS_H

#include "release/observation.h"

/* One of the two versions. */
struct version_status {
	const char *deployment; /* NULL where it is gone; the strings are the record's */
	const char *version;
	int replicas; /* wanted */
	int ready;    /* Ready and endpoints of the Service */
	int weight;   /* percent of the requests */
};

struct release_status {
	struct version_status stable, canary;
};

struct release_status status_of(const struct record *record, const struct observation *seen);

/* The Release object as far as the record knows it: what `list -o json` prints of each. The caller
 * frees. */
json *release_to_json(const struct record *record);

/* The Release object (apiVersion batchrollout/v1) that `status -o json` prints. The caller frees.
 */
json *status_to_json(const struct record *record, const struct observation *seen);

/* All releases of the Service that the record knows, the newest last, which may not have ended. The
 * caller frees. */
json *history_to_json(const struct record *record);

#endif
