/* Releases in which pods do not start, other people act, or the release was over already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/invariants.h"
#include "sim/scenarios.h"

static void assert_phase(struct sim *sim, enum phase phase)
{
	CLEANUP(record_release) struct record record = {0};
	load_record(sim, &record);
	if (record.phase != phase || record.holder.id[0] != '\0')
		sim_fail(sim, "the record is %s, held by \"%s\"", phase_name(record.phase),
			record.holder.id);
	bool failed = phase == PHASE_FAILED;
	if (failed != (record.message != NULL))
		sim_fail(sim, "the record's message is %s",
			record.message == NULL ? "missing" : record.message);
}

/* Somebody else's edit of an object, as by kubectl. */
static json *begin_edit(struct sim *sim, const struct kind *kind, const char *name)
{
	return json_copy(sim_find(sim, kind, NAMESPACE, name)->now);
}

static void end_edit(struct sim *sim, const struct kind *kind, json *tree_taken)
{
	sim_put(sim, sim_find(sim, kind, NAMESPACE, object_name(tree_taken)), tree_taken);
	sim_run_for(sim, 10000);
}

static void scale(struct sim *sim, const char *name, int replicas)
{
	json *tree = begin_edit(sim, &KIND_DEPLOYMENT, name);
	json_set_integer(json_get(tree, "spec"), "replicas", replicas);
	end_edit(sim, &KIND_DEPLOYMENT, tree);
}

static json *container_of(const json *deployment)
{
	return json_first(json_path(deployment, "spec", "template", "spec", "containers", NULL));
}

/* --- pods that do not start ----------------------------------------------------------------- */

static void pods_fail(enum world world, uint64_t seed, bool retry)
{
	struct setting setting = {.world = world, .batches = "2", .replicas = 4, .seed = seed};
	AUTO_SIM sim = world_new(&setting);
	AUTO_JSON before = world_snapshot(sim);
	sim->broken_image = "registry/web:v2";
	must_start(sim, &setting, ERR_TIMED_OUT, "ImagePullBackOff");
	assert_phase(sim, PHASE_FAILED);
	if (!retry) {
		must_run(sim, run_abort, 0, NULL);
		assert_phase(sim, PHASE_ABORTED);
		world_assert_restored(sim, before, false);
		return;
	}
	must_run(sim, run_next, ERR_TIMED_OUT, "ImagePullBackOff");
	sim_heal(sim);
	for (int batch = 1; batch < world_batches(&setting); batch++) {
		must_run(sim, run_next, 0, NULL);
		assert_phase(sim, PHASE_PAUSED);
	}
	must_run(sim, run_next, 0, NULL);
	assert_phase(sim, PHASE_COMPLETED);
	world_assert_completed(sim, before, &setting);
}

void pods_that_do_not_start_time_out(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(2); seed++)
		for (enum world world = 0; world < WORLD_COUNT; world++) {
			pods_fail(world, seed, true);
			pods_fail(world, seed, false);
		}
}

/* --- several people ------------------------------------------------------------------------- */

/* The holder shows that it is alive while somebody else looks. */
static void renew_meanwhile(struct client *client, void *context)
{
	struct sim *sim = client->sim;
	CLEANUP(record_release) struct record record = {0};
	(void)context;
	sim_run_for(sim, 3000);
	load_record(sim, &record);
	record.holder.renewals++;
	sim_put(sim, sim_find(sim, &KIND_CONFIG_MAP, NAMESPACE, "batchrollout-web"),
		record_to_configmap(&record));
}

static void second_is_busy(bool same_machine, bool alive)
{
	struct setting setting = {
		.world = WORLD_ISTIO, .batches = "2", .replicas = 4, .seed = first_seed()};
	AUTO_SIM sim = world_new(&setting);
	struct start_options options = world_options(&setting);
	struct client one, two;
	client_init(&one, sim, "one");
	client_init(&two, sim, "two");
	one.machine = "here";
	one.process = alive ? "alive" : "dead";
	two.machine = same_machine ? "here" : "there";
	one.cut = CUT_AFTER;
	one.cut_at = 6;
	(void)run_start(&one, &options);
	if (alive && !same_machine)
		two.waiting = renew_meanwhile;
	int64_t asked_ms = sim->now_ms;
	int code = run_next(&two);
	if (alive && (code != ERR_BUSY || strstr(two.err.message, "one@here") == NULL))
		sim_fail(sim, "returned %d: %s", code, two.err.message);
	if (alive && same_machine && sim->now_ms - asked_ms > 1000)
		sim_fail(sim, "waited although the process is seen to be alive");
	if (!alive && code != 0)
		sim_fail(sim, "returned %d: %s", code, two.err.message);
	client_release(&one);
	client_release(&two);
}

