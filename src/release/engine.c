#include "release/engine.h"

#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "base/parse.h"
#include "base/str.h"
#include "release/gitops.h"
#include "release/rebase.h"
#include "release/workload.h"

/* After so many conflicts in a row somebody fights us; better to stop and say so. */
#define CONFLICTS_MAXIMUM 20
#define RETRY_MS 1000
/* So many events are taken in before the situation is looked at again. */
#define EVENTS_AT_ONCE 200
/* So often may a write meet an object of which only the status has changed meanwhile. */
#define REBASES_MAXIMUM 10
/* So often does one rung act on the way to a goal; then somebody undoes what it does. One that
 * costs pods, so often. */
#define ACTS_MAXIMUM 20
#define TWICE_MAXIMUM 2
#define RUNGS_MAXIMUM 64
/* So old may the last look at the record be when something is written; less than the time that
 * whoever takes over gives us to notice (drive.c). */
#define FRESH_MS 1000

struct engine {
	const struct ports *ports;
	struct record *record;
	bool now;
	struct holder self;
	/* The time for the goal runs from here. */
	int64_t started_ms;
	enum goal timed_goal;
	int timed_batch;
	int64_t renewed_ms;
	int64_t seen_ms; /* when the record was read last, or a little before */
	int conflicts;
	int acts[RUNGS_MAXIMUM]; /* how often each rung has acted on the way to this goal */
	/* The news that the goal is reached was sent, and no answer came: it may be in the record.
	 */
	bool unanswered;
	bool unsaved;	 /* the record differs from the one that it was read from */
	char *explained; /* the reasons that were shown last */
	char *noted;	 /* what was noted last of an outage */
};

static void engine_release(struct engine *engine)
{
	free(engine->noted);
	free(engine->explained);
}

static int64_t now_ms(const struct engine *engine)
{
	return engine->ports->host.monotonic_ms(engine->ports->host.context);
}

static int64_t remaining_ms(const struct engine *engine)
{
	return engine->started_ms + engine->record->plan.timeout_ms - now_ms(engine);
}

static void note(const struct engine *engine, const char *text)
{
	engine->ports->observer.note(engine->ports->observer.context, text);
}

/* The same news is no news: an outage is told once, not each second. */
static void note_once(struct engine *engine, const char *text)
{
	if (str_equal(engine->noted, text))
		return;
	free(engine->noted);
	engine->noted = mem_strdup(text);
	note(engine, text);
}

static void restart_timer(struct engine *engine)
{
	const struct record *record = engine->record;
	if (engine->timed_goal == record->goal && engine->timed_batch == record->goal_batch)
		return;
	engine->timed_goal = record->goal;
	engine->timed_batch = record->goal_batch;
	engine->started_ms = now_ms(engine);
	memset(engine->acts, 0, sizeof(engine->acts));
}

/* Parses the record as it stands in the cluster now, where it is not what we wrote last. */
static int update_record(struct engine *engine, const json *configmap, struct err *err)
{
	struct record newest;
	const char *known = object_version(engine->record->configmap);
	if (!engine->unsaved && str_equal(object_version(configmap), known))
		return 0;
	int code = record_parse(configmap, &newest, err);
	if (code != 0)
		return code;
	newest.contents = TAKE(engine->record->contents);
	record_release(engine->record);
	*engine->record = newest;
	engine->unsaved = false;
	return 0;
}

/* Takes the record as it stands in the cluster now; it must still be ours. 1 when it says that the
 * goal is reached after all. */
static int take_record(struct engine *engine, const struct observation *seen, struct err *err)
{
	const json *configmap = json_first(list_items(seen->lists[SEEN_RECORD]));
	if (configmap == NULL)
		return err_set(err, ERR_FOREIGN,
			"the record configmap/batchrollout-%s is gone: somebody deleted it; "
			"`kubectl batchrollout abort %s -n %s` takes the release back by what its "
			"objects carry",
			engine->record->plan.service, engine->record->plan.service,
			engine->record->plan.namespace);
	int code = update_record(engine, configmap, err);
	if (code != 0)
		return code;
	const struct holder *holder = &engine->record->holder;
	if (!str_equal(holder->id, engine->self.id)) {
		if (holder->id[0] == '\0' && engine->unanswered &&
			engine->record->phase != PHASE_PROGRESSING)
			return 1;
		if (holder->id[0] == '\0')
			return err_set(err, ERR_BUSY, "somebody else has taken this release on");
		return err_set(err, ERR_BUSY, "%s has taken this release over (%s)", holder->user,
			holder->verb);
	}
	engine->unanswered = false;
	restart_timer(engine);
	return 0;
}

