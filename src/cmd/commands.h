/* The verbs: each file of this folder defines one. commands.c is the table of them. */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "cli/command.h"
#include "cmd/session.h"

extern const struct command *const COMMANDS[]; /* ends with NULL */

extern const struct command COMMAND_START;
extern const struct command COMMAND_NEXT;
extern const struct command COMMAND_ABORT;
extern const struct command COMMAND_STATUS;
extern const struct command COMMAND_PLAN;
extern const struct command COMMAND_LIST;
extern const struct command COMMAND_HISTORY;
extern const struct command COMMAND_UNDO;
extern const struct command COMMAND_ROUTE;
extern const struct command COMMAND_VERSION;

#endif