void second_holder_is_refused(void **state)
{
	(void)state;
	second_is_busy(true, true);
	second_is_busy(false, true);
	second_is_busy(true, false);
	second_is_busy(false, false);
}

/* While it waits, the holder must show itself well within the lease. */
void holder_renews_while_it_waits(void **state)
{
	(void)state;
	struct setting setting = {
		.world = WORLD_REPLICAS, .batches = "2", .replicas = 2, .seed = first_seed()};
	AUTO_SIM sim = world_new(&setting);
	sim->broken_image = "registry/web:v2";
	int64_t last = sim->now_ms;
	must_start(sim, &setting, ERR_TIMED_OUT, NULL);
	for (size_t i = 0; i < sim->event_count; i++) {
		const struct event *event = &sim->events[i];
		if (event->object->kind != &KIND_CONFIG_MAP)
			continue;
		if (event->at - last > LEASE_MS / 2)
			sim_fail(sim, "no sign of life for %d ms", (int)(event->at - last));
		last = event->at;
	}
}

struct takeover {
	size_t looks, at; /* how often the record was read, and when somebody takes over */
	bool came;
};

/* Somebody else aborts between the holder's look and what it does then. */
static void take_over(struct client *client, void *context)
{
	struct takeover *takeover = context;
	if (++takeover->looks != takeover->at ||
		sim_find(client->sim, &KIND_CONFIG_MAP, NAMESPACE, "batchrollout-web") == NULL)
		return;
	takeover->came = true;
	must_run(client->sim, run_abort, 0, NULL);
}

/* The holder is stopped (a closed laptop) after it has looked at the record for the at-th time;
 * goes on when somebody else is done. False when the verb does not look so often. */
static bool takeover_at(const struct setting *setting, size_t at, bool starting)
{
	AUTO_SIM sim = world_new(setting);
	AUTO_JSON before = world_snapshot(sim);
	struct takeover takeover = {.at = at};
	struct start_options options = world_options(setting);
	if (!starting)
		must_start(sim, setting, 0, NULL);
	CLEANUP(client_release) struct client client;
	client_init(&client, sim, "one");
	client.process = "alive";
	client.looked = take_over;
	client.looked_context = &takeover;
	int code = starting ? run_start(&client, &options) : run_next(&client);
	if (!takeover.came)
		return false;
	/* Before it has claimed the release, it is told that there is nothing to go on with. */
	if (code != ERR_BUSY && code != ERR_FAILED)
		sim_fail(
			sim, "takeover at look %zu: returned %d: %s", at, code, client.err.message);
	assert_phase(sim, PHASE_ABORTED);
	world_assert_restored(sim, before, sim->invariants->finishing);
	return true;
}

void abort_takes_over_at_any_time(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(1); seed++)
		for (enum world world = 0; world < WORLD_COUNT; world++) {
			struct setting setting = {
				.world = world, .batches = "3", .replicas = 4, .seed = seed};
			/* The first look of start is for a record that is not there yet. */
			for (size_t at = 2; takeover_at(&setting, at, true); at++)
				continue;
			for (size_t at = 1; takeover_at(&setting, at, false); at++)
				continue;
		}
}

/* --- what others change --------------------------------------------------------------------- */

static struct sim *paused_release(enum world world, struct setting *ret_setting, json **ret_before)
{
	*ret_setting = (struct setting){
		.world = world, .batches = "2", .replicas = 4, .seed = first_seed()};
	struct sim *sim = world_new(ret_setting);
	*ret_before = world_snapshot(sim);
	must_start(sim, ret_setting, 0, NULL);
	return sim;
}

void scaled_stable_is_refused(void **state)
{
	(void)state;
	struct setting setting;
	AUTO_JSON before = NULL;
	AUTO_SIM sim = paused_release(WORLD_ISTIO, &setting, &before);
	scale(sim, "web", 7);
	must_run(sim, run_next, ERR_FOREIGN, "scaled to 7");
	assert_phase(sim, PHASE_FAILED);
	scale(sim, "web", 4);
	must_run(sim, run_next, 0, NULL);
	world_assert_completed(sim, before, &setting);
}

