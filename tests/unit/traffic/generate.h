/* Objects, rules and releases by chance. The seed is printed; another one comes in as the first
 * argument of a test, to repeat a failure or to look further. */
#ifndef TESTS_UNIT_TRAFFIC_GENERATE_H
#define TESTS_UNIT_TRAFFIC_GENERATE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "traffic/check.h"
#include "traffic/rule.h"
#include "unit/traffic/samples.h"

#if defined(__SANITIZE_ADDRESS__)
#define MANY(count) ((count) / 10)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MANY(count) ((count) / 10)
#endif
#endif
#ifndef MANY
#define MANY(count) (count)
#endif

/* --- numbers -------------------------------------------------------------------------------- */

/* xorshift64*, by value where a sequence is to be repeated. */
struct random {
	uint64_t state;
};

static uint64_t first_seed = 20260827;

static inline void take_seed(int argc, char **argv)
{
	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 10);
	printf("seed %" PRIu64 "\n", first_seed);
}

static inline uint32_t below(struct random *random, uint32_t limit)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (uint32_t)((random->state * 0x2545F4914F6CDD1DULL) >> 33) % limit;
}

static inline bool once_in(struct random *random, uint32_t times)
{
	return below(random, times) == 0;
}

static inline const char *any_of(struct random *random, const char *const *texts, size_t count)
{
	return texts[below(random, (uint32_t)count)];
}
#define ANY_OF(random, texts) any_of(random, texts, COUNT_OF(texts))

/* --- destinations --------------------------------------------------------------------------- */

static inline json *any_destination(struct random *random)
{
	static const char *const HOSTS[] = {"web", "web", "web.shop.svc.cluster.local",
		"web.shop.svc.cluster.local", "api", "web.elsewhere.svc.cluster.local",
		"example.com"};
	static const char *const SUBSETS[] = {"v0", "v1", "v1", "v2", "prod", ""};
	json *destination = json_object();
	json_set_text(destination, "host", ANY_OF(random, HOSTS));
	if (once_in(random, 3))
		json_set_text(destination, "subset", ANY_OF(random, SUBSETS));
	if (once_in(random, 4))
		json_set_integer(json_ensure_object(destination, "port"), "number", 8080);
	return destination;
}

static inline json *any_entry(struct random *random, bool http)
{
	static const uint32_t LIMITS[] = {2, 11, 101, 10001, 5000000};
	static const char *const HEADERS[] = {"{'request': {'set': {'x-a': '1'}}}",
		"{'response': {'add': {'x-b': '2'}, 'remove': ['x-c']}}", "{'response': {}}"};
	json *entry = json_object();
	if (http && once_in(random, 4))
		json_set(entry, "headers", tree(ANY_OF(random, HEADERS)));
	json_set(entry, "destination", any_destination(random));
	if (!once_in(random, 5)) {
		uint32_t limit = LIMITS[below(random, COUNT_OF(LIMITS))];
		json_set_integer(entry, "weight", below(random, limit));
	}
	if (once_in(random, 8))
		json_set(entry, "fieldOfTheFuture", json_null());
	return entry;
}

static inline json *any_list(struct random *random, bool http)
{
	json *list = json_array();
	uint32_t count = once_in(random, 2) ? 1 : 1 + below(random, 4);
	for (uint32_t i = 0; i < count; i++)
		json_append(list, any_entry(random, http));
	return list;
}

/* --- http routes ---------------------------------------------------------------------------- */

static inline json *any_match(struct random *random)
{
	static const char *const MEMBERS[] = {
		"'uri': {'exact': '/a'}",
		"'uri': {'prefix': '/a'}, 'ignoreUriCase': true",
		"'uri': {'regex': '/api/v[0-9]+/.*'}",
		"'method': {'exact': 'POST'}, 'port': 8080",
		"'headers': {'x-user': {'exact': 'tester'}}",
		"'headers': {'x-user': {'prefix': 'other'}, 'x-env': {'exact': 'a'}}",
		"'headers': {'x-team': {'prefix': 'qa-'}}, 'uri': {'prefix': '/b'}",
		"'headers': {'x-env': {'regex': 'beta|tester-1'}}",
		"'headers': {'cookie': {'regex': '(?:.*; ?)?user=jason(?:;.*)?'}}",
		"'withoutHeaders': {'x-user': {'exact': 'tester'}}",
		"'withoutHeaders': {'x-internal': {}}, 'name': 'outside'",
		"'gateways': ['public'], 'queryParams': {'page': {'exact': '2'}}",
		"'sourceLabels': {'app': 'a'}, 'sourceNamespace': 'clients'",
		"",
	};
	AUTO_STRING text = mem_format("{%s}", ANY_OF(random, MEMBERS));
	return tree(text);
}

