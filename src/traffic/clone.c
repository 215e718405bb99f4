#include "traffic/clone.h"

#include "base/str.h"
#include "traffic/match.h"
#include "traffic/merge.h"
#include "traffic/share.h"
#include "traffic/sticky.h"

/* One clone: who gets it, and what. */
struct clone {
	const char *name;
	const json *conditions; /* array of conditions on headers: any of them */
	bool canary;
};

/* Adds what `match` (NULL: everything) and any of the conditions say together. */
static int append_matches(
	json *matches, const json *match, const struct clone *clone, struct err *err)
{
	json_for_each (condition, clone->conditions) {
		json *joined = NULL;
		int code = match_and(match, condition, &joined, err);
		if (code < 0)
			return code;
		if (code > 0)
			json_append(matches, joined);
	}
	return 0;
}

static int make_matches(const json *route, const struct clone *clone, json **ret, struct err *err)
{
	AUTO_JSON matches = json_array();
	const json *list = json_get(route, "match");
	int code = json_count(list) == 0 ? append_matches(matches, NULL, clone, err) : 0;
	json_for_each (match, list) {
		if (code == 0)
			code = append_matches(matches, match, clone, err);
	}
	if (code != 0)
		return code;
	*ret = TAKE(matches);
	return 0;
}

static int append_clone(json *routes, const json *route, size_t index, const struct scope *scope,
	const struct clone *clone, struct err *err)
{
	AUTO_JSON matches = NULL;
	int code = make_matches(route, clone, &matches, err);
	if (code != 0 || json_count(matches) == 0)
		return code;
	json *copy = json_copy(route);
	const char *name = json_get_text(route, "name");
	AUTO_STRING own_name = mem_format(OWN_PREFIX "%s%s%s", clone->name, name != NULL ? "-" : "",
		name != NULL ? name : "");
	json_set_text(copy, "name", own_name);
	json_set(copy, "match", TAKE(matches));
	json_set(copy, "route", pointed_list(json_get(route, "route"), scope, clone->canary));
	merge_set_key(copy, "%zu.%s", index, clone->name);
	json_append(routes, copy);
	return 0;
}

static int append_matched(
	json *routes, const json *route, size_t index, const struct scope *scope, struct err *err)
{
	if (json_count(scope->intent->match_rules) == 0)
		return 0;
	const struct clone clone = {"match", scope->intent->match_rules, true};
	return append_clone(routes, route, index, scope, &clone, err);
}

static int append_sticky(json *routes, const json *route, size_t index, const struct scope *scope,
	const struct split *split, bool canary, struct err *err)
{
	json *condition = sticky_condition(scope->intent, split->weight, canary);
	if (condition == NULL)
		return 0;
	AUTO_JSON conditions = json_array();
	json_append(conditions, condition);
	const struct clone clone = {canary ? "canary" : "stable", conditions, canary};
	return append_clone(routes, route, index, scope, &clone, err);
}

int clones_append(json *routes, const json *route, size_t index, const struct scope *scope,
	const struct split *split, struct err *err)
{
	if (!split->rules)
		return 0;
	int code = append_matched(routes, route, index, scope, err);
	if (code == 0)
		code = append_sticky(routes, route, index, scope, split, true, err);
	if (code == 0)
		code = append_sticky(routes, route, index, scope, split, false, err);
	return code;
}

bool route_is_clone(const json *route)
{
	const char *name = json_get_text(route, "name");
	return name != NULL && str_starts(name, OWN_PREFIX);
}
