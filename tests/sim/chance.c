#include "sim/chance.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "release/verbs.h"
#include "sim/configs.h"
#include "sim/crowd.h"
#include "sim/faults.h"
#include "sim/invariants.h"
#include "sim/people.h"

#define SCENES_MAXIMUM 6
/* So many commands end a release when nothing goes wrong any more. */
#define ENDING_MAXIMUM 16

enum verb { VERB_START, VERB_NEXT, VERB_NEXT_ALL, VERB_NEXT_TO, VERB_ABORT, VERB_ABORT_NOW };

static const char *const VERB_NAMES[] = {
	[VERB_START] = "start",
	[VERB_NEXT] = "next",
	[VERB_NEXT_ALL] = "next --all",
	[VERB_NEXT_TO] = "next --to",
	[VERB_ABORT] = "abort",
	[VERB_ABORT_NOW] = "abort --now",
};

struct play;

/* One process of the tool. */
struct actor {
	struct play *play;
	struct client client;
	char id[16];
	enum verb verb;
	int to;
	bool running;
	int code;
	bool stranded; /* it could not go on without what is in the files of --config */
};

struct play {
	struct sim *sim;
	struct setting setting;
	struct start_options options;
	struct faults faults;
	struct people people;
	struct actor actors[CROWD_MAXIMUM];
	size_t actor_count;
	size_t processes; /* so far */
	bool calm;	  /* nothing goes wrong any more */
	bool must_abort;  /* what somebody has done does not go with a new version */
	bool finished;	  /* some release has begun to finish */
};

/* --- what is played ------------------------------------------------------------------------- */

static const char *choose_text(uint64_t *random, const char *const *texts, size_t count)
{
	return texts[random_below(random, count)];
}

#define CHOOSE(random, texts) choose_text(random, texts, COUNT_OF(texts))

static int choose_replicas(uint64_t *random)
{
	static const int REPLICAS[] = {1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 6, 8};
	/* Which `start` refuses. */
	if (random_below(random, 100) == 0)
		return 0;
	return REPLICAS[random_below(random, COUNT_OF(REPLICAS))];
}

static const char ONE_MORE[] =
	"{'strategy': {'type': 'RollingUpdate', 'rollingUpdate': {'maxSurge': "
	"1, 'maxUnavailable': 0}}}";
static const char ONE_LESS[] =
	"{'strategy': {'type': 'RollingUpdate', 'rollingUpdate': {'maxSurge': "
	"0, 'maxUnavailable': 1}}}";

static struct setting choose_setting(uint64_t seed, uint64_t *random)
{
	static const char *const BATCHES[] = {"1", "1", "2", "2", "2", "3", "3", "4", "5"};
	static const char *const STEPS[] = {"100%", "1,100%", "1@5%,100%", "50%@10%,100%",
		"1,2,100%", "25%,50%,75%,100%", "1@1%,50%,100%", "10%,10%,100%", "2,1,100%"};
	static const char *const PAUSES[] = {NULL, NULL, "each", "first", "none"};
	static const char *const SETTLES[] = {NULL, NULL, NULL, "0s", "1s", "6s"};
	static const char *const SPECS[] = {NULL, NULL, NULL, NULL, "{'revisionHistoryLimit': 1}",
		"{'revisionHistoryLimit': 0}", "{'minReadySeconds': 2}",
		"{'strategy': {'type': 'Recreate'}}", ONE_MORE, ONE_LESS};
	static const char *const EARLIER[] = {
		NULL, NULL, NULL, NULL, NULL, NULL, "registry/web:v0", "registry/web:v2"};
	static const char *const HANDOVERS[] = {
		NULL, NULL, NULL, "takeover", "swap", "swap", "rolling"};
	static const char *const HPAS[] = {NULL, NULL, "freeze"};
	struct setting setting = {.seed = seed};
	bool steps = random_below(random, 5) == 0;
	setting.world = (enum world)random_below(random, WORLD_COUNT);
	setting.replicas = choose_replicas(random);
	setting.batches = steps ? NULL : CHOOSE(random, BATCHES);
	setting.steps = steps ? CHOOSE(random, STEPS) : NULL;
	setting.pause = CHOOSE(random, PAUSES);
	setting.settle = CHOOSE(random, SETTLES);
	setting.spec = CHOOSE(random, SPECS);
	setting.earlier_image = CHOOSE(random, EARLIER);
	setting.twin = random_below(random, 6) == 0;
	setting.keep_stable = random_below(random, 5) == 0;
	setting.hold = random_below(random, 5) == 0;
	/* A selector with the version allows only one. */
	setting.handover = setting.world == WORLD_SELECTED ? NULL : CHOOSE(random, HANDOVERS);
	setting.hpa = setting.world == WORLD_AUTOSCALED ? CHOOSE(random, HPAS) : NULL;
	return setting;
}

