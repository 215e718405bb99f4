#include "release/rung.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/object.h"
#include "release/ladders.h"

void action_release(struct action *action)
{
	if (action == NULL)
		return;
	for (size_t i = 0; i < action->write_count; i++) {
		json_free(action->writes[i].before);
		json_free(action->writes[i].after);
		free(action->writes[i].said);
	}
	free(action->writes);
	free(action->summary);
	*action = (struct action){0};
}

static struct action_write *add_write(struct action *action, enum write_verb verb,
	const struct kind *kind, json *before, json *after)
{
	const json *object = after != NULL ? after : before;
	action->writes = mem_grow(action->writes, action->write_count + 1, sizeof(*action->writes));
	struct action_write *place = &action->writes[action->write_count++];
	*place = (struct action_write){
		.write = {.verb = verb,
			.kind = kind,
			.namespace = object_namespace(object),
			.name = object_name(object),
			.before = before,
			.after = after},
		.before = before,
		.after = after,
	};
	return place;
}

void action_create(struct action *action, const struct kind *kind, json *object)
{
	struct action_write *place = add_write(action, WRITE_CREATE, kind, NULL, object);
	place->said = mem_format("%s/%s created", kind->singular, place->write.name);
}

void action_delete(
	struct action *action, const struct kind *kind, const json *object, const char *propagation)
{
	struct action_write *place = add_write(action, WRITE_DELETE, kind, json_copy(object), NULL);
	place->write.propagation = propagation;
	place->said = mem_format("%s/%s deleted%s", kind->singular, place->write.name,
		str_equal(propagation, "Orphan") ? ", its pods stay" : "");
}

void action_update(struct action *action, const struct kind *kind, const json *before, json *after,
	const char *said, ...)
{
	struct action_write *place =
		add_write(action, WRITE_UPDATE, kind, json_copy(before), after);
	char text[256];
	va_list arguments;
	va_start(arguments, said);
	(void)vsnprintf(text, sizeof(text), said, arguments);
	va_end(arguments);
	place->said = mem_format("%s/%s %s", kind->singular, place->write.name, text);
}

const struct batch *goal_batch(const struct situation *situation)
{
	const struct record *record = situation->record;
	int batch = record->goal == GOAL_BATCH ? record->goal_batch : record->plan.batch_count;
	return &record->plan.batches[batch - 1];
}

const struct rung *ladder_for(const struct record *record)
{
	static const struct rung *const FINISH[] = {
		[HANDOVER_TAKEOVER] = TAKEOVER_LADDER,
		[HANDOVER_SWAP] = SWAP_LADDER,
		[HANDOVER_ROLLING] = ROLLING_LADDER,
	};
	if (record->goal == GOAL_FINISH)
		return FINISH[record->plan.handover];
	return record->goal == GOAL_BATCH ? FORWARD_LADDER : ABORT_LADDER;
}

void settled_name(const struct rung *rung, const struct record *record, char ret[32])
{
	if (rung->each_batch)
		(void)snprintf(ret, 32, "%s-%d", rung->settles, record->goal_batch);
	else
		(void)snprintf(ret, 32, "%s", rung->settles);
}

const struct rung *settled_before(const struct rung *rung, const struct situation *situation)
{
	char name[32];
	while (rung->describe != NULL && rung->settles == NULL)
		rung++;
	if (rung->describe == NULL || (rung->holds != NULL && rung->holds(situation)))
		return NULL;
	settled_name(rung, situation->record, name);
	return record_has_settled(situation->record, name) ? rung : NULL;
}

static bool has_settled(const struct rung *rung, const struct record *record)
{
	char name[32];
	if (rung->settles == NULL)
		return false;
	settled_name(rung, record, name);
	return record->plan.settle_ms == 0 || record_has_settled(record, name);
}

static bool is_met(const struct rung *rung, const struct situation *situation)
{
	return has_settled(rung, situation->record) ||
	       (rung->holds != NULL && rung->holds(situation));
}

const struct rung *first_unmet(const struct rung *ladder, const struct situation *situation)
{
	for (const struct rung *rung = ladder; rung->describe != NULL; rung++)
		if (!is_met(rung, situation))
			return rung;
	return NULL;
}
