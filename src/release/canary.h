/* The copy of the stable Deployment that runs the new version, and what marks objects as ours. */
#ifndef RELEASE_CANARY_H
#define RELEASE_CANARY_H

#include "release/record.h"

/* A label that everybody may give objects, and by which Argo CD may find what it owns. */
#define INSTANCE_LABEL "app.kubernetes.io/instance"

/* The canary Deployment of a release with so many replicas: the stable one as it was before, under
 * its own name, with the new template, and with the version label on template and selector (without
 * it both Deployments would fight over the pods). The caller frees. */
json *canary_new(const struct record *record, int replicas);

/* The template as the canary has it: with its version label. The caller frees. */
json *canary_template(const struct record *record);

/* Puts our labels on an object that this program creates. */
void mark_as_own(json *object, const struct record *record);

/* The same for the copy, which carries the release, too. */
void mark_as_copy(json *canary, const struct record *record);

/* Takes all of it off again: from the copy that stays. */
void unmark(json *object);

/* Takes off annotations that say something of the one object they stand on, and would be wrong on a
 * copy: what kubectl applied, who a deployment tool believes owns it. */
void drop_annotations(json *object);
/* Likewise labels by which a deployment tool finds what it owns, and would prune. */
void drop_labels(json *object);

/* ERR_FOREIGN where an object that stands under one of our names is not ours. */
int check_is_own(
	const struct kind *kind, const json *object, const struct record *record, struct err *err);

#endif
