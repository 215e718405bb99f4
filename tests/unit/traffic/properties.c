/*
 * What must hold for every VirtualService that is split, tried on generated ones, and judged
 * without the code that splits.
 */
#include "traffic/virtualservice.h"
#include "unit/traffic/generate.h"

#define OBJECTS MANY(100000)
#define OBJECTS_OF_A_RELEASE 8

static json *plain_split(
	const json *snapshot, const struct release *release, const struct split *split)
{
	json *tree =
		virtualservice_split(snapshot, release->destinationrules, &release->intent, split);
	merge_strip_keys(tree);
	return tree;
}

/* --- comparing ------------------------------------------------------------------------------ */

static void assert_same_but(const json *a, const json *b, const char *const *keys, size_t key_count)
{
	if (same_but(a, b, keys, key_count))
		return;
	AUTO_STRING found = json_print(a);
	AUTO_STRING expected = json_print(b);
	fail_msg("found    %s\nexpected %s", found, expected);
}
#define ASSERT_SAME_BUT(a, b, ...)                                                                 \
	do {                                                                                       \
		static const char *const but_keys_[] = {__VA_ARGS__};                              \
		assert_same_but(a, b, but_keys_, COUNT_OF(but_keys_));                             \
	} while (0)

/* A route during a release has all that it had; a clone, but its name and what it asks for. */
static void assert_frame(const json *during, const json *before)
{
	if (is_clone(during))
		ASSERT_SAME_BUT(during, before, "route", "name", "match");
	else
		ASSERT_SAME_BUT(during, before, "route");
}

/* --- lists ---------------------------------------------------------------------------------- */

static int64_t weight_of(const json *entry, const json *list)
{
	return json_count(list) == 1 ? 1 : json_get_integer(entry, "weight", 0);
}

static int64_t total_of(const json *list)
{
	int64_t total = 0;
	json_for_each (entry, list) {
		assert_true(json_get_integer(entry, "weight", 0) >= 0);
		total += weight_of(entry, list);
	}
	assert_true(total > 0 && total <= INT32_MAX);
	return total;
}

/* after/total_after == before/total_before * percent/100, without a division. */
static void assert_share(
	int64_t after, int64_t total_after, int64_t before, int64_t total_before, int percent)
{
	assert_true((wide)after * total_before * 100 == (wide)before * percent * total_after);
}

/* Of a sticky release's share: the headers are those of before, with a cookie in them. */
static void assert_cookie(const json *after, const json *before, int step)
{
	AUTO_JSON expected = json_copy(before);
	json *headers = json_ensure_object(expected, "headers");
	json *add = json_ensure_object(json_ensure_object(headers, "response"), "add");
	const char *cookie =
		json_path_text(after, "headers", "response", "add", "set-cookie", NULL);
	AUTO_STRING start = mem_format("batchrollout-web.shop=v2.%d; ", step);
	assert_true(cookie != NULL && str_starts(cookie, start));
	json_set_text(add, "set-cookie", cookie);
	assert_same(json_get(after, "headers"), headers);
}

/* The same but for the weight, the subset where it is another one, and a cookie. */
static void assert_alike(const json *after, const json *before, const char *subset, int step)
{
	ASSERT_SAME_BUT(after, before, "weight", "destination", "headers");
	const json *destination = json_get(after, "destination");
	ASSERT_SAME_BUT(destination, json_get(before, "destination"), "subset");
	assert_true(str_equal(json_get_text(destination, "subset"),
		subset != NULL ? subset : json_path_text(before, "destination", "subset", NULL)));
	if (step > 0)
		assert_cookie(after, before, step);
	else
		assert_true(json_equal(json_get(after, "headers"), json_get(before, "headers")));
}

static const char *subset_for(const json *entry, bool canary)
{
	bool plain = str_empty(json_path_text(entry, "destination", "subset", NULL));
	return canary ? CANARY_SUBSET : plain ? STABLE_SUBSET : NULL;
}

/* Where the split of one entry is to be found, and how much of it. */
struct cursor {
	const json *found; /* the next entry of the list after */
	int64_t all;	   /* in the list after */
	int64_t before, all_before;
};

static void take_share(
	struct cursor *cursor, const json *entry, int percent, const char *subset, int step)
{
	assert_non_null(cursor->found);
	assert_share(json_get_integer(cursor->found, "weight", 0), cursor->all, cursor->before,
		cursor->all_before, percent);
	assert_alike(cursor->found, entry, subset, step);
	cursor->found = json_next(cursor->found);
}

static void take_shares(struct cursor *cursor, const json *entry, const struct intent *intent,
	const struct split *split)
{
	if (!split->rules || intent->sticky_step_count == 0) {
		take_share(cursor, entry, 100 - split->weight, subset_for(entry, false), 0);
		take_share(cursor, entry, split->weight, subset_for(entry, true), 0);
		return;
	}
	int before = 0;
	for (int i = 0; i < intent->sticky_step_count; i++) {
		int until = intent->sticky_steps[i];
		if (until > before)
			take_share(cursor, entry, until - before,
				subset_for(entry, until <= split->weight), i + 1);
		before = until;
	}
}

/* Each of ours has become its shares, exactly; each other entry is there as it was. */
static void assert_list(const json *after, const json *before, const json *virtualservice,
	const struct release *release, const struct split *split)
{
	struct cursor cursor = {json_first(after), total_of(after), 0, total_of(before)};
	if (json_count(after) == 1) /* of a sticky release with a single step */
		cursor.all = json_get_integer(cursor.found, "weight", 1);
	json_for_each (entry, before) {
		cursor.before = weight_of(entry, before);
		if (model_is_ours(entry, virtualservice, &release->model))
			take_shares(&cursor, entry, &release->intent, split);
		else
			take_share(&cursor, entry, 100, NULL, 0);
	}
	assert_null(cursor.found);
}

