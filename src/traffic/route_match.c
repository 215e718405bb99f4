#include "traffic/route_match.h"

#include <strings.h>

#include "base/str.h"
#include "data/regex.h"

#define EXACT "Exact"
#define REGEX "RegularExpression"

/* --- one condition -------------------------------------------------------------------------- */

/* A condition of a rule as the Gateway API has it. */
static json *make_header(const char *name, const json *condition)
{
	json *header = json_object();
	const char *exact = json_get_text(condition, "exact");
	const char *prefix = json_get_text(condition, "prefix");
	json_set_text(header, "type", exact != NULL ? EXACT : REGEX);
	json_set_text(header, "name", name);
	if (exact != NULL) {
		json_set_text(header, "value", exact);
		return header;
	}
	AUTO_STRING quoted = prefix != NULL ? regex_quote(prefix) : NULL;
	AUTO_STRING pattern = prefix != NULL
				      ? mem_format("^%s.*$", quoted)
				      : mem_format("^(?:%s)$", json_get_text(condition, "regex"));
	json_set_text(header, "value", pattern);
	return header;
}

bool rule_needs_regex(const json *rule)
{
	json_for_each (condition, rule)
		if (json_get(condition, "exact") == NULL)
			return true;
	return false;
}

static bool is_exact(const json *header)
{
	const char *type = json_get_text(header, "type");
	return type == NULL || str_equal(type, EXACT);
}

/* 1 where a value fulfils a condition of a rule, 0 where not. */
static int fulfils(const char *value, const json *condition, struct err *err)
{
	const char *exact = json_get_text(condition, "exact");
	const char *prefix = json_get_text(condition, "prefix");
	if (exact != NULL)
		return str_equal(value, exact);
	if (prefix != NULL)
		return str_starts(value, prefix);
	AUTO_REGEX regex = NULL;
	int code = regex_compile(json_get_text(condition, "regex"), &regex, err);
	return code != 0 ? code : regex_matches(regex, value);
}

/* --- joining -------------------------------------------------------------------------------- */

static const json *find_named(const json *list, const char *name)
{
	json_for_each (element, list)
		if (strcasecmp(json_get_text(element, "name"), name) == 0)
			return element;
	return NULL;
}

/* Adds one condition: 1, or 0 where it contradicts what is there. */
static int add_condition(json *match, const json *condition, struct err *err)
{
	const char *name = json_key(condition);
	const json *there = find_named(json_get(match, "headers"), name);
	AUTO_JSON header = make_header(name, condition);
	if (there == NULL) {
		json_append(json_ensure_array(match, "headers"), TAKE(header));
		return 1;
	}
	const char *value = json_get_text(there, "value");
	if (is_exact(there))
		return fulfils(value, condition, err);
	if (!is_exact(header) && str_equal(json_get_text(header, "value"), value))
		return 1;
	return err_set(err, ERR_FAILED,
		"it matches the header \"%s\" already, by a regular expression, and the Gateway "
		"API has no second condition on a header; ask for another header or cookie",
		name);
}

int route_match_and(const json *match, const json *rule, json **ret, struct err *err)
{
	AUTO_JSON joined = match != NULL ? json_copy(match) : json_object();
	/* What the API server would add, so that nothing differs from what it stores. */
	if (json_get(joined, "path") == NULL) {
		json *path = json_ensure_object(joined, "path");
		json_set_text(path, "type", "PathPrefix");
		json_set_text(path, "value", "/");
	}
	json_for_each (condition, rule) {
		int code = add_condition(joined, condition, err);
		if (code <= 0)
			return code;
	}
	*ret = TAKE(joined);
	return 1;
}

/* --- comparing ------------------------------------------------------------------------------ */

static bool lists_contradict(const json *a, const json *b)
{
	json_for_each (element, a) {
		const json *other = find_named(b, json_get_text(element, "name"));
		if (other != NULL && is_exact(element) && is_exact(other) &&
			!str_equal(json_get_text(element, "value"), json_get_text(other, "value")))
			return true;
	}
	return false;
}

bool route_matches_overlap(const json *a, const json *b)
{
	const char *method = json_get_text(a, "method"), *other = json_get_text(b, "method");
	return (method == NULL || other == NULL || str_equal(method, other)) &&
	       !lists_contradict(json_get(a, "headers"), json_get(b, "headers")) &&
	       !lists_contradict(json_get(a, "queryParams"), json_get(b, "queryParams"));
}
