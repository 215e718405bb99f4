/* kubectl batchrollout next */
#include "base/mem.h"
#include "base/parse.h"
#include "cmd/commands.h"
#include "cmd/report.h"
#include "release/verbs.h"

struct next_flags {
	bool all;
	const char *to;
};

static const struct option_row ROWS[] = {
	{"all", 0, OPTION_FLAG, NULL, "Go on to the end without a pause.",
		offsetof(struct next_flags, all)},
	{"to", 0, OPTION_TEXT, "BATCH", "Go on until this batch is reached.",
		offsetof(struct next_flags, to)},
	{0},
};

static int run(
	struct session *session, const struct str_list *arguments, void *options, struct err *err)
{
	const struct next_flags *flags = options;
	struct next_options next = {.all = flags->all};
	int64_t to = 0;
	if (flags->to != NULL && parse_int(flags->to, 1, BATCHES_MAXIMUM, &to, err) != 0)
		return err_wrap(err, "--to");
	if (flags->to != NULL && flags->all)
		return err_set(err, ERR_USAGE, "--all and --to exclude each other");
	next.to = (int)to;
	struct claim claim = {.change = change_for_next, .context = &next};
	return claim_and_drive(session, arguments->items[0], "next", &claim, false, err);
}

const struct command COMMAND_NEXT = {
	.name = "next",
	.arguments = "SERVICE",
	.summary = "Go on: to the next batch, or again to one that failed.",
	.details = "Goes on with a release that is paused: to the next batch, after the last one "
		   "to the\n"
		   "end. A batch that failed or whose command was stopped is tried again; none is "
		   "skipped.\n\n"
		   "  kubectl batchrollout next web",
	.minimum_arguments = 1,
	.maximum_arguments = 1,
	.rows = ROWS,
	.options_size = sizeof(struct next_flags),
	.run = run,
};
