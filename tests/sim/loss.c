/* Records that somebody deletes or damages in the middle of a release. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/invariants.h"
#include "sim/scenarios.h"

static struct object *record_of(const struct sim *sim)
{
	return sim_find(sim, &KIND_CONFIG_MAP, NAMESPACE, "batchrollout-web");
}

static void damage(struct sim *sim)
{
	json *tree = json_copy(record_of(sim)->now);
	json_set_text(json_get(tree, "data"), "release", "{\"format\":1,\"spec\":");
	sim_put(sim, record_of(sim), tree);
}

static bool carries(const struct sim *sim, const struct kind *kind)
{
	sim_each(object, sim,
		kind) if (object->now != NULL &&
			  object_annotation(object->now, RELEASE_ANNOTATION) != NULL) return true;
	return false;
}

/* What is under way when the record is lost. */
enum way { WAY_THERE, WAY_BACK, WAY_BACK_FROM_THE_END, WAY_COUNT };

static void play_whole(struct sim *sim, const struct setting *setting, enum way way)
{
	if (way == WAY_THERE)
		return;
	must_start(sim, setting, 0, NULL);
	for (int i = 1; way == WAY_BACK_FROM_THE_END && i < world_batches(setting); i++)
		must_run(sim, run_next, 0, NULL);
}

/* Plays until the at-th write on this way, by as many verbs as it takes. False when there are
 * fewer. */
static bool play_until(struct sim *sim, const struct setting *setting, enum way way, size_t at)
{
	struct start_options options = world_options(setting);
	play_whole(sim, setting, way);
	for (size_t written = 0; written < at;) {
		CLEANUP(client_release) struct client client;
		client_init(&client, sim, "one");
		client.cut = CUT_AFTER;
		client.cut_at = at - written;
		bool begun = record_of(sim) != NULL;
		int code = way != WAY_THERE ? run_abort(&client)
			   : begun	    ? run_next(&client)
					    : run_start(&client, &options);
		if (client.writes == 0 || (code == 0 && way != WAY_THERE))
			return false;
		if (code != 0 && !client.dead)
			sim_fail(sim, "%s", client.err.message);
		written += client.writes;
	}
	return true;
}

/* Nothing carries it: nothing has been done yet, or all has. */
static void assert_at_rest(
	struct sim *sim, const json *before, const struct setting *setting, enum way way, size_t at)
{
	if ((way == WAY_THERE) == (at == 1))
		world_assert_restored(sim, before, way == WAY_BACK_FROM_THE_END);
	else
		world_assert_completed(sim, before, setting);
}

/* The record is lost after the at-th write; abort brings back everything all the same. False when
 * there are fewer writes. */
static bool lose_at(const struct setting *setting, enum way way, size_t at, bool damaged)
{
	AUTO_SIM sim = world_new(setting);
	AUTO_JSON before = world_snapshot(sim);
	if (!play_until(sim, setting, way, at))
		return false;
	bool carried = carries(sim, &KIND_DEPLOYMENT) || carries(sim, &KIND_REPLICA_SET);
	sim->invariants->unreadable = true;
	if (damaged)
		damage(sim);
	else
		sim_remove(sim, record_of(sim));
	CLEANUP(client_release) struct client client;
	client_init(&client, sim, "two");
	int code = run_abort(&client);
	if (code != (carried ? 0 : damaged ? ERR_INVALID : ERR_NOT_FOUND))
		sim_fail(sim, "way %d, write %zu: abort returned %d: %s", way, at, code,
			client.err.message);
	if (carried)
		world_assert_restored(sim, before, true);
	else
		assert_at_rest(sim, before, setting, way, at);
	return true;
}

/* Each world by the handover that it chooses itself, and by another. */
void lost_records_are_made_again(void **state)
{
	static const char *const OTHERS[] = {"rolling", "swap"};
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(1); seed++)
		for (enum world world = 0; world < WORLD_COUNT; world++)
			for (enum way way = 0; way < WAY_COUNT; way++) {
				struct setting setting = {.world = world,
					.batches = "2",
					.replicas = 3,
					.seed = seed,
					.handover =
						((int)world + (int)way) % 2 == 0 ||
								world == WORLD_SELECTED
							? NULL
							: OTHERS[((int)world / 2 + (int)way) % 2]};
				for (size_t at = 1; lose_at(&setting, way, at, at % 4 < 2); at++)
					continue;
			}
}
