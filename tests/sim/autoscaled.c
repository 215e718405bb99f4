/* Releases of a Deployment that autoscalers scale; what other people do to them meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "release/autoscaler.h"
#include "sim/invariants.h"
#include "sim/scenarios.h"

static struct object *find_autoscaler(const struct sim *sim)
{
	return sim_find(sim, &KIND_HORIZONTAL_POD_AUTOSCALER, NAMESPACE, "web");
}

/* Somebody sets a limit of the autoscaler. */
static void set_limit(struct sim *sim, const char *field, int value)
{
	struct object *autoscaler = find_autoscaler(sim);
	json *tree = json_copy(autoscaler->now);
	json_set_integer(json_get(tree, "spec"), field, value);
	sim_put(sim, autoscaler, tree);
}

static void note_on_scaled_object(struct sim *sim)
{
	struct object *object = sim_find(sim, &KIND_SCALED_OBJECT, NAMESPACE, "queue");
	json *tree = json_copy(object->now);
	object_set_annotation(tree, "example.com/other", "mine");
	sim_put(sim, object, tree);
}

static int replicas_of_stable(const struct sim *sim)
{
	const json *stable = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web")->now;
	return (int)json_integer(json_path(stable, "spec", "replicas", NULL), 1);
}

static void play_frozen(const struct setting *setting, bool finish)
{
	AUTO_SIM sim = world_new(setting);
	AUTO_JSON before = world_snapshot(sim);
	must_start(sim, setting, 0, NULL);
	for (int batch = 2; batch <= 4; batch++) {
		/* Many looks, and at each another wish. */
		sim_run_for(sim, 60000);
		if (replicas_of_stable(sim) != 4 - (batch - 1))
			sim_fail(sim, "stable has %d replicas", replicas_of_stable(sim));
		if (batch < 4 || finish)
			must_run(sim, run_next, 0, NULL);
	}
	if (finish) {
		world_assert_completed(sim, before, setting);
		return;
	}
	must_run(sim, run_abort, 0, NULL);
	world_assert_restored(sim, before, false);
}

void autoscalers_scale_nothing_in_a_release(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(5); seed++) {
		struct setting setting = {
			.world = WORLD_AUTOSCALED, .batches = "4", .replicas = 4, .seed = seed};
		play_frozen(&setting, true);
		play_frozen(&setting, false);
	}
}

void edits_of_autoscalers_are_kept(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(5); seed++) {
		struct setting setting = {
			.world = WORLD_AUTOSCALED, .batches = "2", .replicas = 4, .seed = seed};
		AUTO_SIM sim = world_new(&setting);
		AUTO_JSON before = world_snapshot(sim);
		must_start(sim, &setting, 0, NULL);
		set_limit(sim, "maxReplicas", 12);
		note_on_scaled_object(sim);
		must_run(sim, seed % 2 == 0 ? run_next : run_abort, 0, NULL);
		json_set_integer(json_path(before, "HorizontalPodAutoscaler/web", "spec", NULL),
			"maxReplicas", 12);
		object_set_annotation(
			json_get(before, "ScaledObject/queue"), "example.com/other", "mine");
		if (seed % 2 == 0)
			world_assert_completed(sim, before, &setting);
		else
			world_assert_restored(sim, before, false);
	}
}

/* A release that has begun, and autoscalers that do not look again before somebody edits them. */
static struct sim *start_and_stop_looking(const struct setting *setting, json **ret_before)
{
	struct sim *sim = world_new(setting);
	*ret_before = world_snapshot(sim);
	must_start(sim, setting, 0, NULL);
	sim->autoscaler_period_ms = 1000000;
	sim_run_for(sim, 3000);
	return sim;
}

/* Who applies the manifest again takes back what is in it: the minimum, not the policies. */
void applied_autoscalers_are_frozen_again(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(5); seed++) {
		struct setting setting = {
			.world = WORLD_AUTOSCALED, .batches = "2", .replicas = 4, .seed = seed};
		AUTO_JSON before = NULL;
		AUTO_SIM sim = start_and_stop_looking(&setting, &before);
		set_limit(sim, "minReplicas", 4);
		must_run(sim, seed % 2 == 0 ? run_next : run_abort, 0, NULL);
		if (seed % 2 == 0)
			world_assert_completed(sim, before, &setting);
		else
			world_assert_restored(sim, before, false);
	}
}

