/* Before the first write: what --config gives, held against the template and the cluster. */

#include "api/object.h"
#include "base/buf.h"
#include "release/canary.h"
#include "release/config_document.h"
#include "release/configs.h"
#include "release/references.h"
#include "release/users.h"
#include "release/workload.h"

static const struct kind *const KINDS[] = {&KIND_CONFIG_MAP, &KIND_SECRET};

/* What is found out on the way. */
struct work {
	const struct api_port *api;
	struct record *record;
	struct str_list *notes;
	char *family; /* for CONFIG_DEPLOYMENT_ANNOTATION: a swap gives each version a name of its
			 own */
	json *bases;  /* by kind: of each name that the template has, what it is a copy of */
	json *names;  /* by kind: the same names, with the copies' */
	json *copies, *older, *contents;
};

static void work_release(struct work *work)
{
	mem_cleanup(&work->family);
	json_free(work->bases);
	json_free(work->names);
	json_free(work->copies);
	json_free(work->older);
	json_free(work->contents);
}

/* The object of this name, or NULL. */
static int read_object(const struct work *work, const struct kind *kind, const char *name,
	json **ret, struct err *err)
{
	AUTO_JSON list = NULL;
	const struct query query = {
		.kind = kind, .namespace = work->record->plan.namespace, .name = name};
	int code = work->api->list(work->api->context, &query, &list, err);
	if (code == 0)
		*ret = json_copy(list_find(list, name));
	return code;
}

/* --- what the template names ---------------------------------------------------------------- */

/* What a name stands for: a copy of an earlier release stands for what it is a copy of. */
static int find_base(const struct work *work, const struct kind *kind, const char *name,
	json *bases, struct err *err)
{
	AUTO_JSON object = NULL;
	struct err refused = {0};
	int code = read_object(work, kind, name, &object, &refused);
	/* Who may not read it has no business with it; what is to be written is read again. */
	if (code != 0 && code != ERR_FORBIDDEN)
		return err_set(err, code, "%s", refused.message);
	const char *base = is_config_copy(object, work->record)
				   ? object_annotation(object, CONFIG_OF_ANNOTATION)
				   : NULL;
	json_set_text(bases, name, base == NULL ? name : base);
	return 0;
}

/* All names of the kind; once. */
static int find_bases(struct work *work, const struct kind *kind, const json **ret, struct err *err)
{
	struct str_list names CLEANUP(str_list_release) = {0};
	*ret = json_get(work->bases, kind->name);
	if (*ret != NULL)
		return 0;
	json *bases = json_ensure_object(work->bases, kind->name);
	references_list(work->record->template, kind, &names);
	for (size_t i = 0; i < names.count; i++) {
		int code = find_base(work, kind, names.items[i], bases, err);
		if (code != 0)
			return code;
	}
	*ret = bases;
	return 0;
}

static int not_named(const struct kind *kind, const char *name, const json *bases, struct err *err)
{
	AUTO_BUF names = BUF_INIT(BUF_OWN_TEXT);
	json_for_each (base, bases)
		buf_addf(&names, "%s%s", names.length > 0 ? ", " : "", json_key(base));
	return err_set(err, ERR_FAILED,
		"--config: the pod template names no %s \"%s\"; of this kind it names: %s",
		kind->name, name, names.length == 0 ? "none" : buf_text(&names));
}

/* --- the copies ----------------------------------------------------------------------------- */

static void make_copy(json *object, const struct work *work, const char *base, const char *name)
{
	json_set_text(json_get(object, "metadata"), "name", name);
	drop_annotations(object);
	drop_labels(object);
	mark_as_own(object, work->record);
	object_set_label(object, CONFIG_LABEL, CONFIG_LABEL_COPY);
	object_set_annotation(object, CONFIG_OF_ANNOTATION, base);
	object_set_annotation(object, CONFIG_VERSION_ANNOTATION, work->record->plan.canary_version);
	object_set_annotation(object, CONFIG_DEPLOYMENT_ANNOTATION, work->family);
}

/* Of an earlier release: the same is used again, anything else would have to be overwritten. */
static int check_existing(const struct work *work, const struct kind *kind, const json *existing,
	const json *copy, const char *base, struct err *err)
{
	bool ours = is_config_copy(existing, work->record) &&
		    str_equal(object_annotation(existing, CONFIG_OF_ANNOTATION), base);
	if (ours && !object_is_deleting(existing) && config_same_contents(existing, copy))
		return 0;
	return err_set(err, ERR_EXISTS,
		"--config: %s/%s exists already%s, and the copy of %s would have this name: choose "
		"another --version, or delete it where nothing needs it",
		kind->singular, object_name(copy),
		ours ? ", of an earlier release and with other contents" : "", base);
}