static int save(struct engine *engine, struct err *err)
{
	if (engine->record->phase != PHASE_PROGRESSING)
		engine->record->holder = (struct holder){0};
	int code = record_save(engine->record, &engine->ports->api, err);
	engine->unsaved = code != 0;
	if (code == 0)
		engine->renewed_ms = now_ms(engine);
	return code;
}

/* Shows in the record that we are alive, when it is time to. */
static int renew(struct engine *engine, struct err *err)
{
	if (now_ms(engine) - engine->renewed_ms < RENEW_MS)
		return 0;
	engine->record->holder.renewals++;
	return save(engine, err);
}

static int do_settle(struct engine *engine, const struct rung *rung, struct err *err)
{
	const struct host_port *host = &engine->ports->host;
	int64_t end = now_ms(engine) + engine->record->plan.settle_ms;
	for (int64_t left = end - now_ms(engine); left > 0; left = end - now_ms(engine)) {
		int code = host->sleep(host->context, left < RENEW_MS ? left : RENEW_MS, err);
		if (code == 0)
			code = renew(engine, err);
		if (code != 0)
			return code;
	}
	char name[32];
	settled_name(rung, engine->record, name);
	record_set_settled(engine->record, name);
	return save(engine, err);
}

/* 1 when the release stops here. */
static int do_reached(struct engine *engine, struct err *err)
{
	char now[32];
	engine->ports->host.wall_time(engine->ports->host.context, now);
	record_reached(engine->record, now);
	int code = save(engine, err);
	engine->unanswered = code == ERR_UNAVAILABLE;
	return code != 0 ? code : engine->record->phase != PHASE_PROGRESSING;
}

/* Makes sure that nobody has taken over while this process was slow or stopped (a laptop that was
 * closed): writes that create have no resourceVersion which would stop them. */
static int confirm(struct engine *engine, struct err *err)
{
	const struct plan *plan = &engine->record->plan;
	int64_t asked_ms = now_ms(engine);
	if (asked_ms - engine->seen_ms < FRESH_MS)
		return 0;
	CLEANUP(record_release) struct record newest = {0};
	int code = record_load(&engine->ports->api, plan->namespace, plan->service, &newest, err);
	if (code != 0)
		return code;
	/* The next turn says who it is. */
	if (!str_equal(newest.holder.id, engine->self.id))
		return err_set(err, ERR_CONFLICT, "the release was taken over");
	engine->seen_ms = asked_ms;
	return 0;
}

/* A Deployment in motion gets a new resourceVersion with each status that its controller writes,
 * several times a second: a write that meets only that is made again on what is there now. */
static int do_write(struct engine *engine, const struct write *write, struct err *err)
{
	const struct api_port *api = &engine->ports->api;
	int code = confirm(engine, err);
	if (code != 0)
		return code;
	code = api->write(api->context, write, NULL, err);
	for (int i = 0; code == ERR_CONFLICT && i < REBASES_MAXIMUM; i++) {
		CLEANUP(rebased_release) struct rebased rebased = {0};
		code = rebase(api, write, &rebased, err);
		if (code == 0)
			code = confirm(engine, err);
		if (code != 0)
			return code;
		code = api->write(api->context, &rebased.write, NULL, err);
	}
	return code;
}

static int do_writes(struct engine *engine, const struct action *action, struct err *err)
{
	const struct ports *ports = engine->ports;
	for (size_t i = 0; i < action->write_count; i++) {
		const struct action_write *write = &action->writes[i];
		int code = do_write(engine, &write->write, err);
		if (code != 0)
			return code;
		engine->conflicts = 0;
		if (action->summary == NULL)
			ports->observer.done(ports->observer.context, write->said);
		if ((code = renew(engine, err)) != 0)
			return code;
	}
	if (action->summary != NULL)
		ports->observer.done(ports->observer.context, action->summary);
	return 0;
}

/* An autoscaler that goes on takes turns with the release. */
static int acts_allowed(const struct engine *engine, const struct rung *rung)
{
	return rung->twice && engine->record->plan.hpa != HPA_IGNORE ? TWICE_MAXIMUM : ACTS_MAXIMUM;
}

/* A rung that has to act again and again is undone by somebody: a controller, GitOps. */
static int check_acts(const struct engine *engine, const struct rung *rung,
	const struct situation *situation, const struct action *action, struct err *err)
{
	size_t index = (size_t)(rung - ladder_for(engine->record));
	if (index >= RUNGS_MAXIMUM || engine->acts[index] < acts_allowed(engine, rung))
		return 0;
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	rung->describe(situation, &text);
	const json *object = action->write_count > 0 ? action->writes[0].before : NULL;
	int code = err_set(err, ERR_FOREIGN,
		"somebody else, perhaps a controller, undoes again and again what the release does "
		"so that %s",
		buf_text(&text));
	return gitops_explain(code, object, err);
}

