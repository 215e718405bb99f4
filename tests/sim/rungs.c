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
