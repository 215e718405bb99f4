#include "release/template.h"

#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "api/selector.h"
#include "base/buf.h"
#include "base/parse.h"
#include "release/stable_version.h"
#include "release/workload.h"

static const char *const CONTAINER_LISTS[] = {"containers", "initContainers"};

/* The tag of an image reference ("registry:5000/web:v2@sha256:…"); NULL where it has none. The
 * caller frees. */
static char *image_tag(const char *image)
{
	const char *name = strrchr(image, '/');
	name = name == NULL ? image : name + 1;
	const char *colon = strchr(name, ':');
	const char *digest = strchr(name, '@');
	if (colon == NULL || (digest != NULL && digest < colon))
		return NULL;
	return mem_strndup(colon + 1, strcspn(colon + 1, "@"));
}

/* The length of an image reference without tag and digest. */
static size_t repository_length(const char *image)
{
	const char *name = strrchr(image, '/');
	name = name == NULL ? image : name + 1;
	return (size_t)(name - image) + strcspn(name, ":@");
}

static bool same_repository(const char *a, const char *b)
{
	size_t length = repository_length(a);
	return a != NULL && b != NULL && length == repository_length(b) &&
	       strncmp(a, b, length) == 0;
}

json *template_container(const json *template, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(CONTAINER_LISTS); i++)
		json_for_each (container, json_path(template, "spec", CONTAINER_LISTS[i], NULL))
			if (str_equal(json_get_text(container, "name"), name))
				return container;
	return NULL;
}

static int unknown_container(
	const json *template, const char *deployment, const char *name, struct err *err)
{
	AUTO_BUF names = BUF_INIT(BUF_OWN_TEXT);
	json_for_each (container, json_path(template, "spec", "containers", NULL))
		buf_addf(&names, "%s%s", names.length > 0 ? ", " : "",
			json_get_text(container, "name"));
	if (name != NULL)
		return err_set(err, ERR_FAILED,
			"deployment \"%s\" has no container \"%s\"; there is: %s", deployment, name,
			buf_text(&names));
	return err_set(err, ERR_FAILED,
		"deployment \"%s\" has several containers (%s): say which with --image "
		"CONTAINER=IMAGE",
		deployment, buf_text(&names));
}

/* Without a name, the container is the only one, or the only one with an image of this name. */
static json *guess_container(const json *template, const char *image)
{
	json *containers = json_path(template, "spec", "containers", NULL);
	if (json_count(containers) == 1)
		return json_first(containers);
	json *found = NULL;
	json_for_each (container, containers) {
		const char *current = json_get_text(container, "image");
		if (current == NULL || !same_repository(current, image))
			continue;
		if (found != NULL)
			return NULL;
		found = container;
	}
	return found;
}

static int set_image(json *template, const char *deployment, const char *flag, struct err *err)
{
	const char *equals = strchr(flag, '=');
	AUTO_STRING name = equals == NULL ? NULL : mem_strndup(flag, (size_t)(equals - flag));
	const char *image = equals == NULL ? flag : equals + 1;
	if (image[0] == '\0' || (name != NULL && name[0] == '\0') ||
		strpbrk(image, " \t\r\n") != NULL)
		return err_set(err, ERR_USAGE, "--image \"%s\" is not [CONTAINER=]IMAGE", flag);
	json *container = name != NULL ? template_container(template, name)
				       : guess_container(template, image);
	if (container == NULL)
		return unknown_container(template, deployment, name, err);
	json_set_text(container, "image", image);
	return 0;
}

static int template_from_images(
	const struct start_options *options, const json *stable, json **ret, struct err *err)
{
	AUTO_JSON template = json_copy(pod_template(stable));
	for (size_t i = 0; i < options->images.count; i++) {
		int code = set_image(template, object_name(stable), options->images.items[i], err);
		if (code != 0)
			return code;
	}
	*ret = TAKE(template);
	return 0;
}

/* The Deployment of this name; where the copy stays, under a name of its own, the file may hold
 * that one alone. */
