/*
 * What must hold for every merge of a VirtualService that others edit during a release with rules,
 * tried on generated ones. The seed is printed; another one comes in as the first argument.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "traffic/clone.h"
#include "traffic/merge.h"
#include "traffic/virtualservice.h"
#include "unit/traffic/trees.h"

#define OBJECTS 4000 /* in each test */

static uint64_t first_seed = 20260828;

static uint32_t below(uint64_t *random, uint32_t limit)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*random >> 33) % limit;
}

/* --- a release ------------------------------------------------------------------------------ */

enum { ORIGINAL, PINNED, MATCHED, HALF, ALL, FINISHED, STATES };

struct release {
	json *snapshot, *rules;
	json *states[STATES]; /* keyed */
};

static void release_free(struct release *release)
{
	json_free(release->snapshot);
	json_free(release->rules);
	for (int i = 0; i < STATES; i++)
		json_free(release->states[i]);
}

/* Ours, foreign, and alike ones. */
static json *any_snapshot(uint64_t *random)
{
	static const char *const ROUTES[] = {
		"{'route': [{'destination': {'host': 'web'}}]}",
		"{'name': 'main', 'timeout': '5s', 'route': [{'destination': {'host': 'web'}}]}",
		"{'match': [{'uri': {'prefix': '/a'}}], 'route': [{'destination': {'host': 'web',"
		" 'subset': 'v1'}, 'weight': 30}, {'destination': {'host': 'api'}, 'weight': 70}]}",
		"{'match': [{'uri': {'prefix': '/b'}}], 'redirect': {'uri': '/a'}}",
		"{'name': 'api', 'retries': {'attempts': 2}, 'route': [{'destination': {'host':"
		" 'api'}}]}",
		"{'route': [{'destination': {'host': 'api'}}]}",
	};
	json *object = tree("{'metadata': {'name': 'vs', 'namespace': 'shop'},"
			    " 'spec': {'hosts': ['web'], 'http': []}}");
	uint32_t count = 1 + below(random, 5);
	for (uint32_t i = 0; i < count; i++)
		json_append(json_path(object, "spec", "http", NULL),
			tree(ROUTES[below(random, COUNT_OF(ROUTES))]));
	return object;
}

static struct release any_release(uint64_t *random)
{
	struct release release = {.snapshot = any_snapshot(random),
		.rules = tree("[{'metadata': {'name': 'web', 'namespace': 'shop'}, 'spec': {"
			      "'host': 'web', 'subsets': [{'name': 'v1', 'labels': {'version': "
			      "'v1'}}]}}]")};
	AUTO_JSON match = tree("[{'x-user': {'exact': 'tester'}}]");
	struct intent intent = web;
	intent.match_rules = below(random, 3) > 0 ? match : NULL;
	if (below(random, 3) == 0) {
		static const int STEPS[] = {0, 50, 100};
		for (size_t i = 0; i < COUNT_OF(STEPS); i++)
			intent.sticky_steps[intent.sticky_step_count++] = STEPS[i];
	}
	const struct split splits[STATES] = {
		[PINNED] = {0}, [MATCHED] = {0, true}, [HALF] = {50, true}, [ALL] = {100, true}};
	release.states[ORIGINAL] = virtualservice_original(release.snapshot);
	for (int i = PINNED; i <= ALL; i++)
		release.states[i] =
			virtualservice_split(release.snapshot, release.rules, &intent, &splits[i]);
	release.states[FINISHED] =
		virtualservice_finished(release.snapshot, release.rules, &intent);
	return release;
}

static int merge(json *current, const struct release *release, int goal, struct err *err)
{
	return merge_to_goal(
		current, release->states[goal], (const json *const *)release->states, STATES, err);
}

static json *plain(const struct release *release, int state)
{
	json *copy = json_copy(release->states[state]);
	merge_strip_keys(copy);
	return copy;
}

/* --- what others do --------------------------------------------------------------------------- */

static json *http_of(const json *object)
{
	return json_path(object, "spec", "http", NULL);
}

/* The place of the route that was there before the release under this number, whatever stands in
 * front of it; the count for a number past the last. */
static size_t place_of(const json *http, uint32_t number)
{
	size_t index = 0;
	json_for_each (route, http) {
		if (!route_is_clone(route) && number-- == 0)
			break;
		index++;
	}
	return index;
}

static bool is_ours(const json *route)
{
	json_for_each (entry, json_get(route, "route"))
		if (str_equal(json_path_text(entry, "destination", "host", NULL), "web"))
			return true;
	return false;
}

