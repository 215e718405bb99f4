/* kubectl batchrollout history */
#include <stdio.h>

#include "base/mem.h"
#include "base/parse.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "release/recovery.h"
#include "release/status.h"
#include "ui/table.h"

struct history_flags {
	const char *output;
};

static const struct option_row ROWS[] = {
	{"output", 'o', OPTION_TEXT, "json|yaml|name|wide", "The format.",
		offsetof(struct history_flags, output)},
	{0},
};

/* "3m20s" between two moments; "" where one of them is not known. */
static void add_duration(struct table *table, const json *entry)
{
	int64_t began = 0, ended = 0;
	char text[32];
	const char *from = json_get_text(entry, "startedAt");
	const char *to = json_get_text(entry, "endedAt");
	if (from == NULL || to == NULL || parse_time(from, &began, NULL) != 0 ||
		parse_time(to, &ended, NULL) != 0 || ended < began)
		table_add(table, "");
	else
		table_add(table, format_duration((ended - began) * 1000, text));
}

/* What a lost record knew is not known any more. */
static const char *text_of(const json *entry, const char *key)
{
	const char *text = json_get_text(entry, key);
	return text == NULL ? "<unknown>" : text;
}

static void add_batch(struct table *table, const json *entry)
{
	int batches = (int)json_get_integer(entry, "batches", 0);
	if (json_get(entry, "batch") == NULL)
		table_addf(table, "?/%d", batches);
	else
		table_addf(table, "%d/%d", (int)json_get_integer(entry, "batch", 0), batches);
}

static void print_table(const json *entries)
{
	static const char *const HEADER[] = {
		"STARTED", "BY", "FROM", "TO", "BATCH", "RESULT", "TOOK"};
	CLEANUP(table_release) struct table table = TABLE_INIT(COUNT_OF(HEADER));
	for (size_t i = 0; i < COUNT_OF(HEADER); i++)
		table_add(&table, HEADER[i]);
	json_for_each (entry, entries) {
		table_add(&table, text_of(entry, "startedAt"));
		table_add(&table, text_of(entry, "by"));
		table_add(&table, text_of(entry, "from"));
		table_add(&table, text_of(entry, "to"));
		add_batch(&table, entry);
		table_add(&table, text_of(entry, "result"));
		add_duration(&table, entry);
	}
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	table_print(&table, &text);
	(void)fputs(buf_text(&text), stdout);
}

static int run(
	struct session *session, const struct str_list *arguments, void *options, struct err *err)
{
	const struct history_flags *flags = options;
	CLEANUP(record_release) struct record record = {0};
	enum output output;
	const char *service = session_service(arguments->items[0], err);
	if (service == NULL)
		return ERR_USAGE;
	int code = output_parse(flags->output, &output, err);
	if (code == 0)
		code = session_connect(session, err);
	if (code == 0)
		code = find_release(&session->ports.api, session->namespace, service, &record, err);
	if (code != 0)
		return code;
	AUTO_JSON history = history_to_json(&record);
	if (output == OUTPUT_TABLE)
		print_table(json_get(history, "items"));
	else
		output_print(output, history);
	return 0;
}

const struct command COMMAND_HISTORY = {
	.name = "history",
	.arguments = "SERVICE",
	.summary = "List the releases of a Service, the newest last.",
	.details =
		"Lists the last releases of SERVICE: when each began and who began it, from which "
		"version to\n"
		"which, how many of its batches were reached, how it ended and how long it took.\n"
		"\n"
		"  kubectl batchrollout history web",
	.minimum_arguments = 1,
	.maximum_arguments = 1,
	.rows = ROWS,
	.options_size = sizeof(struct history_flags),
	.run = run,
};
