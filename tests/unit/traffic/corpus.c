/*
 * The golden corpus: what becomes of users' VirtualServices and DestinationRules in each state of a
 * release. corpus/README.md says how a case is written.
 *
 *   corpus [--show] [PART OF A NAME]
 *
 * runs the cases with that in their path; --show prints what the code makes of them instead.
 */
#include "unit/traffic/corpus.h"

#include <glob.h>

#include "traffic/check.h"
#include "traffic/destination.h"
#include "traffic/destinationrule.h"
#include "traffic/virtualservice.h"
#include "traffic/weight.h"

#define CASES "tests/unit/traffic/corpus/*/*.yaml"

static bool shows;

/* --- the states of an object ---------------------------------------------------------------- */

/* In the order in which a release goes through them. */
#define STATES_MAXIMUM 10

struct state {
	const char *name;
	struct split split; /* weight -1: no split */
	json *tree;	    /* keyed */
};

struct states {
	struct state items[STATES_MAXIMUM];
	size_t count;
};

static void states_release(struct states *states)
{
	for (size_t i = 0; i < states->count; i++)
		json_free(states->items[i].tree);
}

static void add_state(struct states *states, const char *name, json *tree)
{
	states->items[states->count++] = (struct state){name, {.weight = -1}, tree};
}

static struct states routes_of_release(const struct corpus_case *item, const json *given)
{
	static const struct state SPLITS[] = {{"0", {0, false}, NULL}, {"rules", {0, true}, NULL},
		{"1", {1, true}, NULL}, {"33", {33, true}, NULL}, {"50", {50, true}, NULL},
		{"100", {100, true}, NULL}};
	struct states states = {0};
	add_state(&states, "aborted", virtualservice_original(given));
	for (size_t i = 0; i < COUNT_OF(SPLITS); i++) {
		if (str_equal(SPLITS[i].name, "rules") && !has_rules(item))
			continue;
		add_state(&states, SPLITS[i].name,
			virtualservice_split(
				given, item->destinationrules, &item->intent, &SPLITS[i].split));
		states.items[states.count - 1].split = SPLITS[i].split;
	}
	add_state(&states, "finished",
		virtualservice_finished(given, item->destinationrules, &item->intent));
	add_state(&states, "opened",
		virtualservice_opened(given, item->destinationrules, &item->intent));
	return states;
}

static struct states rules_of_release(const struct corpus_case *item, const json *given)
{
	struct states states = {0};
	add_state(&states, "aborted", destinationrule_original(given));
	add_state(&states, "both", destinationrule_finished(given, &item->intent, true));
	add_state(&states, "finished", destinationrule_finished(given, &item->intent, false));
	add_state(&states, "returning", destinationrule_returning(given, &item->intent));
	return states;
}

static json *without_keys(const json *tree)
{
	json *plain = json_copy(tree);
	merge_strip_keys(plain);
	return plain;
}

/* --- one object ----------------------------------------------------------------------------- */

/* From every state to every other: so each can be reached, and left again. */
static void check_ways(
	const struct corpus_case *item, const struct states *states, const char *reference)
{
	const json *known[STATES_MAXIMUM];
	for (size_t i = 0; i < states->count; i++)
		known[i] = states->items[i].tree;
	for (size_t from = 0; from < states->count; from++) {
		for (size_t to = 0; to < states->count; to++) {
			AUTO_JSON current = without_keys(known[from]);
			AUTO_JSON wanted = without_keys(known[to]);
			struct err err = {0};
			if (merge_to_goal(current, known[to], known, states->count, &err) != 0)
				fail_msg("%s: %s from %s to %s: %s", item->path, reference,
					states->items[from].name, states->items[to].name,
					err.message);
			AUTO_STRING way = mem_format(
				"%s from %s", states->items[to].name, states->items[from].name);
			assert_expected(item, reference, way, current, wanted);
		}
	}
}

static void show_state(
	const char *reference, const char *state, const json *tree, const json *given)
{
	if (json_equal(tree, given))
		return;
	AUTO_STRING text = yaml_print(json_get(tree, "spec"));
	printf("--- # %s at %s\n%s", reference, state, text);
}

static void check_states(const struct corpus_case *item, const char *kind, const json *given,
	const struct states *states)
{
	AUTO_STRING reference = reference_of(kind, given, item);
	for (size_t i = 0; i < states->count; i++) {
		const struct state *state = &states->items[i];
		AUTO_JSON found = without_keys(state->tree);
		if (shows) {
			show_state(reference, state->name, found, given);
			continue;
		}
		AUTO_JSON expected = expected_object(kind, given, state->name, item);
		if (str_equal(state->name, "opened"))
			continue; /* derived: check_opened */
		assert_expected(item, reference, state->name, found, expected);
	}
	if (!shows)
		check_ways(item, states, reference);
}

