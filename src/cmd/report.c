#include "cmd/report.h"

#include <stdio.h>

#include "base/mem.h"
#include "release/foreign.h"
#include "release/gitops.h"
#include "release/handover.h"
#include "release/status.h"
#include "ui/escape.h"
#include "ui/table.h"

char *report_headline(const struct record *record)
{
	const struct plan *plan = &record->plan;
	switch (record->phase) {
	case PHASE_COMPLETED:
		return mem_format("release of service %s: completed, deployment.apps/%s runs %s",
			plan->service, handover_final_name(record), plan->canary_version);
	case PHASE_ABORTED:
		return mem_format(
			"release of service %s: aborted, deployment.apps/%s runs %s as before",
			plan->service, plan->deployment, plan->stable_version);
	case PHASE_PAUSED:
		return mem_format("release of service %s to %s: paused at batch %d of %d",
			plan->service, plan->canary_version, record->batch, plan->batch_count);
	case PHASE_FAILED:
	case PHASE_PROGRESSING:
		break;
	}
	const char *how = record->phase == PHASE_FAILED ? "failed" : "in progress";
	if (record->goal == GOAL_BATCH)
		return mem_format("release of service %s to %s: %s on the way to batch %d of %d",
			plan->service, plan->canary_version, how, record->goal_batch,
			plan->batch_count);
	return mem_format("release of service %s to %s: %s while %s", plan->service,
		plan->canary_version, how,
		record->goal == GOAL_ABORT ? "it is taken back" : "it is being finished");
}

void report_versions(const struct record *record, const struct observation *seen)
{
	CLEANUP(table_release) struct table table = TABLE_INIT(6);
	static const char *const HEADER[] = {
		"ROLE", "DEPLOYMENT", "VERSION", "READY", "REPLICAS", "WEIGHT"};
	struct release_status status = status_of(record, seen);
	const struct version_status *both[] = {&status.stable, &status.canary};
	for (size_t i = 0; i < COUNT_OF(HEADER); i++)
		table_add(&table, HEADER[i]);
	for (size_t i = 0; i < COUNT_OF(both); i++) {
		if (both[i]->deployment == NULL)
			continue;
		table_add(&table, i == 0 ? "stable" : "canary");
		table_add(&table, both[i]->deployment);
		table_add(&table, both[i]->version);
		table_addf(&table, "%d", both[i]->ready);
		table_addf(&table, "%d", both[i]->replicas);
		table_addf(&table, "%d%%", both[i]->weight);
	}
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	table_print(&table, &text);
	(void)fputs(buf_text(&text), stdout);
}

void report_foreign(const struct record *record, const struct observation *seen)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	foreign_describe(record, seen, &text);
	if (text.length == 0)
		return;
	AUTO_STRING escaped = escape_text(buf_text(&text));
	(void)printf("%s\n", escaped);
}

/* Where Git, or a chart, says what the Deployment is. */
static void report_commit(const struct record *record, const struct observation *seen)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	gitops_commit(record, seen, &text);
	if (text.length == 0)
		return;
	AUTO_STRING escaped = escape_text(buf_text(&text));
	(void)printf("\n%s\n", escaped);
}

void report_next_steps(const struct session *session, const struct record *record, FILE *out)
{
	if (phase_has_ended(record->phase))
		return;
	AUTO_STRING next = session_hint(session, "next", record->plan.service);
	AUTO_STRING abort = session_hint(session, "abort", record->plan.service);
	if (record->goal != GOAL_ABORT)
		(void)fprintf(out, "go on:    %s\n", next);
	(void)fprintf(out, "go back:  %s\n", abort);
	/* Pods of the old version that find no room beside the new ones are waited for in vain. */
	if (record->goal == GOAL_ABORT)
		(void)fprintf(out, "at once:  %s --now\n", abort);
}

/* Where the release stands, as the cluster has it now. The goal is reached: a cluster that does not
 * answer at this moment is no failure, after which a script would go on with the next batch. */
static void report_end(struct session *session, const struct record *record)
{
	CLEANUP(observation_release) struct observation seen = {0};
	struct err failure = {0};
	int code = observe(&session->ports.api, record, &seen, &failure);
	AUTO_STRING headline = report_headline(record);
	AUTO_STRING escaped = escape_text(headline);
	(void)printf("%s\n", escaped);
	if (code == 0) {
		report_foreign(record, &seen);
		(void)putchar('\n');
		report_versions(record, &seen);
		report_commit(record, &seen);
	} else {
		session->ports.observer.note(session->ports.observer.context, failure.message);
	}
	if (!phase_has_ended(record->phase))
		(void)putchar('\n');
	report_next_steps(session, record, stdout);
}

int drive_and_report(struct session *session, struct record *record, bool now, struct err *err)
{
	int code = engine_run(&session->ports, record, now, err);
	progress_clear(&session->progress);
	if (code == 0) {
		report_end(session, record);
		return 0;
	}
	if (code == ERR_BUSY)
		return code;
	if (code == ERR_INTERRUPTED)
		(void)fprintf(
			stderr, "\nstopped; the release stays where it is, and nothing is lost\n");
	report_next_steps(session, record, stderr);
	return code;
}

int begin_and_report(struct session *session, struct record *record, const struct str_list *notes,
	const char *verb, struct err *err)
{
	char now[32];
	for (size_t i = 0; i < notes->count; i++)
		session->ports.observer.note(session->ports.observer.context, notes->items[i]);
	session->ports.host.wall_time(session->ports.host.context, now);
	record->holder = session_self(verb);
	record->started_at = mem_strdup(now);
	record->started_by = mem_strdup(record->holder.user);
	int code = hold_release(record, &session->ports.api, err);
	if (code == ERR_CONFLICT || code == ERR_EXISTS)
		return err_set(err, ERR_BUSY,
			"somebody else began a release of service \"%s\" at the same moment",
			record->plan.service);
	if (code != 0)
		return code;
	return drive_and_report(session, record, false, err);
}

int claim_and_drive(struct session *session, const char *argument, const char *verb,
	struct claim *claim, bool now, struct err *err)
{
	claim->service = session_service(argument, err);
	if (claim->service == NULL)
		return ERR_USAGE;
	int code = session_connect(session, err);
	if (code != 0)
		return code;
	claim->namespace = session->namespace;
	claim->self = session_self(verb);
	CLEANUP(record_release) struct record record = {0};
	code = claim_release(&session->ports, claim, &record, err);
	if (code == 1) {
		AUTO_STRING headline = report_headline(&record);
		AUTO_STRING escaped = escape_text(headline);
		(void)printf("%s\n", escaped);
		return 0;
	}
	return code != 0 ? code : drive_and_report(session, &record, now, err);
}
