/*
 * A release whose process dies at each of its writes in turn, or loses the server there; another
 * process goes on with it, or aborts it. Both must end where they would have ended.
 *
 * The release is played once. At each write the test forks: the children play what comes of each
 * cut, the parent plays on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/invariants.h"
#include "sim/scenarios.h"

enum recovery { RECOVER_NEXT, RECOVER_ABORT, RECOVER_COUNT };

static const char *const CUT_NAMES[] = {
	[CUT_NONE] = "no cut",
	[CUT_BEFORE] = "death before",
	[CUT_AFTER] = "death after",
	[CUT_UNAVAILABLE] = "no server",
	[CUT_LOST_ANSWER] = "lost answer",
};

/* A fork copies ASan's shadow memory too, which takes longer than what the child plays: there, one
 * write in so many is cut. */
#ifdef __SANITIZE_ADDRESS__
#define WRITES_PER_CUT 8
#else
#define WRITES_PER_CUT 1
#endif

/* One release, and the children that play its cuts. */
struct play {
	const struct setting *setting;
	struct sim *sim;
	const enum cut *cuts;
	size_t cut_count;
	bool thinned;  /* one recovery for each cut, taking turns */
	size_t writes; /* of all verbs so far */
	/* In a child: what it plays. */
	enum recovery recovery;
	/* In the parent. */
	size_t running, played, failed;
};

static enum phase phase_of(struct sim *sim)
{
	CLEANUP(record_release) struct record record = {0};
	load_record(sim, &record);
	return record.phase;
}

static bool has_record(const struct sim *sim)
{
	return sim_find(sim, &KIND_CONFIG_MAP, NAMESPACE, "batchrollout-web") != NULL;
}

