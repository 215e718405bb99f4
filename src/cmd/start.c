/* kubectl batchrollout start */
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/report.h"
#include "cmd/start_options.h"

static void show_notes(const struct session *session, const struct str_list *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		session->ports.observer.note(session->ports.observer.context, notes->items[i]);
}

/* Writes the record and climbs to the first pause. */
static int begin(struct session *session, struct record *record, struct err *err)
{
	char now[32];
	session->ports.host.wall_time(session->ports.host.context, now);
	record->holder = session_self("start");
	record->started_at = mem_strdup(now);
	record->started_by = mem_strdup(record->holder.user);
	int code = record_save(record, &session->ports.api, err);
	if (code == ERR_CONFLICT || code == ERR_EXISTS)
		return err_set(err, ERR_BUSY,
			"somebody else began a release of service \"%s\" at the same moment",
			record->plan.service);
	if (code != 0)
		return code;
	return drive_and_report(session, record, false, err);
}

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
	show_notes(session, &notes);
	return begin(session, &record, err);
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
