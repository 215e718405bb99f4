/*
 * A mesh in the small, to judge the trees of src/traffic by what becomes of requests: it knows
 * Istio's matching, and says by itself which share of a request each version should get. Nothing
 * of src/traffic is used for that.
 *
 * A request is a tree: {"uri", "method", "authority", "scheme", "port", "gateway", "headers",
 * "queryParams", "sourceLabels", "sourceNamespace"}; names of headers in lower case.
 */
#ifndef TESTS_UNIT_TRAFFIC_REQUESTS_H
#define TESTS_UNIT_TRAFFIC_REQUESTS_H

#include "base/str.h"
#include "data/regex.h"
#include "traffic/merge.h"
#include "unit/traffic/trees.h"

/* What a release is, as a test says it. */
struct model {
	const struct intent *intent;
	const json *destinationrules;
	const json *rules; /* array of texts, as for --match; NULL: none */
};

/* --- comparing ------------------------------------------------------------------------------ */

/* True where two objects have equal members but for those keys. */
static inline bool same_but(const json *a, const json *b, const char *const *keys, size_t key_count)
{
	const json *sides[] = {a, b};
	for (size_t side = 0; side < 2; side++) {
		json_for_each (member, sides[side]) {
			if (str_index(keys, key_count, json_key(member)) < 0 &&
				!json_equal(member, json_get(sides[1 - side], json_key(member))))
				return false;
		}
	}
	return true;
}

/* --- matching ------------------------------------------------------------------------------- */

static inline bool regex_holds(const char *pattern, const char *text)
{
	AUTO_REGEX regex = NULL;
	struct err err = {0};
	if (regex_compile(pattern, &regex, &err) != 0)
		fail_msg("%s: %s", pattern, err.message);
	return regex_matches(regex, text) == 1;
}

/* {"exact"}, {"prefix"}, {"regex"}, or {}: present. */
static inline bool string_holds(const json *match, const char *text, bool ignore_case)
{
	if (text == NULL)
		return false;
	const char *exact = json_get_text(match, "exact");
	const char *prefix = json_get_text(match, "prefix");
	const char *regex = json_get_text(match, "regex");
	if (exact != NULL)
		return (ignore_case ? strcasecmp(exact, text) : strcmp(exact, text)) == 0;
	if (prefix != NULL)
		return (ignore_case ? strncasecmp(prefix, text, strlen(prefix))
				    : strncmp(prefix, text, strlen(prefix))) == 0;
	return regex == NULL || regex_holds(regex, text);
}

static inline const char *header_of(const json *request, const char *name)
{
	json_for_each (header, json_get(request, "headers")) {
		if (strcasecmp(json_key(header), name) == 0)
			return json_text(header);
	}
	return NULL;
}

static inline bool headers_hold(const json *match, const json *request)
{
	json_for_each (header, json_get(match, "headers")) {
		if (!string_holds(header, header_of(request, json_key(header)), false))
			return false;
	}
	json_for_each (header, json_get(match, "withoutHeaders")) {
		if (string_holds(header, header_of(request, json_key(header)), false))
			return false;
	}
	json_for_each (parameter, json_get(match, "queryParams")) {
		const json *given = json_get(json_get(request, "queryParams"), json_key(parameter));
		if (!string_holds(parameter, json_text(given), false))
			return false;
	}
	return true;
}

static inline bool source_holds(const json *match, const json *request)
{
	const json *port = json_get(match, "port");
	if (port != NULL && !json_equal(port, json_get(request, "port")))
		return false;
	const char *namespace = json_get_text(match, "sourceNamespace");
	if (namespace != NULL && !str_equal(namespace, json_get_text(request, "sourceNamespace")))
		return false;
	json_for_each (label, json_get(match, "sourceLabels")) {
		if (!json_equal(
			    label, json_get(json_get(request, "sourceLabels"), json_key(label))))
			return false;
	}
	bool listed = json_count(json_get(match, "gateways")) == 0;
	json_for_each (gateway, json_get(match, "gateways"))
		listed = listed || json_equal(gateway, json_get(request, "gateway"));
	return listed;
}

static inline bool match_holds(const json *match, const json *request)
{
	static const char *const TEXTS[] = {"uri", "scheme", "method", "authority"};
	bool ignore_case = json_is_true(json_get(match, "ignoreUriCase"));
	for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
		const json *condition = json_get(match, TEXTS[i]);
		if (condition != NULL && !string_holds(condition, json_get_text(request, TEXTS[i]),
						 ignore_case && i == 0))
			return false;
	}
	return headers_hold(match, request) && source_holds(match, request);
}

/* The http route that answers: the first of whose matches any holds. NULL: none does. */
static inline const json *answering_route(const json *virtualservice, const json *request)
{
	json_for_each (route, json_path(virtualservice, "spec", "http", NULL)) {
		bool holds = json_count(json_get(route, "match")) == 0;
		json_for_each (match, json_get(route, "match"))
			holds = holds || match_holds(match, request);
		if (holds)
			return route;
	}
	return NULL;
}

