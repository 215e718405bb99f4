/*
 * The ways between the states of a release, on generated VirtualServices: each state is reached
 * from each other one, the snapshot comes back whole, and what other people do meanwhile is kept,
 * or reported where it is in what a release manages.
 */
#include "traffic/virtualservice.h"
#include "unit/traffic/generate.h"

#define OBJECTS MANY(100000)
#define RELEASES MANY(1500)
#define OBJECTS_OF_A_RELEASE 8

/* --- the states of an object ---------------------------------------------------------------- */

enum { ORIGINAL, PINNED, FIRST, SECOND, FINISHED, STATES };

static void make_states(struct random *random, const json *snapshot, const struct release *release,
	json *states[STATES])
{
	const json *rules = release->destinationrules;
	const struct intent *intent = &release->intent;
	const struct split splits[STATES] = {[PINNED] = {0, false},
		[FIRST] = any_split(random, release),
		[SECOND] = any_split(random, release)};
	for (int i = PINNED; i <= SECOND; i++)
		states[i] = virtualservice_split(snapshot, rules, intent, &splits[i]);
	states[ORIGINAL] = virtualservice_original(snapshot);
	states[FINISHED] = virtualservice_finished(snapshot, rules, intent);
}

static void free_states(json *states[STATES])
{
	for (int i = 0; i < STATES; i++)
		json_free(states[i]);
}

/* As it is in the cluster. */
static json *plain(const json *state)
{
	json *copy = json_copy(state);
	merge_strip_keys(copy);
	return copy;
}

/* --- ways ----------------------------------------------------------------------------------- */

static void assert_way(json *current, json *states[], size_t count, int goal)
{
	AUTO_JSON expected = plain(states[goal]);
	struct err err = {0};
	if (merge_to_goal(current, states[goal], (const json *const *)states, count, &err) != 0)
		fail_msg("%s", err.message);
	assert_same(current, expected);
}

/* With the states that a release has before its first batch: 0 percent, and back. Merging takes
 * its time: small objects, but as many as there are shares tried in properties.c. */
static void pinning_and_removing_gives_the_snapshot_back(void **state)
{
	(void)state;
	struct random random = {first_seed};
	for (int i = 0; i < OBJECTS / OBJECTS_OF_A_RELEASE; i++) {
		CLEANUP(release_free) struct release release;
		any_release(&random, &release);
		for (int j = 0; j < OBJECTS_OF_A_RELEASE; j++) {
			AUTO_JSON snapshot = any_valid_object_of(&random, &release, 2);
			const struct split none = {0, false};
			AUTO_JSON original = virtualservice_original(snapshot);
			AUTO_JSON pinned = virtualservice_split(
				snapshot, release.destinationrules, &release.intent, &none);
			AUTO_JSON current = plain(pinned);
			json *states[] = {original, pinned};
			assert_way(current, states, COUNT_OF(states), ORIGINAL);
			assert_same(current, snapshot);
		}
	}
}

static void any_state_leads_to_any_other(void **state)
{
	(void)state;
	struct random random = {first_seed + 1};
	for (int i = 0; i < RELEASES; i++) {
		CLEANUP(release_free) struct release release;
		any_release(&random, &release);
		AUTO_JSON snapshot = any_valid_object(&random, &release);
		json *states[STATES];
		make_states(&random, snapshot, &release, states);
		AUTO_JSON current = json_copy(snapshot);
		for (int step = 0; step < 6; step++) {
			int goal = (int)below(&random, STATES);
			assert_way(current, states, STATES, goal);
			assert_way(current, states, STATES, goal); /* nothing is left to do */
		}
		assert_way(current, states, STATES, ORIGINAL);
		assert_same(current, snapshot);
		free_states(states);
	}
}

/* --- what other people do meanwhile --------------------------------------------------------- */

/* Outside of what a release manages. Of routes that look alike nobody could say which one was
 * edited, so that an edit tells the place of its route in the snapshot. */