static void add_entry(const struct work *work, const struct kind *kind, const char *base,
	const char *copy, bool made)
{
	json *entry = json_object();
	json_set_text(entry, "kind", kind->name);
	json_set_text(entry, "name", base);
	json_set_text(entry, "copy", copy);
	json_set_bool(entry, "made", made);
	json_append(work->copies, entry);
}

/* The object becomes the copy; nothing is written yet, but the server is asked whether it may. */
static int add_copy(struct work *work, const struct kind *kind, json *object_taken,
	const char *base, struct err *err)
{
	AUTO_JSON object = object_taken;
	AUTO_JSON existing = NULL;
	AUTO_STRING name = NULL;
	if (plan_name_copy(&work->record->plan, base, &name, err) != 0)
		return err_wrap(err, "--config");
	int code = read_object(work, kind, name, &existing, err);
	if (code != 0)
		return code;
	make_copy(object, work, base, name);
	code = existing != NULL ? check_existing(work, kind, existing, object, base, err)
				: rehearse(work->api, kind, NULL, json_copy(object), err);
	if (code != 0)
		return code;
	add_entry(work, kind, base, name, existing == NULL);
	if (existing == NULL)
		json_append(work->contents, TAKE(object));
	return 0;
}

/* Every name that stands for the base gets the copy's. */
static void rename_base(
	const struct work *work, const struct kind *kind, const json *bases, const char *base)
{
	const json *entry = json_at(work->copies, json_count(work->copies) - 1);
	json *names = json_ensure_object(work->names, kind->name);
	json_for_each (name, bases)
		if (str_equal(json_text(name), base))
			json_set_text(names, json_key(name), json_get_text(entry, "copy"));
}

static bool has_entry(const struct work *work, const struct kind *kind, const char *base)
{
	json_for_each (entry, work->copies)
		if (str_equal(json_get_text(entry, "kind"), kind->name) &&
			str_equal(json_get_text(entry, "name"), base))
			return true;
	return false;
}

static bool is_a_base(const json *bases, const char *base)
{
	json_for_each (name, bases)
		if (str_equal(json_text(name), base))
			return true;
	return false;
}

static int add_document(struct work *work, const json *document, struct err *err)
{
	AUTO_JSON object = NULL;
	const json *bases = NULL;
	int code = config_document_read(document, work->record->plan.namespace, &object, err);
	if (code != 0)
		return code;
	const struct kind *kind = config_kind(json_get_text(object, "kind"));
	code = find_bases(work, kind, &bases, err);
	if (code != 0)
		return code;
	/* "settings", or "settings-v2" where the template has that, a copy of the former. */
	const char *named = json_get_text(bases, object_name(object));
	AUTO_STRING base = mem_strdup(named == NULL ? object_name(object) : named);
	if (!is_a_base(bases, base))
		return not_named(kind, base, bases, err);
	if (has_entry(work, kind, base))
		return err_set(err, ERR_FAILED, "--config: there are two documents for %s/%s",
			kind->singular, base);
	code = add_copy(work, kind, TAKE(object), base, err);
	if (code == 0)
		rename_base(work, kind, bases, base);
	return code;
}

/* `kubectl get -o yaml` of several objects gives a List of them. */
static int add_documents(struct work *work, const json *documents, struct err *err)
{
	json_for_each (document, documents) {
		bool list = str_equal(json_get_text(document, "kind"), "List");
		int code = list ? add_documents(work, list_items(document), err)
				: add_document(work, document, err);
		if (code != 0)
			return code;
	}
	return 0;
}

/* --- what goes at the end ------------------------------------------------------------------- */

static bool is_named(
	const struct work *work, const struct kind *kind, const json *deployments, const char *name)
{
	const struct record *record = work->record;
	if (references_has(record->template, kind, name) ||
		references_has(pod_template(record->stable), kind, name))
		return true;
	json_for_each (deployment, list_items(deployments))
		if (references_has(pod_template(deployment), kind, name))
			return true;
	return false;
}

