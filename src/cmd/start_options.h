/* The flags that describe a release, for `start` and `plan`. */
#ifndef CMD_START_OPTIONS_H
#define CMD_START_OPTIONS_H

#include "cmd/session.h"
#include "release/prepare.h"

struct start_flags {
	struct start_options release;
	const char *file; /* -f */
	bool dry_run;	  /* of `start` only */
};

/* The rows, with offsets into struct start_flags; to be used in a table by itself. */
#define START_ROW(member) offsetof(struct start_flags, member)
extern const struct option_row START_OPTIONS[]; /* with --dry-run */
extern const struct option_row PLAN_OPTIONS[];

/* Connects, reads the file, prepares the release. The caller releases record and notes. */
int start_prepare(struct session *session, const struct str_list *arguments,
	struct start_flags *flags, struct record *ret, struct str_list *ret_notes, struct err *err);

/* ERR_FAILED where there are any: `start` would end so, and with it what only shows a plan. */
int check_refusals(const struct str_list *refusals, struct err *err);

/* Prints the plan: the target, the batches, and the ladder of each. */
void print_plan(const struct record *record, const struct str_list *notes);

#endif
