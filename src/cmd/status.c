/* kubectl batchrollout status */
#include <stdio.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/report.h"
#include "release/autoscaler.h"
#include "release/status.h"
#include "release/workload.h"
#include "ui/escape.h"

/* How long --watch gathers changes before it shows them. */
#define GATHER_MS 300

struct status_flags {
	bool watch;
	const char *output;
};

static const struct option_row ROWS[] = {
	{"watch", 'w', OPTION_FLAG, NULL, "Show each change until the release has ended.",
		offsetof(struct status_flags, watch)},
	{"output", 'o', OPTION_TEXT, "json|yaml|name|wide", "The format.",
		offsetof(struct status_flags, output)},
	{0},
};

static void print_escaped(FILE *out, const char *prefix, const char *text)
{
	AUTO_STRING escaped = escape_text(text);
	(void)fprintf(out, "%s%s\n", prefix, escaped);
}

static void print_autoscalers(const struct record *record, const struct observation *seen)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	autoscalers_describe(record, seen, &text);
	if (text.length > 0)
		print_escaped(stdout, "\n", buf_text(&text));
}

static void print_people(
	const struct session *session, const struct record *record, const struct observation *seen)
{
	AUTO_STRING headline = report_headline(record);
	print_escaped(stdout, "", headline);
	report_foreign(record, seen);
	if (record->message != NULL)
		print_escaped(stdout, "reason: ", record->message);
	if (record->phase == PHASE_PROGRESSING)
		print_escaped(stdout, "driven by: ",
			record->holder.id[0] != '\0' ? record->holder.user : "nobody now");
	(void)putchar('\n');
	report_versions(record, seen);
	if (!phase_has_ended(record->phase))
		print_autoscalers(record, seen);
	AUTO_BUF reasons = BUF_INIT(BUF_OWN_TEXT);
	explain_pods(seen, canary_deployment(seen), &reasons);
	explain_pods(seen, stable_deployment(seen), &reasons);
	if (reasons.length > 0)
		print_escaped(stdout, "\n", buf_text(&reasons));
	if (!phase_has_ended(record->phase)) {
		(void)putchar('\n');
		report_next_steps(session, record, stdout);
	}
}

static void print(const struct session *session, enum output output, const struct record *record,
	const struct observation *seen)
{
	if (output == OUTPUT_TABLE) {
		print_people(session, record, seen);
	} else {
		AUTO_JSON release = status_to_json(record, seen);
		output_print(output, release);
	}
	(void)fflush(stdout);
}

/* The newest record among what was seen. */
static int take_record(
	const struct observation *seen, struct record *record, const char *service, struct err *err)
{
	const json *configmap = json_first(json_get(seen->lists[SEEN_RECORD], "items"));
	struct record newest;
	if (configmap == NULL)
		return err_set(
			err, ERR_NOT_FOUND, "the record of service \"%s\" was deleted", service);
	int code = record_parse(configmap, &newest, err);
	if (code != 0)
		return code;
	record_release(record);
	*record = newest;
	return 0;
}

/* Shows what is, then each change of it; only changes that can be seen in the output. */
static int watch(struct session *session, const struct status_flags *flags, enum output output,
	struct record *record, struct err *err)
{
	const struct api_port *api = &session->ports.api;
	const char *service = record->plan.service;
	AUTO_STRING name = mem_strdup(service);
	AUTO_JSON shown = NULL;
	for (;;) {
		CLEANUP(observation_release) struct observation seen = {0};
		int code = observe(api, record, &seen, err);
		if (code == 0)
			code = take_record(&seen, record, name, err);
		if (code != 0)
			return code;
		AUTO_JSON now = status_to_json(record, &seen);
		if (!json_equal(now, shown))
			print(session, output, record, &seen);
		json_free(shown);
		shown = TAKE(now);
		if (!flags->watch || phase_has_ended(record->phase) || ferror(stdout) != 0)
			return 0;
		struct watch *open = NULL;
		size_t index;
		AUTO_JSON event = NULL;
		code = observation_watch(api, record, &seen, &open, err);
		if (code == 0)
			code = api->watch_next(open, INT32_MAX, &index, &event, err);
		api->watch_close(open);
		if (code < 0 && code != ERR_EXPIRED)
			return code;
		/* What comes with it is looked at with it: everything is read again each time. */
		const struct host_port *host = &session->ports.host;
		if ((code = host->sleep(host->context, GATHER_MS, err)) != 0)
			return code;
	}
}

static int run(
	struct session *session, const struct str_list *arguments, void *options, struct err *err)
{
	const struct status_flags *flags = options;
	enum output output;
	const char *service = session_service(arguments->items[0], err);
	if (service == NULL)
		return ERR_USAGE;
	int code = output_parse(flags->output, &output, err);
	if (code == 0)
		code = session_connect(session, err);
	CLEANUP(record_release) struct record record = {0};
	if (code == 0)
		code = record_load(&session->ports.api, session->namespace, service, &record, err);
	return code != 0 ? code : watch(session, flags, output, &record, err);
}

const struct command COMMAND_STATUS = {
	.name = "status",
	.arguments = "SERVICE",
	.summary = "Show where a release stands.",
	.details = "Shows where the release of SERVICE stands: its phase, both versions with their "
		   "ready\n"
		   "pods and share of the requests, and what keeps pods from getting ready.\n\n"
		   "  kubectl batchrollout status web -o json",
	.minimum_arguments = 1,
	.maximum_arguments = 1,
	.rows = ROWS,
	.options_size = sizeof(struct status_flags),
	.run = run,
};