static int list_copies(
	const struct work *work, const struct kind *kind, json **ret, struct err *err)
{
	struct err refused = {0};
	AUTO_STRING selector = mem_format(SERVICE_LABEL "=%s," CONFIG_LABEL "=" CONFIG_LABEL_COPY,
		work->record->plan.service);
	const struct query query = {.kind = kind,
		.namespace = work->record->plan.namespace,
		.label_selector = selector};
	int code = work->api->list(work->api->context, &query, ret, &refused);
	if (code == ERR_FORBIDDEN) {
		add_note(work->notes,
			mem_format("may not list %s: copies for older versions will not be dropped",
				kind->plural));
		*ret = json_object();
		return 0;
	}
	return code == 0 ? 0 : err_set(err, code, "%s", refused.message);
}

/* The copies of this Deployment that neither version names, nor anybody else. */
static int find_older(
	struct work *work, const struct kind *kind, const json *deployments, struct err *err)
{
	AUTO_JSON copies = NULL;
	int code = list_copies(work, kind, &copies, err);
	if (code != 0)
		return code;
	json_for_each (copy, list_items(copies)) {
		const char *deployment = object_annotation(copy, CONFIG_DEPLOYMENT_ANNOTATION);
		if (!is_config_copy(copy, work->record) || !str_equal(deployment, work->family) ||
			is_named(work, kind, deployments, object_name(copy)))
			continue;
		json *entry = json_object();
		json_set_text(entry, "kind", kind->name);
		json_set_text(entry, "copy", object_name(copy));
		json_append(work->older, entry);
	}
	return 0;
}

/* --- all of it ------------------------------------------------------------------------------ */

static int prepare(struct work *work, const json *documents, struct err *err)
{
	struct record *record = work->record;
	AUTO_JSON deployments = NULL;
	const struct query query = {.kind = &KIND_DEPLOYMENT, .namespace = record->plan.namespace};
	int code = add_documents(work, documents, err);
	if (code == 0 && json_count(work->copies) == 0)
		return err_set(err, ERR_FAILED, "--config: there is no document in the file");
	for (size_t i = 0; code == 0 && i < COUNT_OF(KINDS); i++)
		references_rename(
			record->template, KINDS[i], json_get(work->names, KINDS[i]->name));
	if (code == 0)
		code = work->api->list(work->api->context, &query, &deployments, err);
	for (size_t i = 0; code == 0 && i < COUNT_OF(KINDS); i++)
		if (json_get(work->names, KINDS[i]->name) != NULL)
			code = find_older(work, KINDS[i], deployments, err);
	if (code != 0)
		return code;
	record->contents = TAKE(work->contents);
	record->configs = json_object();
	json_set(record->configs, "copies", TAKE(work->copies));
	json_set(record->configs, "older", TAKE(work->older));
	return 0;
}

/* What pods do without an object that their template names; NULL where it is optional. */
static const char *miss(const json *template, const struct kind *kind, const char *name)
{
	struct str_list needed CLEANUP(str_list_release) = {0};
	references_list_needed(template, kind, &needed);
	if (str_list_has(&needed, name))
		return "its pods will not start without it";
	json_for_each (secret, json_path(template, "spec", "imagePullSecrets", NULL))
		if (kind == &KIND_SECRET && str_equal(json_get_text(secret, "name"), name))
			return "its images are pulled without it";
	return NULL;
}

/* An older template may name what a later release has dropped. */
static void note_missing(const struct work *work, const struct kind *kind)
{
	const struct record *record = work->record;
	struct str_list names CLEANUP(str_list_release) = {0};
	references_list(record->template, kind, &names);
	for (size_t i = 0; i < names.count; i++) {
		AUTO_JSON object = NULL;
		const char *name = names.items[i];
		const char *means = miss(record->template, kind, name);
		if (means == NULL || references_has(pod_template(record->stable), kind, name) ||
			read_object(work, kind, name, &object, NULL) != 0 || object != NULL)
			continue;
		add_note(work->notes,
			mem_format("%s/%s, which the template of %s names, is not there: %s",
				kind->singular, name, record->plan.canary_version, means));
	}
}

int configs_prepare(const struct api_port *api, const struct start_options *options,
	struct record *record, struct str_list *notes, struct err *err)
{
	CLEANUP(work_release)
	struct work work = {
		.api = api,
		.record = record,
		.notes = notes,
		.family = plan_name_without_version(&record->plan),
		.bases = json_object(),
		.names = json_object(),
		.copies = json_array(),
		.older = json_array(),
		.contents = json_array(),
	};
	if (options->configs != NULL)
		return prepare(&work, options->configs, err);
	for (size_t i = 0; options->template != NULL && i < COUNT_OF(KINDS); i++)
		note_missing(&work, KINDS[i]);
	return 0;
}
