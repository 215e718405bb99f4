/* kubectl batchrollout list */
#include <stdio.h>

#include "api/object.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "release/configs.h"
#include "release/status.h"
#include "ui/escape.h"
#include "ui/table.h"

struct list_flags {
	bool all_namespaces;
	const char *output;
};

static const struct option_row ROWS[] = {
	{"all-namespaces", 'A', OPTION_FLAG, NULL, "Of all namespaces.",
		offsetof(struct list_flags, all_namespaces)},
	{"output", 'o', OPTION_TEXT, "json|yaml|name|wide", "The format.",
		offsetof(struct list_flags, output)},
	{0},
};

static void add_row(struct table *table, bool namespaces, const struct record *record)
{
	const struct plan *plan = &record->plan;
	if (namespaces)
		table_add(table, plan->namespace);
	table_add(table, plan->service);
	table_add(table, phase_name(record->phase));
	table_addf(table, "%d/%d", record->batch, plan->batch_count);
	table_add(table, plan->stable_version);
	table_add(table, plan->canary_version);
	table_add(table, traffic_mode_name(plan->traffic));
	table_add(table, record->started_at == NULL ? "" : record->started_at);
}

static void add_header(struct table *table, bool namespaces)
{
	static const char *const HEADER[] = {
		"NAMESPACE", "SERVICE", "PHASE", "BATCH", "FROM", "TO", "TRAFFIC", "STARTED"};
	for (size_t i = namespaces ? 0 : 1; i < COUNT_OF(HEADER); i++)
		table_add(table, HEADER[i]);
}

static json *new_list(void)
{
	json *list = json_object();
	json_set_text(list, "apiVersion", "batchrollout/v1");
	json_set_text(list, "kind", "ReleaseList");
	(void)json_ensure_array(list, "items");
	return list;
}

/* A record that cannot be read must not hide the others. */
static void note_damage(const struct session *session, const char *message)
{
	session->ports.observer.note(session->ports.observer.context, message);
}

static int print_records(const struct session *session, const json *configmaps,
	const struct list_flags *flags, enum output output)
{
	CLEANUP(table_release) struct table table = TABLE_INIT(flags->all_namespaces ? 8 : 7);
	AUTO_JSON releases = new_list();
	size_t count = 0;
	add_header(&table, flags->all_namespaces);
	json_for_each (configmap, list_items(configmaps)) {
		CLEANUP(record_release) struct record record = {0};
		struct err damage = {0};
		if (record_parse(configmap, &record, &damage) != 0) {
			note_damage(session, damage.message);
			continue;
		}
		count++;
		add_row(&table, flags->all_namespaces, &record);
		json_append(json_get(releases, "items"), release_to_json(&record));
	}
	if (output != OUTPUT_TABLE) {
		output_print(output, releases);
		return 0;
	}
	if (count == 0 && flags->all_namespaces)
		(void)fprintf(stderr, "No releases found\n");
	if (count == 0 && !flags->all_namespaces)
		(void)fprintf(stderr, "No releases found in %s namespace.\n", session->namespace);
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	table_print(&table, &text);
	if (count > 0)
		(void)fputs(buf_text(&text), stdout);
	return 0;
}

static int run(
	struct session *session, const struct str_list *arguments, void *options, struct err *err)
{
	(void)arguments;
	const struct list_flags *flags = options;
	enum output output;
	int code = output_parse(flags->output, &output, err);
	if (code == 0)
		code = session_connect(session, err);
	if (code != 0)
		return code;
	AUTO_JSON configmaps = NULL;
	struct query query = {.kind = &KIND_CONFIG_MAP,
		.namespace = flags->all_namespaces ? NULL : session->namespace,
		/* Records, and no copies of configuration. */
		.label_selector = MANAGED_BY_LABEL "=" MANAGED_BY ",!" CONFIG_LABEL};
	code = session->ports.api.list(session->ports.api.context, &query, &configmaps, err);
	return code != 0 ? code : print_records(session, configmaps, flags, output);
}

const struct command COMMAND_LIST = {
	.name = "list",
	.arguments = "",
	.summary = "List the releases of a namespace, or of all.",
	.details = "Lists the newest release of each Service of a namespace, or of all.\n\n"
		   "  kubectl batchrollout list -A",
	.rows = ROWS,
	.options_size = sizeof(struct list_flags),
	.run = run,
};
