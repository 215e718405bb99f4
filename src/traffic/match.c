#include "traffic/match.h"

#include <strings.h>

#include "base/str.h"
#include "data/regex.h"

/* The condition on this header; names are compared without case. */
static const json *find_header(const json *headers, const char *name)
{
	json_for_each (condition, headers)
		if (strcasecmp(json_key(condition), name) == 0)
			return condition;
	return NULL;
}

/* Whether a text meets a condition: 1, 0, or ERR_FAILED where that cannot be found out. */
static int meets(const char *text, const json *condition)
{
	const char *exact = json_get_text(condition, "exact");
	const char *prefix = json_get_text(condition, "prefix");
	const char *pattern = json_get_text(condition, "regex");
	if (exact != NULL)
		return str_equal(text, exact);
	if (prefix != NULL)
		return str_starts(text, prefix);
	if (pattern == NULL)
		return 1; /* the header is there */
	AUTO_REGEX regex = NULL;
	int code = regex_compile(pattern, &regex, NULL);
	return code != 0 ? ERR_FAILED : regex_matches(regex, text);
}

/* Whether it says what Istio's StringMatch can say now: one comparison, or that the header is
 * there. */
static bool is_known(const json *condition)
{
	static const char *const COMPARISONS[] = {"exact", "prefix", "regex"};
	const json *comparison = json_first(condition);
	return json_count(condition) == 0 ||
	       (json_count(condition) == 1 && json_text(comparison) != NULL &&
		       str_index(COMPARISONS, COUNT_OF(COMPARISONS), json_key(comparison)) >= 0);
}

/* One condition that holds where both do: *ret is one of them. Returns as match_and. */
static int join(const json *theirs, const json *ours, const json **ret)
{
	const json *both[] = {theirs, ours};
	*ret = ours;
	if (json_equal(theirs, ours) || json_count(theirs) == 0)
		return 1;
	if (!is_known(theirs))
		return ERR_FAILED;
	for (size_t i = 0; i < COUNT_OF(both); i++) {
		const char *exact = json_get_text(both[i], "exact");
		if (exact == NULL)
			continue;
		*ret = both[i];
		return meets(exact, both[1 - i]);
	}
	const char *prefix = json_get_text(theirs, "prefix");
	const char *other = json_get_text(ours, "prefix");
	if (prefix == NULL || other == NULL)
		return ERR_FAILED;
	if (str_starts(prefix, other))
		*ret = theirs;
	return str_starts(prefix, other) || str_starts(other, prefix);
}

static int join_header(json *headers, const json *ours, struct err *err)
{
	const json *theirs = find_header(headers, json_key(ours));
	if (theirs == NULL) {
		json_set(headers, json_key(ours), json_copy(ours));
		return 1;
	}
	const json *joined;
	int code = join(theirs, ours, &joined);
	if (code < 0)
		return err_set(err, ERR_FAILED,
			"it matches the header \"%s\" already, by a condition that Istio cannot "
			"join with that of the release; use another header or cookie",
			json_key(theirs));
	if (code > 0 && joined != theirs) {
		AUTO_STRING key = mem_strdup(json_key(theirs));
		json_set(headers, key, json_copy(joined));
	}
	return code;
}

int match_and(const json *match, const json *headers, json **ret, struct err *err)
{
	AUTO_JSON joined = match != NULL ? json_copy(match) : json_object();
	json *all = json_ensure_object(joined, "headers");
	json_for_each (condition, headers) {
		int code = join_header(all, condition, err);
		if (code <= 0)
			return code;
	}
	*ret = TAKE(joined);
	return 1;
}
