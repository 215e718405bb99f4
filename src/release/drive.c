#include "release/drive.h"

#include "api/object.h"
#include "base/str.h"
#include "release/recovery.h"

#define TRIES_MAXIMUM 10
/* How long a holder that is taken over gets to notice, before we act: longer than the time between
 * its last look at the record and the write that follows. */
#define NOTICE_MS 2000
#define RETRY_MS 1000

static int busy(const struct record *record, struct err *err)
{
	return err_set(err, ERR_BUSY,
		"the release of service \"%s\" is being driven by %s (%s); wait for it, or "
		"`kubectl batchrollout abort %s -n %s`",
		record->plan.service, record->holder.user, record->holder.verb,
		record->plan.service, record->plan.namespace);
}

/* For claim_release to look again: there is nothing to wait for. */
static int deleted(struct err *err)
{
	return err_set(err, ERR_CONFLICT, "the record was deleted");
}

/* Watches the record for so long: a change is a sign of life. */
static int watch_record(
	const struct ports *ports, const struct record *record, int64_t timeout_ms, struct err *err)
{
	const struct api_port *api = &ports->api;
	AUTO_STRING name = own_object_name(record->plan.service);
	AUTO_JSON list = NULL;
	struct query query = {
		.kind = &KIND_CONFIG_MAP, .namespace = record->plan.namespace, .name = name};
	int code = api->list(api->context, &query, &list, err);
	if (code != 0)
		return code;
	const json *configmap = list_find(list, name);
	if (configmap == NULL)
		return deleted(err);
	if (!str_equal(object_version(configmap), object_version(record->configmap)))
		return busy(record, err);

	struct watch *watch = NULL;
	const json *lists[] = {list};
	code = api->watch_open(api->context, &query, lists, 1, &watch, err);
	if (code != 0)
		return code;
	size_t index;
	AUTO_JSON event = NULL;
	code = api->watch_next(watch, timeout_ms, &index, &event, err);
	api->watch_close(watch);
	if (code != 1)
		return code;
	return str_equal(json_get_text(event, "type"), "DELETED") ? deleted(err)
								  : busy(record, err);
}

/* The same for LEASE_MS, also when the watch breaks meanwhile. */
static int watch_for_life(const struct ports *ports, const struct record *record, struct err *err)
{
	const struct host_port *host = &ports->host;
	int64_t end = host->monotonic_ms(host->context) + LEASE_MS;
	for (;;) {
		int64_t left = end - host->monotonic_ms(host->context);
		struct err failure = {0};
		int code = watch_record(ports, record, left > 0 ? left : 0, &failure);
		if (code == 0 || (code != ERR_EXPIRED && code != ERR_UNAVAILABLE) || left <= 0)
			return code == 0 ? 0 : err_set(err, code, "%s", failure.message);
		if (code == ERR_UNAVAILABLE && (code = host->sleep(host->context, RETRY_MS, err)))
			return code;
	}
}

/* ERR_BUSY while somebody else drives the release; 0 when nobody does, or the holder is gone. Waits
 * up to LEASE_MS for a sign of life where that cannot be told otherwise. */
static int check_holder(const struct ports *ports, const struct record *record, struct err *err)
{
	const struct host_port *host = &ports->host;
	const struct holder *holder = &record->holder;
	if (holder->id[0] == '\0' || record->phase != PHASE_PROGRESSING)
		return 0;
	int alive = host->is_alive(host->context, holder->machine, holder->process);
	if (alive == 1)
		return busy(record, err);
	if (alive == 0)
		return 0;
	AUTO_STRING text =
		mem_format("%s (%s) drove this release last; waiting %d s for a sign of life",
			holder->user, holder->verb, LEASE_MS / 1000);
	ports->observer.note(ports->observer.context, text);
	return watch_for_life(ports, record, err);
}

/* Whether the holder that is taken over may still be at work. */
static bool may_be_working(const struct ports *ports, const struct record *record)
{
	/* Who it was is lost with the record. */
	if (record->progress_unknown && record->holder.id[0] == '\0')
		return true;
	return record->holder.id[0] != '\0' && record->phase == PHASE_PROGRESSING &&
	       ports->host.is_alive(
		       ports->host.context, record->holder.machine, record->holder.process) != 0;
}