/* Some kinds of faults, mostly seldom. One release in eight has none. */
static void choose_faults(struct play *play, uint64_t *random)
{
	static const size_t RATES[] = {1, 3, 3, 10, 10, 30};
	struct faults *faults = &play->faults;
	if (random_below(random, 8) == 0)
		return;
	for (enum fault fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++)
		if (random_below(random, 3) == 0)
			faults->rates[fault] = RATES[random_below(random, COUNT_OF(RATES))];
	if (random_below(random, 3) == 0)
		faults->broken_watches = RATES[random_below(random, COUNT_OF(RATES))];
	if (random_below(random, 3) == 0)
		faults->repeated_events = RATES[random_below(random, COUNT_OF(RATES))];
	if (random_below(random, 2) == 0)
		return;
	faults->visits = 2 + random_below(random, 10);
	faults->visit = people_act;
	faults->visit_context = &play->people;
	for (enum deed deed = 0; deed < DEED_COUNT; deed++)
		play->people.allowed[deed] = random_below(random, 3) == 0;
}

/* --- processes ------------------------------------------------------------------------------ */

static bool runs(void *context, const char *process)
{
	const struct play *play = context;
	for (size_t i = 0; i < play->actor_count; i++) {
		const struct actor *actor = &play->actors[i];
		if (actor->running && !actor->client.dead && str_equal(actor->id, process))
			return true;
	}
	return false;
}

/* Only `start` knows what the copies of --config hold: when it was stopped before it had written
 * them, nobody can go on, and must say so. */
static bool is_stranded(const struct actor *actor)
{
	return actor->play->setting.world == WORLD_CONFIG && actor->code == ERR_FOREIGN &&
	       actor->verb != VERB_START && configs_lack(actor->play->sim) &&
	       strstr(actor->client.err.message, "the files of --config only") != NULL;
}

static void act(void *context)
{
	struct actor *actor = context;
	struct client *client = &actor->client;
	actor->running = true;
	if (client->sim->trace)
		(void)fprintf(stderr, "%6lld %s: %s\n", (long long)client->sim->now_ms, actor->id,
			VERB_NAMES[actor->verb]);
	switch (actor->verb) {
	case VERB_START:
		/* Or the next release would begin with what disturbed the one before. */
		people_take_back(&actor->play->people);
		actor->code = run_start(client, &actor->play->options);
		break;
	case VERB_NEXT:
		actor->code = run_next(client);
		break;
	case VERB_NEXT_ALL:
		actor->code = run_next_all(client);
		break;
	case VERB_NEXT_TO:
		actor->code = run_next_with(client, &(struct next_options){.to = actor->to});
		break;
	case VERB_ABORT:
		actor->code = run_abort(client);
		break;
	case VERB_ABORT_NOW:
		actor->code = run_abort_now(client);
		break;
	}
	actor->stranded = is_stranded(actor);
	actor->running = false;
}

