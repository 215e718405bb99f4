/* A deployment tool that puts back, in the middle of a release, what Git has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/invariants.h"
#include "sim/scenarios.h"

static int replicas_of_stable(const struct sim *sim)
{
	const json *stable = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web")->now;
	return (int)json_integer(json_path(stable, "spec", "replicas", NULL), 0);
}

static void scale(struct sim *sim, int replicas)
{
	struct object *stable = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web");
	json *tree = json_copy(stable->now);
	json_set_integer(json_get(tree, "spec"), "replicas", replicas);
	sim_put(sim, stable, tree);
}

struct syncs {
	int most, done;
};

/* As often as it is emptied, while the release waits; its pods serve again by then. */
static void scale_back(struct client *client, void *context)
{
	struct syncs *syncs = context;
	if (replicas_of_stable(client->sim) > 0 || syncs->done == syncs->most)
		return;
	syncs->done++;
	scale(client->sim, 4);
	sim_run_for(client->sim, 10000);
}

static int next_while_scaled_back(struct sim *sim, struct syncs *syncs, struct err *err)
{
	CLEANUP(client_release) struct client client;
	client_init(&client, sim, "one");
	client.waiting = scale_back;
	client.waiting_context = syncs;
	int code = run_next(&client);
	*err = client.err;
	return code;
}

/* Once is answered; again is not fought. The next step goes on from there, and so does abort. */
void scaled_back_again_is_not_fought(void **state)
{
	(void)state;
	for (enum world world = 0; world < WORLD_COUNT; world++)
		for (int aborted = 0; aborted < 2; aborted++) {
			struct setting setting = {.world = world,
				.batches = "2",
				.replicas = 4,
				.seed = first_seed(),
				.hold = true};
			struct err err = {0};
			struct syncs once = {.most = 1}, always = {.most = 100};
			AUTO_SIM sim = world_new(&setting);
			AUTO_JSON before = world_snapshot(sim);
			must_start(sim, &setting, 0, NULL);
			if (replicas_of_stable(sim) == 4)
				must_run(sim, run_next, 0, NULL);
			sim->invariants->wounded = true;
			if (next_while_scaled_back(sim, &always, &err) != ERR_FOREIGN ||
				strstr(err.message, "undoes again and again") == NULL)
				sim_fail(sim, "next: %s", err.message);
			if (always.done != 2 || replicas_of_stable(sim) != 4)
				sim_fail(sim, "scaled back %d times", always.done);
			sim_run_for(sim, 30000);
			if (next_while_scaled_back(sim, &once, &err) != 0 || once.done != 1)
				sim_fail(sim, "next: %s", err.message);
			must_run(sim, aborted ? run_abort : run_next, 0, NULL);
			if (aborted)
				world_assert_restored(sim, before, false);
			else
				world_assert_completed(sim, before, &setting);
		}
}

/* As often as it is frozen when the release looks. */
static void thaw(struct client *client, void *context)
{
	struct syncs *syncs = context;
	struct object *autoscaler =
		sim_find(client->sim, &KIND_HORIZONTAL_POD_AUTOSCALER, NAMESPACE, "web");
	if (json_integer(json_path(autoscaler->now, "spec", "minReplicas", NULL), 1) > 1)
		return;
	syncs->done++;
	json *tree = json_copy(autoscaler->now);
	json_set_integer(json_get(tree, "spec"), "minReplicas", 4);
	sim_put(client->sim, autoscaler, tree);
}

void thawed_again_is_not_fought(void **state)
{
	(void)state;
	struct setting setting = {
		.world = WORLD_AUTOSCALED, .batches = "2", .replicas = 4, .seed = first_seed()};
	struct syncs syncs = {0};
	AUTO_SIM sim = world_new(&setting);
	AUTO_JSON before = world_snapshot(sim);
	must_start(sim, &setting, 0, NULL);
	/* It does not look again before the end. */
	sim->autoscaler_period_ms = 1000000;
	sim_run_for(sim, 3000);
	CLEANUP(client_release) struct client client;
	client_init(&client, sim, "one");
	client.looked = thaw;
	client.looked_context = &syncs;
	if (run_next(&client) != ERR_FOREIGN ||
		strstr(client.err.message, "undoes again and again") == NULL || syncs.done != 3)
		sim_fail(sim, "next, %d times: %s", syncs.done, client.err.message);
	must_run(sim, run_next, 0, NULL);
	world_assert_completed(sim, before, &setting);
}

/* --- a swap's finish ------------------------------------------------------------------------ */

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