void edited_autoscaler_is_refused(void **state)
{
	(void)state;
	struct setting setting = {
		.world = WORLD_AUTOSCALED, .batches = "4", .replicas = 4, .seed = first_seed()};
	AUTO_JSON before = NULL;
	AUTO_SIM sim = start_and_stop_looking(&setting, &before);
	set_limit(sim, "minReplicas", 2);
	must_run(sim, run_next, ERR_FOREIGN, "minReplicas");
	set_limit(sim, "minReplicas", 1);
	/* Not a field of the release, but the frozen autoscaler would go by it. */
	set_limit(sim, "maxReplicas", 2);
	must_run(sim, run_next, ERR_FOREIGN, "spec.maxReplicas is 2 now");
	set_limit(sim, "maxReplicas", 6);
	for (int batch = 2; batch <= 4; batch++)
		must_run(sim, run_next, 0, NULL);
	world_assert_completed(sim, before, &setting);
}

/* Everything else is back before somebody has to decide about the autoscaler. */
void abort_does_not_wait_for_an_edited_autoscaler(void **state)
{
	(void)state;
	struct setting setting = {
		.world = WORLD_AUTOSCALED, .batches = "4", .replicas = 4, .seed = first_seed()};
	AUTO_JSON before = NULL;
	AUTO_SIM sim = start_and_stop_looking(&setting, &before);
	set_limit(sim, "minReplicas", 2);
	must_run(sim, run_abort, ERR_FOREIGN, "minReplicas");
	if (replicas_of_stable(sim) != 4 ||
		sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web-v2") != NULL)
		sim_fail(sim, "stable is not back");
	set_limit(sim, "minReplicas", 1);
	must_run(sim, run_abort, 0, NULL);
	world_assert_restored(sim, before, false);
}

/* The first write is the record, the second one freezes. */
static void scale_meanwhile(struct client *client, void *context)
{
	const int *replicas = context;
	if (client->writes != 2)
		return;
	struct object *stable = sim_find(client->sim, &KIND_DEPLOYMENT, NAMESPACE, "web");
	json *tree = json_copy(stable->now);
	json_set_integer(json_get(tree, "spec"), "replicas", *replicas);
	sim_put(client->sim, stable, tree);
}

/* The plan is for another number of replicas then; abort leaves what the autoscaler wanted. */
void scaled_right_before_it_is_frozen(void **state)
{
	(void)state;
	int wish = 6;
	struct setting setting = {
		.world = WORLD_AUTOSCALED, .batches = "4", .replicas = 4, .seed = first_seed()};
	AUTO_SIM sim = world_new(&setting);
	AUTO_JSON before = world_snapshot(sim);
	struct start_options options = world_options(&setting);
	CLEANUP(client_release) struct client client;
	client_init(&client, sim, "one");
	client.interlude = scale_meanwhile;
	client.interlude_context = &wish;
	if (run_start(&client, &options) != ERR_FOREIGN ||
		strstr(client.err.message, "its autoscaler, perhaps") == NULL)
		sim_fail(sim, "start: %s", client.err.message);
	must_run(sim, run_abort, 0, NULL);
	AUTO_JSON after = world_snapshot(sim);
	static const char AUTOSCALER[] = "HorizontalPodAutoscaler/web";
	if (replicas_of_stable(sim) != wish ||
		!json_equal(json_get(after, AUTOSCALER), json_get(before, AUTOSCALER)))
		sim_fail(sim, "stable has %d replicas", replicas_of_stable(sim));
}

/* --- what has been given back --------------------------------------------------------------- */

static bool is_given_back(const struct sim *sim)
{
	return sim->invariants->goal == GOAL_FINISH &&
	       !autoscaler_is_frozen(find_autoscaler(sim)->now);
}

static void die_when_given_back(struct client *client, void *context)
{
	(void)context;
	if (!is_given_back(client->sim))
		return;
	client->cut = CUT_BEFORE;
	client->cut_at = client->writes;
}

#define FEWER 2

/* What it aims at has fewer pods than before the release, and will again. */
static void want_fewer(struct client *client, void *context)
{
	struct sim *sim = client->sim;
	(void)context;
	const char *target =
		json_path_text(find_autoscaler(sim)->now, "spec", "scaleTargetRef", "name", NULL);
	struct object *deployment = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, target);
	json *tree = json_copy(deployment->now);
	json_set_integer(json_get(tree, "spec"), "replicas", FEWER);
	sim_put(sim, deployment, tree);
}