/* Opened, no route of the release names a version that may be gone; nothing else is different. */
static void check_opened(const struct corpus_case *item, const json *given, const json *opened)
{
	const struct model model = {&item->intent, item->destinationrules, NULL};
	AUTO_JSON expected = json_copy(given);
	struct scope scope = scope_of(given, item->destinationrules, &item->intent);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		json_for_each (route, routes_of(expected, PROTOCOLS[i]))
			json_for_each (entry, json_get(route, "route"))
				if (model_has_ours(route, given, &model) &&
					model_is_ours(entry, given, &model) &&
					route_is_chosen(route, &scope))
					json_remove(json_get(entry, "destination"), "subset");
	AUTO_JSON found = without_keys(opened);
	assert_expected(item, "virtualservice", "opened", found, expected);
}

/* The second opinion: what requests get, judged without the code that made the trees. */
static void check_requests(
	const struct corpus_case *item, const json *given, const struct states *states)
{
	const struct model model = {&item->intent, item->destinationrules,
		json_path(item->tree, "release", "match", NULL)};
	AUTO_JSON requests = sample_requests(given, &model);
	json_for_each (request, json_get(item->tree, "requests"))
		add_variants(requests, request, &model);
	for (size_t i = 0; i < states->count; i++) {
		const struct state *state = &states->items[i];
		if (state->split.weight < 0)
			continue;
		AUTO_JSON during = without_keys(state->tree);
		json_for_each (request, requests)
			assert_request(during, given, request, &state->split, &model);
		int weight =
			virtualservice_canary_weight(during, item->destinationrules, &item->intent);
		if (weight >= 0)
			assert_int_equal(weight, drawn_percent(&model, &state->split));
	}
}

static void check_virtualservice(const struct corpus_case *item, const json *given)
{
	struct err err = {0};
	if (virtualservice_check(
		    given, item->virtualservices, item->destinationrules, &item->intent, &err) != 0)
		fail_msg("%s: %s", item->path, err.message);
	CLEANUP(states_release) struct states states = routes_of_release(item, given);
	check_states(item, "virtualservice", given, &states);
	if (shows)
		return;
	check_opened(item, given, states.items[states.count - 1].tree);
	if (item->intent.selection == NULL)
		check_requests(item, given, &states);
}

static void check_destinationrule(const struct corpus_case *item, const json *given)
{
	CLEANUP(states_release) struct states states = rules_of_release(item, given);
	check_states(item, "destinationrule", given, &states);
}

/* --- what a release adds -------------------------------------------------------------------- */

static json *usual_rules(const struct corpus_case *item)
{
	json *rules = json_array();
	json *rule = json_object(), *metadata = json_ensure_object(rule, "metadata");
	AUTO_STRING name = mem_format("batchrollout-%s", item->intent.service);
	json_set_text(metadata, "name", name);
	json_set_text(metadata, "namespace", item->intent.namespace);
	json *spec = json_ensure_object(rule, "spec");
	json_set_text(spec, "host", item->intent.service);
	json *subsets = json_ensure_array(spec, "subsets");
	const char *const SUBSETS[][2] = {{"batchrollout-stable", item->intent.stable_version},
		{"batchrollout-canary", item->intent.canary_version}};
	for (size_t i = 0; i < COUNT_OF(SUBSETS); i++) {
		json *subset = json_object();
		json_set_text(subset, "name", SUBSETS[i][0]);
		json_set_text(json_ensure_object(subset, "labels"), "version", SUBSETS[i][1]);
		json_append(subsets, subset);
	}
	json_append(rules, rule);
	return rules;
}

/* Made of the users' as they are now. */
static json *added_beside(const struct corpus_case *item, const json *now)
{
	json *added = destinationrules_beside(item->destinationrules, now, &item->intent);
	json_for_each (rule, added) {
		assert_string_equal(json_get_text(rule, "apiVersion"), "networking.istio.io/v1");
		assert_string_equal(json_get_text(rule, "kind"), "DestinationRule");
		json_remove(rule, "apiVersion");
		json_remove(rule, "kind");
	}
	return added;
}

static void check_added(const struct corpus_case *item)
{
	AUTO_JSON then = json_array();
	json_for_each (rule, item->destinationrules)
		json_append(then, destinationrule_finished(rule, &item->intent, true));
	merge_strip_keys(then);
	AUTO_JSON during = added_beside(item, item->destinationrules);
	AUTO_JSON at_the_end = added_beside(item, then);
	AUTO_JSON usual = usual_rules(item);
	const json *expected = json_get(item->tree, "expected");
	const json *first = json_get(expected, "added"), *last = json_get(expected, "added both");
	if (!shows) {
		first = first != NULL ? first : usual;
		assert_expected(item, "added", "all", during, first);
		assert_expected(item, "added", "both", at_the_end, last != NULL ? last : first);
	} else if (!json_equal(during, usual)) {
		AUTO_STRING text = yaml_print(during);
		printf("--- # added\n%s", text);
	}
}