static int replicas_of(const struct sim *sim, const char *deployment)
{
	const json *tree = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, deployment)->now;
	return (int)json_integer(json_path(tree, "spec", "replicas", NULL), 0);
}

void abort_keeps_a_wish_for_more_pods(void **state)
{
	(void)state;
	struct setting setting;
	AUTO_JSON before = NULL;
	AUTO_SIM sim = paused_release(WORLD_REPLICAS, &setting, &before);
	scale(sim, "web", 7);
	must_run(sim, run_abort, 0, NULL);
	assert_int_equal(replicas_of(sim, "web"), 7);
}

static void begin_set_image(struct sim *sim, const char *deployment, const char *image)
{
	json *tree = begin_edit(sim, &KIND_DEPLOYMENT, deployment);
	json_set_text(container_of(tree), "image", image);
	sim_put(sim, sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, deployment), tree);
}

static void set_image(struct sim *sim, const char *deployment, const char *image)
{
	begin_set_image(sim, deployment, image);
	sim_run_for(sim, 40000);
}

/* Nobody has looked at what it runs. */
void edited_copy_is_refused(void **state)
{
	(void)state;
	for (enum world world = 0; world < WORLD_COUNT; world++) {
		struct setting setting;
		AUTO_JSON before = NULL;
		AUTO_SIM sim = paused_release(world, &setting, &before);
		sim->invariants->wounded = true;
		sim->invariants->stable_sets++;
		set_image(sim, "web-v2", "registry/web:v9");
		must_run(sim, run_next, ERR_FOREIGN, "which has the new version, was changed");
		set_image(sim, "web-v2", "registry/web:v2");
		/* What is left of it is an empty ReplicaSet, whose pods nobody wants again. */
		sim_run_for(sim, 60000);
		sim->invariants->wounded = false;
		must_run(sim, run_next_all, 0, NULL);
		world_assert_completed(sim, before, &setting);
	}
}

static void take_an_edit_back_before_the_end(enum world world, int64_t milliseconds_before)
{
	struct setting setting = {
		.world = world, .batches = "1", .hold = true, .replicas = 3, .seed = first_seed()};
	AUTO_SIM sim = world_new(&setting);
	AUTO_JSON before = world_snapshot(sim);
	must_start(sim, &setting, 0, NULL);
	/* Rules have a batch of their own, before the one of all. */
	if (replicas_of(sim, "web") > 0)
		must_run(sim, run_next, 0, NULL);
	sim->invariants->wounded = true;
	sim->invariants->stable_sets++;
	set_image(sim, "web-v2", "registry/web:v9");
	begin_set_image(sim, "web-v2", "registry/web:v2");
	sim_run_for(sim, milliseconds_before);
	must_run(sim, run_next, 0, NULL);
	world_assert_completed(sim, before, &setting);
}

/* The pods of the edit are as many as there are to be, and serve, while the controller is on the
 * way back from them: with 3 replicas a rolling update takes none away before there is another. */
void pods_of_an_edit_that_was_taken_back_are_not_handed_over(void **state)
{
	(void)state;
	for (enum world world = 0; world < WORLD_COUNT; world++)
		for (int64_t milliseconds = 0; milliseconds <= 1000; milliseconds += 50)
			take_an_edit_back_before_the_end(world, milliseconds);
}

