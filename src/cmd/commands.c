#include "cmd/commands.h"

const struct command *const COMMANDS[] = {
	&COMMAND_START,
	&COMMAND_NEXT,
	&COMMAND_ABORT,
	&COMMAND_STATUS,
	&COMMAND_PLAN,
	&COMMAND_LIST,
	&COMMAND_ROUTE,
	&COMMAND_VERSION,
	NULL,
};
