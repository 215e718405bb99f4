/* kubectl batchrollout undo */
#include "release/undo.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/report.h"
#include "cmd/start_options.h"
#include "release/recovery.h"

struct undo_flags {
	struct undo_options undo;
	bool dry_run;
};

static const struct option_row ROWS[] = {
	{"to-revision", 0, OPTION_TEXT, "REVISION",
		"Go to this revision of the Deployment's history, not to the version before.",
		offsetof(struct undo_flags, undo.revision)},
	{"version", 0, OPTION_TEXT, "TAG",
		"What to call the version that comes back, a label value; by default as it was "
		"called, or by its image's tag, with a number where that is taken.",
		offsetof(struct undo_flags, undo.version)},
	{"now", 0, OPTION_FLAG, NULL, "In one batch, without a pause.",
		offsetof(struct undo_flags, undo.at_once)},
	{"force", 0, OPTION_FLAG, NULL,
		"Go on with what cannot work, by what there is in the cluster now.",
		offsetof(struct undo_flags, undo.force)},
	{"dry-run", 0, OPTION_FLAG, NULL, "Show what would be done, and do nothing.",
		offsetof(struct undo_flags, dry_run)},
	{0},
};

static int run(
	struct session *session, const struct str_list *arguments, void *options, struct err *err)
{
	struct undo_flags *flags = options;
	CLEANUP(record_release) struct record last = {0};
	CLEANUP(record_release) struct record record = {0};
	CLEANUP(str_list_release) struct str_list notes = {0};
	CLEANUP(str_list_release) struct str_list refusals = {0};
	if (flags->dry_run)
		flags->undo.refusals = &refusals;
	const char *service = session_service(arguments->items[0], err);
	if (service == NULL)
		return ERR_USAGE;
	int code = session_connect(session, err);
	if (code != 0)
		return code;
	const struct api_port *api = &session->ports.api;
	char now[32];
	session->ports.host.wall_time(session->ports.host.context, now);
	flags->undo.now = now;
	code = find_release(api, session->namespace, service, &last, err);
	if (code == 0)
		code = undo_prepare(api, &last, &flags->undo, &record, &notes, err);
	if (code != 0)
		return code;
	if (flags->dry_run) {
		print_plan(&record, &notes);
		return check_refusals(&refusals, err);
	}
	return begin_and_report(session, &record, &notes, "undo", err);
}

const struct command COMMAND_UNDO = {
	.name = "undo",
	.arguments = "SERVICE",
	.summary = "Go back to the version before a release that was completed.",
	.details =
		"Goes back to the version that ran before the last release of SERVICE, which was "
		"completed:\n"
		"a release of its own, in the same batches. One that has not been completed is "
		"taken back\n"
		"with abort.\n\n"
		"  kubectl batchrollout undo web --now",
	.minimum_arguments = 1,
	.maximum_arguments = 1,
	.rows = ROWS,
	.options_size = sizeof(struct undo_flags),
	.run = run,
};