static void play_given_back(const char *handover, uint64_t seed)
{
	struct setting setting = {.world = WORLD_AUTOSCALED,
		.batches = "1",
		.replicas = 4,
		.seed = seed,
		.handover = handover};
	AUTO_SIM sim = world_new(&setting);
	struct start_options options = world_options(&setting);
	sim_remove(sim, sim_find(sim, &KIND_SCALED_OBJECT, NAMESPACE, "queue"));
	sim->autoscaler_next_ms = INT64_MAX;
	CLEANUP(client_release) struct client one, two;
	client_init(&one, sim, "one");
	client_init(&two, sim, "two");
	one.interlude = die_when_given_back;
	if (run_start(&one, &options) == 0 || !one.dead || !is_given_back(sim))
		sim_fail(sim, "start: %s", one.err.message);
	sim->invariants->wounded = true;
	want_fewer(&two, NULL);
	sim_run_for(sim, 20000);
	two.looked = want_fewer;
	if (run_next(&two) != 0)
		sim_fail(sim, "next: %s", two.err.message);
	CLEANUP(record_release) struct record record = {0};
	load_record(sim, &record);
	assert_int_equal(record.phase, PHASE_COMPLETED);
	const char *final = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web") ? "web" : "web-v2";
	const json *deployment = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, final)->now;
	assert_int_equal(json_integer(json_path(deployment, "spec", "replicas", NULL), 1), FEWER);
}

/* Nothing is left then for which the release would need as many pods as before. */
void autoscalers_that_were_given_back_may_want_fewer(void **state)
{
	(void)state;
	static const char *const HANDOVERS[] = {"takeover", "swap", "rolling"};
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(2); seed++)
		for (size_t i = 0; i < COUNT_OF(HANDOVERS); i++)
			play_given_back(HANDOVERS[i], seed);
}

/* --- what is left to itself ----------------------------------------------------------------- */

static void play_ignored(uint64_t seed, bool finish)
{
	struct setting setting = {.world = WORLD_AUTOSCALED,
		.batches = "4",
		.replicas = 4,
		.seed = seed,
		.hpa = "ignore"};
	AUTO_SIM sim = world_new(&setting);
	AUTO_JSON before = world_snapshot(sim);
	/* Fewer than before the release would be the autoscaler's own doing. */
	sim_remove(sim, sim_find(sim, &KIND_SCALED_OBJECT, NAMESPACE, "queue"));
	sim->autoscaler_period_ms = 15000;
	must_start(sim, &setting, 0, NULL);
	for (int batch = 2; batch <= 4; batch++) {
		sim_run_for(sim, 20000);
		if (batch < 4 || finish)
			must_run(sim, run_next, 0, NULL);
	}
	if (!finish)
		must_run(sim, run_abort, 0, NULL);
	sim_run_for(sim, 30000);
	AUTO_JSON after = world_snapshot(sim);
	static const char AUTOSCALER[] = "HorizontalPodAutoscaler/web";
	if (!json_equal(json_get(after, AUTOSCALER), json_get(before, AUTOSCALER)))
		sim_fail(sim, "the autoscaler was touched");
	if (replicas_of_stable(sim) < 4)
		sim_fail(sim, "stable has %d replicas", replicas_of_stable(sim));
}

void ignored_autoscalers_go_on(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(5); seed++) {
		play_ignored(seed, true);
		play_ignored(seed, false);
	}
}
