/* Requests that are worth a look: those that a VirtualService's matches ask for, with and without
 * what the rules of a release ask for. */
#ifndef TESTS_UNIT_TRAFFIC_SAMPLES_H
#define TESTS_UNIT_TRAFFIC_SAMPLES_H

#include "unit/traffic/requests.h"

/* What patterns are tried with: a pattern for which none of these is a match gets no sample. */
static const char *const CANDIDATES[] = {"/", "/api/v1/items", "/v2/orders", "/static/app.js",
	"user=jason", "beta", "tester-1", "GET", "shop.example.com", "42", "Mozilla/5.0 (iPhone)"};

static inline char *text_for_pattern(const char *pattern)
{
	for (size_t i = 0; i < COUNT_OF(CANDIDATES); i++) {
		if (regex_holds(pattern, CANDIDATES[i]))
			return mem_strdup(CANDIDATES[i]);
	}
	return mem_strdup("none");
}

/* A text for which {"exact"}, {"prefix"} or {"regex"} holds. */
static inline char *text_for(const json *match, const char *otherwise)
{
	const char *exact = json_get_text(match, "exact");
	const char *prefix = json_get_text(match, "prefix");
	const char *regex = json_get_text(match, "regex");
	if (exact != NULL)
		return mem_strdup(exact);
	if (prefix != NULL)
		return mem_format("%sx", prefix);
	return regex != NULL ? text_for_pattern(regex) : mem_strdup(otherwise);
}

static inline void set_text_for(
	json *object, const char *name, const json *match, const char *otherwise)
{
	AUTO_STRING text = text_for(match, otherwise);
	json_set_text(object, name, text);
}

/* A request for which the match (NULL: none) holds. The caller frees. */
static inline json *request_for(const json *match)
{
	json *request = json_object();
	set_text_for(request, "uri", json_get(match, "uri"), "/");
	set_text_for(request, "method", json_get(match, "method"), "GET");
	set_text_for(request, "authority", json_get(match, "authority"), "web");
	set_text_for(request, "scheme", json_get(match, "scheme"), "http");
	json_for_each (header, json_get(match, "headers"))
		set_text_for(json_ensure_object(request, "headers"), json_key(header), header, "x");
	json_for_each (parameter, json_get(match, "queryParams"))
		set_text_for(json_ensure_object(request, "queryParams"), json_key(parameter),
			parameter, "x");
	const char *gateway = json_text(json_first(json_get(match, "gateways")));
	json_set_text(request, "gateway", gateway != NULL ? gateway : "mesh");
	static const char *const MEMBERS[] = {"port", "sourceLabels", "sourceNamespace"};
	for (size_t i = 0; i < COUNT_OF(MEMBERS); i++)
		json_set(request, MEMBERS[i], json_copy(json_get(match, MEMBERS[i])));
	return request;
}

static inline void add_cookie(json *request, const char *name, const char *value)
{
	json *headers = json_ensure_object(request, "headers");
	const char *before = header_of(request, "cookie");
	AUTO_STRING cookie = mem_format(
		"%s%s%s=%s", before != NULL ? before : "", before != NULL ? "; " : "", name, value);
	json_set_text(headers, "cookie", cookie);
}

/* Gives the request what one condition of a rule asks for; or, with miss, almost. */
static inline void add_condition(json *request, const char *text, bool miss)
{
	const char *start = strchr(text, ':') + 1;
	const char *operation = start + strcspn(start, "=^~");
	AUTO_STRING name = mem_strndup(start, (size_t)(operation - start));
	const char *wanted = operation + (operation[0] == '^' ? 2 : 1);
	AUTO_STRING held = operation[0] == '~'	 ? text_for_pattern(wanted)
			   : operation[0] == '^' ? mem_format("%sx", wanted)
						 : mem_strdup(wanted);
	AUTO_STRING missed = mem_format("_%s", held);
	const char *value = miss ? missed : held;
	if (str_starts(text, "cookie:"))
		add_cookie(request, name, value);
	else
		json_set_text(json_ensure_object(request, "headers"), name, value);
}

static inline json *with_rule(const json *request, const char *rule, bool miss)
{
	json *copy = json_copy(request);
	CLEANUP(str_list_release) struct str_list conditions = {0};
	str_split(rule, ',', &conditions);
	for (size_t i = 0; i < conditions.count; i++)
		add_condition(copy, conditions.items[i], miss && i == 0);
	return copy;
}

static inline void add_sticky(json *requests, const json *request, const char *version, int step,
	const struct model *model)
{
	AUTO_STRING name =
		mem_format("batchrollout-%s.%s", model->intent->service, model->intent->namespace);
	AUTO_STRING value = mem_format("%s.%d", version, step);
	json *copy = json_copy(request);
	add_cookie(copy, name, value);
	json_append(requests, copy);
}

/* The request itself, and with everything that the release looks at. Appends to requests. */
static inline void add_variants(json *requests, const json *request, const struct model *model)
{
	const struct intent *intent = model->intent;
	json_append(requests, json_copy(request));
	json_for_each (rule, model->rules) {
		json_append(requests, with_rule(request, json_text(rule), false));
		json_append(requests, with_rule(request, json_text(rule), true));
	}
	if (intent->sticky_step_count == 0)
		return;
	for (int step = 0; step <= intent->sticky_step_count + 1; step++)
		add_sticky(requests, request, intent->canary_version, step, model);
	add_sticky(requests, request, intent->stable_version, 1, model);
	if (json_count(model->rules) > 0) {
		AUTO_JSON matched = with_rule(request, json_text(json_first(model->rules)), false);
		add_sticky(requests, matched, intent->canary_version, intent->sticky_step_count,
			model);
	}
}

/* For each match of each http route, and for a request that asks for nothing. The caller frees. */
static inline json *sample_requests(const json *virtualservice, const struct model *model)
{
	json *requests = json_array();
	AUTO_JSON plain = request_for(NULL);
	add_variants(requests, plain, model);
	json_for_each (route, json_path(virtualservice, "spec", "http", NULL)) {
		json_for_each (match, json_get(route, "match")) {
			AUTO_JSON request = request_for(match);
			add_variants(requests, request, model);
		}
	}
	return requests;
}

#endif
