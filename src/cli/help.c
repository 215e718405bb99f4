#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/command.h"

#define TOOL "kubectl batchrollout"
#define HELP_WIDTH 96

const struct command *command_find(const struct command *const *commands, const char *name)
{
	for (; *commands != NULL; commands++)
		if (str_equal((*commands)->name, name))
			return *commands;
	return NULL;
}

/* Adds a text from a column on, broken at spaces so that lines end before HELP_WIDTH. */
static void add_wrapped(struct buf *buf, const char *text, size_t indent)
{
	size_t column = indent;
	while (*text != '\0') {
		size_t word = strcspn(text, " ");
		if (column > indent && column + 1 + word > HELP_WIDTH) {
			buf_addf(buf, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buf_add_char(buf, ' ');
			column++;
		}
		buf_add(buf, text, word);
		column += word;
		text += word + strspn(text + word, " ");
	}
	buf_add_char(buf, '\n');
}

static void add_option(struct buf *buf, const struct option_row *row)
{
	char letter[8] = "    ";
	if (row->letter != '\0')
		(void)snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	AUTO_STRING left = mem_format("  %s--%s%s%s", letter, row->name,
		row->argument != NULL ? " " : "", row->argument != NULL ? row->argument : "");
	static const size_t COLUMN = 32;
	if (strlen(left) + 2 > COLUMN)
		buf_addf(buf, "%s\n%*s", left, (int)COLUMN, "");
	else
		buf_addf(buf, "%-*s", (int)COLUMN, left);
	add_wrapped(buf, row->help, COLUMN);
}

static void add_options(struct buf *buf, const char *title, const struct option_row *rows)
{
	if (rows == NULL || rows->name == NULL)
		return;
	buf_addf(buf, "\n%s:\n", title);
	for (const struct option_row *row = rows; row->name != NULL; row++)
		add_option(buf, row);
}

void help_overview(const struct command *const *commands, struct buf *buf)
{
	add_wrapped(buf,
		"Releases a new version of a Service's Deployment in batches: traffic moves to a "
		"copy "
		"step by step, pauses to be checked, goes on, or back to exactly what was there "
		"before.",
		0);
	buf_add_text(buf, "\nUsage:\n  " TOOL " COMMAND [arguments] [flags]\n\nCommands:\n");
	for (; *commands != NULL; commands++) {
		AUTO_STRING left = mem_format("  %s %s", (*commands)->name, (*commands)->arguments);
		buf_addf(buf, "%-24s", left);
		add_wrapped(buf, (*commands)->summary, 24);
	}
	buf_add_text(buf,
		"\nFlags that every kubectl command has (--context, -n, …) are understood too: "
		"see\n"
		"`" TOOL " COMMAND -h`.\n\n"
		"Exit status: 0 done, or paused as asked; 1 error; 2 usage; 3 the release failed;\n"
		"4 timed out; 5 busy or conflict; 6 somebody else changed what the release "
		"manages;\n130 interrupted.\n");
}

void help_command(
	const struct command *command, const struct option_row *global_rows, struct buf *buf)
{
	buf_addf(buf, "%s\n\nUsage:\n  " TOOL " %s %s%s[flags]\n", command->details, command->name,
		command->arguments, command->arguments[0] != '\0' ? " " : "");
	add_options(buf, "Flags", command->rows);
	add_options(buf, "Flags of all commands", global_rows);
}
