/* The verbs, as cmd/ puts them together. */
#include <stdio.h>
#include <stdlib.h>

#include "release/drive.h"
#include "release/undo.h"
#include "release/verbs.h"
#include "sim/client.h"
#include "sim/invariants.h"

static struct holder holder_of(const struct client *client, const char *verb)
{
	struct holder holder = {0};
	(void)snprintf(holder.id, sizeof(holder.id), "%s", client->id);
	(void)snprintf(holder.user, sizeof(holder.user), "%s@%s", client->id, client->machine);
	(void)snprintf(holder.verb, sizeof(holder.verb), "%s", verb);
	(void)snprintf(holder.machine, sizeof(holder.machine), "%s", client->machine);
	(void)snprintf(holder.process, sizeof(holder.process), "%s", client->process);
	return holder;
}

static int ended(struct client *client, int code)
{
	client->ended = true;
	if (client->sim->trace)
		(void)fprintf(stderr, "%6lld %s: returned %d %s\n", (long long)client->sim->now_ms,
			client->id, code, code < 0 ? client->err.message : "");
	return code;
}

static int begin(struct client *client, struct record *record, const char *verb, const char *now)
{
	record->started_at = mem_strdup(now);
	record->started_by = mem_strdup(client->id);
	record->holder = holder_of(client, verb);
	int code = hold_release(record, &client->ports.api, &client->err);
	if (code == ERR_CONFLICT || code == ERR_EXISTS)
		return err_set(&client->err, ERR_BUSY, "somebody else began at the same moment");
	return code != 0 ? code : engine_run(&client->ports, record, false, &client->err);
}

int run_start(struct client *client, const struct start_options *options)
{
	CLEANUP(record_release) struct record record = {0};
	CLEANUP(str_list_release) struct str_list notes = {0};
	char now[32];
	sim_wall_time(client->sim, now);
	struct start_options with_time = *options;
	with_time.now = now;
	int code = prepare_release(&client->ports.api, &with_time, &record, &notes, &client->err);
	if (code == 0)
		code = begin(client, &record, "start", now);
	return ended(client, code);
}

int run_undo(struct client *client, bool at_once)
{
	CLEANUP(record_release) struct record last = {0};
	CLEANUP(record_release) struct record record = {0};
	CLEANUP(str_list_release) struct str_list notes = {0};
	char now[32];
	sim_wall_time(client->sim, now);
	struct undo_options options = {.at_once = at_once, .now = now};
	load_record(client->sim, &last);
	int code = undo_prepare(&client->ports.api, &last, &options, &record, &notes, &client->err);
	if (code == 0)
		code = begin(client, &record, "undo", now);
	return ended(client, code);
}

static int run_verb(struct client *client, const char *verb, bool take_over, bool now,
	int (*change)(struct record *record, void *context, struct err *err), void *context)
{
	CLEANUP(record_release) struct record record = {0};
	struct claim claim = {
		.namespace = NAMESPACE,
		.service = "web",
		.self = holder_of(client, verb),
		.take_over = take_over,
		.recovers = take_over,
		.check = take_over ? check_for_abort : NULL,
		.change = change,
		.context = context,
	};
	int code = claim_release(&client->ports, &claim, &record, &client->err);
	client->sim->invariants->hurried |= now && code == 0;
	if (code == 0)
		code = engine_run(&client->ports, &record, now, &client->err);
	return ended(client, code);
}

int run_next_with(struct client *client, const struct next_options *options)
{
	struct next_options copy = *options;
	return run_verb(client, "next", false, false, change_for_next, &copy);
}

int run_next(struct client *client)
{
	return run_next_with(client, &(struct next_options){0});
}

int run_next_all(struct client *client)
{
	return run_next_with(client, &(struct next_options){.all = true});
}

int run_abort(struct client *client)
{
	return run_verb(client, "abort", true, false, change_for_abort, NULL);
}

int run_abort_now(struct client *client)
{
	return run_verb(client, "abort", true, true, change_for_abort, NULL);
}

void load_record(struct sim *sim, struct record *ret)
{
	const struct object *object =
		sim_find(sim, &KIND_CONFIG_MAP, NAMESPACE, "batchrollout-web");
	struct err err = {0};
	if (object == NULL || record_parse(object->now, ret, &err) != 0)
		sim_fail(sim, "no record: %s", err.message);
}
