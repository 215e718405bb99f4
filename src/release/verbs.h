/* What each verb does to the record: the goal that it sets. For claim_release (drive.h). */
#ifndef RELEASE_VERBS_H
#define RELEASE_VERBS_H

#include "release/record.h"

struct next_options {
	bool all; /* to the end, without a pause */
	int to;	  /* to this batch; 0: to where the plan pauses next */
};

/* From a pause: on to the next batch. A batch that was begun and not reached (a crash, a failure)
 * is tried again; it is never skipped. context: struct next_options. */
int change_for_next(struct record *record, void *context, struct err *err);

/* Before change_for_abort. A release that was completed is not taken back where the Deployment has
 * been changed since (ERR_FOREIGN), nor while one of another Service has a copy of it (ERR_BUSY).
 */
int check_for_abort(const struct api_port *api, const struct record *record, struct err *err);

/* Back to what was before. 1 when the release is aborted already. context: unused. */
int change_for_abort(struct record *record, void *context, struct err *err);

#endif