/* One edit outside of what the release manages, which is the same one in each state. */
static void edit_outside(uint64_t random, const json *snapshot, json *object)
{
	json *http = http_of(object);
	uint32_t number = below(&random, (uint32_t)json_count(http_of(snapshot)));
	json *route = json_at(http, place_of(http, number));
	switch (below(&random, 5)) {
	case 0:
		json_set_text(route, "timeout", "7s");
		return;
	case 1:
		json_set(route, "match", tree("[{'port': 8080}]"));
		return;
	case 2:
		json_insert(http, 0, tree("{'redirect': {'uri': '/inserted'}}"));
		return;
	case 3:
		json_insert(http, place_of(http, number) + 1,
			tree("{'name': 'mine', 'route': [{'destination': {'host': 'web'}}]}"));
		return;
	default:
		if (is_ours(route))
			json_set_text(json_ensure_object(json_get(object, "metadata"), "labels"),
				"team", "shop");
		else
			json_free(json_detach_at(http, place_of(http, number)));
	}
}

static void edits_outside_are_kept(void **state)
{
	(void)state;
	uint64_t random = first_seed;
	for (int i = 0; i < OBJECTS; i++) {
		CLEANUP(release_free) struct release release = any_release(&random);
		int from = (int)below(&random, STATES), to = (int)below(&random, STATES);
		AUTO_JSON current = plain(&release, from);
		AUTO_JSON expected = plain(&release, to);
		edit_outside(random, release.snapshot, current);
		edit_outside(random, release.snapshot, expected);
		(void)below(&random, 2);
		for (int times = 0; times < 2; times++) {
			struct err err = {0};
			if (merge(current, &release, to, &err) != 0)
				fail_msg("object %d: %s", i, err.message);
			assert_same(current, expected);
		}
	}
}

static void states_are_reached_exactly(void **state)
{
	(void)state;
	uint64_t random = first_seed + 1;
	for (int i = 0; i < OBJECTS; i++) {
		CLEANUP(release_free) struct release release = any_release(&random);
		AUTO_JSON current = plain(&release, (int)below(&random, STATES));
		for (int step = 0; step < 3; step++) {
			int to = (int)below(&random, STATES);
			AUTO_JSON expected = plain(&release, to);
			assert_int_equal(merge(current, &release, to, NULL), 0);
			assert_same(current, expected);
		}
	}
}

/* --- edits of what is ours -------------------------------------------------------------------- */

/* False where there is nothing of ours to be edited. */
static bool edit_inside(uint64_t *random, json *object)
{
	json *http = http_of(object);
	size_t count = json_count(http), index = below(random, (uint32_t)count);
	json *route = json_at(http, index);
	if (!is_ours(route))
		return false;
	json *list = json_get(route, "route");
	json *entry = json_at(list, below(random, (uint32_t)json_count(list)));
	switch (below(random, 5)) {
	case 0:
		json_set_integer(entry, "weight", 77);
		break;
	case 1:
		json_set_text(json_get(entry, "destination"), "host", "mine");
		break;
	case 2:
		json_append(list, tree("{'destination': {'host': 'mine'}, 'weight': 1}"));
		break;
	case 3:
		if (!route_is_clone(route))
			return false;
		json_set(route, "match", tree("[{'port': 1}]"));
		break;
	default:
		json_free(json_detach_at(http, index));
	}
	return true;
}

/* What was taken away may leave what another state, or a twin, would be. */
static bool is_as_known(const struct release *release, const json *current)
{
	for (int i = 0; i < STATES; i++) {
		AUTO_JSON known = plain(release, i);
		if (json_equal(current, known))
			return true;
	}
	return false;
}

static void edits_inside_are_reported(void **state)
{
	(void)state;
	uint64_t random = first_seed + 2;
	int reported = 0;
	for (int i = 0; i < OBJECTS; i++) {
		CLEANUP(release_free) struct release release = any_release(&random);
		int from = (int)(PINNED + below(&random, ALL - PINNED + 1));
		int to = (int)below(&random, STATES);
		AUTO_JSON current = plain(&release, from);
		if (!edit_inside(&random, current) || is_as_known(&release, current))
			continue;
		AUTO_JSON untouched = json_copy(current);
		struct err err = {0};
		if (merge(current, &release, to, &err) != ERR_FOREIGN) {
			AUTO_STRING text = json_print(untouched);
			fail_msg("object %d: taken: %s", i, text);
		}
		assert_contains(err.message, "somebody else");
		assert_same(current, untouched);
		reported++;
	}
	assert_true(reported > OBJECTS / 4);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 10);
	printf("seed %" PRIu64 "\n", first_seed);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_reached_exactly),
		cmocka_unit_test(edits_outside_are_kept),
		cmocka_unit_test(edits_inside_are_reported),
	};
	return cmocka_run_group_tests_name("traffic/merge_properties", tests, NULL, NULL);
}
