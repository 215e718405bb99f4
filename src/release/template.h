/* The pod template of the new version, and the names of both versions. */
#ifndef RELEASE_TEMPLATE_H
#define RELEASE_TEMPLATE_H

#include "release/prepare.h"

/* Fills plan.stable_version, plan.canary_version, record.template and record.tagged from the images
 * or the manifest; record.stable and plan.handover must be there. Refuses unknown containers, a
 * template that the selectors do not match, and versions that are no label values. */
int template_make(const struct start_options *options, const json *service, struct record *record,
	struct err *err);

/* Refuses a template that changes nothing, when all is in it, and versions that are equal. */
int template_check(const struct record *record, struct err *err);

/* The container of a pod template, an init container too, that has this name; or NULL. */
json *template_container(const json *template, const char *name);

#endif
