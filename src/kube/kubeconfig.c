#include "kube/kubeconfig.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"
#include "data/yaml.h"

static const char *const SECTIONS[] = {"contexts", "clusters", "users"};

static void wipe_strings(json *node)
{
	const char *text = json_text(node);
	/* The tree is ours and about to go: its strings may be written to. */
	if (text != NULL)
		explicit_bzero((char *)(uintptr_t)text, strlen(text));
	json_for_each (member, node)
		wipe_strings(member);
}

static void wipe_tree(json **node)
{
	wipe_strings(*node);
	json_free(*node);
	*node = NULL;
}

void kubeconfig_release(struct kubeconfig *kubeconfig)
{
	wipe_tree(&kubeconfig->merged);
	free(kubeconfig->files);
	kubeconfig->files = NULL;
}

const json *kubeconfig_find(
	const struct kubeconfig *kubeconfig, const char *section, const char *name)
{
	json_for_each (element, json_get(kubeconfig->merged, section))
		if (str_equal(json_get_text(element, "name"), name))
			return element;
	return NULL;
}

char *kubeconfig_resolve_path(const json *element, const char *path)
{
	const char *file = json_get_text(element, "file");
	const char *slash = file != NULL ? strrchr(file, '/') : NULL;
	if (path[0] == '/' || slash == NULL)
		return mem_strdup(path);
	return mem_format("%.*s/%s", (int)(slash - file), file, path);
}

/* Takes the elements of a section that no file before had; whole ones, never parts. */
static int merge_section(struct kubeconfig *kubeconfig, json *from, const char *section,
	const char *file, struct err *err)
{
	json *elements = json_get(from, section);
	if (elements != NULL && !json_is_array(elements) && !json_is_null(elements))
		return err_set(err, ERR_INVALID, "%s: %s is not a list", file, section);
	for (json *element; (element = json_detach_at(elements, 0)) != NULL;) {
		const char *name = json_get_text(element, "name");
		bool known = name != NULL && kubeconfig_find(kubeconfig, section, name) != NULL;
		if (name == NULL || known) {
			wipe_tree(&element);
			if (!known)
				return err_set(err, ERR_INVALID, "%s: an element of %s has no name",
					file, section);
			continue;
		}
		json_set_text(element, "file", file);
		json_append(json_ensure_array(kubeconfig->merged, section), element);
	}
	return 0;
}

static int merge_file(struct kubeconfig *kubeconfig, json *from, const char *file, struct err *err)
{
	if (!json_is_object(from))
		return err_set(err, ERR_INVALID, "%s is not a kubeconfig file", file);
	const char *kind = json_get_text(from, "kind");
	if (!str_empty(kind) && !str_equal(kind, "Config"))
		return err_set(
			err, ERR_INVALID, "%s is not a kubeconfig file but a %s", file, kind);
	const char *current = json_get_text(from, "current-context");
	if (!str_empty(current) && json_get(kubeconfig->merged, "current-context") == NULL)
		json_set_text(kubeconfig->merged, "current-context", current);
	for (size_t i = 0; i < COUNT_OF(SECTIONS); i++) {
		int code = merge_section(kubeconfig, from, SECTIONS[i], file, err);
		if (code != 0)
			return code;
	}
	return 0;
}

static int read_one(struct kubeconfig *kubeconfig, const char *file, struct err *err)
{
	struct buf text;
	int code = file_read(file, YAML_MAXIMUM_BYTES, &text, err);
	if (code != 0)
		return err_wrap(err, "kubeconfig");
	CLEANUP(wipe_tree) json *documents = NULL;
	code = yaml_parse(buf_text(&text), text.length, &documents, err);
	if (text.text != NULL)
		explicit_bzero(text.text, text.length);
	buf_release(&text);
	if (code != 0)
		return err_wrap(err, "kubeconfig %s", file);
	if (json_count(documents) == 0)
		return 0;
	code = merge_file(kubeconfig, json_first(documents), file, err);
	return code == 0 ? 0 : err_wrap(err, "kubeconfig");
}

static void find_files(const struct kube_flags *flags, const struct kube_environment *environment,
	struct str_list *ret)
{
	*ret = (struct str_list){0};
	if (!str_empty(flags->kubeconfig)) {
		str_list_add(ret, flags->kubeconfig);
	} else if (!str_empty(environment->kubeconfig)) {
		str_split(environment->kubeconfig, ':', ret);
	} else if (!str_empty(environment->home)) {
		AUTO_STRING path = mem_format("%s/.kube/config", environment->home);
		str_list_add(ret, path);
	}
}

static bool is_missing(const char *file)
{
	return access(file, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static char *join(const struct str_list *files)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	for (size_t i = 0; i < files->count; i++)
		buf_addf(&text, "%s%s", i > 0 ? ":" : "", files->items[i]);
	return buf_take(&text);
}

int kubeconfig_read(const struct kube_flags *flags, const struct kube_environment *environment,
	struct kubeconfig *ret, struct err *err)
{
	CLEANUP(str_list_release) struct str_list files = {0};
	find_files(flags, environment, &files);
	bool must_exist = !str_empty(flags->kubeconfig);
	struct kubeconfig kubeconfig = {.merged = json_object(), .files = join(&files)};
	int code = 0;
	for (size_t i = 0; code == 0 && i < files.count; i++) {
		const char *file = files.items[i];
		if (must_exist || (file[0] != '\0' && !is_missing(file)))
			code = read_one(&kubeconfig, file, err);
	}
	if (code != 0)
		kubeconfig_release(&kubeconfig);
	else
		*ret = kubeconfig;
	return code;
}
