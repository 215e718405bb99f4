#include <stdlib.h>

#include "api/object.h"
#include "api/patch.h"
#include "base/mem.h"
#include "kube/internal.h"
#include "kube/url.h"

static int create(
	struct kube_client *client, const struct write *write, json **ret_object, struct err *err)
{
	AUTO_BUF path = BUF_INIT(BUF_OWN_TEXT);
	url_add_resource(&path, write->kind, write->namespace, NULL);
	url_add_parameter(&path, "fieldManager", client->field_manager);
	if (write->dry_run)
		url_add_parameter(&path, "dryRun", "All");
	AUTO_STRING body = json_print(write->after);
	struct kube_request request = {
		.method = "POST",
		.path = buf_text(&path),
		.content_type = "application/json",
		.body = body,
		.idempotent = write->dry_run,
	};
	return kube_request(client, &request, ret_object, err);
}

/* Makes the server refuse the patch with a conflict when the object is not what it was: it takes a
 * changed resourceVersion for the one that the writer has seen. Last, so that it counts whatever
 * the difference says of this field. */
static void add_precondition(json *patch, const char *version)
{
	json *operation = json_object();
	json_set_text(operation, "op", "add");
	json_set_text(operation, "path", "/metadata/resourceVersion");
	json_set_text(operation, "value", version);
	json_append(patch, operation);
}

/* The server applies a patch before it looks at the precondition: one of a field that somebody took
 * away meanwhile is not a conflict to it but invalid. What the object is now tells them apart. */
static int refused(struct kube_client *client, const struct write *write, int code, struct err *err)
{
	AUTO_JSON list = NULL;
	struct err failure = {0};
	struct query query = {
		.kind = write->kind, .namespace = write->namespace, .name = write->name};
	if (code != ERR_INVALID)
		return code;
	code = kube_list(client, &query, &list, &failure);
	if (code != 0)
		return err_set(err, code, "%s", failure.message);
	const json *now = list_find(list, write->name);
	if (now == NULL)
		return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", write->kind->plural,
			write->name);
	if (str_equal(object_version(now), object_version(write->before)))
		return ERR_INVALID;
	return err_set(err, ERR_CONFLICT, "%s/%s was changed meanwhile", write->kind->singular,
		write->name);
}

static int update(
	struct kube_client *client, const struct write *write, json **ret_object, struct err *err)
{
	AUTO_JSON patch = patch_from_difference(write->before, write->after);
	if (json_count(patch) == 0) {
		if (ret_object != NULL)
			*ret_object = json_copy(write->before);
		return 0;
	}
	const char *version = object_version(write->before);
	if (str_empty(version))
		return err_set(err, ERR_FAILED, "%s/%s was not read from the server: no version",
			write->kind->singular, write->name);
	add_precondition(patch, version);

	AUTO_BUF path = BUF_INIT(BUF_OWN_TEXT);
	url_add_resource(&path, write->kind, write->namespace, write->name);
	url_add_parameter(&path, "fieldManager", client->field_manager);
	if (write->dry_run)
		url_add_parameter(&path, "dryRun", "All");
	AUTO_STRING body = json_print(patch);
	struct kube_request request = {
		.method = "PATCH",
		.path = buf_text(&path),
		.content_type = "application/json-patch+json",
		.body = body,
		.idempotent = write->dry_run,
	};
	int code = kube_request(client, &request, ret_object, err);
	return refused(client, write, code, err);
}

static int delete(struct kube_client *client, const struct write *write, struct err *err)
{
	AUTO_JSON options = json_object();
	json_set_text(options, "apiVersion", "v1");
	json_set_text(options, "kind", "DeleteOptions");
	json_set_text(options, "propagationPolicy", write->propagation);
	const char *uid = object_uid(write->before), *version = object_version(write->before);
	if (uid != NULL || version != NULL) {
		json *preconditions = json_ensure_object(options, "preconditions");
		json_set_text(preconditions, "uid", uid);
		json_set_text(preconditions, "resourceVersion", version);
	}
	AUTO_BUF path = BUF_INIT(BUF_OWN_TEXT);
	url_add_resource(&path, write->kind, write->namespace, write->name);
	AUTO_STRING body = json_print(options);
	struct kube_request request = {
		.method = "DELETE",
		.path = buf_text(&path),
		.content_type = "application/json",
		.body = body,
	};
	return kube_request(client, &request, NULL, err);
}

int kube_write(void *context, const struct write *write, json **ret_object, struct err *err)
{
	struct kube_client *client = context;
	switch (write->verb) {
	case WRITE_CREATE:
		return create(client, write, ret_object, err);
	case WRITE_UPDATE:
		return update(client, write, ret_object, err);
	case WRITE_DELETE:
		return delete(client, write, err);
	}
	return err_set(err, ERR_FAILED, "an unknown kind of write");
}
