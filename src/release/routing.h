/* How the traffic of a release is split: by Istio or by the ratio of replicas. */
#ifndef RELEASE_ROUTING_H
#define RELEASE_ROUTING_H

#include "release/prepare.h"
#include "release/target.h"

/* Decides plan.traffic by options->traffic, or by what is there, and takes the snapshots of the
 * VirtualServices and DestinationRules. record.stable and the plan's names must be there. Of
 * target, the Service is looked at. Adds the reason to notes. Refuses Istio objects that cannot be
 * split correctly. */
int routing_choose(const struct api_port *api, const struct start_options *options,
	const struct target *target, struct record *record, struct str_list *notes,
	struct err *err);

/* Lets the API server look at everything that the release will write to routes and what they need,
 * without storing it: rights, admission. The batches must be there. */
int routing_rehearse(const struct api_port *api, const struct record *record, struct err *err);

#endif