static bool is_slow(const struct play *play)
{
	const struct faults *faults = &play->faults;
	return play->sim->broken_image != NULL || faults->visits > 0 ||
	       faults->rates[FAULT_REFUSED] > 0 || faults->rates[FAULT_LOST] > 0 ||
	       faults->rates[FAULT_STOP] > 0 || faults->broken_watches > 0;
}

/* What a command may say to whoever uses it at a wrong moment: `start`, also in the middle of what
 * another one does. */
static const struct {
	int code;
	const char *text;
} REFUSALS[] = {
	{ERR_NOT_FOUND, "no release of service \"web\" in namespace \"shop\""},
	{ERR_FAILED, "\" is being aborted; `kubectl batchrollout abort"},
	{ERR_FAILED, ": there is no batch to go on with"},
	{ERR_EXISTS, "deployment.apps/web-v2 exists already, and the copy of "},
	{ERR_FAILED, " has 0 replicas: nothing serves"},
	{ERR_FAILED, " is in the middle of a rollout: wait for "},
	{ERR_FAILED, " is paused: `kubectl rollout resume"},
	{ERR_FAILED, ": it names a Service that releases make and delete; write \"web\""},
	{ERR_FAILED, "nothing to release: deployment \"web"},
	{ERR_FAILED, "no Deployment is behind service \"web\""},
	{ERR_FAILED, " Deployments are behind service \"web\""},
	{ERR_FAILED, "\" is being deleted"},
	{ERR_USAGE, "the new version would be called \"v2\" like the one that runs"},
	{ERR_FAILED, " pods available: what runs now must be healthy before a release"},
	{ERR_FAILED, ": no DestinationRule of the Service defines the subset \"batchrollout-"},
	{ERR_USAGE, ": the release is at batch "},
	{ERR_USAGE, " batches are done; without --to the release is finished"},
	{ERR_USAGE, "--steps: step "},
};

static bool is_refusal(const struct actor *actor)
{
	for (size_t i = 0; i < COUNT_OF(REFUSALS); i++)
		if (actor->code == REFUSALS[i].code &&
			strstr(actor->client.err.message, REFUSALS[i].text) != NULL)
			return true;
	return false;
}

/* An error must have a cause in what went wrong. */
static void check_code(const struct play *play, const struct actor *actor)
{
	const struct client *client = &actor->client;
	bool faulty = client->faults != NULL;
	bool allowed = true;
	if (actor->code == ERR_FOREIGN)
		allowed = play->people.disturbed || actor->stranded;
	else if (actor->code == ERR_TIMED_OUT)
		allowed = !play->calm && is_slow(play);
	else if (actor->code == ERR_INTERRUPTED || actor->code == ERR_UNAVAILABLE ||
		 actor->code == ERR_EXPIRED || actor->code == ERR_CONFLICT)
		allowed = faulty;
	else if (actor->code == ERR_BUSY)
		allowed = !play->calm;
	else if (actor->code < 0)
		allowed = is_refusal(actor);
	if (!allowed)
		sim_fail(play->sim, "%s: error %d: %s", client->id, actor->code,
			client->err.message);
}

/* Runs what the actors are to do, all at the same time. */
static void run_scene(struct play *play)
{
	void *contexts[CROWD_MAXIMUM];
	for (size_t i = 0; i < play->actor_count; i++) {
		struct actor *actor = &play->actors[i];
		(void)snprintf(actor->id, sizeof(actor->id), "p%zu", ++play->processes);
		client_init(&actor->client, play->sim, actor->id);
		actor->play = play;
		actor->client.process = actor->id;
		actor->client.runs = runs;
		actor->client.runs_context = play;
		actor->client.faults = play->calm ? NULL : &play->faults;
		contexts[i] = actor;
	}
	crowd_run(play->sim, act, contexts, play->actor_count);
	for (size_t i = 0; i < play->actor_count; i++) {
		check_code(play, &play->actors[i]);
		client_release(&play->actors[i].client);
	}
	play->finished = play->finished || play->sim->invariants->finishing;
}

