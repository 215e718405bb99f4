/* Autoscalers before a release: which ones the Deployment has, whether they can be frozen, and
 * whether one waits for the copy. Writes nothing. */
#ifndef RELEASE_AUTOSCALER_TAKE_H
#define RELEASE_AUTOSCALER_TAKE_H

#include "api/port.h"
#include "base/str.h"
#include "preflight/subject.h"
#include "release/record.h"

/* All of the namespace, as lists; NULL where a kind is not served, or may not be seen. */
struct autoscaler_lists {
	json *autoscalers, *scaled_objects;
};

void autoscaler_lists_release(struct autoscaler_lists *lists);

/* Finds the autoscalers of plan.deployment and, by plan.hpa, takes their snapshots into the record,
 * notes that they are left alone, or refuses. plan.replicas must be there. The caller releases
 * ret_lists, which are what was read, also after an error. */
int autoscalers_take(const struct api_port *api, struct record *record,
	struct autoscaler_lists *ret_lists, struct str_list *notes, struct err *err);

/* Those for a Deployment of the name that the copy gets: they would scale it. */
void autoscalers_check_copy(
	const struct autoscaler_lists *lists, const struct plan *plan, struct findings *findings);

#endif
