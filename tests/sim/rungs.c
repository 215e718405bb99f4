/* What others do at a certain moment, for which one rung has to have an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/invariants.h"
#include "sim/scenarios.h"

static struct object *find_deployment(const struct sim *sim, const char *name)
{
	return sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, name);
}

/* Somebody sets a member of its spec; NULL takes it away. */
static void set_member(struct sim *sim, const char *name, const char *member, json *value_taken)
{
	struct object *deployment = find_deployment(sim, name);
	json *tree = json_copy(deployment->now);
	json_set(json_get(tree, "spec"), member, value_taken);
	sim_put(sim, deployment, tree);
	sim_run_for(sim, 20000);
}

static void assert_phase(struct sim *sim, enum phase phase)
{
	CLEANUP(record_release) struct record record = {0};
	load_record(sim, &record);
	if (record.phase != phase)
		sim_fail(sim, "the record is %s", phase_name(record.phase));
}

/* A process that dies before the first write for which this is so. */
struct death {
	bool (*comes)(const struct sim *sim);
};

static void die_when_it_comes(struct client *client, void *context)
{
	const struct death *death = context;
	if (!death->comes(client->sim))
		return;
	client->cut = CUT_BEFORE;
	client->cut_at = client->writes;
}

static void run_until(struct sim *sim, verb_function *verb, bool (*comes)(const struct sim *sim))
{
	struct death death = {.comes = comes};
	CLEANUP(client_release) struct client client;
	client_init(&client, sim, "one");
	client.interlude = die_when_it_comes;
	client.interlude_context = &death;
	int code = verb(&client);
	if (!client.dead)
		sim_fail(sim, "it did not die, but returned %d: %s", code, client.err.message);
}

/* --- pods of others ------------------------------------------------------------------------- */

static const struct kind JOB = {
	.name = "Job", .version = "batch/v1", .plural = "jobs", .singular = "job.batch"};

/* A migration of the same chart, whose pods have the labels of the new version's. */
static void add_job(struct sim *sim, const char *name, const char *phase)
{
	struct object *job = sim_create(sim, &JOB, object_new(&JOB, NAMESPACE, name));
	AUTO_STRING pod_name = mem_format("%s-x7k2p", name);
	json *pod = object_new(&KIND_POD, NAMESPACE, pod_name);
	object_set_label(pod, "app", "web");
	object_set_label(pod, "version", "v2");
	json_set_text(json_ensure_object(pod, "status"), "phase", phase);
	sim_add_owner(pod, job);
	(void)sim_create(sim, &KIND_POD, pod);
}

static void remove_jobs(struct sim *sim)
{
	sim_each(job, sim, &JOB) if (job->now != NULL) sim_remove(sim, job);
	sim_run_for(sim, 20000);
}

static void play_with_jobs(enum world world, bool finish)
{
	struct setting setting = {.world = world,
		.batches = "2",
		.replicas = 4,
		.seed = first_seed(),
		.handover = world == WORLD_SELECTED ? NULL : "rolling"};
	AUTO_SIM sim = world_new(&setting);
	AUTO_JSON before = world_snapshot(sim);
	must_start(sim, &setting, 0, NULL);
	add_job(sim, "migrate", "Running");
	add_job(sim, "seed", "Succeeded");
	must_run(sim, finish ? run_next_all : run_abort, 0, NULL);
	remove_jobs(sim);
	if (finish)
		world_assert_completed(sim, before, &setting);
	else
		world_assert_restored(sim, before, false);
}

void pods_of_others_are_not_waited_for(void **state)
{
	(void)state;
	for (enum world world = 0; world < WORLD_COUNT; world++) {
		play_with_jobs(world, true);
		play_with_jobs(world, false);
	}
}

/* --- a swap that is taken back -------------------------------------------------------------- */

