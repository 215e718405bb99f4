/* `-o FORMAT`, as kubectl has it. */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include "data/json.h"

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_NAME };

/* NULL is the table. ERR_USAGE for a format that there is not. */
int output_parse(const char *text, enum output *ret, struct err *err);

/* Prints an object in one of the formats but the table. */
void output_print(enum output output, const json *object);

#endif
