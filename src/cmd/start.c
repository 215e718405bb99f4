/* kubectl batchrollout start */
#include "cmd/commands.h"
#include "cmd/report.h"
#include "cmd/start_options.h"

static int run(
	struct session *session, const struct str_list *arguments, void *options, struct err *err)
{
	struct start_flags *flags = options;
	CLEANUP(record_release) struct record record = {0};
	CLEANUP(str_list_release) struct str_list notes = {0};
	CLEANUP(str_list_release) struct str_list refusals = {0};
	if (flags->dry_run)
		flags->release.refusals = &refusals;
	int code = start_prepare(session, arguments, flags, &record, &notes, err);
	if (code != 0)
		return code;
	if (flags->dry_run) {
		print_plan(&record, &notes);
		return check_refusals(&refusals, err);
	}
	return begin_and_report(session, &record, &notes, "start", err);
}

const struct command COMMAND_START = {
	.name = "start",
	.arguments = "SERVICE",
	.summary = "Begin a release: bring the first batch of the new version up.",
	.details =
		"Begins a release of the Deployment behind SERVICE and brings its first batch up: "
		"a copy\n"
		"of the Deployment runs the new version, gets its share of the requests, and the "
		"release\n"
		"pauses to be checked.\n\n"
		"  kubectl batchrollout start web --image web=registry.example/web:v2 --batches 4",
	.minimum_arguments = 1,
	.maximum_arguments = 1,
	.rows = START_OPTIONS,
	.options_size = sizeof(struct start_flags),
	.run = run,
};
