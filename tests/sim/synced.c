/* A deployment tool that puts back, in the middle of a release, what Git has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/invariants.h"
#include "sim/scenarios.h"

/* As it was before the release, as soon as it is gone. */
static void make_again(struct client *client, void *context)
{
	const json *deployment = context;
	struct sim *sim = client->sim;
	if (sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web") != NULL)
		return;
	json *tree = json_copy(deployment);
	object_strip_server_fields(tree);
	(void)sim_create(sim, &KIND_DEPLOYMENT, tree);
}

static struct sim *finish_while_made_again(const struct setting *setting, json **ret_before)
{
	struct sim *sim = world_new(setting);
	*ret_before = world_snapshot(sim);
	AUTO_JSON deployment = json_copy(sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web")->now);
	must_start(sim, setting, 0, NULL);
	CLEANUP(client_release) struct client client;
	client_init(&client, sim, "one");
	client.interlude = make_again;
	client.interlude_context = deployment;
	sim->invariants->wounded = sim->invariants->remade = true;
	if (run_next_all(&client) != ERR_FOREIGN ||
		strstr(client.err.message, "was deleted and made again") == NULL)
		sim_fail(sim, "next: %s", client.err.message);
	return sim;
}

void made_again_in_a_swap_is_not_fought(void **state)
{
	(void)state;
	for (enum world world = 0; world < WORLD_COUNT; world++)
		for (int aborted = 0; aborted < 2; aborted++) {
			struct setting setting = {.world = world,
				.batches = "2",
				.replicas = 4,
				.seed = first_seed(),
				.handover = "swap"};
			AUTO_JSON before = NULL;
			AUTO_SIM sim = finish_while_made_again(&setting, &before);
			sim_run_for(sim, 30000);
			struct object *stable = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web");
			AUTO_JSON found = json_copy(stable->now);
			must_run(sim, run_next, ERR_FOREIGN, "was deleted and made again");
			if (!json_equal(found, stable->now))
				sim_fail(sim, "it was touched");
			if (aborted) {
				must_run(sim, run_abort, 0, NULL);
				world_assert_restored(sim, before, true);
				continue;
			}
			sim_delete(sim, stable, "Background");
			sim_run_for(sim, 30000);
			must_run(sim, run_next, 0, NULL);
			world_assert_completed(sim, before, &setting);
		}
}
