#include "traffic/route_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "traffic/httproute.h"
#include "traffic/precedence.h"
#include "traffic/route_match.h"

/* https://gateway-api.sigs.k8s.io/reference/spec/ */
#define WEIGHT_MAXIMUM 1000000
#define BACKENDS_MAXIMUM 16
#define RULES_MAXIMUM 16
#define MATCHES_MAXIMUM 64
#define ALL_MATCHES_MAXIMUM 128
#define HEADERS_MAXIMUM 16

/* Where a fault is: one rule; or, without one, the object. */
struct place {
	const json *httproute;
	struct route_scope scope;
	const json *rule;
	size_t index;
};

static char *place_text(const struct place *place)
{
	if (place->rule == NULL)
		return mem_strdup("");
	const char *name = json_get_text(place->rule, "name");
	if (name == NULL)
		return mem_format("spec.rules[%zu]: ", place->index);
	return mem_format("rule \"%s\" (spec.rules[%zu]): ", name, place->index);
}

static int refuse(struct err *err, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct err *err, const struct place *place, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *reason = NULL;
	int length = vasprintf(&reason, format, arguments);
	va_end(arguments);
	AUTO_STRING owned = length < 0 ? NULL : reason;
	AUTO_STRING where = place_text(place);
	return err_set(err, ERR_FAILED,
		"httproute.gateway.networking.k8s.io \"%s\" in namespace \"%s\": %s%s",
		json_path_text(place->httproute, "metadata", "name", NULL), place->scope.namespace,
		where, owned != NULL ? owned : "it cannot be split");
}

/* --- backends ------------------------------------------------------------------------------- */

static int check_not_split(const struct place *place, struct err *err)
{
	if (!rule_names_versions(place->rule, &place->scope))
		return 0;
	return refuse(err, place,
		"it names a Service that releases make and delete; write \"%s\" in its place",
		place->scope.intent->service);
}

static int check_count(const struct place *place, struct err *err)
{
	size_t count = 0;
	json_for_each (backend, json_get(place->rule, "backendRefs"))
		count += backend_is_ours(backend, &place->scope) ? 2 : 1;
	if (count > BACKENDS_MAXIMUM)
		return refuse(err, place,
			"with both versions it would have %zu backendRefs, and the Gateway API has "
			"room for %d; divide it into several rules",
			count, BACKENDS_MAXIMUM);
	return 0;
}

/* The weights that every share makes whole must fit. */
static int check_weights(const struct place *place, struct err *err)
{
	const json *list = json_get(place->rule, "backendRefs");
	/* 1 percent needs the largest factor. */
	const struct parts parts = parts_of_versions(1);
	int64_t scale = portion_scale(list, &parts, &BACKENDS, &place->scope);
	json_for_each (backend, list) {
		int64_t weight = BACKENDS.weight_of(backend, list);
		if (weight < 0 || weight > WEIGHT_MAXIMUM / scale)
			return refuse(err, place,
				"the weight %" PRId64 " would have to be multiplied by %" PRId64
				" for exact shares, and the Gateway API has weights up to %d; use "
				"smaller weights in the same proportion",
				weight, scale, WEIGHT_MAXIMUM);
	}
	return 0;
}

/* --- clones --------------------------------------------------------------------------------- */

static int check_headers(const json *clone, const struct place *place, struct err *err)
{
	size_t count = json_count(json_get(clone, "matches"));
	if (count > MATCHES_MAXIMUM)
		return refuse(err, place,
			"with the rules of --match it would have %zu matches, and the Gateway API "
			"has room for %d; ask for less",
			count, MATCHES_MAXIMUM);
	json_for_each (match, json_get(clone, "matches")) {
		count = json_count(json_get(match, "headers"));
		if (count > HEADERS_MAXIMUM)
			return refuse(err, place,
				"with a rule of --match a match would have %zu headers, and the "
				"Gateway API has room for %d; ask for less",
				count, HEADERS_MAXIMUM);
	}
	return 0;
}

