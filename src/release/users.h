/*
 * The users' objects before a release, of whatever mode: reading those that it will touch, and
 * trying what it will write. Writes nothing.
 */
#ifndef RELEASE_USERS_H
#define RELEASE_USERS_H

#include "api/port.h"
#include "base/str.h"
#include "release/plan.h"

/* Takes text over. */
void add_note(struct str_list *notes, char *text);

/* Lists in all namespaces; where the user may not see more, in the Service's own and in those that
 * --virtualservice names, and says so in notes. */
int list_widely(const struct api_port *api, const struct kind *kind, const struct plan *plan,
	json **ret, struct str_list *notes, struct err *err);

/* What a release left behind, or another one is at work on. */
bool is_own(const json *object);

/* A copy for the record, without what the server only adds. The caller frees. */
json *snapshot_of(const json *object);

/* Lets the API server look at a write without storing it: rights, admission. before is NULL where
 * the object is to be created. Takes after (keyed, merge.h) over. */
int rehearse(const struct api_port *api, const struct kind *kind, const json *before,
	json *after_taken, struct err *err);

#endif