static void wait_for_child(struct play *play)
{
	int status = 0;
	if (wait(&status) < 0)
		sim_fail(play->sim, "no child to wait for");
	play->running--;
	play->failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* SIM_ONLY: plays only what has this in its title, to look at one failure. */
static bool is_wanted(const char *title)
{
	const char *only = getenv("SIM_ONLY");
	return only == NULL || strstr(title, only) != NULL;
}

/* True in the child. */
static bool fork_child(
	struct play *play, struct client *client, enum cut cut, enum recovery recovery)
{
	AUTO_STRING title = mem_format("%s, %s batches, %s write %zu, %s",
		WORLD_NAMES[play->setting->world], play->setting->batches, CUT_NAMES[cut],
		play->writes, recovery == RECOVER_NEXT ? "next" : "abort");
	if (!is_wanted(title))
		return false;
	if (play->running == (size_t)sysconf(_SC_NPROCESSORS_ONLN))
		wait_for_child(play);
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		sim_fail(play->sim, "cannot fork");
	if (pid > 0) {
		play->running++;
		play->played++;
		return false;
	}
	struct sim *sim = play->sim;
	sim->child = true;
	sim->trace = getenv("SIM_TRACE") != NULL;
	sim->random += play->writes * 31 + (size_t)cut * 7 + recovery;
	(void)snprintf(sim->title, sizeof(sim->title), "%s", title);
	play->recovery = recovery;
	client->cut = cut;
	client->cut_at = client->writes;
	return true;
}

static void at_write(struct client *client, void *context)
{
	struct play *play = context;
	play->writes++;
	if (client->sim->child ||
		play->writes % WRITES_PER_CUT != play->setting->world % WRITES_PER_CUT)
		return;
	for (size_t i = 0; i < play->cut_count; i++)
		for (enum recovery recovery = 0; recovery < RECOVER_COUNT; recovery++)
			if ((!play->thinned ||
				    (play->writes + i + play->setting->world) % RECOVER_COUNT ==
					    recovery) &&
				fork_child(play, client, play->cuts[i], recovery))
				return;
}

/* Runs verb after verb until the release is completed; in a child, until the cut has come. */
static void play_verbs(struct play *play)
{
	struct sim *sim = play->sim;
	struct start_options options = world_options(play->setting);
	while (!has_record(sim) || !phase_has_ended(phase_of(sim))) {
		CLEANUP(client_release) struct client client;
		client_init(&client, sim, "one");
		client.interlude = at_write;
		client.interlude_context = play;
		int code = has_record(sim) ? run_next(&client) : run_start(&client, &options);
		if (code != 0 && !client.dead)
			sim_fail(sim, "%s", client.err.message);
		if (client.cut != CUT_NONE)
			return;
	}
}

static void abort_release(struct sim *sim, const json *before)
{
	if (has_record(sim)) {
		CLEANUP(client_release) struct client client;
		client_init(&client, sim, "two");
		if (run_abort(&client) != 0)
			sim_fail(sim, "abort: %s", client.err.message);
		if (phase_of(sim) != PHASE_ABORTED)
			sim_fail(sim, "it ended %s", phase_name(phase_of(sim)));
	}
	world_assert_restored(sim, before, sim->invariants->finishing);
}

static void start_again(struct sim *sim, const struct setting *setting)
{
	CLEANUP(client_release) struct client client;
	struct start_options options = world_options(setting);
	client_init(&client, sim, "two");
	if (run_start(&client, &options) != 0)
		sim_fail(sim, "start: %s", client.err.message);
}

/* What --config gives is known to `start` alone: a release that was cut before it stood in the
 * cluster cannot be gone on with. */
static bool lacks_configuration(const struct client *client, const struct setting *setting)
{
	return setting->world == WORLD_CONFIG && client->err.code == ERR_FOREIGN &&
	       strstr(client->err.message, "the files of --config only") != NULL;
}

static void finish(struct sim *sim, const struct setting *setting, const json *before)
{
	if (!has_record(sim))
		start_again(sim, setting);
	for (int i = 0; i < 10 && !phase_has_ended(phase_of(sim)); i++) {
		CLEANUP(client_release) struct client client;
		client_init(&client, sim, "two");
		if (run_next(&client) == 0)
			continue;
		if (!lacks_configuration(&client, setting) || i > 0)
			sim_fail(sim, "next: %s", client.err.message);
		abort_release(sim, before);
		start_again(sim, setting);
	}
	if (phase_of(sim) != PHASE_COMPLETED)
		sim_fail(sim, "it ended %s", phase_name(phase_of(sim)));
	world_assert_completed(sim, before, setting);
}

static void play_cuts(const struct setting *setting, const enum cut *cuts, size_t cut_count,
	size_t *played, size_t *failed)
{
	AUTO_SIM sim = world_new(setting);
	AUTO_JSON before = world_snapshot(sim);
	struct play play = {.setting = setting, .sim = sim, .cuts = cuts, .cut_count = cut_count};
	/* Death before a write is death after the one before it, and the others play on: all
	 * recoveries of all of them are for whoever asks for more. */
	play.thinned =
		cuts[0] != CUT_AFTER && getenv("SIM_SEED") == NULL && getenv("SIM_SEEDS") == NULL;
	sim->trace = false;
	play_verbs(&play);
	if (sim->child) {
		if (play.recovery == RECOVER_NEXT)
			finish(sim, setting, before);
		else
			abort_release(sim, before);
		_exit(0);
	}
	while (play.running > 0)
		wait_for_child(&play);
	*played += play.played;
	*failed += play.failed;
}

/* Every world sees a handover that it would not choose itself. */
static const char *other_handover(enum world world)
{
	return world == WORLD_SELECTED ? "swap" : world % 2 == 0 ? "rolling" : "swap";
}

static void play_seeds(const enum cut *cuts, size_t cut_count)
{
	uint64_t first = first_seed();
	size_t played = 0, failed = 0;
	for (uint64_t seed = first; seed < first + seed_count(1); seed++)
		for (enum world world = 0; world < WORLD_COUNT; world++) {
			play_cuts(&(struct setting){.world = world,
					  .batches = "2",
					  .replicas = 3,
					  .seed = seed},
				cuts, cut_count, &played, &failed);
			play_cuts(&(struct setting){.world = world,
					  .batches = "4",
					  .replicas = 4,
					  .seed = seed,
					  .handover = other_handover(world)},
				cuts, cut_count, &played, &failed);
		}
	print_message("%zu cuts\n", played);
	assert_int_equal(failed, 0);
}

void death_after_each_write_is_recovered(void **state)
{
	(void)state;
	static const enum cut CUTS[] = {CUT_AFTER};
	play_seeds(CUTS, COUNT_OF(CUTS));
}

void death_before_each_write_is_recovered(void **state)
{
	(void)state;
	static const enum cut CUTS[] = {CUT_BEFORE};
	play_seeds(CUTS, COUNT_OF(CUTS));
}

void unanswered_writes_are_repeated(void **state)
{
	(void)state;
	static const enum cut CUTS[] = {CUT_UNAVAILABLE, CUT_LOST_ANSWER};
	play_seeds(CUTS, COUNT_OF(CUTS));
}