/* --- a case --------------------------------------------------------------------------------- */

/* Like src/release/istio.c decides: those that route to the Service, if the user chose them. */
static bool is_taken(const struct corpus_case *item, const json *virtualservice)
{
	return virtualservice_routes_to(virtualservice, &item->intent) &&
	       (item->intent.selection == NULL ||
		       selection_of(virtualservice, &item->intent) != NULL);
}

/* The first reason not to begin; 0: none. */
static int refusal(const struct corpus_case *item, struct err *err)
{
	int code = destinationrules_check(item->destinationrules, &item->intent, err);
	json_for_each (virtualservice, item->virtualservices) {
		if (code != 0 || !virtualservice_routes_to(virtualservice, &item->intent))
			continue;
		code = is_taken(item, virtualservice)
			       ? virtualservice_check(virtualservice, item->virtualservices,
					 item->destinationrules, &item->intent, err)
			       : virtualservice_check_left_alone(virtualservice,
					 item->destinationrules, &item->intent, err);
	}
	return code;
}

/* Each thing that is expected is about an object that is there. */
static void check_references(const struct corpus_case *item)
{
	json_for_each (expected, json_get(item->tree, "expected")) {
		bool known = str_starts(json_key(expected), "added");
		json_for_each (object, json_get(item->tree, "given")) {
			bool route = str_equal(json_get_text(object, "kind"), "VirtualService");
			AUTO_STRING reference = reference_of(
				route ? "virtualservice" : "destinationrule", object, item);
			known = known || (str_equal(reference, json_key(expected)) &&
						 (!route || is_taken(item, object)));
		}
		if (!known)
			fail_msg("%s: nothing is done to %s", item->path, json_key(expected));
	}
}

static void add_own(struct corpus_case *item)
{
	const json *own = json_get(item->tree, "own");
	if (own == NULL)
		return;
	AUTO_STRING name = mem_format("batchrollout-%s", item->intent.service);
	json *virtualservice = virtualservice_new(name, json_get(own, "tcp"),
		destinationrules_exports(item->destinationrules, &item->intent), &item->intent);
	json_append(item->virtualservices, virtualservice);
	json_append(json_ensure_array(item->tree, "given"), json_copy(virtualservice));
}

static void check_case(struct corpus_case *item)
{
	struct err err = {0};
	if (refusal(item, &err) != 0)
		fail_msg("%s: %s", item->path, err.message);
	add_own(item);
	check_references(item);
	json_for_each (virtualservice, item->virtualservices) {
		if (is_taken(item, virtualservice))
			check_virtualservice(item, virtualservice);
	}
	json_for_each (rule, item->destinationrules)
		check_destinationrule(item, rule);
	check_added(item);
}

static void run_case(void **state)
{
	CLEANUP(case_release) struct corpus_case item = {0};
	struct err err = {0};
	int code = case_read(*state, &item, &err);
	const char *refused = json_get_text(item.tree, "refused");
	if (shows)
		printf("# %s\n", item.path);
	if (refused == NULL && code == 0) {
		check_case(&item);
		return;
	}
	if (code == 0)
		code = refusal(&item, &err);
	if (shows)
		printf("refused: %s\n", err.message);
	else if (refused == NULL)
		fail_msg("%s: %s", item.path, err.message);
	else if (code == 0)
		fail_msg("%s: not refused", item.path);
	else
		assert_string_equal(err.message, refused);
}

int main(int argc, char **argv)
{
	shows = argc > 1 && str_equal(argv[1], "--show");
	const char *part = argc > (shows ? 2 : 1) ? argv[argc - 1] : "";
	glob_t found = {0};
	if (glob(CASES, 0, NULL, &found) != 0) {
		(void)fprintf(stderr, "no cases at %s: run it in the project's folder\n", CASES);
		return 1;
	}
	struct CMUnitTest *tests = mem_alloc(found.gl_pathc, sizeof(*tests));
	size_t count = 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *path = found.gl_pathv[i];
		const char *name = path + strlen(CASES) - strlen("*/*.yaml");
		if (strstr(name, part) != NULL)
			tests[count++] = (struct CMUnitTest){name, run_case, NULL, NULL, path};
	}
	int failed = _cmocka_run_group_tests("traffic/corpus", tests, count, NULL, NULL);
	free(tests);
	globfree(&found);
	return failed;
}
