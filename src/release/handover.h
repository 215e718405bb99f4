/*
 * The end of a release: how the new version becomes the user's Deployment.
 *
 * takeover: the stable Deployment adopts the ReplicaSet of its copy, with its pods; it keeps its
 * name, its history and `kubectl rollout undo`, and no pod is restarted. The pods keep the version
 * label, which the copy's selector needed, and so does the Deployment's template.
 * swap: the copy stays and is the user's Deployment from then on; the old one is deleted. For
 * Deployments that select their pods by version, which can never own those of another.
 * rolling: the stable Deployment is updated as `kubectl set image` does it, behind the copy, which
 * carries all requests meanwhile; its pods are started anew.
 */
#ifndef RELEASE_HANDOVER_H
#define RELEASE_HANDOVER_H

#include "release/prepare.h"

/* Fills plan.handover from the option or, with "auto", from what record.stable allows. Refuses what
 * it does not allow. */
int handover_choose(const struct start_options *options, struct record *record, struct err *err);

/* The label without which a ReplicaSet of this Deployment does not match its selector any more, so
 * that the Deployment lets it go; NULL where there is none. */
const char *handover_key(const json *deployment);

/* Whether the copy is what stays in the end. */
bool handover_keeps_copy(const struct record *record);

/* The name of the Deployment that is the user's in the end. */
const char *handover_final_name(const struct record *record);

#endif
