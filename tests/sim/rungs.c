/* What others do at a certain moment, for which one rung has to have an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/invariants.h"
#include "sim/scenarios.h"

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
