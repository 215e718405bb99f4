/* Driving a release from a command, and saying how it stands afterwards. */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "cmd/session.h"

/* Drives the record (which we hold) to its goal and says how it ended. */
int drive_and_report(struct session *session, struct record *record, bool now, struct err *err);

/* Begins a prepared release: shows the notes, writes the record and climbs to the first pause.
 * verb: for the record's holder. */
int begin_and_report(struct session *session, struct record *record, const struct str_list *notes,
	const char *verb, struct err *err);

/* Connects, takes the release of the Service that the argument names on, and drives it. verb: for
 * the record's holder; claim: with change, context and take_over. */
int claim_and_drive(struct session *session, const char *argument, const char *verb,
	struct claim *claim, bool now, struct err *err);

/* The table of both versions. */
void report_versions(const struct record *record, const struct observation *seen);

/* The line that says where the release stands: "web to v2: Paused at batch 1 of 4". The caller
 * frees. */
char *report_headline(const struct record *record);

/* A line where the release has ended and the Deployment runs neither of its versions now, so that
 * the headline would promise too much. */
void report_foreign(const struct record *record, const struct observation *seen);

/* What the user may do next, a line each. */
void report_next_steps(const struct session *session, const struct record *record, FILE *out);

#endif
