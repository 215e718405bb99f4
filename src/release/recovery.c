#include "release/recovery.h"

#include <string.h>

#include "api/object.h"
#include "base/str.h"

/* The first object of a list that carries a release of the Service. What cannot be read may be
 * another Service's; the copy of a release says whose it is by its label. */
static int find_carrier(const struct api_port *api, const struct kind *kind, const char *namespace,
	const char *service, struct record *ret, char **ret_carrier, struct err *err)
{
	AUTO_JSON list = NULL;
	struct query query = {.kind = kind, .namespace = namespace};
	int code = api->list(api->context, &query, &list, err);
	if (code != 0)
		return code;
	json_for_each (object, list_items(list)) {
		CLEANUP(record_release) struct record record = {0};
		if (object_annotation(object, RELEASE_ANNOTATION) == NULL)
			continue;
		code = record_from_annotation(object, &record, err);
		if (code != 0 && str_equal(object_label(object, SERVICE_LABEL), service))
			return err_wrap(err, "%s/%s", kind->singular, object_name(object));
		if (code != 0 || !str_equal(record.plan.service, service))
			continue;
		*ret = record;
		record = (struct record){0};
		*ret_carrier = mem_format("%s/%s", kind->singular, object_name(object));
		return 0;
	}
	return err_set(err, ERR_NOT_FOUND,
		"no object in namespace \"%s\" carries a release of service \"%s\"", namespace,
		service);
}

/* What there is of the record: the ConfigMap to write over, the history. */
static int take_rest(const struct api_port *api, struct record *record, struct err *err)
{
	AUTO_STRING name = own_object_name(record->plan.service);
	AUTO_JSON list = NULL;
	AUTO_JSON history = NULL;
	struct query query = {
		.kind = &KIND_CONFIG_MAP, .namespace = record->plan.namespace, .name = name};
	int code = api->list(api->context, &query, &list, err);
	if (code != 0)
		return code;
	record->configmap = json_copy(list_find(list, name));
	const char *text = json_path_text(record->configmap, "data", "history", NULL);
	if (text != NULL && json_parse(text, strlen(text), &history, NULL) == 0 &&
		json_is_array(history)) {
		json_free(record->history);
		record->history = TAKE(history);
	}
	return 0;
}

static int find_any_carrier(const struct api_port *api, const char *namespace, const char *service,
	struct record *ret, char **ret_carrier, struct err *err)
{
	int code = find_carrier(api, &KIND_DEPLOYMENT, namespace, service, ret, ret_carrier, err);
	return code != ERR_NOT_FOUND ? code
				     : find_carrier(api, &KIND_REPLICA_SET, namespace, service, ret,
					       ret_carrier, err);
}

int find_release(const struct api_port *api, const char *namespace, const char *service,
	struct record *ret, struct err *err)
{
	CLEANUP(record_release) struct record carried = {0};
	AUTO_STRING carrier = NULL;
	int code = record_load(api, namespace, service, ret, err);
	if (code != ERR_NOT_FOUND ||
		find_any_carrier(api, namespace, service, &carried, &carrier, NULL) != 0)
		return code;
	/* Unless it was begun in between: the record is there before anything carries it. */
	code = record_load(api, namespace, service, ret, err);
	if (code != ERR_NOT_FOUND)
		return code;
	return err_set(err, ERR_FAILED,
		"the record configmap/batchrollout-%s of a release to %s is gone: somebody deleted "
		"it; `kubectl batchrollout abort %s -n %s` takes the release back by what %s "
		"carries",
		service, carried.plan.canary_version, service, namespace, carrier);
}

int recover_record(const struct api_port *api, const char *namespace, const char *service,
	struct record *ret, char **ret_note, struct err *err)
{
	CLEANUP(record_release) struct record record = {0};
	AUTO_STRING carrier = NULL;
	int code = find_any_carrier(api, namespace, service, &record, &carrier, err);
	if (code == 0)
		code = take_rest(api, &record, err);
	if (code != 0)
		return code;
	*ret_note =
		mem_format("the record configmap/batchrollout-%s %s: the release is taken back by "
			   "what %s carries; who began it and when%s, and how far it had come, is "
			   "not known",
			service, record.configmap == NULL ? "is gone" : "is damaged", carrier,
			json_count(record.history) == 0 ? ", the history of earlier releases" : "");
	*ret = record;
	record = (struct record){0};
	return 0;
}