void abort_of_a_swap_keeps_what_was_scaled_up(void **state)
{
	(void)state;
	static const enum world WORLDS[] = {WORLD_REPLICAS, WORLD_ROUTED, WORLD_SELECTED};
	for (size_t i = 0; i < COUNT_OF(WORLDS); i++) {
		struct setting setting = {.world = WORLDS[i],
			.batches = "1",
			.replicas = 4,
			.seed = first_seed(),
			.handover = "swap"};
		AUTO_SIM sim = world_new(&setting);
		must_start(sim, &setting, 0, NULL);
		assert_phase(sim, PHASE_COMPLETED);
		set_member(sim, "web-v2", "replicas", json_number(8));
		/* From here on, 8 are needed. */
		sim->invariants->replicas = 8;
		must_run(sim, run_abort, 0, NULL);
		sim_run_for(sim, 30000);
		assert_int_equal(json_integer(json_path(find_deployment(sim, "web")->now, "spec",
						      "replicas", NULL),
					 0),
			8);
	}
}

/* --- records that are deleted --------------------------------------------------------------- */

static void delete_record(struct sim *sim)
{
	struct object *record = sim_find(sim, &KIND_CONFIG_MAP, NAMESPACE, "batchrollout-web");
	if (record != NULL)
		sim_remove(sim, record);
}

struct deletion {
	size_t looks, at; /* how often the record was read, and when it is deleted */
};

static void delete_after_look(struct client *client, void *context)
{
	struct deletion *deletion = context;
	if (++deletion->looks == deletion->at)
		delete_record(client->sim);
}

/* Whoever deleted it did so on purpose, or is to hear what they have done. */
static void assert_told(const struct client *client, int code)
{
	bool told = strstr(client->err.message, "somebody deleted it") != NULL ||
		    strstr(client->err.message, "no release of service") != NULL;
	if (code == 0 || code == ERR_BUSY || !told)
		sim_fail(client->sim, "returned %d: %s", code, client->err.message);
}

/* False when the verb does not look so often. */
static bool delete_at(const struct setting *setting, size_t at)
{
	AUTO_SIM sim = world_new(setting);
	struct deletion deletion = {.at = at};
	must_start(sim, setting, 0, NULL);
	CLEANUP(client_release) struct client client;
	client_init(&client, sim, "one");
	client.looked = delete_after_look;
	client.looked_context = &deletion;
	int code = run_next_all(&client);
	if (deletion.looks < at)
		return false;
	assert_told(&client, code);
	return true;
}

void records_deleted_at_any_time_are_reported(void **state)
{
	(void)state;
	static const enum world WORLDS[] = {WORLD_REPLICAS, WORLD_ROUTED};
	for (size_t i = 0; i < COUNT_OF(WORLDS); i++) {
		struct setting setting = {
			.world = WORLDS[i], .batches = "2", .replicas = 2, .seed = first_seed()};
		for (size_t at = 1; delete_at(&setting, at); at++)
			continue;
	}
}

static void delete_while_waiting(struct client *client, void *context)
{
	(void)context;
	sim_run_for(client->sim, 3000);
	delete_record(client->sim);
}

/* That is no sign of its holder's life. */
void record_deleted_while_its_holder_is_watched(void **state)
{
	(void)state;
	struct setting setting = {
		.world = WORLD_ISTIO, .batches = "2", .replicas = 4, .seed = first_seed()};
	AUTO_SIM sim = world_new(&setting);
	struct start_options options = world_options(&setting);
	CLEANUP(client_release) struct client one, two;
	client_init(&one, sim, "one");
	client_init(&two, sim, "two");
	one.machine = "here";
	two.machine = "there";
	one.cut = CUT_AFTER;
	one.cut_at = 6;
	(void)run_start(&one, &options);
	two.waiting = delete_while_waiting;
	assert_told(&two, run_next(&two));
}

/* --- the room in the history ---------------------------------------------------------------- */

static bool copy_is_taken(const struct sim *sim)
{
	return sim->invariants->goal == GOAL_FINISH && find_deployment(sim, "web-v2") == NULL;
}

/* Whoever sees the pause of a takeover that was killed may end it. */
void history_limit_is_given_back_after_a_resume(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(5); seed++) {
		struct setting setting = {.world = WORLD_SUBSETS,
			.batches = "1",
			.replicas = 4,
			.seed = seed,
			.hold = true};
		AUTO_SIM sim = world_new(&setting);
		AUTO_JSON before = world_snapshot(sim);
		must_start(sim, &setting, 0, NULL);
		run_until(sim, run_next, copy_is_taken);
		set_member(sim, "web", "paused", NULL);
		must_run(sim, run_next, 0, NULL);
		world_assert_completed(sim, before, &setting);
	}
}