static const json *find_manifest(const json *documents, const struct record *record)
{
	const json *only = NULL;
	int count = 0;
	json_for_each (document, documents) {
		if (!str_equal(json_get_text(document, "kind"), KIND_DEPLOYMENT.name))
			continue;
		if (str_equal(object_name(document), object_name(record->stable)))
			return document;
		only = document;
		count++;
	}
	return record->plan.handover == HANDOVER_SWAP && count == 1 ? only : NULL;
}

static int template_from_manifest(
	const json *documents, const struct record *record, json **ret, struct err *err)
{
	const json *stable = record->stable;
	const json *found = find_manifest(documents, record);
	if (found == NULL)
		return err_set(err, ERR_FAILED, "-f: there is no Deployment \"%s\" in the file",
			object_name(stable));
	if (!str_equal(json_get_text(found, "apiVersion"), KIND_DEPLOYMENT.version))
		return err_set(err, ERR_FAILED, "-f: Deployment \"%s\" is not of apiVersion %s",
			object_name(stable), KIND_DEPLOYMENT.version);
	const json *template = pod_template(found);
	if (!json_is_object(template))
		return err_set(err, ERR_FAILED, "-f: Deployment \"%s\" has no spec.template",
			object_name(stable));
	*ret = json_copy(template);
	json_remove(json_get(*ret, "metadata"), "creationTimestamp");
	return 0;
}

/* The first container whose image differs, else the first. */
static const json *changed_container(const json *template, const json *old)
{
	json_for_each (container, json_path(template, "spec", "containers", NULL)) {
		const json *before = template_container(old, json_get_text(container, "name"));
		if (!str_equal(json_get_text(container, "image"), json_get_text(before, "image")))
			return container;
	}
	return json_first(json_path(template, "spec", "containers", NULL));
}

/* Of what is given, known and written on the template the first that there is. */
static const char *said_version(const struct start_options *options, const json *template)
{
	if (options->version != NULL || options->template_version != NULL)
		return options->version != NULL ? options->version : options->template_version;
	if (options->manifest == NULL && options->template == NULL)
		return NULL;
	return json_path_text(template, "metadata", "labels", VERSION_LABEL, NULL);
}

static int name_canary_version(const struct start_options *options, const struct record *record,
	const json *old, char **ret, struct err *err)
{
	const char *image = json_get_text(changed_container(record->template, old), "image");
	AUTO_STRING tag = image == NULL ? NULL : image_tag(image);
	const char *version = said_version(options, record->template);
	if (version == NULL)
		version = tag != NULL ? tag : options->unnamed;
	if (version == NULL)
		return err_set(err, ERR_USAGE,
			"image \"%s\" has no tag to name the version by: use --version",
			image == NULL ? "" : image);
	int code = check_label_value(version, err);
	if (code != 0)
		return err_wrap(err, "%s",
			options->version != NULL ? "--version" : "the image's tag (use --version)");
	*ret = mem_strdup(version);
	return 0;
}

/* A label value from any text: what is not allowed in one becomes '-'. */
static char *as_label_value(const char *text)
{
	char *value = mem_strndup(text, 63);
	for (char *p = value; *p != '\0'; p++)
		if (check_label_value((char[]){'a', *p, 'a', '\0'}, NULL) != 0)
			*p = '-';
	for (size_t length = strlen(value); length > 0 && strchr("-_.", value[length - 1]) != NULL;)
		value[--length] = '\0';
	return value;
}

static char *name_stable_version(const struct record *record, const json *old)
{
	const char *label = json_path_text(old, "metadata", "labels", VERSION_LABEL, NULL);
	if (label != NULL)
		return mem_strdup(label);
	const json *changed = changed_container(record->template, old);
	const json *container = template_container(old, json_get_text(changed, "name"));
	if (container == NULL)
		container = json_first(json_path(old, "spec", "containers", NULL));
	const char *image = json_get_text(container, "image");
	AUTO_STRING tag = image == NULL ? NULL : image_tag(image);
	char *version = as_label_value(tag == NULL ? "stable" : tag);
	if (version[0] != '\0')
		return version;
	free(version);
	return mem_strdup("stable");
}