/* --- what the release wants for a request --------------------------------------------------- */

static inline bool value_holds(const char *operation, const char *wanted, const char *found)
{
	if (operation[0] == '^')
		return str_starts(found, wanted);
	return operation[0] == '~' ? regex_holds(wanted, found) : str_equal(found, wanted);
}

/* Whether any cookie of that name has such a value, in "a=b; c=d". */
static inline bool cookie_holds(
	const json *request, const char *name, const char *operation, const char *wanted)
{
	const char *header = header_of(request, "cookie");
	CLEANUP(str_list_release) struct str_list cookies = {0};
	if (header != NULL)
		str_split(header, ';', &cookies);
	for (size_t i = 0; i < cookies.count; i++) {
		char *cookie = cookies.items[i] + strspn(cookies.items[i], " ");
		char *value = strchr(cookie, '=');
		if (value == NULL)
			continue;
		*value++ = '\0';
		if (str_equal(cookie, name) && value_holds(operation, wanted, value))
			return true;
	}
	return false;
}

/* "header:NAME=VALUE", "cookie:NAME^=VALUE", "…~REGEX" */
static inline bool condition_holds(const char *text, const json *request)
{
	const char *start = strchr(text, ':') + 1;
	const char *operation = start + strcspn(start, "=^~");
	AUTO_STRING name = mem_strndup(start, (size_t)(operation - start));
	const char *wanted = operation + (operation[0] == '^' ? 2 : 1);
	if (str_starts(text, "cookie:"))
		return cookie_holds(request, name, operation, wanted);
	const char *found = header_of(request, name);
	return found != NULL && value_holds(operation, wanted, found);
}

static inline bool rule_holds(const char *rule, const json *request)
{
	CLEANUP(str_list_release) struct str_list conditions = {0};
	str_split(rule, ',', &conditions);
	for (size_t i = 0; i < conditions.count; i++) {
		if (!condition_holds(conditions.items[i], request))
			return false;
	}
	return true;
}

/* Percent of those whom no rule decides: with --sticky, as many as the last step has moved. */
static inline int drawn_percent(const struct model *model, const struct split *split)
{
	const struct intent *intent = model->intent;
	int percent = split->weight;
	for (int i = 0; split->rules && i < intent->sticky_step_count; i++) {
		if (i == 0)
			percent = 0;
		if (intent->sticky_steps[i] <= split->weight)
			percent = intent->sticky_steps[i];
	}
	return percent;
}

/* Percent of ours that this request should have from the canary. */
static inline int wanted_percent(
	const struct model *model, const struct split *split, const json *request)
{
	const struct intent *intent = model->intent;
	if (!split->rules)
		return split->weight;
	json_for_each (rule, model->rules) {
		if (rule_holds(json_text(rule), request))
			return 100;
	}
	AUTO_STRING name = mem_format("batchrollout-%s.%s", intent->service, intent->namespace);
	int before = 0;
	for (int i = 0; i < intent->sticky_step_count; i++) {
		int until = intent->sticky_steps[i];
		AUTO_STRING value = mem_format("%s.%d", intent->canary_version, i + 1);
		/* Nobody was given the cookie of a step that has no size. */
		if (until > before && cookie_holds(request, name, "=", value))
			return until <= split->weight ? 100 : 0;
		before = until;
	}
	return drawn_percent(model, split);
}

/* --- whose a destination is, and its share -------------------------------------------------- */

static inline bool model_has_service(
	const char *host, const json *virtualservice, const struct intent *intent)
{
	AUTO_STRING full = mem_format(
		"%s.%s.svc.%s", intent->service, intent->namespace, intent->cluster_domain);
	const char *namespace = json_path_text(virtualservice, "metadata", "namespace", NULL);
	return str_equal(host, full) ||
	       (str_equal(host, intent->service) &&
		       (namespace == NULL || str_equal(namespace, intent->namespace)));
}

static inline bool model_is_ours(
	const json *entry, const json *virtualservice, const struct model *model)
{
	const json *destination = json_get(entry, "destination");
	if (!model_has_service(json_get_text(destination, "host"), virtualservice, model->intent))
		return false;
	const char *name = json_get_text(destination, "subset");
	json_for_each (rule, model->destinationrules) {
		if (!model_has_service(
			    json_path_text(rule, "spec", "host", NULL), rule, model->intent))
			continue;
		json_for_each (subset, json_path(rule, "spec", "subsets", NULL)) {
			if (str_equal(json_get_text(subset, "name"), name))
				return str_equal(json_path_text(subset, "labels", "version", NULL),
					model->intent->stable_version);
		}
	}
	return str_empty(name);
}

