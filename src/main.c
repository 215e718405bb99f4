/* kubectl-batchrollout: argv to a command, its result to an exit status. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "kube/status.h"
#include "ui/escape.h"

static volatile sig_atomic_t interrupted;

/* The first signal lets the command end in order, the second ends it now: the release is safe. */
static void on_signal(int number)
{
	static volatile sig_atomic_t count;
	if (++count > 1)
		_exit(128 + number);
	interrupted = 1;
}

static void install_handlers(void)
{
	static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal}, inherited;
	(void)sigemptyset(&action.sa_mask);
	/* What nohup, or a shell for its background jobs, had ignored stays so. */
	for (size_t i = 0; i < COUNT_OF(SIGNALS); i++)
		if (sigaction(SIGNALS[i], NULL, &inherited) == 0 && inherited.sa_handler != SIG_IGN)
			(void)sigaction(SIGNALS[i], &action, NULL);
	/* A closed pipe is an error of the write, not the end of a release. */
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
}

/* The exit status of an error code; see `kubectl batchrollout -h`. */
static int exit_status(int code)
{
	static const struct {
		int code, status;
	} STATUSES[] = {
		{0, 0},
		{ERR_USAGE, 2},
		{ERR_RELEASE, 3},
		{ERR_TIMED_OUT, 4},
		{ERR_BUSY, 5},
		{ERR_CONFLICT, 5},
		{ERR_FOREIGN, 6},
		{ERR_INTERRUPTED, 130},
	};
	for (size_t i = 0; i < COUNT_OF(STATUSES); i++)
		if (STATUSES[i].code == code)
			return STATUSES[i].status;
	return 1;
}

static void print_error(const struct err *err, const struct command *command)
{
	AUTO_STRING line = status_display(err->message);
	AUTO_STRING escaped = escape_text(line);
	(void)fprintf(stderr, "%s\n", escaped);
	if (err->code == ERR_USAGE)
		(void)fprintf(stderr, "See 'kubectl batchrollout%s%s -h' for help and examples\n",
			command != NULL ? " " : "", command != NULL ? command->name : "");
}

static int print_help(const struct command *command)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	if (command == NULL)
		help_overview(COMMANDS, &text);
	else
		help_command(command, GLOBAL_OPTIONS, &text);
	(void)fputs(buf_text(&text), stdout);
	return 0;
}

static int check_arguments(
	const struct command *command, const struct str_list *arguments, struct err *err)
{
	if (arguments->count < command->minimum_arguments)
		return err_set(err, ERR_USAGE, "%s needs %s", command->name, command->arguments);
	if (arguments->count > command->maximum_arguments)
		return err_set(err, ERR_USAGE, "%s: unexpected argument \"%s\"", command->name,
			arguments->items[command->maximum_arguments]);
	return 0;
}

static int run_command(const struct command *command, int argc, char **argv, struct err *err)
{
	CLEANUP(session_release) struct session session = {.interrupted = &interrupted};
	CLEANUP(str_list_release) struct str_list arguments = {0};
	CLEANUP(mem_cleanup) void *options = mem_alloc(1, command->options_size);
	static const struct option_row NONE[] = {{0}};
	const struct option_set sets[] = {
		{.rows = command->rows != NULL ? command->rows : NONE, .values = options},
		{.rows = GLOBAL_OPTIONS, .values = &session.global},
	};
	session.progress.out = stdout;
	int code = options_parse(argc, argv, sets, COUNT_OF(sets), &arguments, err);
	if (code == 0 && session.global.help)
		code = print_help(command);
	else if (code == 0 && (code = check_arguments(command, &arguments, err)) == 0)
		code = command->run(&session, &arguments, options, err);
	options_release(&sets[0]);
	return code;
}

/* Whether the flag's argument is the next word. */
static bool takes_next_word(const char *flag)
{
	for (const struct option_row *row = GLOBAL_OPTIONS; row->name != NULL; row++) {
		bool is_long = str_starts(flag, "--") && str_equal(flag + 2, row->name);
		bool is_short = flag[0] == '-' && flag[1] == row->letter && row->letter != '\0' &&
				flag[2] == '\0';
		if (is_long || is_short)
			return row->type != OPTION_FLAG;
	}
	return false;
}

/* Flags of all commands may stand before the command's name: "-n shop status web". */
static void move_command_first(int argc, char **argv)
{
	int at = 1;
	while (at < argc && argv[at][0] == '-' && !str_equal(argv[at], "--"))
		at += takes_next_word(argv[at]) ? 2 : 1;
	if (at >= argc)
		return;
	char *name = argv[at];
	for (; at > 1; at--)
		argv[at] = argv[at - 1];
	argv[1] = name;
}

int main(int argc, char **argv)
{
	struct err err = {0};
	const struct command *command = NULL;
	move_command_first(argc, argv);
	const char *name = argc > 1 ? argv[1] : "help";
	install_handlers();
	if (str_equal(name, "-h") || str_equal(name, "--help") || str_equal(name, "help"))
		return print_help(argc > 2 ? command_find(COMMANDS, argv[2]) : NULL);
	command = command_find(COMMANDS, name);
	int code = command != NULL
			   ? run_command(command, argc - 2, argv + 2, &err)
			   : err_set(&err, ERR_USAGE,
				     "unknown command \"%s\" for \"kubectl batchrollout\"", name);
	if (code < 0)
		print_error(&err, command);
	/* An earlier flush may have failed already; the reason is in errno only of this one. */
	bool lost = ferror(stdout) != 0;
	if ((fflush(stdout) != 0 || lost) && code == 0) {
		(void)fprintf(stderr, "error: standard output: %s\n",
			lost ? "not all could be written" : strerror(errno));
		return 1;
	}
	return exit_status(code);
}