/* 1 when the record in the cluster names this holder. Its id is new: where it stands, a write of
 * this process has put it there. */
static int holds_after_all(struct record *record, const struct api_port *api)
{
	CLEANUP(record_release) struct record found = {0};
	int code = record_load(api, record->plan.namespace, record->plan.service, &found, NULL);
	if (code != 0)
		return code == ERR_NOT_FOUND ? 0 : code;
	if (!str_equal(found.holder.id, record->holder.id))
		return 0;
	/* What is never written. */
	found.contents = TAKE(record->contents);
	struct record sent = *record;
	*record = found;
	found = sent;
	return 1;
}

int hold_release(struct record *record, const struct api_port *api, struct err *err)
{
	int code = record_save(record, api, err);
	/* Sent again it meets its precondition, should the first have been stored in between. */
	for (int i = 1; i < TRIES_MAXIMUM && code == ERR_UNAVAILABLE; i++) {
		int holds = holds_after_all(record, api);
		if (holds != 0)
			return holds < 0 ? code : 0;
		code = record_save(record, api, err);
		if ((code == ERR_CONFLICT || code == ERR_EXISTS) &&
			holds_after_all(record, api) == 1)
			return 0;
	}
	return code;
}

/* The record, or what can be told without it. */
static int load(
	const struct ports *ports, const struct claim *claim, struct record *ret, struct err *err)
{
	AUTO_STRING note = NULL;
	struct err failure = {0};
	if (!claim->recovers)
		return find_release(&ports->api, claim->namespace, claim->service, ret, err);
	int code = record_load(&ports->api, claim->namespace, claim->service, ret, err);
	if (code != ERR_NOT_FOUND && code != ERR_INVALID)
		return code;
	int recovered =
		recover_record(&ports->api, claim->namespace, claim->service, ret, &note, &failure);
	/* That there is no release is the better answer where nothing is left of one. */
	if (recovered == ERR_NOT_FOUND && code == ERR_NOT_FOUND)
		return code;
	if (recovered == ERR_NOT_FOUND)
		return err_set(err, code,
			"the record configmap/batchrollout-%s is damaged, and no object carries a "
			"release of service \"%s\", so that there is nothing to take it back by; "
			"see what it holds with `kubectl get configmap batchrollout-%s -n %s -o "
			"yaml`, and where no release is on its way, delete it and go on",
			claim->service, claim->service, claim->service, claim->namespace);
	if (recovered != 0)
		return err_set(err, recovered, "%s", failure.message);
	/* Begun in between, it is not lost. */
	if (code == ERR_NOT_FOUND && ret->configmap != NULL)
		return err_set(err, ERR_CONFLICT, "the release was begun at this moment");
	ports->observer.note(ports->observer.context, note);
	return 0;
}

static int try_claim(const struct ports *ports, const struct claim *claim, struct record *ret,
	bool *ret_took_over, struct err *err)
{
	int code = load(ports, claim, ret, err);
	if (code != 0)
		return code;
	if (!claim->take_over && (code = check_holder(ports, ret, err)) != 0)
		return code;
	if (claim->check != NULL && (code = claim->check(&ports->api, ret, err)) != 0)
		return code;
	*ret_took_over = may_be_working(ports, ret);
	code = claim->change(ret, claim->context, err);
	if (code != 0)
		return code;
	ret->holder = claim->self;
	code = hold_release(ret, &ports->api, err);
	return code == ERR_NOT_FOUND ? deleted(err) : code;
}

int claim_release(
	const struct ports *ports, const struct claim *claim, struct record *ret, struct err *err)
{
	bool took_over = false;
	int code = ERR_CONFLICT;
	for (int i = 0; i < TRIES_MAXIMUM && code == ERR_CONFLICT; i++) {
		CLEANUP(record_release) struct record record = {0};
		code = try_claim(ports, claim, &record, &took_over, err);
		if (code >= 0) {
			*ret = record;
			record = (struct record){0};
		}
	}
	if (code == 0 && took_over)
		code = ports->host.sleep(ports->host.context, NOTICE_MS, err);
	return code;
}
