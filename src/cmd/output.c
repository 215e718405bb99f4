#include "cmd/output.h"

#include <stdio.h>

#include "api/object.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/yaml.h"
#include "ui/escape.h"

int output_parse(const char *text, enum output *ret, struct err *err)
{
	static const char *const NAMES[] = {
		[OUTPUT_TABLE] = "wide",
		[OUTPUT_JSON] = "json",
		[OUTPUT_YAML] = "yaml",
		[OUTPUT_NAME] = "name",
	};
	int index = text == NULL ? OUTPUT_TABLE : str_index(NAMES, COUNT_OF(NAMES), text);
	if (index < 0)
		return err_set(err, ERR_USAGE,
			"unable to match a printer suitable for the output format \"%s\", allowed "
			"formats are: json,name,wide,yaml",
			text);
	*ret = (enum output)index;
	return 0;
}

static void print_name(const json *object)
{
	AUTO_STRING name = escape_text(object_name(object));
	(void)printf("release.batchrollout/%s\n", name);
}

void output_print(enum output output, const json *object)
{
	if (output == OUTPUT_NAME && object_name(object) != NULL) {
		print_name(object);
		return;
	}
	/* A list has no name of its own; what has one may have items that have none: a history. */
	if (output == OUTPUT_NAME) {
		json_for_each (item, json_get(object, "items"))
			print_name(item);
		return;
	}
	AUTO_STRING text = output == OUTPUT_JSON ? json_print_pretty(object) : yaml_print(object);
	(void)printf("%s%s", text, str_ends(text, "\n") ? "" : "\n");
}
