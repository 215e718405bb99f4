/*
 * What must hold for every VirtualService, tried on generated ones. The seed is printed; another
 * one comes in as the first argument, to repeat a failure or to look further.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "traffic/merge.h"
#include "traffic/virtualservice.h"
#include "unit/traffic/trees.h"

#define OBJECTS 20000
#define RELEASES 4000 /* each is an object in several states */

/* --- numbers -------------------------------------------------------------------------------- */

/* xorshift64*, by value where a sequence is to be repeated. */
struct random {
	uint64_t state;
};

static uint64_t first_seed = 20260827;

static uint32_t below(struct random *random, uint32_t limit)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (uint32_t)((random->state * 0x2545F4914F6CDD1DULL) >> 33) % limit;
}

static bool once_in(struct random *random, uint32_t times)
{
	return below(random, times) == 0;
}

static const char *any_of(struct random *random, const char *const *texts, size_t count)
{
	return texts[below(random, (uint32_t)count)];
}
#define ANY_OF(random, texts) any_of(random, texts, COUNT_OF(texts))

/* --- objects -------------------------------------------------------------------------------- */

static json *users_rules(void)
{
	return tree("[{'metadata': {'name': 'web', 'namespace': 'shop'}, 'spec': {'host': 'web',"
		    "  'subsets': [{'name': 'v1', 'labels': {'version': 'v1'}},"
		    "              {'name': 'v2', 'labels': {'version': 'v2'}},"
		    "              {'name': 'v0', 'labels': {'version': 'v0'}},"
		    "              {'name': 'prod', 'labels': {'version': 'v1', 'a': 'b'}}]}}]");
}

static json *any_destination(struct random *random)
{
	static const char *const hosts[] = {"web", "web", "web.shop.svc.cluster.local", "api",
		"web.elsewhere.svc.cluster.local", "example.com"};
	static const char *const subsets[] = {"v0", "v1", "v1", "v2", "prod"};
	json *destination = json_object();
	json_set_text(destination, "host", ANY_OF(random, hosts));
	if (once_in(random, 3))
		json_set_text(destination, "subset", ANY_OF(random, subsets));
	if (once_in(random, 4))
		json_set_integer(json_ensure_object(destination, "port"), "number", 8080);
	return destination;
}

static json *any_entry(struct random *random)
{
	static const uint32_t limits[] = {2, 11, 101, 10001, 5000000};
	json *entry = json_object();
	if (once_in(random, 4))
		json_set(entry, "headers", tree("{'request': {'set': {'x-a': '1'}}}"));
	json_set(entry, "destination", any_destination(random));
	if (!once_in(random, 5)) {
		uint32_t limit = limits[below(random, COUNT_OF(limits))];
		json_set_integer(entry, "weight", below(random, limit));
	}
	if (once_in(random, 8))
		json_set(entry, "fieldOfTheFuture", json_null());
	return entry;
}

static json *any_route(struct random *random)
{
	static const char *const others[] = {"{'redirect': {'uri': '/x'}}",
		"{'directResponse': {'status': 404}}", "{'delegate': {'name': 'd'}}"};
	if (once_in(random, 8))
		return tree(ANY_OF(random, others));
	json *route = json_object();
	if (once_in(random, 3))
		json_set_text(route, "name", "checkout");
	if (once_in(random, 3))
		json_set(route, "match", tree("[{'uri': {'prefix': '/a'}}, {'port': 80}]"));
	json *list = json_ensure_array(route, "route");
	uint32_t count = once_in(random, 2) ? 1 : 1 + below(random, 4);
	for (uint32_t i = 0; i < count; i++)
		json_append(list, any_entry(random));
	if (once_in(random, 6))
		json_set(route, "mirror", any_destination(random));
	if (once_in(random, 4))
		json_set(route, "retries", tree("{'attempts': 3, 'perTryTimeout': '1s'}"));
	return route;
}

static json *any_object(struct random *random)
{
	json *object = tree("{'kind': 'VirtualService',"
			    " 'metadata': {'name': 'vs', 'namespace': 'shop', 'uid': 'x'},"
			    " 'spec': {'hosts': ['web'], 'http': []}}");
	json *http = json_path(object, "spec", "http", NULL);
	uint32_t count = 1 + below(random, 4);
	for (uint32_t i = 0; i < count; i++)
		json_append(http, any_route(random));
	if (once_in(random, 4))
		json_set(json_get(object, "spec"), "gateways", tree("['mesh', 'g']"));
	return object;
}

/* One that may be split. */
static json *any_valid_object(struct random *random, const json *rules)
{
	for (;;) {
		json *object = any_object(random);
		if (virtualservice_check(object, rules, &web, NULL) == 0)
			return object;
		json_free(object);
	}
}

/* --- exact shares --------------------------------------------------------------------------- */

