/* --match: what is accepted has patterns that compile and quick answers; what is refused, a reason
 * in one line of UTF-8. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "data/regex.h"
#include "traffic/match.h"
#include "traffic/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_pattern(const char *pattern, const char *text)
{
	AUTO_REGEX regex = NULL;
	if (regex_compile(pattern, &regex, NULL) != 0)
		abort();
	(void)regex_matches(regex, text);
}

static void check_rules(const json *rules, const char *text)
{
	json_for_each (headers, rules) {
		AUTO_JSON match = NULL;
		AUTO_JSON again = NULL;
		if (match_and(NULL, headers, &match, NULL) != 1 ||
			match_and(match, headers, &again, NULL) != 1 || !json_equal(match, again))
			abort();
		json_for_each (header, headers) {
			const char *pattern = json_get_text(header, "regex");
			if (pattern != NULL)
				check_pattern(pattern, text);
		}
	}
}

/* Each line is a rule; the whole is a pattern, too. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	AUTO_STRING text = mem_strndup((const char *)bytes, size);
	CLEANUP(str_list_release) struct str_list lines = {0};
	AUTO_JSON rules = NULL;
	AUTO_REGEX regex = NULL;
	struct err err = {0};
	str_split(text, '\n', &lines);
	if (rules_parse(&lines, &rules, &err) == 0)
		check_rules(rules, text);
	else if (err.code != ERR_USAGE || strchr(err.message, '\n') != NULL)
		abort();
	if (regex_compile(text, &regex, &err) == 0)
		(void)regex_matches(regex, text);
	AUTO_STRING quoted = regex_quote(text);
	AUTO_REGEX literal = NULL;
	if (regex_compile(quoted, &literal, NULL) == 0 &&
		regex_matches(literal, text) != (utf8_valid(text) ? 1 : 0))
		abort();
	return 0;
}