static bool stable_is_renewed(const struct sim *sim)
{
	const json *stable = find_deployment(sim, "web")->now;
	return str_equal(json_get_text(json_first(json_path(stable, "spec", "template", "spec",
					       "containers", NULL)),
				 "image"),
		"registry/web:v2");
}

/* Somebody has paused it before the takeover does. */
void history_has_room_under_another_pause(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(5); seed++) {
		struct setting setting = {.world = WORLD_SUBSETS,
			.batches = "1",
			.replicas = 4,
			.seed = seed,
			.hold = true,
			.spec = "{'revisionHistoryLimit': 0}"};
		AUTO_SIM sim = world_new(&setting);
		AUTO_JSON before = world_snapshot(sim);
		must_start(sim, &setting, 0, NULL);
		set_member(sim, "web", "paused", json_bool(true));
		run_until(sim, run_next, stable_is_renewed);
		sim_run_for(sim, 20000);
		must_run(sim, run_abort, 0, NULL);
		world_assert_restored(sim, before, true);
	}
}

/* --- changes that are made again ------------------------------------------------------------ */

static bool pin_has_settled(const struct sim *sim)
{
	const json *record = sim_find(sim, &KIND_CONFIG_MAP, NAMESPACE, "batchrollout-web")->now;
	return strstr(json_path_text(record, "data", "release", NULL), "\"abort-pinned\"") != NULL;
}

/* Routes had time to reach the proxies, before what they had named went. */
static void assert_settled_before_deletion(const struct sim *sim, const struct object *copy)
{
	int64_t routed_at = -1;
	for (size_t i = 0; i < sim->event_count; i++) {
		const struct event *event = &sim->events[i];
		bool deleted = event->object == copy && str_equal(event->type, "DELETED");
		if (event->object->kind == &KIND_VIRTUAL_SERVICE)
			routed_at = event->at;
		if (deleted && event->at - routed_at < 2000)
			sim_fail(sim, "the copy goes %d ms after the last change of routes",
				(int)(event->at - routed_at));
	}
}

/* Somebody puts the routes back between the settle and the deletion of the copy. */
void changes_made_again_settle_again(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(5); seed++) {
		struct setting setting = {
			.world = WORLD_ROUTED, .batches = "2", .replicas = 4, .seed = seed};
		AUTO_SIM sim = world_new(&setting);
		AUTO_JSON before = world_snapshot(sim);
		must_start(sim, &setting, 0, NULL);
		struct object *routes = sim_find(sim, &KIND_VIRTUAL_SERVICE, NAMESPACE, "web");
		const struct object *copy = find_deployment(sim, "web-v2");
		AUTO_JSON half = json_copy(routes->now);
		run_until(sim, run_abort, pin_has_settled);
		sim_put(sim, routes, TAKE(half));
		sim_run_for(sim, 20000);
		must_run(sim, run_abort, 0, NULL);
		assert_settled_before_deletion(sim, copy);
		world_assert_restored(sim, before, false);
	}
}

/* --- a copy that somebody scales down, held at 100% ------------------------------------------ */

void held_copy_is_scaled_up_again(void **state)
{
	static const char *const HANDOVERS[] = {"takeover", "swap", "rolling"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(HANDOVERS); i++) {
		struct setting setting = {.world = WORLD_REPLICAS,
			.batches = "1",
			.replicas = 3,
			.seed = first_seed(),
			.handover = HANDOVERS[i],
			.hold = true};
		AUTO_SIM sim = world_new(&setting);
		AUTO_JSON before = world_snapshot(sim);
		must_start(sim, &setting, 0, NULL);
		assert_phase(sim, PHASE_PAUSED);
		invariants_wound(sim, true);
		set_member(sim, "web-v2", "replicas", json_number(1));
		must_run(sim, run_next, 0, NULL);
		assert_phase(sim, PHASE_COMPLETED);
		world_assert_completed(sim, before, &setting);
	}
}
