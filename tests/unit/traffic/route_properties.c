/*
 * What must hold for every HTTPRoute, tried on generated ones. The seed is printed; another one
 * comes in as the first argument, to repeat a failure or to look further.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "traffic/httproute.h"
#include "traffic/merge.h"
#include "traffic/route_check.h"
#include "unit/traffic/random.h"
#include "unit/traffic/trees.h"

#define OBJECTS 10000
#define RELEASES 2000 /* each is an object in several states */

static uint64_t first_seed = 20260827;

/* --- objects -------------------------------------------------------------------------------- */

static json *any_backend(struct random *random)
{
	static const char *const names[] = {"web", "web", "web", "api", "other"};
	static const uint32_t limits[] = {2, 11, 101, 10001};
	json *backend = json_object();
	json_set_text(backend, "name", ANY_OF(random, names));
	json_set_integer(backend, "port", 80);
	if (once_in(random, 2)) {
		json_set_text(backend, "group", "");
		json_set_text(backend, "kind", "Service");
	}
	if (once_in(random, 6))
		json_set_text(backend, "namespace", once_in(random, 2) ? "shop" : "elsewhere");
	if (once_in(random, 4))
		json_set(backend, "filters", tree("[{'type': 'RequestHeaderModifier'}]"));
	if (!once_in(random, 5))
		json_set_integer(
			backend, "weight", below(random, limits[below(random, COUNT_OF(limits))]));
	return backend;
}

static json *any_rule(struct random *random)
{
	static const char *const matches[] = {"[{'path': {'type': 'Exact', 'value': '/a'}}]",
		"[{'headers': [{'name': 'a', 'value': '1'}]}, {'method': 'GET'}]", "[]"};
	json *rule = json_object();
	if (once_in(random, 3))
		json_set(rule, "matches", tree(ANY_OF(random, matches)));
	if (once_in(random, 4))
		json_set(rule, "timeouts", tree("{'request': '1s'}"));
	if (once_in(random, 6))
		json_set(rule, "filters",
			tree("[{'type': 'RequestMirror', 'requestMirror': "
			     "{'backendRef': {'name': 'web'}}}]"));
	uint32_t count = once_in(random, 2) ? 1 : below(random, 5);
	for (uint32_t i = 0; i < count; i++)
		json_append(json_ensure_array(rule, "backendRefs"), any_backend(random));
	return rule;
}

static json *any_object(struct random *random)
{
	json *object = tree("{'kind': 'HTTPRoute', 'metadata': {'name': 'hr', 'namespace': 'shop'},"
			    " 'spec': {'parentRefs': [{'name': 'public'}], 'rules': []}}");
	uint32_t count = 1 + below(random, 4);
	for (uint32_t i = 0; i < count; i++)
		json_append(json_path(object, "spec", "rules", NULL), any_rule(random));
	return object;
}

/* One that may be split. */
static json *any_valid_object(struct random *random)
{
	for (;;) {
		json *object = any_object(random);
		if (httproute_check(object, NULL, &web, NULL) == 0)
			return object;
		json_free(object);
	}
}

/* --- exact shares --------------------------------------------------------------------------- */

/* Said again in its own words, so that it can contradict the code. */
static bool is_ours(const json *backend)
{
	return str_equal(json_get_text(backend, "name"), "web") &&
	       !str_equal(json_get_text(backend, "namespace"), "elsewhere");
}

static int64_t total_of(const json *list)
{
	int64_t total = 0;
	json_for_each (backend, list) {
		int64_t weight = json_get_integer(backend, "weight", 1);
		assert_true(weight >= 0 && weight <= 1000000);
		total += weight;
	}
	return total;
}

static void assert_backend(const json *found, const json *before, const char *name, int percent,
	int64_t total_after, int64_t total_before)
{
	__extension__ typedef __int128 wide;
	int64_t weight = json_get_integer(found, "weight", 1);
	int64_t weight_before = json_get_integer(before, "weight", 1);
	assert_true(
		(wide)weight * total_before * 100 == (wide)weight_before * percent * total_after);
	AUTO_JSON expected = json_copy(before);
	AUTO_JSON actual = json_copy(found);
	if (name != NULL)
		json_set_text(expected, "name", name);
	json_remove(expected, "weight");
	json_remove(actual, "weight");
	assert_same(actual, expected);
}

static void assert_list(const json *after, const json *before, int percent)
{
	int64_t total_after = total_of(after), total_before = total_of(before);
	const json *found = json_first(after);
	json_for_each (backend, before) {
		bool ours = is_ours(backend);
		assert_backend(found, backend, ours ? "batchrollout-web-stable" : NULL,
			ours ? 100 - percent : 100, total_after, total_before);
		found = json_next(found);
		if (!ours)
			continue;
		assert_backend(found, backend, "batchrollout-web-canary", percent, total_after,
			total_before);
		found = json_next(found);
	}
	assert_null(found);
}

static bool has_ours(const json *rule)
{
	json_for_each (backend, json_get(rule, "backendRefs")) {
		if (is_ours(backend))
			return true;
	}
	return false;
}