static void count_act(struct engine *engine, const struct rung *rung)
{
	size_t index = (size_t)(rung - ladder_for(engine->record));
	if (index < RUNGS_MAXIMUM)
		engine->acts[index]++;
}

/* Shows why pods do not get ready, once for each set of reasons. */
static void explain(struct engine *engine, const struct observation *seen)
{
	AUTO_BUF reasons = BUF_INIT(BUF_OWN_TEXT);
	explain_pods(seen, canary_deployment(seen), &reasons);
	explain_pods(seen, stable_deployment(seen), &reasons);
	if (str_equal(buf_text(&reasons), engine->explained == NULL ? "" : engine->explained))
		return;
	free(engine->explained);
	engine->explained = buf_take(&reasons);
	struct str_list lines CLEANUP(str_list_release) = {0};
	str_split(engine->explained, '\n', &lines);
	for (size_t i = 0; i < lines.count; i++)
		if (lines.items[i][0] != '\0')
			note(engine, lines.items[i]);
}

static void show_waiting(
	struct engine *engine, const struct rung *rung, const struct situation *situation)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	rung->describe(situation, &text);
	explain(engine, situation->seen);
	engine->ports->observer.waiting(
		engine->ports->observer.context, situation, buf_text(&text));
}

/* A change that was made before, has settled, and is made again since somebody undid it: proxies
 * need time again. The record says so first, or a process that dies right after the change would
 * leave one that seems to have settled. */
static int unsettle(struct engine *engine, const struct rung *rung,
	const struct situation *situation, struct err *err)
{
	char name[32];
	const struct rung *settle = settled_before(rung, situation);
	if (settle == NULL)
		return 0;
	settled_name(settle, engine->record, name);
	record_unset_settled(engine->record, name);
	return save(engine, err);
}

static int act(struct engine *engine, const struct rung *rung, const struct situation *situation,
	struct err *err)
{
	CLEANUP(action_release) struct action action = {0};
	int code = rung->act(situation, &action, err);
	if (code == 0)
		code = check_acts(engine, rung, situation, &action, err);
	if (code != 0)
		return code;
	if (action.reached)
		return do_reached(engine, err);
	code = action.write_count == 0 ? 0 : unsettle(engine, rung, situation, err);
	if (code == 0)
		code = do_writes(engine, &action, err);
	if (code == 0)
		count_act(engine, rung);
	return code;
}

static int timed_out(struct engine *engine, const struct rung *rung,
	const struct situation *situation, struct err *err)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	rung->describe(situation, &text);
	char duration[32];
	return err_set(err, ERR_TIMED_OUT, "timed out after %s waiting until %s%s%s",
		format_duration(engine->record->plan.timeout_ms, duration), buf_text(&text),
		str_empty(engine->explained) ? "" : "\n",
		engine->explained == NULL ? "" : engine->explained);
}

static int64_t wait_slice(const struct engine *engine)
{
	int64_t to_renewal = engine->renewed_ms + RENEW_MS - now_ms(engine);
	int64_t slice = to_renewal < remaining_ms(engine) ? to_renewal : remaining_ms(engine);
	return slice > 0 ? slice : 0;
}

/* Takes in what the watch has: waits for the first event, and takes those that came with it, so
 * that a burst of them is looked at once. ret_came: there was one. */
static int take_events(struct engine *engine, struct watch *watch, struct observation *seen,
	bool *ret_came, struct err *err)
{
	const struct api_port *api = &engine->ports->api;
	*ret_came = false;
	for (int i = 0; i < EVENTS_AT_ONCE; i++) {
		size_t index = 0;
		AUTO_JSON event = NULL;
		int64_t timeout_ms = i == 0 ? wait_slice(engine) : 0;
		int code = api->watch_next(watch, timeout_ms, &index, &event, err);
		if (code <= 0)
			return code;
		*ret_came = true;
		/* Our own renewals come back too; whoever else writes, changes holder. */
		if (observation_apply(seen, index, event) == SEEN_RECORD &&
			(code = take_record(engine, seen, err)) != 0)
			return code;
	}
	return 0;
}

/* Waits until the rung holds, by watch. 0: something is different now, look again. */
static int wait_on_watch(struct engine *engine, struct watch *watch, const struct rung *rung,
	struct situation *situation, struct observation *seen, struct err *err)
{
	for (;;) {
		bool came = false;
		int code = take_events(engine, watch, seen, &came, err);
		if (code != 0)
			return code;
		if (came && first_unmet(ladder_for(engine->record), situation) != rung)
			return 0;
		if (came)
			show_waiting(engine, rung, situation);
		if (remaining_ms(engine) <= 0)
			return timed_out(engine, rung, situation, err);
		code = renew(engine, err);
		if (code != 0)
			return code;
	}
}

