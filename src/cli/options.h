/*
 * Options: one table for each verb (and one for all) says what there is; parsing, help and
 * completion come from it. A row names a member of the options struct by its offset.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum option_type {
	OPTION_FLAG, /* bool: --name, --name=true, --name=false */
	OPTION_TEXT, /* const char *: the argument; the last one wins */
	OPTION_LIST, /* struct str_list: may be repeated */
};

struct option_row {
	const char *name; /* without the dashes; NULL ends a table */
	char letter;	  /* short form, or 0 */
	enum option_type type;
	const char *argument; /* "TAG", for help; NULL for flags */
	const char *help;
	size_t offset;
};

/* A table and the struct that it fills. */
struct option_set {
	const struct option_row *rows;
	void *values;
};

/* Parses argv (from argv[0], the first argument, on) into the sets and the rest into arguments.
 * Options and arguments may be mixed; "--" ends the options. ERR_USAGE for an unknown option, a
 * missing or a superfluous argument, with kubectl's words. */
int options_parse(int argc, char *const *argv, const struct option_set *sets, size_t set_count,
	struct str_list *ret_arguments, struct err *err);

/* Frees what the lists of a set hold. */
void options_release(const struct option_set *set);

#endif