void deleted_stable_is_made_again_by_abort(void **state)
{
	(void)state;
	for (enum world world = 0; world < WORLD_COUNT; world++) {
		struct setting setting;
		AUTO_JSON before = NULL;
		AUTO_SIM sim = paused_release(world, &setting, &before);
		sim->invariants->wounded = sim->invariants->swapped = true;
		sim_delete(sim, sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web"), "Background");
		sim_run_for(sim, 30000);
		must_run(sim, run_next, ERR_FOREIGN, "makes it again");
		sim->invariants->remade = true;
		must_run(sim, run_abort, 0, NULL);
		assert_phase(sim, PHASE_ABORTED);
		world_assert_restored(sim, before, true);
	}
}

/* What was before the release is not what somebody would have back. */
void changed_since_its_end_is_not_aborted(void **state)
{
	(void)state;
	for (enum world world = 0; world < WORLD_COUNT; world++) {
		struct setting setting;
		AUTO_JSON before = NULL;
		AUTO_SIM sim = paused_release(world, &setting, &before);
		must_run(sim, run_next_all, 0, NULL);
		assert_phase(sim, PHASE_COMPLETED);
		sim->invariants->wounded = true;
		sim->invariants->stable_sets++;
		bool swapped = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web") == NULL;
		set_image(sim, swapped ? "web-v2" : "web", "registry/web:v3");
		size_t events = sim->event_count;
		must_run(sim, run_abort, ERR_FOREIGN, "does not run v2 any more");
		assert_int_equal(sim->event_count, events);
		assert_phase(sim, PHASE_COMPLETED);
	}
}

void edited_template_is_refused_and_kept(void **state)
{
	(void)state;
	for (enum world world = 0; world < WORLD_COUNT; world++) {
		struct setting setting;
		AUTO_JSON before = NULL;
		AUTO_SIM sim = paused_release(world, &setting, &before);
		sim->invariants->stable_sets++;
		sim->invariants->degraded = true;
		json *tree = begin_edit(sim, &KIND_DEPLOYMENT, "web");
		json_set_text(container_of(tree), "image", "registry/web:v9");
		end_edit(sim, &KIND_DEPLOYMENT, tree);
		must_run(sim, run_next, ERR_FOREIGN, "pod template");
		must_run(sim, run_abort, 0, NULL);
		assert_phase(sim, PHASE_ABORTED);
		sim_run_for(sim, 30000);
		const json *stable = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web")->now;
		assert_string_equal(
			json_get_text(container_of(stable), "image"), "registry/web:v9");
		const json *tag = json_path(
			stable, "spec", "template", "metadata", "labels", "version", NULL);
		bool had_tag = json_path(before, "Deployment/web", "spec", "template", "metadata",
				       "labels", "version", NULL) != NULL;
		assert_true((tag != NULL) == had_tag);
		if (json_path(stable, "spec", "paused", NULL) != NULL)
			sim_fail(sim, "left paused");
	}
}

static json *first_destination(const json *virtualservice)
{
	json *routes = json_path(virtualservice, "spec", "http", NULL);
	return json_first(json_get(json_at(routes, 2), "route"));
}

void edited_route_is_refused(void **state)
{
	(void)state;
	struct setting setting;
	AUTO_JSON before = NULL;
	AUTO_SIM sim = paused_release(WORLD_ROUTED, &setting, &before);
	json *tree = begin_edit(sim, &KIND_VIRTUAL_SERVICE, "web");
	json_set_integer(first_destination(tree), "weight", 77);
	sim->invariants->degraded = true;
	end_edit(sim, &KIND_VIRTUAL_SERVICE, tree);
	must_run(sim, run_next, ERR_FOREIGN, "spec.http[2].route");
	assert_phase(sim, PHASE_FAILED);
}

static json *rule_of(const json *httproute, size_t index)
{
	return json_at(json_path(httproute, "spec", "rules", NULL), index);
}

void edited_httproute_is_refused(void **state)
{
	(void)state;
	struct setting setting;
	AUTO_JSON before = NULL;
	AUTO_SIM sim = paused_release(WORLD_GATEWAY, &setting, &before);
	json *tree = begin_edit(sim, &KIND_HTTP_ROUTE, "web");
	json *backend = json_first(json_get(rule_of(tree, 2), "backendRefs"));
	json_set_integer(backend, "weight", 77);
	sim->invariants->degraded = true;
	end_edit(sim, &KIND_HTTP_ROUTE, tree);
	must_run(sim, run_next, ERR_FOREIGN, "spec.rules[2].backendRefs");
	assert_phase(sim, PHASE_FAILED);
}

void edited_version_service_is_refused(void **state)
{
	(void)state;
	struct setting setting;
	AUTO_JSON before = NULL;
	AUTO_SIM sim = paused_release(WORLD_GATEWAY, &setting, &before);
	json *tree = begin_edit(sim, &KIND_SERVICE, "batchrollout-web-canary");
	AUTO_JSON port = json_detach_at(json_path(tree, "spec", "ports", NULL), 0);
	end_edit(sim, &KIND_SERVICE, tree);
	must_run(sim, run_next, ERR_FOREIGN, "service/batchrollout-web-canary");
	tree = begin_edit(sim, &KIND_SERVICE, "batchrollout-web-canary");
	json_append(json_path(tree, "spec", "ports", NULL), TAKE(port));
	end_edit(sim, &KIND_SERVICE, tree);
	must_run(sim, run_next, 0, NULL);
	world_assert_completed(sim, before, &setting);
}

void edits_of_httproutes_elsewhere_are_kept(void **state)
{
	(void)state;
	for (int aborted = 0; aborted < 2; aborted++) {
		struct setting setting;
		AUTO_JSON before = NULL;
		AUTO_SIM sim = paused_release(WORLD_GATEWAY, &setting, &before);
		json *tree = begin_edit(sim, &KIND_HTTP_ROUTE, "web");
		json *expected = json_get(before, "HTTPRoute/web");
		json *both[] = {tree, expected};
		for (size_t i = 0; i < COUNT_OF(both); i++) {
			json_set_text(json_ensure_object(rule_of(both[i], 2), "timeouts"),
				"request", "7s");
			json_append(json_ensure_array(json_get(both[i], "spec"), "hostnames"),
				json_string("new.example"));
		}
		end_edit(sim, &KIND_HTTP_ROUTE, tree);
		must_run(sim, aborted ? run_abort : run_next, 0, NULL);
		if (aborted)
			world_assert_restored(sim, before, false);
		else
			world_assert_completed(sim, before, &setting);
	}
}

/* The controller copies annotations of a Deployment to its ReplicaSet. */
static void expect_annotation(json *before, const char *key, const char *value)
{
	json_for_each (tree, before)
		if (str_equal(json_key(tree), "Deployment/web") ||
			(str_starts(json_key(tree), "ReplicaSet/web-") &&
				json_integer(json_path(tree, "spec", "replicas", NULL), 0) > 0))
			object_set_annotation(tree, key, value);
}

void edits_elsewhere_are_kept(void **state)
{
	(void)state;
	for (int aborted = 0; aborted < 2; aborted++) {
		struct setting setting;
		AUTO_JSON before = NULL;
		AUTO_SIM sim = paused_release(WORLD_SUBSETS, &setting, &before);
		json *route =
			json_at(json_path(before, "VirtualService/web", "spec", "http", NULL), 2);
		json *tree = begin_edit(sim, &KIND_VIRTUAL_SERVICE, "web");
		json_set_text(json_at(json_path(tree, "spec", "http", NULL), 2), "timeout", "7s");
		json_set_text(route, "timeout", "7s");
		end_edit(sim, &KIND_VIRTUAL_SERVICE, tree);
		tree = begin_edit(sim, &KIND_DEPLOYMENT, "web");
		object_set_annotation(tree, "example.com/other", "new");
		expect_annotation(before, "example.com/other", "new");
		end_edit(sim, &KIND_DEPLOYMENT, tree);
		must_run(sim, aborted ? run_abort : run_next, 0, NULL);
		if (aborted)
			world_assert_restored(sim, before, false);
		else
			world_assert_completed(sim, before, &setting);
	}
}

/* --- after the end -------------------------------------------------------------------------- */

void ended_releases_stay_ended(void **state)
{
	(void)state;
	struct setting setting;
	AUTO_JSON before = NULL;
	AUTO_SIM sim = paused_release(WORLD_ISTIO, &setting, &before);
	must_run(sim, run_abort, 0, NULL);
	size_t events = sim->event_count;
	must_run(sim, run_abort, 1, NULL);
	must_run(sim, run_next, ERR_FAILED, "aborted");
	world_assert_restored(sim, before, false);
	for (size_t i = events; i < sim->event_count; i++)
		if (sim->events[i].object->kind == &KIND_CONFIG_MAP)
			sim_fail(sim, "the record was written again");
	/* And the next release begins where nothing was. */
	sim->invariants->begun = false;
	must_start(sim, &setting, 0, NULL);
	must_run(sim, run_next, 0, NULL);
	world_assert_completed(sim, before, &setting);
	must_run(sim, run_next, ERR_FAILED, "completed");
}

void completed_releases_can_be_aborted(void **state)
{
	(void)state;
	uint64_t first = first_seed();
	for (uint64_t seed = first; seed < first + seed_count(5); seed++)
		for (enum world world = 0; world < WORLD_COUNT; world++) {
			struct setting setting = {.world = world,
				.batches = "1",
				.replicas = 4,
				.seed = seed,
				.pause = "none"};
			AUTO_SIM sim = world_new(&setting);
			AUTO_JSON before = world_snapshot(sim);
			must_start(sim, &setting, 0, NULL);
			assert_phase(sim, PHASE_COMPLETED);
			must_run(sim, run_abort, 0, NULL);
			assert_phase(sim, PHASE_ABORTED);
			world_assert_restored(sim, before, true);
		}
}