/* --- the release ---------------------------------------------------------------------------- */

/* Where it is; false where there is none. */
static bool read_phase(const struct play *play, enum phase *ret_phase, enum goal *ret_goal)
{
	CLEANUP(record_release) struct record record = {0};
	if (sim_find(play->sim, &KIND_CONFIG_MAP, NAMESPACE, "batchrollout-web") == NULL)
		return false;
	load_record(play->sim, &record);
	*ret_phase = record.phase;
	*ret_goal = record.goal;
	return true;
}

/* The next release begins where nothing was. */
static void expect_start(struct play *play)
{
	struct invariants *invariants = play->sim->invariants;
	invariants->begun = invariants->finishing = false;
	invariants->hurried = invariants->degraded = invariants->wounded = false;
}

static enum verb choose_verb(struct play *play)
{
	static const enum verb VERBS[] = {VERB_NEXT, VERB_NEXT, VERB_NEXT, VERB_NEXT, VERB_NEXT,
		VERB_NEXT, VERB_NEXT_ALL, VERB_NEXT_ALL, VERB_NEXT_TO, VERB_ABORT, VERB_ABORT,
		VERB_START};
	if (sim_random(play->sim, 60) == 0)
		return VERB_ABORT_NOW;
	return VERBS[sim_random(play->sim, COUNT_OF(VERBS))];
}

static void set_scene(struct play *play)
{
	size_t others = sim_random(play->sim, 20);
	play->actor_count = others < 14 ? 1 : others < 19 ? 2 : 3;
	for (size_t i = 0; i < play->actor_count; i++)
		play->actors[i] = (struct actor){
			.verb = choose_verb(play), .to = 1 + (int)sim_random(play->sim, 4)};
}

static void play_scenes(struct play *play)
{
	struct sim *sim = play->sim;
	enum phase phase;
	enum goal goal;
	size_t count = 1 + sim_random(sim, SCENES_MAXIMUM);
	for (size_t i = 0; i < count; i++) {
		bool exists = read_phase(play, &phase, &goal);
		if (exists && phase == PHASE_COMPLETED)
			return;
		set_scene(play);
		if (!exists || phase == PHASE_ABORTED)
			play->actors[0].verb = VERB_START;
		if (exists && phase == PHASE_ABORTED) {
			people_take_back(&play->people);
			people_take_back_image(&play->people, false, true);
			sim_run_for(sim, 60000);
		}
		if (exists && phase == PHASE_ABORTED && play->actor_count == 1)
			expect_start(play);
		run_scene(play);
		sim_run_for(sim, (int64_t)sim_random(sim, 20000));
	}
}

/* One command, which must do what it says. */
static void run_calmly(struct play *play, enum verb verb)
{
	play->actor_count = 1;
	play->actors[0] = (struct actor){.verb = verb};
	run_scene(play);
	if (play->actors[0].code < 0)
		sim_fail(play->sim, "in the end, %s: error %d: %s", play->actors[0].id,
			play->actors[0].code, play->actors[0].client.err.message);
}

static void make_calm(struct play *play)
{
	struct sim *sim = play->sim;
	enum phase phase = PHASE_PROGRESSING;
	enum goal goal;
	(void)read_phase(play, &phase, &goal);
	play->calm = true;
	people_take_back(&play->people);
	/* An image may stay for now: an abort goes on all the same. */
	play->must_abort = play->people.image != NULL && sim_random(sim, 3) == 0;
	if (!play->must_abort)
		people_take_back_image(
			&play->people, phase == PHASE_COMPLETED, phase == PHASE_ABORTED);
	sim_heal(sim);
	sim_run_for(sim, 60000);
	sim->invariants->wounded = play->people.rolled;
	sim->invariants->heals = false;
	sim->invariants->hurried = false;
	sim->invariants->degraded = false;
}

