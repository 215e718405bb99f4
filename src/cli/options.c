#include "cli/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Beyond any letter, so that a row's number and a letter cannot meet in getopt's answer. */
#define FIRST_ROW 256

/* What getopt needs, made from the tables. */
struct parser {
	struct option *long_options; /* one for each row, and the end */
	struct {
		const struct option_row *row;
		char *values;
	} *rows;
	size_t count;
	char letters[128];
};

static void parser_release(struct parser *parser)
{
	free(parser->long_options);
	free(parser->rows);
}

static void add_row(struct parser *parser, const struct option_row *row, void *values)
{
	static const int ARGUMENTS[] = {
		[OPTION_FLAG] = optional_argument,
		[OPTION_TEXT] = required_argument,
		[OPTION_LIST] = required_argument,
	};
	size_t index = parser->count++;
	parser->rows = mem_grow(parser->rows, parser->count, sizeof(*parser->rows));
	parser->rows[index].row = row;
	parser->rows[index].values = values;
	parser->long_options =
		mem_grow(parser->long_options, parser->count + 1, sizeof(struct option));
	parser->long_options[index] = (struct option){
		.name = row->name, .has_arg = ARGUMENTS[row->type], .val = FIRST_ROW + (int)index};
	parser->long_options[parser->count] = (struct option){0};
	size_t used = strlen(parser->letters);
	if (row->letter != '\0' && used + 2 < sizeof(parser->letters)) {
		parser->letters[used] = row->letter;
		if (row->type != OPTION_FLAG)
			parser->letters[used + 1] = ':';
	}
}

static struct parser make_parser(const struct option_set *sets, size_t set_count)
{
	/* ':' first: a missing argument is told apart, and nothing is printed. */
	struct parser parser = {.letters = ":"};
	for (size_t i = 0; i < set_count; i++)
		for (const struct option_row *row = sets[i].rows; row->name != NULL; row++)
			add_row(&parser, row, sets[i].values);
	return parser;
}

static size_t find_row(const struct parser *parser, int answer)
{
	if (answer >= FIRST_ROW)
		return (size_t)(answer - FIRST_ROW);
	for (size_t i = 0; i < parser->count; i++)
		if (parser->rows[i].row->letter == answer)
			return i;
	return parser->count;
}

static int set_value(
	const struct option_row *row, char *values, const char *argument, struct err *err)
{
	void *place = values + row->offset;
	switch (row->type) {
	case OPTION_FLAG:
		if (argument != NULL && !str_equal(argument, "true") &&
			!str_equal(argument, "false"))
			return err_set(err, ERR_USAGE,
				"invalid argument \"%s\" for \"--%s\": not true or false", argument,
				row->name);
		*(bool *)place = argument == NULL || str_equal(argument, "true");
		break;
	case OPTION_TEXT:
		*(const char **)place = argument;
		break;
	case OPTION_LIST:
		str_list_add(place, argument);
		break;
	}
	return 0;
}

/* getopt takes an unambiguous beginning for the whole name; scripts that rely on that break with
 * the next option, so it is refused, as kubectl does. */
static bool is_abbreviated(const char *word, const char *name)
{
	if (!str_starts(word, "--"))
		return false;
	size_t length = strcspn(word + 2, "=");
	return length != strlen(name) || strncmp(word + 2, name, length) != 0;
}

static int take(const struct parser *parser, int answer, const char *word, struct err *err)
{
	if (answer == ':')
		return err_set(err, ERR_USAGE, "flag needs an argument: %s", word);
	size_t index = answer == '?' ? parser->count : find_row(parser, answer);
	if (index >= parser->count ||
		(answer >= FIRST_ROW && is_abbreviated(word, parser->rows[index].row->name))) {
		if (str_starts(word, "--"))
			return err_set(err, ERR_USAGE, "unknown flag: %.*s",
				(int)strcspn(word, "="), word);
		return err_set(err, ERR_USAGE, "unknown shorthand flag: '%c' in %s", optopt, word);
	}
	return set_value(parser->rows[index].row, parser->rows[index].values, optarg, err);
}

int options_parse(int argc, char *const *argv, const struct option_set *sets, size_t set_count,
	struct str_list *ret_arguments, struct err *err)
{
	CLEANUP(parser_release) struct parser parser = make_parser(sets, set_count);
	/* getopt starts at argv[1] and permutes: it gets a copy with a program name in front. */
	CLEANUP(mem_cleanup) char **words = mem_alloc((size_t)argc + 2, sizeof(char *));
	words[0] = (char[]){""};
	for (int i = 0; i < argc; i++)
		words[i + 1] = argv[i];
	optind = 0; /* GNU: begin anew */
	for (;;) {
		int answer =
			getopt_long(argc + 1, words, parser.letters, parser.long_options, NULL);
		if (answer == -1)
			break;
		/* The word that was read: getopt may have skipped arguments on the way to it. */
		const char *word = words[optind - 1];
		if (optarg != NULL && optarg == word && optind >= 2)
			word = words[optind - 2];
		/* "-n=shop" is "-n shop", as in kubectl. */
		if (optarg != NULL && answer < FIRST_ROW && optarg == word + 2 && *optarg == '=')
			optarg++;
		int code = take(&parser, answer, word, err);
		if (code != 0)
			return code;
	}
	for (int i = optind; i < argc + 1; i++)
		str_list_add(ret_arguments, words[i]);
	return 0;
}

void options_release(const struct option_set *set)
{
	for (const struct option_row *row = set->rows; row->name != NULL; row++)
		if (row->type == OPTION_LIST)
			str_list_release((void *)((char *)set->values + row->offset));
}
