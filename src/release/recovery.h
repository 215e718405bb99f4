/*
 * A release whose record was deleted or damaged: what its objects carry is enough to take it back.
 */
#ifndef RELEASE_RECOVERY_H
#define RELEASE_RECOVERY_H

#include "release/record.h"

/* Makes a record of the release of a Service from the copy's annotation or, where the copy was
 * taken over already, from its ReplicaSet's. A damaged record is what it will be written over; its
 * history is kept where it can be read. ret_note says what was lost. ERR_NOT_FOUND where nothing
 * carries a release of this Service. The caller frees both. */
int recover_record(const struct api_port *api, const char *namespace, const char *service,
	struct record *ret, char **ret_note, struct err *err);

#endif
