/* Autoscalers before a release: which ones the Deployment has, and whether they can be frozen.
 * Writes nothing. */
#ifndef RELEASE_AUTOSCALER_TAKE_H
#define RELEASE_AUTOSCALER_TAKE_H

#include "api/port.h"
#include "base/str.h"
#include "release/record.h"

/* Finds the autoscalers of plan.deployment and, by plan.hpa, takes their snapshots into the record,
 * notes that they are left alone, or refuses. plan.replicas must be there. */
int autoscalers_take(
	const struct api_port *api, struct record *record, struct str_list *notes, struct err *err);

#endif
