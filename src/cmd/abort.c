/* kubectl batchrollout abort */
#include "cmd/commands.h"
#include "cmd/report.h"
#include "release/verbs.h"

struct abort_flags {
	bool now;
};

static const struct option_row ROWS[] = {
	{"now", 0, OPTION_FLAG, NULL,
		"Send all requests to the old version at once, without waiting for its pods.",
		offsetof(struct abort_flags, now)},
	{0},
};

static int run(
	struct session *session, const struct str_list *arguments, void *options, struct err *err)
{
	const struct abort_flags *flags = options;
	struct claim claim = {.take_over = true, .recovers = true, .change = change_for_abort};
	return claim_and_drive(session, arguments->items[0], "abort", &claim, flags->now, err);
}

const struct command COMMAND_ABORT = {
	.name = "abort",
	.arguments = "SERVICE",
	.summary = "Take everything back to what it was before the release.",
	.details = "Takes a release back: the old version is made whole and gets all requests, "
		   "then the\n"
		   "copy goes, and every object is again as it was before. Works at any moment, "
		   "again and\n"
		   "again, also while another command is at work on the release.\n\n"
		   "  kubectl batchrollout abort web",
	.minimum_arguments = 1,
	.maximum_arguments = 1,
	.rows = ROWS,
	.options_size = sizeof(struct abort_flags),
	.run = run,
};
