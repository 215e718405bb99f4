/* The target of a release: a Service and the one Deployment behind it. */
#ifndef RELEASE_TARGET_H
#define RELEASE_TARGET_H

#include "api/port.h"

struct target {
	json *service;
	json *deployment; /* as it is, without managedFields and status */
	json *managers;	  /* its managedFields */
	bool shared;	  /* other Deployments are behind the Service too */
};

void target_release(struct target *target);

/* ERR_BUSY where a Deployment is the copy of a release under way, of whichever Service. */
int check_no_copy(const json *deployment, struct err *err);

/* Finds both, and refuses what cannot be released: no Service, no selector or one with the version,
 * ExternalName, no Deployment or several (deployment chooses; NULL: none chosen), a Deployment that
 * is scaled to 0, paused, being deleted, in the middle of a rollout, or owned by a controller; and
 * what a release under way has its copy of. */
int target_find(const struct api_port *api, const char *namespace, const char *service,
	const char *deployment, struct target *ret, struct err *err);

#endif
