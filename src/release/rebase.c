#include "release/rebase.h"

#include "api/object.h"
#include "api/patch.h"
#include "base/str.h"

void rebased_release(struct rebased *rebased)
{
	if (rebased == NULL)
		return;
	json_free(rebased->before);
	json_free(rebased->after);
	*rebased = (struct rebased){0};
}

/* A copy without what changes with the status. */
static json *without_status(const json *object)
{
	json *copy = json_copy(object);
	json_remove(copy, "status");
	json_remove(json_get(copy, "metadata"), "resourceVersion");
	json_remove(json_get(copy, "metadata"), "managedFields");
	return copy;
}

static bool differs_in_status_only(const json *a, const json *b)
{
	AUTO_JSON left = without_status(a);
	AUTO_JSON right = without_status(b);
	return json_equal(left, right);
}

int rebase(
	const struct api_port *api, const struct write *write, struct rebased *ret, struct err *err)
{
	AUTO_JSON list = NULL;
	struct query query = {
		.kind = write->kind, .namespace = write->namespace, .name = write->name};
	int code = api->list(api->context, &query, &list, err);
	if (code != 0)
		return code;
	const json *now = list_find(list, write->name);
	if (now == NULL || !differs_in_status_only(now, write->before))
		return err_set(err, ERR_CONFLICT, "%s/%s was changed meanwhile",
			write->kind->singular, write->name);
	AUTO_JSON after = NULL;
	if (write->after != NULL) {
		AUTO_JSON patch = patch_from_difference(write->before, write->after);
		after = json_copy(now);
		code = patch_apply(&after, patch, err);
		if (code != 0)
			return code;
	}
	*ret = (struct rebased){.write = *write, .before = json_copy(now), .after = TAKE(after)};
	ret->write.before = ret->before;
	ret->write.after = ret->after;
	return 0;
}
