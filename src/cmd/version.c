/* kubectl batchrollout version */
#include <stdio.h>

#include "cmd/commands.h"

static int run(
	struct session *session, const struct str_list *arguments, void *options, struct err *err)
{
	(void)session;
	(void)arguments;
	(void)options;
	(void)err;
	(void)puts("kubectl-batchrollout " BATCHROLLOUT_VERSION);
	return 0;
}

const struct command COMMAND_VERSION = {
	.name = "version",
	.arguments = "",
	.summary = "Print the version of this plugin.",
	.details = "Prints the version of this plugin.",
	.run = run,
};