static inline void add_matches(struct random *random, json *route)
{
	if (once_in(random, 12))
		json_ensure_array(route, "match"); /* an empty one matches everything */
	if (!once_in(random, 2))
		return;
	uint32_t count = 1 + below(random, 3);
	for (uint32_t i = 0; i < count; i++)
		json_append(json_ensure_array(route, "match"), any_match(random));
}

static inline void add_fields(struct random *random, json *route)
{
	static const char *const FIELDS[] = {"{'retries': {'attempts': 3, 'retryOn': '5xx'}}",
		"{'timeout': '2s', 'rewrite': {'uri': '/'}}",
		"{'fault': {'abort': {'httpStatus': 500, 'percentage': {'value': 0.5}}}}",
		"{'headers': {'response': {'set': {'x-d': '3'}}}}",
		"{'corsPolicy': {'maxAge': '1h'}, 'mirrorPercentage': {'value': 1}}",
		"{'fieldOfTheFuture': [null, {}]}"};
	while (once_in(random, 2)) {
		AUTO_JSON fields = tree(ANY_OF(random, FIELDS));
		json_for_each (field, fields)
			json_set(route, json_key(field), json_copy(field));
	}
	if (once_in(random, 6))
		json_set(route, "mirror", any_destination(random));
	if (once_in(random, 8))
		json_set(json_ensure_object(route, "x"), "destination", any_destination(random));
}

static inline json *any_route(struct random *random)
{
	static const char *const ANSWERS[] = {"{'redirect': {'uri': '/x'}}",
		"{'directResponse': {'status': 404}}", "{'delegate': {'name': 'd'}}"};
	static const char *const NAMES[] = {"checkout", "items"};
	json *route = once_in(random, 8) ? tree(ANY_OF(random, ANSWERS)) : json_object();
	bool answers = json_count(route) > 0;
	if (once_in(random, 3))
		json_set_text(route, "name", ANY_OF(random, NAMES));
	add_matches(random, route);
	if (!answers)
		json_set(route, "route", any_list(random, true));
	add_fields(random, route);
	return route;
}

/* --- objects -------------------------------------------------------------------------------- */

static inline json *any_connection_route(struct random *random, const char *protocol)
{
	json *route = json_object();
	if (str_equal(protocol, "tls"))
		json_set(route, "match", tree("[{'port': 443, 'sniHosts': ['a.example.com']}]"));
	else if (once_in(random, 2))
		json_set(route, "match", tree("[{'port': 3306}, {'sourceLabels': {'app': 'b'}}]"));
	json_set(route, "route", any_list(random, false));
	return route;
}

static inline void add_routes(
	struct random *random, json *spec, const char *protocol, uint32_t most)
{
	bool http = str_equal(protocol, "http");
	uint32_t count = 1 + below(random, http ? most : most / 2);
	json *routes = json_ensure_array(spec, protocol);
	for (uint32_t i = 0; i < count; i++)
		json_append(
			routes, http ? any_route(random) : any_connection_route(random, protocol));
}

/* A VirtualService: with hosts or a delegate, of the Service's namespace or another. */
static inline json *any_object(struct random *random, uint32_t most_routes)
{
	json *object = tree("{'kind': 'VirtualService', 'metadata': {'name': 'vs', 'uid': 'x'}}");
	json_set_text(
		json_get(object, "metadata"), "namespace", once_in(random, 5) ? "clients" : "shop");
	json *spec = json_ensure_object(object, "spec");
	if (!once_in(random, 6))
		json_set(spec, "hosts", tree("['web', 'shop.example.com']"));
	if (once_in(random, 4))
		json_set(spec, "gateways", tree("['mesh', 'public']"));
	if (!once_in(random, 8))
		add_routes(random, spec, "http", most_routes);
	if (once_in(random, 5))
		add_routes(random, spec, "tcp", most_routes);
	if (once_in(random, 5))
		add_routes(random, spec, "tls", most_routes);
	return object;
}