/* Said again in its own words, so that it can contradict the code. */
static bool is_ours(const json *entry)
{
	const char *host = json_path_text(entry, "destination", "host", NULL);
	const char *subset = json_path_text(entry, "destination", "subset", NULL);
	bool service = str_equal(host, "web") || str_equal(host, "web.shop.svc.cluster.local");
	return service && (subset == NULL || str_equal(subset, "v1") || str_equal(subset, "prod"));
}

static bool has_ours(const json *list)
{
	json_for_each (entry, list) {
		if (is_ours(entry))
			return true;
	}
	return false;
}

static int64_t weight_of(const json *entry, const json *list)
{
	return json_count(list) == 1 ? 1 : json_get_integer(entry, "weight", 0);
}

static int64_t total_of(const json *list)
{
	int64_t total = 0;
	json_for_each (entry, list) {
		assert_true(json_get_integer(entry, "weight", 0) >= 0);
		total += json_get_integer(entry, "weight", 0);
	}
	assert_true(total > 0 && total <= INT32_MAX);
	return total;
}

/* after/total_after == before/total_before * percent/100, without a division. */
static void assert_share(
	int64_t after, int64_t total_after, int64_t before, int64_t total_before, int percent)
{
	__extension__ typedef __int128 wide;
	assert_true((wide)after * total_before * 100 == (wide)before * percent * total_after);
}

static void assert_alike(const json *after, const json *before, const char *subset)
{
	AUTO_JSON expected = json_copy(before);
	AUTO_JSON found = json_copy(after);
	if (subset != NULL)
		json_set_text(json_get(expected, "destination"), "subset", subset);
	json_remove(expected, "weight");
	json_remove(found, "weight");
	assert_same(found, expected);
}

static void assert_list(const json *after, const json *before, int percent)
{
	int64_t total_after = total_of(after), total_before = 0;
	json_for_each (entry, before)
		total_before += weight_of(entry, before);
	const json *found = json_first(after);
	json_for_each (entry, before) {
		int64_t weight = weight_of(entry, before);
		int64_t stays = json_get_integer(found, "weight", 0);
		bool ours = is_ours(entry);
		assert_share(stays, total_after, weight, total_before, ours ? 100 - percent : 100);
		bool plain = json_path(entry, "destination", "subset", NULL) == NULL;
		assert_alike(found, entry, ours && plain ? STABLE_SUBSET : NULL);
		found = json_next(found);
		if (!ours)
			continue;
		int64_t moves = json_get_integer(found, "weight", 0);
		assert_share(moves, total_after, weight, total_before, percent);
		assert_alike(found, entry, CANARY_SUBSET);
		found = json_next(found);
	}
	assert_null(found);
}

/* Lists of ours have exact shares; with them put back, the object is the one from before. */
static void assert_exact(const json *split, const json *snapshot, int percent)
{
	AUTO_JSON rest = json_copy(split);
	const json *before = json_first(json_path(snapshot, "spec", "http", NULL));
	json_for_each (route, json_path(rest, "spec", "http", NULL)) {
		const json *list = json_get(before, "route");
		if (has_ours(list)) {
			assert_list(json_get(route, "route"), list, percent);
			json_set(route, "route", json_copy(list));
		}
		before = json_next(before);
	}
	assert_same(rest, snapshot);
}

static void shares_are_exact(void **state)
{
	(void)state;
	struct random random = {first_seed};
	AUTO_JSON rules = users_rules();
	static const int corners[] = {0, 1, 33, 50, 99, 100};
	for (int i = 0; i < OBJECTS; i++) {
		AUTO_JSON snapshot = any_valid_object(&random, rules);
		uint32_t pick = below(&random, 2 * COUNT_OF(corners));
		int percent = pick < COUNT_OF(corners) ? corners[pick] : (int)below(&random, 101);
		AUTO_JSON split = virtualservice_split(snapshot, rules, &web, percent);
		assert_exact(split, snapshot, percent);
		AUTO_JSON again = virtualservice_split(split, rules, &web, 40);
		assert_same(again, split);
	}
}

/* --- merging -------------------------------------------------------------------------------- */

/* The states of a release of one object. */
enum { SNAPSHOT, PINNED, FIRST, SECOND, STATES };

static void make_states(struct random *random, const json *rules, json *states[STATES])
{
	states[SNAPSHOT] = any_valid_object(random, rules);
	int percents[STATES] = {0, 0, 1 + (int)below(random, 49), 50 + (int)below(random, 51)};
	for (int i = PINNED; i < STATES; i++)
		states[i] = virtualservice_split(states[SNAPSHOT], rules, &web, percents[i]);
}

static void free_states(json *states[STATES])
{
	for (int i = 0; i < STATES; i++)
		json_free(states[i]);
}