/* A release whose `start` was stopped before the copies of --config were there is aborted, as
 * `next` says. */
static bool is_stranded_release(struct play *play)
{
	if (play->setting.world != WORLD_CONFIG || !configs_lack(play->sim))
		return false;
	play->actor_count = 1;
	play->actors[0] = (struct actor){.verb = VERB_NEXT};
	run_scene(play);
	if (!play->actors[0].stranded)
		sim_fail(play->sim, "next goes on without configuration");
	return true;
}

/* Goes on with `next` (or aborts) until the release has ended. */
static enum phase end_release(struct play *play)
{
	enum phase phase;
	enum goal goal;
	bool aborts = sim_random(play->sim, 3) == 0 || play->must_abort;
	bool all = sim_random(play->sim, 2) == 0;
	for (int i = 0; i < ENDING_MAXIMUM; i++) {
		if (!read_phase(play, &phase, &goal)) {
			run_calmly(play, VERB_START);
			continue;
		}
		if (phase_has_ended(phase))
			return phase;
		aborts = aborts || goal == GOAL_ABORT || is_stranded_release(play);
		run_calmly(play, aborts ? VERB_ABORT : all ? VERB_NEXT_ALL : VERB_NEXT);
	}
	sim_fail(play->sim, "it does not end");
}

/* --- the end -------------------------------------------------------------------------------- */

/* What finish does to the history: a ReplicaSet of the new version that was there already is used
 * again, and a short history loses the old ones. */
static bool is_lost(const struct play *play, const json *set)
{
	const json *before = play->people.before;
	const json *limit =
		json_path(before, "Deployment/web", "spec", "revisionHistoryLimit", NULL);
	const json *container =
		json_first(json_path(set, "spec", "template", "spec", "containers", NULL));
	if (str_equal(json_get_text(container, "image"), "registry/web:v2"))
		return true;
	return json_integer(limit, 10) < 10 &&
	       sim_find_uid(play->sim, object_uid(set))->now == NULL;
}

/* Pods of a ReplicaSet that was made again are its pods. */
static void adopt_pods(struct play *play)
{
	const json *like = NULL;
	sim_each(pod, play->sim,
		&KIND_POD) if (pod->now != NULL && str_equal(object_label(pod->now, "app"), "web"))
		like = pod->now;
	json_for_each (tree, play->people.before) {
		const struct object *owner = sim_find_uid(play->sim, object_controller_uid(tree));
		if (!str_starts(json_key(tree), "Pod/web-") || like == NULL || owner->now != NULL)
			continue;
		json_set(json_get(tree, "metadata"), "ownerReferences",
			json_copy(json_path(like, "metadata", "ownerReferences", NULL)));
		object_set_label(
			tree, "pod-template-hash", object_label(like, "pod-template-hash"));
	}
}

static void forget_history(struct play *play)
{
	json *before = play->people.before;
	AUTO_JSON names = json_array();
	json_for_each (tree, before)
		if (str_starts(json_key(tree), "ReplicaSet/web-") && is_lost(play, tree))
			json_append(names, json_string(json_key(tree)));
	json_for_each (name, names)
		json_remove(before, json_text(name));
}

static void check_restored(struct play *play)
{
	bool changed = play->finished || play->people.disturbed;
	if (changed) {
		forget_history(play);
		adopt_pods(play);
	}
	people_expect_annotations(&play->people);
	world_assert_restored(play->sim, play->people.before, changed);
}

static enum outcome finish(struct play *play)
{
	struct sim *sim = play->sim;
	if (end_release(play) == PHASE_ABORTED) {
		people_take_back_image(&play->people, false, true);
		sim_run_for(sim, 60000);
		check_restored(play);
		return OUTCOME_ABORTED;
	}
	sim_run_for(sim, 30000);
	forget_history(play);
	people_expect_annotations(&play->people);
	world_assert_completed(sim, play->people.before, &play->setting);
	if (sim_random(sim, 8) != 0)
		return OUTCOME_COMPLETED;
	run_calmly(play, VERB_ABORT);
	check_restored(play);
	return OUTCOME_UNDONE;
}