static void edit_outside(struct random random, json *object)
{
	if (once_in(&random, 2))
		json_set_text(json_ensure_object(json_get(object, "metadata"), "annotations"),
			"example.com/note", "seen");
	if (once_in(&random, 3))
		json_set(json_get(object, "spec"), "exportTo", tree("['.', 'x']"));
	size_t index = 0;
	json_for_each (route, json_path(object, "spec", "http", NULL)) {
		if (is_clone(route))
			continue;
		AUTO_STRING note = mem_format("route %zu", index++);
		if (once_in(&random, 2))
			json_set_text(route, "note", note);
		if (once_in(&random, 3))
			json_set_text(route, "timeout", "3s");
	}
}

/* Two routes that are the same in everything but their lists. */
static bool has_routes_alike(const json *snapshot)
{
	json_for_each (a, json_path(snapshot, "spec", "http", NULL)) {
		for (const json *b = json_next(a); b != NULL; b = json_next(b)) {
			static const char *const LIST[] = {"route"};
			if (same_but(a, b, LIST, 1))
				return true;
		}
	}
	return false;
}

static void edits_outside_are_kept(void **state)
{
	(void)state;
	struct random random = {first_seed + 2};
	for (int i = 0; i < RELEASES; i++) {
		CLEANUP(release_free) struct release release;
		any_release(&random, &release);
		AUTO_JSON snapshot = any_valid_object(&random, &release);
		if (has_routes_alike(snapshot))
			continue;
		json *states[STATES];
		make_states(&random, snapshot, &release, states);
		int from = (int)below(&random, STATES), to = (int)below(&random, STATES);
		AUTO_JSON current = plain(states[from]);
		AUTO_JSON expected = plain(states[to]);
		edit_outside(random, current);
		edit_outside(random, expected);
		for (int times = 0; times < 2; times++) {
			struct err err = {0};
			if (merge_to_goal(current, states[to], (const json *const *)states, STATES,
				    &err) != 0)
				fail_msg("object %d: %s", i, err.message);
			assert_same(current, expected);
		}
		free_states(states);
	}
}

/* A list of destinations that a release splits, and the path of it. */
static json *list_of_ours(struct random *random, const json *state, char **ret_path)
{
	static const char *const KINDS[] = {"http", "tcp", "tls"};
	const char *kind = ANY_OF(random, KINDS);
	size_t index = 0;
	json_for_each (route, json_path(state, "spec", kind, NULL)) {
		bool split = false;
		json_for_each (entry, json_get(route, "route"))
			split = split ||
				str_equal(json_path_text(entry, "destination", "subset", NULL),
					CANARY_SUBSET);
		if (split && !is_clone(route)) {
			*ret_path = mem_format("spec.%s[%zu].route", kind, index);
			return json_get(route, "route");
		}
		index++;
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

static void edits_inside_are_reported(void **state)
{
	(void)state;
	struct random random = {first_seed + 3};
	int misplaced = 0;
	for (int i = 0; i < RELEASES; i++) {
		CLEANUP(release_free) struct release release;
		any_release(&random, &release);
		AUTO_JSON snapshot = any_valid_object(&random, &release);
		json *states[STATES];
		make_states(&random, snapshot, &release, states);
		int from = (int)below(&random, STATES), to = (int)below(&random, STATES);
		AUTO_JSON current = plain(states[from]);
		AUTO_STRING path = NULL;
		json *list = list_of_ours(&random, current, &path);
		if (list != NULL) {
			edit_inside(&random, list);
			AUTO_JSON untouched = json_copy(current);
			struct err err = {0};
			int code = merge_to_goal(
				current, states[to], (const json *const *)states, STATES, &err);
			if (code != ERR_FOREIGN)
				fail_msg("object %d: %s: %d %s", i, path, code, err.message);
			misplaced += !str_starts(err.message, path);
			assert_same(current, untouched);
		}
		free_states(states);
	}
	/* Where routes look much alike, another place may be the one that is named. */
	assert_true(misplaced <= RELEASES / 100);
}

int main(int argc, char **argv)
{
	take_seed(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pinning_and_removing_gives_the_snapshot_back),
		cmocka_unit_test(any_state_leads_to_any_other),
		cmocka_unit_test(edits_outside_are_kept),
		cmocka_unit_test(edits_inside_are_reported),
	};
	return cmocka_run_group_tests_name("traffic/ways", tests, NULL, NULL);
}