static int merge(json *current, json *states[STATES], int goal, struct err *err)
{
	const json *known[STATES];
	for (int i = 0; i < STATES; i++)
		known[i] = states[i];
	return merge_to_goal(current, states[goal], known, STATES, err);
}

/* What other people do meanwhile, outside of what a release manages. */
static void edit_outside(struct random random, json *object)
{
	if (once_in(&random, 2))
		json_set_text(json_ensure_object(json_get(object, "metadata"), "annotations"),
			"example.com/note", "seen");
	if (once_in(&random, 3))
		json_set(json_get(object, "spec"), "exportTo", tree("['.', 'x']"));
	json_for_each (route, json_path(object, "spec", "http", NULL)) {
		if (once_in(&random, 2))
			json_set_text(route, "timeout", "3s");
		if (once_in(&random, 3))
			json_remove(route, "retries");
		if (once_in(&random, 3))
			json_set(route, "match", tree("[{'uri': {'exact': '/b'}}]"));
	}
}

static void merging_keeps_edits_outside(void **state)
{
	(void)state;
	struct random random = {first_seed + 1};
	AUTO_JSON rules = users_rules();
	for (int i = 0; i < RELEASES; i++) {
		json *states[STATES];
		make_states(&random, rules, states);
		int from = (int)below(&random, STATES), to = (int)below(&random, STATES);
		AUTO_JSON current = json_copy(states[from]);
		AUTO_JSON expected = json_copy(states[to]);
		edit_outside(random, current);
		edit_outside(random, expected);
		for (int times = 0; times < 2; times++) {
			struct err err = {0};
			if (merge(current, states, to, &err) != 0)
				fail_msg("object %d: %s", i, err.message);
			assert_same(current, expected);
		}
		free_states(states);
	}
}

static void merging_gives_the_snapshot_back(void **state)
{
	(void)state;
	struct random random = {first_seed + 2};
	AUTO_JSON rules = users_rules();
	for (int i = 0; i < RELEASES; i++) {
		json *states[STATES];
		make_states(&random, rules, states);
		AUTO_JSON current = json_copy(states[SNAPSHOT]);
		static const int way[] = {PINNED, FIRST, SECOND, FIRST, PINNED, SNAPSHOT};
		for (size_t step = 0; step < COUNT_OF(way); step++) {
			assert_int_equal(merge(current, states, way[step], NULL), 0);
			assert_same(current, states[way[step]]);
		}
		free_states(states);
	}
}

static json *any_list_of_ours(
	struct random *random, const json *split, const json *snapshot, size_t *ret_index)
{
	const json *routes = json_path(split, "spec", "http", NULL);
	const json *before = json_path(snapshot, "spec", "http", NULL);
	size_t count = json_count(routes), start = below(random, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		*ret_index = (start + i) % count;
		if (has_ours(json_get(json_at(before, *ret_index), "route")))
			return json_get(json_at(routes, *ret_index), "route");
	}
	return NULL;
}

static void edit_inside(struct random *random, json *list)
{
	json *entry = json_at(list, below(random, (uint32_t)json_count(list)));
	switch (below(random, 4)) {
	case 0:
		json_set_integer(entry, "weight", 1000000007);
		break;
	case 1:
		json_set_text(json_get(entry, "destination"), "host", "mine");
		break;
	case 2:
		json_append(list, tree("{'destination': {'host': 'mine'}, 'weight': 1}"));
		break;
	default:
		json_set_text(json_ensure_object(entry, "headers"), "mine", "x");
	}
}

static void merging_reports_edits_inside(void **state)
{
	(void)state;
	struct random random = {first_seed + 3};
	AUTO_JSON rules = users_rules();
	for (int i = 0; i < RELEASES; i++) {
		json *states[STATES];
		make_states(&random, rules, states);
		int from = (int)below(&random, STATES), to = (int)below(&random, STATES);
		AUTO_JSON current = json_copy(states[from]);
		size_t index = 0;
		json *list = any_list_of_ours(&random, current, states[SNAPSHOT], &index);
		if (list != NULL) {
			edit_inside(&random, list);
			AUTO_JSON untouched = json_copy(current);
			struct err err = {0};
			assert_int_equal(merge(current, states, to, &err), ERR_FOREIGN);
			AUTO_STRING path = mem_format("spec.http[%zu].route", index);
			assert_true(str_starts(err.message, path));
			assert_same(current, untouched);
		}
		free_states(states);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 10);
	printf("seed %" PRIu64 "\n", first_seed);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_exact),
		cmocka_unit_test(merging_keeps_edits_outside),
		cmocka_unit_test(merging_gives_the_snapshot_back),
		cmocka_unit_test(merging_reports_edits_inside),
	};
	return cmocka_run_group_tests_name("traffic/properties", tests, NULL, NULL);
}