static int check_clones(const struct place *place, struct err *err)
{
	AUTO_JSON clones = json_array();
	struct err reason = {0};
	if (rule_clones_append(clones, place->rule, place->index, &place->scope, &reason) != 0)
		return refuse(err, place, "%s", reason.message);
	json_for_each (clone, clones) {
		int result = check_headers(clone, place, err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* --- whether a clone takes another rule's requests ------------------------------------------ */

/* A match of a rule, and what it becomes by a condition of --match; NULL where it becomes nothing:
 * everything, or the match itself. */
struct match_pair {
	struct ranked before, after;
	json *joined;
};

static void match_pair_release(struct match_pair *pair)
{
	json_free(pair->joined);
}

/* False where the condition cannot hold together with the match. */
static bool make_pair(
	struct match_pair *ret, const struct place *place, const json *match, const json *condition)
{
	struct ranked before = {
		.httproute = place->httproute, .rule = place->index, .match = match};
	*ret = (struct match_pair){.before = before, .after = before};
	if (!rule_has_ours(place->rule, &place->scope))
		return true;
	if (route_match_and(match, condition, &ret->joined, NULL) != 1)
		return false;
	ret->after.match = ret->joined;
	return true;
}

/* What won before must win among the clones. */
static int check_rival(const struct match_pair *pair, const struct place *place,
	const struct place *other, const json *match, const json *condition, struct err *err)
{
	CLEANUP(match_pair_release) struct match_pair rival = {0};
	if (!make_pair(&rival, other, match, condition) ||
		!ranks_by_headers(&rival.before, &pair->before) ||
		!route_matches_overlap(rival.after.match, pair->after.match) ||
		wins(&rival.before, &pair->before) == wins(&rival.after, &pair->after))
		return 0;
	return refuse(err, place,
		"with a rule of --match it would get requests that are for spec.rules[%zu] of "
		"httproute \"%s\" now, because more headers take precedence in the Gateway API; "
		"let that rule match a header more, or leave --match out",
		other->index, json_path_text(other->httproute, "metadata", "name", NULL));
}

static int check_rivals_in_rule(const struct match_pair *pair, const struct place *place,
	const struct place *other, const json *condition, struct err *err)
{
	const json *matches = json_get(other->rule, "matches");
	if (json_count(matches) == 0)
		return check_rival(pair, place, other, NULL, condition, err);
	json_for_each (match, matches) {
		int result = check_rival(pair, place, other, match, condition, err);
		if (result < 0)
			return result;
	}
	return 0;
}

static int check_rivals_of_match(const struct place *place, const json *match,
	const json *condition, const json *all, struct err *err)
{
	CLEANUP(match_pair_release) struct match_pair pair = {0};
	if (!make_pair(&pair, place, match, condition))
		return 0;
	json_for_each (httproute, all) {
		struct place other = {.httproute = httproute,
			.scope = route_scope_of(httproute, place->scope.intent)};
		bool itself = json_equal(httproute, place->httproute);
		if (!itself && !httproutes_compete(httproute, place->httproute))
			continue;
		json_for_each (rule, json_path(httproute, "spec", "rules", NULL)) {
			other.rule = rule;
			int result = itself && other.index == place->index
					     ? 0
					     : check_rivals_in_rule(
						       &pair, place, &other, condition, err);
			if (result < 0)
				return result;
			other.index++;
		}
	}
	return 0;
}

static int check_rivals(const struct place *place, const json *all, struct err *err)
{
	const json *matches = json_get(place->rule, "matches");
	json_for_each (condition, place->scope.intent->match_rules) {
		int result = json_count(matches) == 0
				     ? check_rivals_of_match(place, NULL, condition, all, err)
				     : 0;
		json_for_each (match, matches)
			if (result == 0)
				result = check_rivals_of_match(place, match, condition, all, err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* --- the whole ------------------------------------------------------------------------------ */

static int check_rule(const struct place *place, const json *all, struct err *err)
{
	int result = check_not_split(place, err);
	if (result != 0 || !rule_has_ours(place->rule, &place->scope))
		return result;
	result = check_count(place, err);
	if (result == 0)
		result = check_weights(place, err);
	if (result == 0)
		result = check_clones(place, err);
	return result == 0 ? check_rivals(place, all, err) : result;
}

/* Rules and matches with those of the release. */
static int check_size(const struct place *object, struct err *err)
{
	const struct split split = {.weight = 1, .rules = true};
	AUTO_JSON whole = httproute_split(object->httproute, object->scope.intent, &split);
	const json *rules = json_path(whole, "spec", "rules", NULL);
	size_t count = json_count(rules), matches = 0;
	json_for_each (rule, rules)
		matches += json_count(json_get(rule, "matches"));
	if (count > RULES_MAXIMUM)
		return refuse(err, object,
			"with the rules of --match it would have %zu rules, and the Gateway API "
			"has room for %d; divide it into several HTTPRoutes",
			count, RULES_MAXIMUM);
	if (matches > ALL_MATCHES_MAXIMUM)
		return refuse(err, object,
			"with the rules of --match it would have %zu matches, and the Gateway API "
			"has room for %d; divide it into several HTTPRoutes",
			matches, ALL_MATCHES_MAXIMUM);
	return 0;
}

int httproute_check(
	const json *httproute, const json *all, const struct intent *intent, struct err *err)
{
	struct place place = {.httproute = httproute, .scope = route_scope_of(httproute, intent)};
	json_for_each (rule, json_path(httproute, "spec", "rules", NULL)) {
		place.rule = rule;
		int result = check_rule(&place, all, err);
		if (result < 0)
			return result;
		place.index++;
	}
	place.rule = NULL;
	return json_count(intent->match_rules) > 0 ? check_size(&place, err) : 0;
}
