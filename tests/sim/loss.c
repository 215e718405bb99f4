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

/* Plays until the at-th write, by as many verbs as it takes. False when there are fewer. */
static bool play_until(struct sim *sim, const struct setting *setting, size_t at)
{
	struct start_options options = world_options(setting);
	for (size_t written = 0; written < at;) {
		CLEANUP(client_release) struct client client;
		client_init(&client, sim, "one");
		client.cut = CUT_AFTER;
		client.cut_at = at - written;
		bool begun = record_of(sim) != NULL;
		int code = begun ? run_next(&client) : run_start(&client, &options);
		if (code == ERR_FAILED && begun)
			return false;
		if (code != 0 && !client.dead)
			sim_fail(sim, "%s", client.err.message);
		written += client.writes;
	}
	return true;
}

/* The record is lost after the at-th write; abort brings back everything all the same, as soon as
 * something carries the release. False when the release has fewer writes. */
static bool lose_at(const struct setting *setting, size_t at, bool damaged)
{
	AUTO_SIM sim = world_new(setting);
	AUTO_JSON before = world_snapshot(sim);
	if (!play_until(sim, setting, at))
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
	if (!carried && code != (damaged ? ERR_INVALID : ERR_NOT_FOUND))
		sim_fail(sim, "write %zu: abort returned %d: %s", at, code, client.err.message);
	if (carried && code != 0)
		sim_fail(sim, "write %zu: abort returned %d: %s", at, code, client.err.message);
	if (carried)
		world_assert_restored(sim, before, true);
	return true;
}

void lost_records_are_made_again(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(1); seed++)
		for (enum world world = 0; world < WORLD_COUNT; world++) {
			struct setting setting = {
				.world = world, .batches = "2", .replicas = 3, .seed = seed};
			for (size_t at = 1 + world % 2; lose_at(&setting, at, at % 4 < 2); at += 2)
				continue;
		}
}
