/* Releases in which nothing goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/invariants.h"
#include "sim/scenarios.h"

uint64_t first_seed(void)
{
	const char *text = getenv("SIM_SEED");
	return text == NULL ? 1 : strtoull(text, NULL, 10);
}

uint64_t seed_count(uint64_t usual)
{
	const char *text = getenv("SIM_SEEDS");
	if (text != NULL)
		return strtoull(text, NULL, 10);
	return getenv("SIM_SEED") != NULL ? 1 : usual;
}

static void assert_phase(struct sim *sim, enum phase phase, int batch)
{
	CLEANUP(record_release) struct record record = {0};
	load_record(sim, &record);
	if (record.phase != phase || record.batch != batch || record.holder.id[0] != '\0')
		sim_fail(sim, "the record is %s at batch %d, held by \"%s\"",
			phase_name(record.phase), record.batch, record.holder.id);
}

static void complete(const struct setting *setting)
{
	int batches = world_batches(setting);
	AUTO_SIM sim = world_new(setting);
	AUTO_JSON before = world_snapshot(sim);
	struct start_options options = world_options(setting);
	for (int batch = 1; batch <= batches; batch++) {
		CLEANUP(client_release) struct client client;
		client_init(&client, sim, "one");
		int code = batch == 1 ? run_start(&client, &options) : run_next(&client);
		if (code != 0)
			sim_fail(sim, "batch %d: %s", batch, client.err.message);
		assert_phase(sim, batch == batches ? PHASE_COMPLETED : PHASE_PAUSED, batch);
	}
	world_assert_completed(sim, before, setting);
}

static void abort_after(const struct setting *setting, int batches)
{
	AUTO_SIM sim = world_new(setting);
	AUTO_JSON before = world_snapshot(sim);
	struct start_options options = world_options(setting);
	for (int batch = 1; batch <= batches; batch++) {
		CLEANUP(client_release) struct client client;
		client_init(&client, sim, "one");
		int code = batch == 1 ? run_start(&client, &options) : run_next(&client);
		if (code != 0)
			sim_fail(sim, "batch %d: %s", batch, client.err.message);
	}
	CLEANUP(client_release) struct client client;
	client_init(&client, sim, "two");
	if (run_abort(&client) != 0)
		sim_fail(sim, "abort: %s", client.err.message);
	assert_phase(sim, PHASE_ABORTED, batches);
	world_assert_restored(sim, before, sim->invariants->finishing);
}

void whole_releases_end_completed(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(3); seed++)
		for (enum world world = 0; world < WORLD_COUNT; world++) {
			complete(&(struct setting){
				.world = world, .batches = "2", .replicas = 4, .seed = seed});
			complete(&(struct setting){
				.world = world, .batches = "4", .replicas = 4, .seed = seed});
			complete(&(struct setting){.world = world,
				.batches = "4",
				.replicas = 10,
				.seed = seed,
				.keep_stable = true});
		}
}

void whole_releases_end_aborted(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(3); seed++)
		for (enum world world = 0; world < WORLD_COUNT; world++)
			for (int batches = 1; batches < 4; batches++)
				abort_after(&(struct setting){.world = world,
						    .batches = "4",
						    .replicas = 4,
						    .seed = seed},
					batches);
}

/* The version before comes back: in the same batches, or at once. */
static void undo(const struct setting *setting, bool now)
{
	AUTO_SIM sim = world_new(setting);
	AUTO_JSON before = world_snapshot(sim);
	struct start_options options = world_options(setting);
	int batches = now ? 1 : world_batches(setting);
	for (int batch = 1; batch <= world_batches(setting); batch++) {
		CLEANUP(client_release) struct client client;
		client_init(&client, sim, "one");
		int code = batch == 1 ? run_start(&client, &options) : run_next(&client);
		if (code != 0)
			sim_fail(sim, "batch %d: %s", batch, client.err.message);
	}
	sim->invariants->undoing = true;
	for (int batch = 1; batch <= batches; batch++) {
		CLEANUP(client_release) struct client client;
		client_init(&client, sim, "two");
		int code = batch == 1 ? run_undo(&client, now) : run_next(&client);
		if (code != 0)
			sim_fail(sim, "undo, batch %d: %s", batch, client.err.message);
		assert_phase(sim, batch == batches ? PHASE_COMPLETED : PHASE_PAUSED, batch);
	}
	world_assert_undone(sim, before, setting);
}

void completed_releases_are_undone(void **state)
{
	(void)state;
	static const char *const HANDOVERS[] = {NULL, "swap", "rolling"};
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(1); seed++)
		for (enum world world = 0; world < WORLD_COUNT; world++)
			for (size_t i = 0; i < COUNT_OF(HANDOVERS); i++)
				undo(&(struct setting){.world = world,
					     .batches = "2",
					     .replicas = 3,
					     .handover =
						     world == WORLD_SELECTED ? NULL : HANDOVERS[i],
					     .seed = seed},
					(seed + world + i) % 3 == 0);
}
