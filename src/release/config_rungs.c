/* The copies of --config: there before the first pod that needs them, gone after the last. */
#include "api/object.h"
#include "base/str.h"
#include "release/canary.h"
#include "release/config_document.h"
#include "release/configs.h"
#include "release/references.h"
#include "release/rungs.h"
#include "release/workload.h"

static const json *seen_copy(const struct situation *situation, const json *entry)
{
	return list_find(
		situation->seen->lists[config_source(entry)], json_get_text(entry, "copy"));
}

static const struct kind *kind_of(const json *entry)
{
	return config_kind(json_get_text(entry, "kind"));
}

static void describe(const char *before, const json *entries, const char *after, struct buf *buf)
{
	if (json_count(entries) == 0)
		return;
	buf_add_text(buf, before);
	configs_describe(entries, buf);
	buf_add_text(buf, after);
}

/* --- they are there ------------------------------------------------------------------------- */

void configs_there_describe(const struct situation *situation, struct buf *buf)
{
	describe("the configuration of the new version is there: ",
		config_copies(situation->record), "", buf);
}

static bool is_there(const struct situation *situation, const json *entry)
{
	const json *copy = seen_copy(situation, entry);
	return is_config_copy(copy, situation->record) && !object_is_deleting(copy);
}

bool configs_there_holds(const struct situation *situation)
{
	json_for_each (entry, config_copies(situation->record))
		if (!is_there(situation, entry))
			return false;
	return true;
}

/* What `start` has read from the files; in no other process. */
static const json *find_contents(const struct situation *situation, const json *entry)
{
	json_for_each (object, situation->record->contents)
		if (str_equal(json_get_text(object, "kind"), json_get_text(entry, "kind")) &&
			str_equal(object_name(object), json_get_text(entry, "copy")))
			return object;
	return NULL;
}

static int write_copy(const struct situation *situation, const json *entry, struct action *action,
	struct err *err)
{
	const struct plan *plan = &situation->record->plan;
	const struct kind *kind = kind_of(entry);
	const json *copy = seen_copy(situation, entry);
	const json *contents = find_contents(situation, entry);
	if (copy != NULL && !is_config_copy(copy, situation->record))
		return err_set(err, ERR_FOREIGN,
			"%s/%s is not of this release: somebody else made it; rename or delete it, "
			"then go on",
			kind->singular, object_name(copy));
	if (copy != NULL || contents == NULL)
		return err_set(err, ERR_FOREIGN,
			"%s/%s is not there: `start` was stopped before it had written it, or "
			"somebody deleted it; what it holds is in the files of --config only: "
			"`kubectl batchrollout abort %s -n %s`, and start again",
			kind->singular, json_get_text(entry, "copy"), plan->service,
			plan->namespace);
	action_create(action, kind, json_copy(contents));
	return 0;
}

int configs_there_act(const struct situation *situation, struct action *action, struct err *err)
{
	json_for_each (entry, config_copies(situation->record)) {
		if (is_there(situation, entry))
			continue;
		int code = write_copy(situation, entry, action, err);
		if (code != 0)
			return code;
	}
	return 0;
}

/* --- abort: they are gone ------------------------------------------------------------------- */

void configs_gone_describe(const struct situation *situation, struct buf *buf)
{
	AUTO_JSON made = json_array();
	json_for_each (entry, config_copies(situation->record))
		if (json_is_true(json_get(entry, "made")))
			json_append(made, json_copy(entry));
	describe("", made, json_count(made) == 1 ? " is gone" : " are gone", buf);
}

/* One that was there before stays, and so does one that somebody's edit of stable names. */
static const json *copy_to_undo(const struct situation *situation, const json *entry)
{
	const json *copy = seen_copy(situation, entry);
	const json *template = pod_template(stable_deployment(situation->seen));
	if (!json_is_true(json_get(entry, "made")) || object_is_deleting(copy) ||
		!is_config_copy(copy, situation->record) ||
		references_has(template, kind_of(entry), object_name(copy)))
		return NULL;
	return copy;
}

bool configs_gone_holds(const struct situation *situation)
{
	json_for_each (entry, config_copies(situation->record))
		if (copy_to_undo(situation, entry) != NULL)
			return false;
	return true;
}

int configs_gone_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	json_for_each (entry, config_copies(situation->record)) {
		const json *copy = copy_to_undo(situation, entry);
		if (copy != NULL)
			action_delete(action, kind_of(entry), copy, "Background");
	}
	return 0;
}

/* --- finish: those of older versions are gone ----------------------------------------------- */

void configs_dropped_describe(const struct situation *situation, struct buf *buf)
{
	describe("the configuration of older versions is gone: ", config_older(situation->record),
		"", buf);
}

/* By either version, by a Deployment as it is now, or by pods that somebody brought back. */
static bool is_in_use(const struct situation *situation, const struct kind *kind, const char *name)
{
	const struct observation *seen = situation->seen;
	const json *templates[] = {situation->record->template,
		pod_template(situation->record->stable), pod_template(stable_deployment(seen)),
		pod_template(canary_deployment(seen))};
	for (size_t i = 0; i < COUNT_OF(templates); i++)
		if (references_has(templates[i], kind, name))
			return true;
	json_for_each (set, list_items(seen->lists[SEEN_REPLICA_SETS]))
		if (wanted_replicas(set) > 0 && references_has(pod_template(set), kind, name))
			return true;
	return false;
}

static const json *copy_to_drop(const struct situation *situation, const json *entry)
{
	const json *copy = seen_copy(situation, entry);
	if (!is_config_copy(copy, situation->record) || object_is_deleting(copy) ||
		is_in_use(situation, kind_of(entry), object_name(copy)))
		return NULL;
	return copy;
}

bool configs_dropped_holds(const struct situation *situation)
{
	json_for_each (entry, config_older(situation->record))
		if (copy_to_drop(situation, entry) != NULL)
			return false;
	return true;
}

int configs_dropped_act(const struct situation *situation, struct action *action, struct err *err)
{
	(void)err;
	json_for_each (entry, config_older(situation->record)) {
		const json *copy = copy_to_drop(situation, entry);
		if (copy != NULL)
			action_delete(action, kind_of(entry), copy, "Background");
	}
	return 0;
}