/* --- routes --------------------------------------------------------------------------------- */

static bool is_chosen(const json *route, const json *virtualservice, const struct release *release)
{
	if (release->selection == NULL)
		return true;
	return str_equal(json_path_text(virtualservice, "metadata", "namespace", NULL), "shop") &&
	       str_equal(json_get_text(route, "name"), "checkout");
}

/* A clone has all that its route has, for one version, and asks for more. */
static void assert_clone(const json *clone, const json *route, const json *virtualservice,
	const struct release *release)
{
	const char *name = json_get_text(route, "name");
	if (name != NULL)
		assert_true(str_ends(json_get_text(clone, "name"), name));
	assert_frame(clone, route);
	assert_true(json_count(json_get(clone, "match")) > 0);
	bool canary = !str_starts(json_get_text(clone, "name"), "batchrollout-stable");
	const json *found = json_first(json_get(clone, "route"));
	json_for_each (entry, json_get(route, "route")) {
		bool ours = model_is_ours(entry, virtualservice, &release->model);
		assert_non_null(found);
		assert_true(json_equal(json_get(found, "weight"), json_get(entry, "weight")));
		assert_alike(found, entry, ours ? subset_for(entry, canary) : NULL, 0);
		found = json_next(found);
	}
	assert_null(found);
}

/* Every route is there, in its order, with its clones in front, and equal but for its list. */
static void assert_routes(const json *after, const json *snapshot, const char *protocol,
	const struct release *release, const struct split *split)
{
	bool http = str_equal(protocol, "http");
	const struct split here = {split->weight, split->rules && http};
	const json *found = json_first(json_path(after, "spec", protocol, NULL));
	json_for_each (route, json_path(snapshot, "spec", protocol, NULL)) {
		bool ours = model_has_ours(route, snapshot, &release->model) &&
			    is_chosen(route, snapshot, release);
		for (; ours && here.rules && is_clone(found); found = json_next(found))
			assert_clone(found, route, snapshot, release);
		assert_non_null(found);
		if (ours) {
			assert_list(json_get(found, "route"), json_get(route, "route"), snapshot,
				release, &here);
			assert_frame(found, route);
		} else {
			assert_same(found, route);
		}
		found = json_next(found);
	}
	assert_null(found);
}

static void assert_split(const json *after, const json *snapshot, const struct release *release,
	const struct split *split)
{
	static const char *const PROTOCOLS_HERE[] = {"http", "tcp", "tls"};
	for (size_t i = 0; i < COUNT_OF(PROTOCOLS_HERE); i++)
		assert_routes(after, snapshot, PROTOCOLS_HERE[i], release, split);
	ASSERT_SAME_BUT(after, snapshot, "spec");
	ASSERT_SAME_BUT(json_get(after, "spec"), json_get(snapshot, "spec"), "http", "tcp", "tls");
}

/* --- the properties ------------------------------------------------------------------------- */

static void shares_are_exact_and_the_rest_is_equal(void **state)
{
	(void)state;
	struct random random = {first_seed};
	for (int i = 0; i < OBJECTS / OBJECTS_OF_A_RELEASE; i++) {
		CLEANUP(release_free) struct release release;
		any_release(&random, &release);
		for (int j = 0; j < OBJECTS_OF_A_RELEASE; j++) {
			AUTO_JSON snapshot = any_valid_object(&random, &release);
			const struct split split = any_split(&random, &release);
			AUTO_JSON after = plain_split(snapshot, &release, &split);
			assert_split(after, snapshot, &release, &split);
		}
	}
}

/* A share must not be split again. */
static void splitting_a_split_changes_nothing(void **state)
{
	(void)state;
	struct random random = {first_seed + 1};
	for (int i = 0; i < OBJECTS / 10; i++) {
		CLEANUP(release_free) struct release release;
		any_release(&random, &release);
		AUTO_JSON snapshot = any_valid_object(&random, &release);
		const struct split first = {(int)below(&random, 101), false};
		const struct split second = any_split(&random, &release);
		AUTO_JSON once = plain_split(snapshot, &release, &first);
		AUTO_JSON twice = plain_split(once, &release, &second);
		assert_same(twice, once);
	}
}

/* Whoever meets a rule gets its version, all others the weights, and everything else of an answer
 * is what it was. */
static void requests_get_what_they_should(void **state)
{
	(void)state;
	struct random random = {first_seed + 2};
	for (int i = 0; i < OBJECTS / 10; i++) {
		CLEANUP(release_free) struct release release;
		any_release(&random, &release);
		if (release.selection != NULL)
			continue;
		AUTO_JSON snapshot = any_valid_object(&random, &release);
		const struct split split = any_split(&random, &release);
		AUTO_JSON after = plain_split(snapshot, &release, &split);
		AUTO_JSON requests = sample_requests(snapshot, &release.model);
		json_for_each (request, requests)
			assert_request(after, snapshot, request, &split, &release.model);
	}
}

int main(int argc, char **argv)
{
	take_seed(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_exact_and_the_rest_is_equal),
		cmocka_unit_test(splitting_a_split_changes_nothing),
		cmocka_unit_test(requests_get_what_they_should),
	};
	return cmocka_run_group_tests_name("traffic/properties", tests, NULL, NULL);
}
