#include "release/users.h"

#include "api/object.h"
#include "release/observation.h"
#include "traffic/merge.h"

void add_note(struct str_list *notes, char *text)
{
	str_list_add(notes, text);
	mem_cleanup(&text);
}

/* Lists in the Service's own namespace, and in those that --virtualservice names. */
static int list_narrowly(const struct api_port *api, struct query *query, const struct plan *plan,
	json **ret, struct err *err)
{
	CLEANUP(str_list_release) struct str_list namespaces = {0};
	str_list_add(&namespaces, plan->namespace);
	json_for_each (selected, plan->selection)
		if (!str_list_has(&namespaces, json_get_text(selected, "namespace")))
			str_list_add(&namespaces, json_get_text(selected, "namespace"));
	return list_namespaces(api, query, &namespaces, ret, err);
}

int list_widely(const struct api_port *api, const struct kind *kind, const struct plan *plan,
	json **ret, struct str_list *notes, struct err *err)
{
	struct err refused = {0};
	struct query query = {.kind = kind};
	int code = api->list(api->context, &query, ret, &refused);
	if (code == ERR_FORBIDDEN) {
		add_note(notes,
			mem_format("may not list %s in all namespaces: only those in \"%s\"%s are "
				   "seen",
				kind->plural, plan->namespace,
				plan->selection != NULL ? " and where --virtualservice says" : ""));
		return list_narrowly(api, &query, plan, ret, err);
	}
	return code == 0 ? 0 : err_set(err, code, "%s", refused.message);
}

bool is_own(const json *object)
{
	return str_equal(object_label(object, MANAGED_BY_LABEL), MANAGED_BY);
}

json *snapshot_of(const json *object)
{
	json *copy = json_copy(object);
	json_remove(copy, "status");
	json_remove(json_get(copy, "metadata"), "managedFields");
	return copy;
}

int rehearse(const struct api_port *api, const struct kind *kind, const json *before,
	json *after_taken, struct err *err)
{
	AUTO_JSON after = after_taken;
	merge_strip_keys(after);
	struct write write = {
		.verb = before == NULL ? WRITE_CREATE : WRITE_UPDATE,
		.kind = kind,
		.namespace = object_namespace(after),
		.name = object_name(after),
		.before = before,
		.after = after,
		.dry_run = true,
	};
	int code = api->write(api->context, &write, NULL, err);
	/* Our own is there already where an earlier release left it; the ladder takes it on. */
	if (code == ERR_EXISTS)
		return 0;
	return code == 0 ? 0 : err_wrap(err, "%s/%s", kind->singular, object_name(after));
}
