/* Trees in tests: written as JSON with single quotes, compared as trees, shown when they differ. */
#ifndef TESTS_UNIT_TRAFFIC_TREES_H
#define TESTS_UNIT_TRAFFIC_TREES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "data/json.h"
#include "traffic/intent.h"

static const struct intent web = {
	.service = "web",
	.namespace = "shop",
	.cluster_domain = "cluster.local",
	.stable_version = "v1",
	.canary_version = "v2",
};

static inline json *tree(const char *text)
{
	AUTO_STRING quoted = mem_strdup(text);
	for (char *c = quoted; *c != '\0'; c++) {
		if (*c == '\'')
			*c = '"';
	}
	json *ret = NULL;
	struct err err = {0};
	if (json_parse(quoted, strlen(quoted), &ret, &err) != 0)
		fail_msg("%s in %s", err.message, text);
	return ret;
}

static inline void assert_same(const json *found, const json *expected)
{
	if (json_equal(found, expected))
		return;
	AUTO_STRING found_text = json_print(found);
	AUTO_STRING expected_text = json_print(expected);
	fail_msg("found    %s\nexpected %s", found_text, expected_text);
}

static inline void assert_tree(const json *found, const char *text)
{
	AUTO_JSON expected = tree(text);
	assert_same(found, expected);
}

static inline void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

#endif