static int wait_for(struct engine *engine, const struct rung *rung, struct situation *situation,
	struct observation *seen, struct err *err)
{
	const struct api_port *api = &engine->ports->api;
	struct watch *watch = NULL;
	show_waiting(engine, rung, situation);
	int code = observation_watch(api, engine->record, seen, &watch, err);
	if (code == 0)
		code = wait_on_watch(engine, watch, rung, situation, seen, err);
	api->watch_close(watch);
	return code;
}

/* What a rung needs that does not hold. */
static int attend(struct engine *engine, const struct rung *rung, struct situation *situation,
	struct observation *seen, struct err *err)
{
	if (rung->settles != NULL) {
		show_waiting(engine, rung, situation);
		return do_settle(engine, rung, err);
	}
	if (rung->act == NULL)
		return wait_for(engine, rung, situation, seen, err);
	return act(engine, rung, situation, err);
}

/* One turn: 1 when everything holds, 0 to go on, or a code. */
static int turn(struct engine *engine, struct err *err)
{
	CLEANUP(observation_release) struct observation seen = {0};
	engine->seen_ms = now_ms(engine);
	int code = observe(&engine->ports->api, engine->record, &seen, err);
	if (code == 0)
		code = take_record(engine, &seen, err);
	if (code != 0)
		return code;
	struct situation situation = {.record = engine->record, .seen = &seen, .now = engine->now};
	const struct rung *rung = first_unmet(ladder_for(engine->record), &situation);
	if (rung == NULL)
		return 1;
	code = attend(engine, rung, &situation, &seen, err);
	/* What is gone by the time that it should be changed is found out by looking again; the
	 * record, too. */
	return code == ERR_NOT_FOUND || code == ERR_EXISTS ? ERR_CONFLICT : code;
}

/* Whether to look again after a failure, perhaps after a while. */
static int recover(struct engine *engine, int code, struct err *err)
{
	const struct host_port *host = &engine->ports->host;
	if (code == ERR_EXPIRED)
		return 0;
	if (code == ERR_CONFLICT && ++engine->conflicts < CONFLICTS_MAXIMUM)
		return 0;
	if (code == ERR_UNAVAILABLE && remaining_ms(engine) > 0) {
		AUTO_STRING text = mem_format("%s; trying again", err->message);
		note_once(engine, text);
		return host->sleep(host->context, RETRY_MS, err);
	}
	return code;
}

/* Writes into the record how it ended, if it still is ours; nothing can be done where that fails,
 * and the first error is what the user needs to know. */
static void record_failure(struct engine *engine, int code, const char *message)
{
	struct record *record = engine->record;
	if (code == ERR_BUSY || record->phase != PHASE_PROGRESSING)
		return;
	if (code == ERR_INTERRUPTED && engine->ports->host.clear_interrupt != NULL)
		engine->ports->host.clear_interrupt(engine->ports->host.context);
	for (int i = 0; i < 3; i++) {
		record->holder = (struct holder){0};
		/* Stopped by its user, the release goes on where it is; it has not failed. */
		if (code != ERR_INTERRUPTED) {
			record->phase = PHASE_FAILED;
			free(record->message);
			record->message = mem_strdup(message);
		}
		if (record_save(record, &engine->ports->api, NULL) != ERR_CONFLICT)
			return;
		CLEANUP(record_release) struct record newest = {0};
		if (record_load(&engine->ports->api, record->plan.namespace, record->plan.service,
			    &newest, NULL) != 0 ||
			!str_equal(newest.holder.id, engine->self.id))
			return;
		struct record old = *record;
		*record = newest;
		newest = old;
	}
}

int engine_run(const struct ports *ports, struct record *record, bool now, struct err *err)
{
	CLEANUP(engine_release)
	struct engine engine = {
		.ports = ports,
		.record = record,
		.now = now,
		.self = record->holder,
	};
	struct err failure = {0};
	engine.timed_goal = record->goal;
	engine.timed_batch = record->goal_batch;
	engine.started_ms = engine.renewed_ms = now_ms(&engine);
	for (;;) {
		int code = turn(&engine, &failure);
		if (code == 0)
			engine.conflicts = 0;
		if (code < 0)
			code = recover(&engine, code, &failure);
		if (code == 1)
			return 0;
		if (code < 0) {
			record_failure(&engine, code, failure.message);
			return err_set(err, code, "%s", failure.message);
		}
	}
}