/* Whether start refuses it as it stands: too few replicas for the steps, say. Nothing is written
 * then. */
static bool is_refused(struct play *play)
{
	CLEANUP(record_release) struct record record = {0};
	CLEANUP(str_list_release) struct str_list notes = {0};
	CLEANUP(client_release) struct client client = {0};
	if (play->setting.replicas > 0 && play->setting.steps == NULL)
		return false;
	client_init(&client, play->sim, "plan");
	int code = prepare_release(&client.ports.api, &play->options, &record, &notes, &client.err);
	if (code == 0)
		return false;
	if (code != ERR_USAGE && code != ERR_FAILED)
		sim_fail(play->sim, "start: error %d: %s", code, client.err.message);
	play->calm = true;
	play->actor_count = 1;
	play->actors[0] = (struct actor){.verb = VERB_START};
	run_scene(play);
	if (play->actors[0].code != code)
		sim_fail(play->sim, "start did not refuse");
	world_assert_restored(play->sim, play->people.before, false);
	return true;
}

/* Proxies learn of all within the time that the release gives them. */
static void hurry_proxies(struct play *play)
{
	const char *settle = play->setting.settle;
	int64_t most = settle == NULL ? PROXY_LAG_MS : strtol(settle, NULL, 10) * 700 + 1;
	for (enum xds xds = 0; xds < XDS_COUNT; xds++)
		play->sim->proxy_lags_ms[xds] %= most;
}

/* What is played, for whoever looks at the trace. */
static void show(const struct play *play)
{
	const struct setting *setting = &play->setting;
	const struct faults *faults = &play->faults;
	if (!play->sim->trace)
		return;
	(void)fprintf(stderr,
		"%s: %d replicas, batches %s, steps %s, pause %s, settle %s%s%s%s, spec %s, "
		"handover %s, before: %s\n",
		play->sim->title, setting->replicas, setting->batches, setting->steps,
		setting->pause, setting->settle, setting->keep_stable ? ", keep stable" : "",
		setting->hold ? ", hold" : "", setting->twin ? ", twin" : "", setting->spec,
		setting->handover, setting->earlier_image);
	for (enum fault fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++)
		(void)fprintf(stderr, "  %zu/1000 %s\n", faults->rates[fault], FAULT_NAMES[fault]);
	(void)fprintf(stderr, "  %zu/1000 broken watches, %zu repeated, %zu visits\n",
		faults->broken_watches, faults->repeated_events, faults->visits);
}

enum outcome play_release(uint64_t seed, jmp_buf *escape)
{
	uint64_t random = seed * 0x2545F4914F6CDD1DU + 1;
	struct play play = {.setting = choose_setting(seed, &random)};
	play.options = world_options(&play.setting);
	play.sim = world_new(&play.setting);
	play.sim->escape = escape;
	(void)snprintf(play.sim->title, sizeof(play.sim->title), "seed %" PRIu64 " (%s)", seed,
		WORLD_NAMES[play.setting.world]);
	play.people = (struct people){.sim = play.sim, .replicas = play.setting.replicas};
	play.people.before = world_snapshot(play.sim);
	choose_faults(&play, &random);
	enum outcome outcome = OUTCOME_REFUSED;
	hurry_proxies(&play);
	show(&play);
	if (!is_refused(&play)) {
		if (random_below(&random, 40) == 0)
			play.sim->broken_image = "registry/web:v2";
		play_scenes(&play);
		make_calm(&play);
		outcome = finish(&play);
	}
	people_release(&play.people);
	sim_free(play.sim);
	return outcome;
}