/* A version that comes back has no one to choose another name for it: what runs now may have been
 * called the same, as by `kubectl set image` on a template with a version label. */
static void avoid_stable_version(const struct start_options *options, struct plan *plan)
{
	if (options->template == NULL || options->version != NULL ||
		!str_equal(plan->canary_version, plan->stable_version))
		return;
	free(plan->canary_version);
	plan->canary_version = numbered_version(plan->stable_version, 2);
}

static int check_template(const struct record *record, const json *service, struct err *err)
{
	const json *labels = json_path(record->template, "metadata", "labels", NULL);
	const json *stable = record->stable;
	/* Of another version than the selector's is right: the copy has a selector of its own. */
	AUTO_JSON selector =
		selector_without(json_path(stable, "spec", "selector", NULL), VERSION_LABEL);
	if (!selector_matches(selector, labels))
		return err_set(err, ERR_FAILED,
			"-f: the labels of the pod template do not match the selector of "
			"deployment "
			"\"%s\"",
			object_name(stable));
	if (!selector_map_matches(json_path(service, "spec", "selector", NULL), labels))
		return err_set(err, ERR_FAILED,
			"-f: the labels of the pod template do not match the selector of service "
			"\"%s\"",
			object_name(service));
	return 0;
}

int template_check(const struct record *record, struct err *err)
{
	const struct plan *plan = &record->plan;
	if (templates_equal(record->template, pod_template(record->stable), true))
		return err_set(err, ERR_FAILED,
			"nothing to release: deployment \"%s\" has this template already",
			object_name(record->stable));
	if (str_equal(plan->canary_version, plan->stable_version))
		return err_set(err, ERR_USAGE,
			"the new version would be called \"%s\" like the one that runs: use "
			"--version",
			plan->canary_version);
	return 0;
}

/* The pod template that is asked for, without a word on its version yet. */
static int make_template(
	const struct start_options *options, struct record *record, struct err *err)
{
	bool manifest = options->manifest != NULL;
	if (options->template != NULL) {
		record->template = json_copy(options->template);
		map_set_text(
			json_get(record->template, "metadata"), "labels", POD_TEMPLATE_HASH, NULL);
		return 0;
	}
	bool images = options->images.count > 0;
	if (manifest ? images : !images && options->configs == NULL)
		return err_set(err, ERR_USAGE, "say what to release: either --image or -f");
	if (!manifest && !images && options->version == NULL)
		return err_set(err, ERR_USAGE,
			"--config alone releases the same image: name the new version with "
			"--version");
	return manifest ? template_from_manifest(options->manifest, record, &record->template, err)
			: template_from_images(options, record->stable, &record->template, err);
}

int template_make(const struct start_options *options, const json *service, struct record *record,
	struct err *err)
{
	const json *old = pod_template(record->stable);
	int code = make_template(options, record, err);
	if (code == 0)
		code = check_template(record, service, err);
	if (code == 0)
		code = name_canary_version(options, record, old, &record->plan.canary_version, err);
	if (code != 0)
		return code;
	record->plan.stable_version = name_stable_version(record, old);
	avoid_stable_version(options, &record->plan);
	const char *old_label = json_path_text(old, "metadata", "labels", VERSION_LABEL, NULL);
	record->tagged = old_label == NULL;
	/* A template that named its version names the new one; one that did not goes without, but
	 * for pods that keep the label which they have from the copy. */
	const json *new_label =
		json_path(record->template, "metadata", "labels", VERSION_LABEL, NULL);
	if (new_label != NULL || old_label != NULL || record->plan.handover != HANDOVER_ROLLING)
		map_set_text(json_ensure_object(record->template, "metadata"), "labels",
			VERSION_LABEL, record->plan.canary_version);
	return 0;
}