/* --- a release ------------------------------------------------------------------------------ */

struct release {
	struct intent intent;
	struct model model; /* the same, for requests.h */
	json *destinationrules, *rules, *match_rules, *selection;
};

static inline json *usual_destinationrules(void)
{
	return tree("[{'metadata': {'name': 'web', 'namespace': 'shop'}, 'spec': {'host': 'web',"
		    "  'subsets': [{'name': 'v1', 'labels': {'version': 'v1'}},"
		    "              {'name': 'v2', 'labels': {'version': 'v2'}},"
		    "              {'name': 'v0', 'labels': {'version': 'v0'}},"
		    "              {'name': 'prod', 'labels': {'version': 'v1', 'a': 'b'}}]}}]");
}

static inline void release_free(struct release *release)
{
	json_free(release->destinationrules);
	json_free(release->rules);
	json_free(release->match_rules);
	json_free(release->selection);
}

static inline void take_rules(struct random *random, struct release *release)
{
	static const char *const RULES[] = {"[]", "[]", "['header:x-user=tester']",
		"['header:x-team^=qa-', 'cookie:group=beta']",
		"['header:x-team~qa-[0-9]*|42,header:x-env=a']",
		"['cookie:user=jason', 'header:x-internal=42']"};
	release->rules = tree(ANY_OF(random, RULES));
	CLEANUP(str_list_release) struct str_list texts = {0};
	json_for_each (rule, release->rules)
		str_list_add(&texts, json_text(rule));
	struct err err = {0};
	if (texts.count > 0 && rules_parse(&texts, &release->match_rules, &err) != 0)
		fail_msg("%s", err.message);
	release->intent.match_rules = release->match_rules;
}

static inline void take_steps(struct random *random, struct release *release)
{
	static const int STEPS[][5] = {{20, 50, 100}, {1, 33, 50, 99, 100}, {100}, {5, 5, 30, 100}};
	struct intent *intent = &release->intent;
	const int *steps = STEPS[below(random, COUNT_OF(STEPS))];
	for (int i = 0; i < 5 && steps[i] > 0; i++)
		intent->sticky_steps[intent->sticky_step_count++] = steps[i];
}

static inline void any_release(struct random *random, struct release *ret)
{
	*ret = (struct release){.intent = web};
	ret->destinationrules = usual_destinationrules();
	take_rules(random, ret);
	if (once_in(random, 3))
		take_steps(random, ret);
	if (once_in(random, 8))
		ret->selection =
			tree("[{'namespace': 'shop', 'name': 'vs', 'routes': ['checkout']}]");
	ret->intent.selection = ret->selection;
	ret->model = (struct model){&ret->intent, ret->destinationrules, ret->rules};
}

/* One that may be released. */
static inline json *any_valid_object_of(
	struct random *random, const struct release *release, uint32_t most_routes)
{
	for (;;) {
		json *object = any_object(random, most_routes);
		if (virtualservice_check(
			    object, NULL, release->destinationrules, &release->intent, NULL) == 0)
			return object;
		json_free(object);
	}
}

static inline json *any_valid_object(struct random *random, const struct release *release)
{
	return any_valid_object_of(random, release, 4);
}

/* A batch: any percent, more often those where mistakes show; of a sticky release, its steps. */
static inline struct split any_split(struct random *random, const struct release *release)
{
	static const int CORNERS[] = {0, 1, 33, 50, 99, 100};
	const struct intent *intent = &release->intent;
	struct split split = {(int)below(random, 101), !once_in(random, 4)};
	if (once_in(random, 2))
		split.weight = CORNERS[below(random, COUNT_OF(CORNERS))];
	if (intent->sticky_step_count > 0 && !once_in(random, 4))
		split.weight =
			intent->sticky_steps[below(random, (uint32_t)intent->sticky_step_count)];
	return split;
}

#endif
