/*
 * Commands: one table of what there is (commands.c). Dispatch, help and completion come from it.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/options.h"

struct session; /* cmd/session.h */

struct command {
	const char *name;
	const char *arguments; /* "SERVICE", "" */
	const char *summary;   /* one line */
	const char *details;   /* for its own help: what it does, when, an example */
	size_t minimum_arguments, maximum_arguments;
	const struct option_row *rows; /* of its own; NULL where it has none */
	size_t options_size;
	/* options: the struct that rows filled. Returns 0 or a code. */
	int (*run)(struct session *session, const struct str_list *arguments, void *options,
		struct err *err);
};

/* The command of that name, or NULL. commands: ends with NULL. */
const struct command *command_find(const struct command *const *commands, const char *name);

/* Help for all commands, or for one. */
void help_overview(const struct command *const *commands, struct buf *buf);
void help_command(
	const struct command *command, const struct option_row *global_rows, struct buf *buf);

#endif
