#include "simulate/string_match.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "data/regex.h"

static enum match_result match_exact(const char *pattern, const char *value, bool ignore_case)
{
	int difference = ignore_case ? strcasecmp(value, pattern) : strcmp(value, pattern);
	return difference == 0 ? MATCH_YES : MATCH_NO;
}

static enum match_result match_prefix(const char *pattern, const char *value, bool ignore_case)
{
	size_t length = strlen(pattern);
	int difference =
		ignore_case ? strncasecmp(value, pattern, length) : strncmp(value, pattern, length);
	return difference == 0 ? MATCH_YES : MATCH_NO;
}

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* Envoy's regular expressions read bytes (RE2's Latin-1), ours characters: outside of ASCII the two
 * may differ. */
static enum match_result match_regex(const char *pattern, const char *value, bool ignore_case)
{
	(void)ignore_case;
	AUTO_REGEX regex = NULL;
	if (!is_ascii(pattern) || !is_ascii(value) || regex_compile(pattern, &regex, NULL) != 0)
		return MATCH_UNKNOWN;
	int result = regex_matches(regex, value);
	if (result < 0)
		return MATCH_UNKNOWN;
	return result > 0 ? MATCH_YES : MATCH_NO;
}

static const struct way {
	const char *key;
	enum match_result (*match)(const char *pattern, const char *value, bool ignore_case);
	const char *words[3]; /* by result */
	bool has_case;
} WAYS[] = {
	{"exact", match_exact, {"is not", "is", "is not known to be"}, true},
	{"prefix", match_prefix,
		{"does not begin with", "begins with", "is not known to begin with"}, true},
	{"regex", match_regex,
		{"does not match the regular expression", "matches the regular expression",
			"could not be compared with the regular expression"},
		false},
};

static const struct way *way_of(const json *match)
{
	for (size_t i = 0; i < COUNT_OF(WAYS); i++)
		if (json_get_text(match, WAYS[i].key) != NULL)
			return &WAYS[i];
	return NULL;
}

bool string_match_is_presence(const json *match)
{
	return way_of(match) == NULL || str_equal(json_get_text(match, "regex"), "*");
}

enum match_result string_match(const json *match, const char *value, bool ignore_case)
{
	const struct way *way = way_of(match);
	if (string_match_is_presence(match))
		return MATCH_YES;
	return way->match(json_get_text(match, way->key), value, ignore_case);
}

void string_match_describe(
	const json *match, enum match_result result, bool ignore_case, struct buf *buf)
{
	const struct way *way = way_of(match);
	if (string_match_is_presence(match)) {
		buf_add_text(buf, result == MATCH_YES ? "is there" : "is not there");
		return;
	}
	buf_addf(buf, "%s \"%s\"", way->words[result], json_get_text(match, way->key));
	if (ignore_case && way->has_case)
		buf_add_text(buf, " (upper or lower case)");
}