static inline bool model_has_ours(
	const json *route, const json *virtualservice, const struct model *model)
{
	static const char *const ANSWERS[] = {"redirect", "directResponse", "delegate"};
	for (size_t i = 0; i < COUNT_OF(ANSWERS); i++) {
		if (json_get(route, ANSWERS[i]) != NULL)
			return false;
	}
	json_for_each (entry, json_get(route, "route")) {
		if (model_is_ours(entry, virtualservice, model))
			return true;
	}
	return false;
}

/* What remains of an entry when version, weight and the cookie of --sticky do not count. */
static inline json *essence(const json *entry, bool ours)
{
	json *rest = json_copy(entry);
	json_remove(rest, "weight");
	if (!ours)
		return rest;
	json_remove(json_get(rest, "destination"), "subset");
	json *headers = json_get(rest, "headers"), *response = json_get(headers, "response");
	json *add = json_get(response, "add");
	const char *cookie = json_get_text(add, "set-cookie");
	if (cookie != NULL && str_starts(cookie, "batchrollout-"))
		json_remove(add, "set-cookie");
	if (json_count(add) == 0)
		json_remove(response, "add");
	if (json_count(response) == 0)
		json_remove(headers, "response");
	if (json_count(headers) == 0)
		json_remove(rest, "headers");
	return rest;
}

/* What two lists of destinations give to those of one essence. */
struct shares {
	int64_t all, like, canary;
};

static inline struct shares shares_of(
	const json *list, const json *wanted, const json *virtualservice, const struct model *model)
{
	struct shares shares = {0};
	json_for_each (entry, list) {
		int64_t weight = json_count(list) == 1 ? 1 : json_get_integer(entry, "weight", 0);
		const char *subset = json_path_text(entry, "destination", "subset", NULL);
		bool canary = str_equal(subset, CANARY_SUBSET);
		bool ours = canary || str_equal(subset, STABLE_SUBSET) ||
			    model_is_ours(entry, virtualservice, model);
		AUTO_JSON rest = essence(entry, ours);
		shares.all += weight;
		if (!json_equal(rest, wanted))
			continue;
		shares.like += weight;
		shares.canary += canary ? weight : 0;
	}
	return shares;
}

__extension__ typedef __int128 wide;

/* True where each destination of the list has the part that it had, percent of ours being the
 * canary's, and nothing else has any. */
static inline bool shares_fit(const json *after, const json *before, int percent,
	const json *virtualservice, const struct model *model)
{
	wide sum = 0, all = 0;
	AUTO_JSON seen = json_array();
	json_for_each (entry, before) {
		bool ours = model_is_ours(entry, virtualservice, model);
		AUTO_JSON rest = essence(entry, ours);
		bool repeated = false;
		json_for_each (other, seen)
			repeated = repeated || json_equal(other, rest);
		if (repeated)
			continue;
		struct shares old = shares_of(before, rest, virtualservice, model);
		struct shares new = shares_of(after, rest, virtualservice, model);
		if ((wide) new.like *old.all != (wide)old.like *new.all ||
			(wide) new.canary * 100 != (wide)(ours ? percent : 0) * new.like)
			return false;
		sum += new.like;
		all = new.all;
		json_append(seen, TAKE(rest));
	}
	return sum == all && all > 0 && all <= INT32_MAX;
}

/* --- a request before and during a release -------------------------------------------------- */

static inline bool is_clone(const json *route)
{
	const char *name = json_get_text(route, "name");
	return name != NULL && str_starts(name, "batchrollout-");
}

static inline bool request_fits(const json *during, const json *before, const json *request,
	const struct split *split, const struct model *model)
{
	static const char *const OF_ROUTES[] = {"route"}, *OF_CLONES[] = {"route", "name", "match"};
	const json *old = answering_route(before, request);
	const json *new = answering_route(during, request);
	if (old == NULL || new == NULL)
		return old == new;
	bool clone = is_clone(new);
	if ((clone && !split->rules) ||
		!same_but(new, old, clone ? OF_CLONES : OF_ROUTES, clone ? COUNT_OF(OF_CLONES) : 1))
		return false;
	if (!model_has_ours(old, before, model))
		return json_equal(json_get(new, "route"), json_get(old, "route"));
	return shares_fit(json_get(new, "route"), json_get(old, "route"),
		wanted_percent(model, split, request), before, model);
}

/* The request gets from the VirtualService `during` what it got from `before`, but for the shares
 * of the versions, which are what the release wants. */
static inline void assert_request(const json *during, const json *before, const json *request,
	const struct split *split, const struct model *model)
{
	if (request_fits(during, before, request, split, model))
		return;
	AUTO_STRING request_text = json_print(request);
	AUTO_STRING during_text = json_print(during);
	AUTO_STRING before_text = json_print(before);
	AUTO_STRING rules = json_print(model->rules);
	fail_msg("%s\nis answered wrongly at %d%% of a release with the rules %s: by\n%s\nin place "
		 "of\n%s",
		request_text, split->weight, rules, during_text, before_text);
}

#endif