/* Lists of ours have exact shares; with them put back, the object is the one from before. */
static void assert_exact(const json *split, const json *snapshot, int percent)
{
	AUTO_JSON rest = json_copy(split);
	const json *before = json_first(json_path(snapshot, "spec", "rules", NULL));
	json_for_each (rule, json_path(rest, "spec", "rules", NULL)) {
		if (has_ours(before)) {
			const json *list = json_get(before, "backendRefs");
			assert_list(json_get(rule, "backendRefs"), list, percent);
			json_set(rule, "backendRefs", json_copy(list));
		}
		before = json_next(before);
	}
	assert_same(rest, snapshot);
}

static json *split_to(const json *snapshot, const struct intent *intent, int weight, bool rules)
{
	const struct split split = {.weight = weight, .rules = rules};
	return httproute_split(snapshot, intent, &split);
}

static void shares_are_exact(void **state)
{
	(void)state;
	struct random random = {first_seed};
	static const int corners[] = {0, 1, 33, 50, 99, 100};
	for (int i = 0; i < OBJECTS; i++) {
		AUTO_JSON snapshot = any_valid_object(&random);
		uint32_t pick = below(&random, 2 * COUNT_OF(corners));
		int percent = pick < COUNT_OF(corners) ? corners[pick] : (int)below(&random, 101);
		AUTO_JSON split = split_to(snapshot, &web, percent, true);
		merge_strip_keys(split);
		assert_exact(split, snapshot, percent);
	}
}

/* --- merging -------------------------------------------------------------------------------- */

/* The states of a release of one object, the last two with the clones of --match. */
enum { SNAPSHOT, PINNED, FIRST, SECOND, STATES };

static void make_states(struct random *random, const json *rules, json *states[STATES])
{
	struct intent intent = web;
	intent.match_rules = rules;
	do {
		json_free(states[SNAPSHOT]);
		states[SNAPSHOT] = any_valid_object(random);
	} while (httproute_check(states[SNAPSHOT], NULL, &intent, NULL) != 0);
	int percents[STATES] = {0, 0, 1 + (int)below(random, 49), 50 + (int)below(random, 51)};
	for (int i = PINNED; i < STATES; i++)
		states[i] = split_to(states[SNAPSHOT], &intent, percents[i], i != PINNED);
}

static int merge(json *current, json *states[STATES], int goal, struct err *err)
{
	AUTO_JSON original = httproute_original(states[SNAPSHOT]);
	const json *known[STATES];
	for (int i = 0; i < STATES; i++)
		known[i] = i == SNAPSHOT ? original : states[i];
	return merge_to_goal(current, known[goal], known, STATES, err);
}

static json *plain(const json *state)
{
	json *copy = json_copy(state);
	merge_strip_keys(copy);
	return copy;
}

static void merging_gives_the_snapshot_back(void **state)
{
	(void)state;
	struct random random = {first_seed + 1};
	AUTO_JSON rules = tree("[{'x-user': {'exact': 'tester'}}]");
	for (int i = 0; i < RELEASES; i++) {
		json *states[STATES] = {0};
		make_states(&random, i % 2 == 0 ? rules : NULL, states);
		AUTO_JSON current = json_copy(states[SNAPSHOT]);
		static const int way[] = {PINNED, FIRST, SECOND, FIRST, PINNED, SNAPSHOT};
		for (size_t step = 0; step < COUNT_OF(way); step++) {
			struct err err = {0};
			if (merge(current, states, way[step], &err) != 0)
				fail_msg("object %d: %s", i, err.message);
			AUTO_JSON expected = plain(states[way[step]]);
			assert_same(current, expected);
		}
		for (int j = 0; j < STATES; j++)
			json_free(states[j]);
	}
}

/* A rule that is split has a weight that somebody else sets. */
static void merging_reports_other_weights(void **state)
{
	(void)state;
	struct random random = {first_seed + 2};
	for (int i = 0; i < RELEASES; i++) {
		json *states[STATES] = {0};
		make_states(&random, NULL, states);
		AUTO_JSON current = plain(states[FIRST]);
		const json *before = json_first(json_path(states[0], "spec", "rules", NULL));
		size_t index = 0;
		while (before != NULL && !has_ours(before)) {
			before = json_next(before);
			index++;
		}
		json *rule = json_at(json_path(current, "spec", "rules", NULL), index);
		if (before != NULL) {
			json_set_integer(
				json_first(json_get(rule, "backendRefs")), "weight", 999983);
			struct err err = {0};
			assert_int_equal(merge(current, states, SECOND, &err), ERR_FOREIGN);
			AUTO_STRING path = mem_format("spec.rules[%zu].backendRefs", index);
			assert_contains(err.message, path);
		}
		for (int j = 0; j < STATES; j++)
			json_free(states[j]);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 10);
	printf("seed %" PRIu64 "\n", first_seed);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_exact),
		cmocka_unit_test(merging_gives_the_snapshot_back),
		cmocka_unit_test(merging_reports_other_weights),
	};
	return cmocka_run_group_tests_name("traffic/route_properties", tests, NULL, NULL);
}
